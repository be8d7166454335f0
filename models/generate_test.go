package models_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// generate continues one prompt greedily.
func generate(m *models.Model, prompt []int, n int) ([]int, error) {
	out, err := m.Generate(context.Background(), [][]int{prompt}, models.GenerateOptions{Tokens: n}, nil)
	if err != nil {
		return nil, err
	}
	return out[0].IDs, nil
}

// A generation with its cache takes the tokens that runs of whole sequences
// give, alone and in a batch, with edits and hooks at every step.
func TestGenerationEqualsFullRuns(t *testing.T) {
	prompts := [][]int{{1, 5, 2}, {3}, {4, 4, 2, 6}}
	const n = 5
	edits := [][]models.Edit{nil,
		{{Site: "blocks.1.attn.hook_z", Heads: []int{1}, Op: models.Set, Value: models.Number(0)}},
		{{Site: "blocks.0.hook_mlp_out", Positions: []int{-1}, Op: models.Scale, Value: models.Number(3)}},
		{{Site: "blocks.1.attn.hook_attn_scores", Keys: []int{1}, Heads: []int{0}, Op: models.Mask}, {Site: "logits", Neurons: []int{2}, Op: models.Add, Value: models.Number(4)}},
	}
	for name, m := range map[string]*models.Model{"gpt2": modeltest.GPT2(4), "llama": modeltest.Llama(5)} {
		for i, e := range edits {
			for _, s := range []models.Sampling{{}, {Temperature: 1.3, TopK: 7, TopP: 0.9, Repetition: 1.2, Seed: 5}} {
				opt := models.GenerateOptions{Tokens: n, Sampling: s, Edits: e}
				batch, err := m.Generate(context.Background(), prompts, opt, nil)
				if err != nil {
					t.Fatal(err)
				}
				for b, prompt := range prompts {
					pad := 4 - len(prompt) // edits are about places of the padded rows
					sequence := slices.Clone(prompt)
					for step := range n {
						in := models.Batch{IDs: append(make([]int, pad), sequence...), B: 1, T: pad + len(sequence), Start: []int{pad}, End: []int{pad + len(sequence)}}
						fixed := slices.Clone(e)
						for j := range fixed {
							if fixed[j].Positions != nil {
								fixed[j].Positions = []int{3}
							}
						}
						hooks, err := m.Edits(fixed...)
						if err != nil {
							t.Fatal(err)
						}
						row := logits(t, m, in, models.Need{Last: true}, hooks...)
						id := batch[b].IDs[step]
						if s.Temperature == 0 {
							best := 0
							for v, x := range row.Data {
								if x > row.Data[best] {
									best = v
								}
							}
							if id != best {
								t.Errorf("%s, edits %d: row %d takes %d at step %d, a full run %d", name, i, b, id, step, best)
							}
						}
						if want := models.LogProbs(row.Data)[id]; batch[b].LogProbs[step] != want {
							t.Errorf("%s, edits %d: row %d, step %d: log-probability %.9g, of a full run %.9g", name, i, b, step, batch[b].LogProbs[step], want)
						}
						sequence = append(sequence, id)
					}
				}
			}
		}
	}
}

