package models_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// TestGenerationOfEveryKind continues two prompts of unequal length in every
// family and kind of block, with and without random edits: each token's
// log-probability has the bits of a run of the whole sequence, alone.
func TestGenerationOfEveryKind(t *testing.T) {
	const n = 4
	for name, m := range subjects(t) {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(11, uint64(len(name))))
			long, short := 3+rng.IntN(2), 1+rng.IntN(2)
			var rows [][]int
			for _, size := range []int{long, short} {
				row := make([]int, size)
				for i := range row {
					row[i] = rng.IntN(m.Config.Vocab)
				}
				rows = append(rows, row)
			}
			in, err := models.Pad(rows, models.Left, 0)
			if err != nil {
				t.Fatal(err)
			}
			for round := range 8 {
				var edits, fixed []models.Edit
				for range round % 4 {
					e := ofPrompt(randomEdit(rng, m, in), in.T)
					edits, fixed = append(edits, e), append(fixed, fromFront(e, in.T))
				}
				sampling := models.Sampling{Temperature: float64(round%2) * 1.5, Seed: uint64(round)}
				out, err := m.Generate(context.Background(), rows, models.GenerateOptions{Tokens: n, Edits: edits, Sampling: sampling}, nil)
				if err != nil {
					t.Fatalf("%v: %v", edits, err)
				}
				hooks, err := m.Edits(fixed...)
				if err != nil {
					t.Fatal(err)
				}
				for b, row := range rows {
					pad, sequence := long-len(row), slices.Clone(row)
					for step, id := range out[b].IDs {
						whole := models.Batch{IDs: append(make([]int, pad), sequence...), B: 1, T: pad + len(sequence), Start: []int{pad}, End: []int{pad + len(sequence)}}
						full := logits(t, m, whole, models.Need{Last: true}, hooks...)
						if want := models.LogProbs(full.Data)[id]; out[b].LogProbs[step] != want {
							t.Errorf("%s: row %d, step %d: log-probability %.9g, of a full run %.9g", describe(edits, models.Variant{}), b, step, out[b].LogProbs[step], want)
						}
						sequence = append(sequence, id)
					}
				}
			}
		})
	}
}

// ofPrompt lets an edit of scores or patterns be about keys of the prompt, of t
// tokens: others are not there when a query first sees them.
func ofPrompt(e models.Edit, t int) models.Edit {
	if kind := e.Site[strings.LastIndexByte(e.Site, '.')+1:]; e.Keys == nil && (kind == "hook_attn_scores" || kind == "hook_pattern") {
		for key := range t {
			e.Keys = append(e.Keys, key)
		}
	}
	return e
}

// fromFront counts all places of an edit from the front of rows of t tokens.
func fromFront(e models.Edit, t int) models.Edit {
	for _, list := range []*[]int{&e.Positions, &e.Queries, &e.Keys} {
		*list = slices.Clone(*list)
		for i, at := range *list {
			if at < 0 {
				(*list)[i] = at + t
			}
		}
	}
	return e
}

// TestPaddingIsNoHistory penalises repetition where only two tokens can win: the
// padding of the shorter row, of the same id as one of them, does not count.
func TestPaddingIsNoHistory(t *testing.T) {
	m := modeltest.GPT2(1)
	set := func(v float32, ids ...int) models.Edit {
		return models.Edit{Site: "logits", Neurons: ids, Op: models.Set, Value: models.Number(v)}
	}
	out, err := m.Generate(t.Context(), [][]int{{5, 6, 7}, {5}}, models.GenerateOptions{
		Tokens: 3, Sampling: models.Sampling{Repetition: 1.5}, Edits: []models.Edit{set(0), set(1, 0), set(0.9, 1)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for b := range out { // 1 > 0.9; 1/1.5 < 0.9; 1/1.5 > 0.9/1.5
		if !slices.Equal(out[b].IDs, []int{0, 1, 0}) {
			t.Errorf("row %d became %v, want 0 1 0", b, out[b].IDs)
		}
	}
}

// TestRowsDrawOnTheirOwn continues equal prompts.
func TestRowsDrawOnTheirOwn(t *testing.T) {
	m := modeltest.GPT2(1)
	draw := func() []models.Generated {
		out, err := m.Generate(t.Context(), [][]int{{1}, {1}}, models.GenerateOptions{Tokens: 8, Sampling: models.Sampling{Temperature: 3, Seed: 4}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	first, again := draw(), draw()
	if slices.Equal(first[0].IDs, first[1].IDs) {
		t.Errorf("both rows drew %v", first[0].IDs)
	}
	for b := range first {
		if !slices.Equal(first[b].IDs, again[b].IDs) {
			t.Errorf("row %d drew %v, and with the same seed %v", b, first[b].IDs, again[b].IDs)
		}
	}
}

// TestGenerationEditsRows sets the logits of one row of a batch alone.
func TestGenerationEditsRows(t *testing.T) {
	m := modeltest.GPT2(1)
	rows := [][]int{{5, 6, 7}, {5, 6, 7}}
	generate := func(edits ...models.Edit) []models.Generated {
		out, err := m.Generate(t.Context(), rows, models.GenerateOptions{Tokens: 2, Edits: edits}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	plain := generate()
	to := (plain[0].IDs[0] + 1) % m.Config.Vocab
	out := generate(models.Edit{Site: "logits", Rows: []int{1}, Neurons: []int{to}, Op: models.Set, Value: models.Number(100)})
	if !slices.Equal(out[0].IDs, plain[0].IDs) || !slices.Equal(out[1].IDs, []int{to, to}) {
		t.Errorf("rows became %v and %v, want %v and twice %d", out[0].IDs, out[1].IDs, plain[0].IDs, to)
	}
}

// TestGenerationShowsTheLastBlock counts the rows that hooks see in every block:
// in the last one, of which a prompt needs its last row only, all as well.
func TestGenerationShowsTheLastBlock(t *testing.T) {
	m := modeltest.Llama(5)
	for _, kind := range []models.Kind{models.Q, models.Z, models.ResidPost} {
		for l := range m.Config.Layers {
			var seen []int
			hook := models.Hook{Sites: models.Sites(models.Site{Layer: l, Kind: kind}), Fn: func(_ models.Site, x *tensor.Dense) error {
				seen = append(seen, x.Dim(1))
				return nil
			}}
			if _, err := m.Generate(t.Context(), [][]int{{1, 5, 2}}, models.GenerateOptions{Tokens: 3, Hooks: []models.Hook{hook}}, nil); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(seen, []int{3, 1, 1}) {
				t.Errorf("%s showed %v rows, want 3, 1 and 1", models.Site{Layer: l, Kind: kind}, seen)
			}
		}
	}
}