// Hooks see the new rows only, patterns over everything so far.
func TestGenerationShowsNewRows(t *testing.T) {
	m := modeltest.Llama(5)
	var z, pattern [][]int
	hook := models.Hook{Sites: func(s models.Site) bool { return s.Layer == 1 }, Fn: func(s models.Site, x *tensor.Dense) error {
		switch s.Kind {
		case models.Z:
			z = append(z, x.Shape)
		case models.Pattern:
			pattern = append(pattern, x.Shape)
			for i := range x.Data {
				x.Data[i] *= 2
			}
		}
		return nil
	}}
	opt := models.GenerateOptions{Tokens: 3, Hooks: []models.Hook{hook}}
	hooked, err := m.Generate(context.Background(), [][]int{{1, 5}, {3}}, opt, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := m.Config
	for i, want := range [][]int{{2, 2, c.Heads, c.HeadWidth}, {2, 1, c.Heads, c.HeadWidth}, {2, 1, c.Heads, c.HeadWidth}} {
		if !slices.Equal(z[i], want) {
			t.Errorf("step %d: z has shape %v, want %v", i, z[i], want)
		}
		if want := []int{2, c.Heads, want[1], 2 + i}; !slices.Equal(pattern[i], want) {
			t.Errorf("step %d: the pattern has shape %v, want %v", i, pattern[i], want)
		}
	}
	double := models.Edit{Site: "pattern1", Op: models.Scale, Value: models.Number(2)}
	edited, err := m.Generate(context.Background(), [][]int{{1, 5}, {3}}, models.GenerateOptions{Tokens: 3, Edits: []models.Edit{double}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := m.Generate(context.Background(), [][]int{{1, 5}, {3}}, models.GenerateOptions{Tokens: 3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for b := range hooked {
		if !slices.Equal(hooked[b].LogProbs, edited[b].LogProbs) || slices.Equal(hooked[b].LogProbs, plain[b].LogProbs) {
			t.Errorf("row %d: a hook that doubles patterns gives %v, the same edit %v, no edit %v", b, hooked[b].LogProbs, edited[b].LogProbs, plain[b].LogProbs)
		}
	}
}

func TestGenerationEnds(t *testing.T) {
	m := modeltest.GPT2(4)
	free, err := m.Generate(context.Background(), [][]int{{1}, {2}}, models.GenerateOptions{Tokens: 4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	stop := free[0].IDs[1]
	ended, err := m.Generate(context.Background(), [][]int{{1}, {2}}, models.GenerateOptions{Tokens: 4, StopIDs: []int{stop}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for b := range free {
		want, reason := free[b].IDs, models.EndedByLength
		if at := slices.Index(want, stop); at >= 0 {
			want, reason = want[:at+1], models.EndedByID
			if at == 3 {
				reason = models.EndedByID
			}
		}
		if !slices.Equal(ended[b].IDs, want) || ended[b].Reason != reason {
			t.Errorf("row %d: %v by %q, want %v by %q", b, ended[b].IDs, ended[b].Reason, want, reason)
		}
	}
	enough := errors.New("enough")
	part, err := m.Generate(context.Background(), [][]int{{1}}, models.GenerateOptions{Tokens: 4}, func(s models.Step) error {
		if s.Index == 1 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || !slices.Equal(part[0].IDs, free[0].IDs[:2]) {
		t.Errorf("an emit that has enough: %v, %v", part, err)
	}
	again := func(seed uint64) []int {
		out, err := m.Generate(context.Background(), [][]int{{1}}, models.GenerateOptions{Tokens: 8, Sampling: models.Sampling{Temperature: 2, Seed: seed}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return out[0].IDs
	}
	if !slices.Equal(again(1), again(1)) || slices.Equal(again(1), again(2)) {
		t.Errorf("seed 1 gives %v and %v, seed 2 %v", again(1), again(1), again(2))
	}
}

func TestGenerationRefuses(t *testing.T) {
	m := modeltest.GPT2(4)
	for want, opt := range map[string]models.GenerateOptions{
		"0 tokens: at least 1":             {},
		"temperature is -1":                {Tokens: 1, Sampling: models.Sampling{Temperature: -1}},
		"top_k is -2":                      {Tokens: 1, Sampling: models.Sampling{TopK: -2}},
		"top_p is 1.5":                     {Tokens: 1, Sampling: models.Sampling{TopP: 1.5}},
		"repetition penalty is -1":         {Tokens: 1, Sampling: models.Sampling{Repetition: -1}},
		"stop id 900 is outside":           {Tokens: 1, StopIDs: []int{900}},
		"a stop string is empty":           {Tokens: 1, Stop: []string{""}},
		"positions: index 40 is outside":   {Tokens: 1, Edits: []models.Edit{{Site: "resid_pre0", Positions: []int{40}, Op: models.Set, Value: models.Number(0)}}},
		"this model knows 9 positions":     {Tokens: 20},
		"generate: edit 0 at \"resid_x0\"": {Tokens: 1, Edits: []models.Edit{{Site: "resid_x0", Op: models.Set, Value: models.Number(0)}}},
	} {
		_, err := m.Generate(context.Background(), [][]int{{1, 2}}, opt, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
