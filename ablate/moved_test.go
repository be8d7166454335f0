package ablate_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// streams are the rows of a lens.
func streams(m *models.Model) []models.Site {
	rows := []models.Site{{Layer: 0, Kind: models.ResidPre}}
	for l := range m.Config.Layers {
		rows = append(rows, models.Site{Layer: l, Kind: models.ResidPost})
	}
	return rows
}

var clean, corrupted = []int{1, 2, 3, 4, 5}, []int{1, 6, 3, 4, 5}

// TestConeHoldsAllThatChanges edits every site of every family at one position,
// and compares all streams with the run without the edit, bit for bit: outside
// of the cone nothing may change, and each row and position that is said to be
// reached is, for some site.
func TestConeHoldsAllThatChanges(t *testing.T) {
	for _, m := range modeltest.Kinds(1) {
		t.Run(m.Name, func(t *testing.T) {
			rows, T := streams(m), len(corrupted)
			stream := len(rows)
			for _, s := range m.Sites() {
				if s.Kind == models.AttnOut || s.Kind == models.MLPOut {
					rows = append(rows, s)
				}
			}
			reached := map[[2]int]bool{}
			var base, edited = models.NewCache(), models.NewCache()
			record := func(c *models.Cache) models.Hook { return models.Record(c, models.Sites(rows...)) }
			if _, err := m.Run(context.Background(), models.Prompt(corrupted...), record(base)); err != nil {
				t.Fatal(err)
			}
			for _, site := range m.Sites() {
				e := models.Edit{Site: site.String(), Op: models.Scale, Value: models.Number(0.5), Positions: []int{2}}
				if site.Kind == models.AttnScores || site.Kind == models.Pattern {
					e.Positions, e.Queries = nil, []int{2}
				}
				hooks, err := m.Edits(e)
				if err != nil {
					t.Fatalf("%s: %v", site, err)
				}
				if _, err := m.Run(context.Background(), models.Prompt(corrupted...), append(hooks, record(edited))...); err != nil {
					t.Fatalf("%s: %v", site, err)
				}
				cone, err := ablate.Cone(m, []models.Edit{e}, T, rows)
				if err != nil {
					t.Fatal(err)
				}
				for r, row := range rows {
					x, _ := base.Get(row)
					y, _ := edited.Get(row)
					for p := range T {
						same := true
						for i, v := range x.Sub(0, p).Data {
							same = same && math.Float32bits(v) == math.Float32bits(y.Sub(0, p).Data[i])
						}
						if !same && !cone[r][p] {
							t.Errorf("edit at %s, position 2: %s changes at position %d, outside of the cone", site, row, p)
						}
						reached[[2]int{r, p}] = reached[[2]int{r, p}] || !same
					}
				}
			}
			for r := range stream {
				for p := range 4 { // an attention window may end before position 4
					if want := p == 2 || p > 2 && r > 0; reached[[2]int{r, p}] != want {
						t.Errorf("row %d, position %d: changed by some site is %t, want %t", r, p, !want, want)
					}
				}
			}
		})
	}
}

// TestMovesFindThePlantedHead: in the circuit set by hand, head 0 of block 1
// alone moves the first token to the last position.
func TestMovesFindThePlantedHead(t *testing.T) {
	m := modeltest.Copy()
	a, b := []int{2, 1, 2, 3}, []int{0, 1, 2, 3}
	tries := [][]ablate.Move{
		{{Site: "blocks.1.attn.hook_z", Heads: []int{0}, At: []int{-1}}},
		{{Site: "blocks.1.attn.hook_z", Heads: []int{1}, At: []int{-1}}},
		{{Site: "blocks.0.hook_resid_post", At: []int{0}}},
		{{Site: "blocks.1.hook_resid_post", At: []int{0}}},
		{{Site: "blocks.0.hook_resid_pre", At: []int{0}, To: []int{0}}, {Site: "blocks.1.hook_attn_out", Run: ablate.FromZero, At: []int{3}}},
		{{Site: "blocks.1.attn.hook_z", Run: ablate.FromCorrupted}},
	}
	v, err := ablate.StartMoved(context.Background(), m, a, b, ablate.MovedOptions{Tries: tries, Keep: streams(m)})
	if err != nil {
		t.Fatal(err)
	}
	top := func(r *ablate.SeenRun) int {
		best, z := 0, r.Logits.Sub(3).Data
		for i := range z {
			if z[i] > z[best] {
				best = i
			}
		}
		return best
	}
	for i, want := range []int{2, 0, 2, 0, -1, 0} {
		r, err := v.Run(context.Background(), tries[i])
		if err != nil {
			t.Fatal(err)
		}
		if got := top(r); want >= 0 && got != want {
			t.Errorf("try %d: the model says %d, want %d", i, got, want)
		}
		if different, err := v.Rerun(context.Background(), tries[i], r); err != nil || different != 0 {
			t.Errorf("try %d: %d logits differ from an exact re-run (%v)", i, different, err)
		}
		if own, err := v.Own(context.Background(), tries[i]); err != nil || own != 0 {
			t.Errorf("try %d: own value back changes a logit by %g (%v)", i, own, err)
		}
		edits, err := v.Edits(context.Background(), tries[i])
		if err != nil {
			t.Fatal(err)
		}
		cone, err := ablate.Cone(m, edits, 4, streams(m))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := ablate.Outside(r, v.Corrupted, cone, streams(m)); err != nil || n != 0 {
			t.Errorf("try %d: %d values outside of the cone differ (%v)", i, n, err)
		}
	}
}

// TestMoveIsTheHandWrittenPatch sets by a hook of its own what a move says, one
// cell of one run at another place of the other.
func TestMoveIsTheHandWrittenPatch(t *testing.T) {
	m := modeltest.GPT2(3)
	try := []ablate.Move{{Site: "blocks.0.hook_resid_post", At: []int{1}, Into: "blocks.1.hook_mlp_out", To: []int{-2}}}
	v, err := ablate.StartMoved(context.Background(), m, clean, corrupted, ablate.MovedOptions{Tries: [][]ablate.Move{try}, Keep: streams(m)})
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Run(context.Background(), try)
	if err != nil {
		t.Fatal(err)
	}
	cache := models.NewCache()
	from, into := models.Site{Layer: 0, Kind: models.ResidPost}, models.Site{Layer: 1, Kind: models.MLPOut}
	if _, err := m.Run(context.Background(), models.Prompt(clean...), models.Record(cache, models.Sites(from))); err != nil {
		t.Fatal(err)
	}
	x, _ := cache.Get(from)
	hook := models.Hook{Sites: models.Sites(into), Fn: func(_ models.Site, y *tensor.Dense) error {
		copy(y.Sub(0, 3).Data, x.Sub(0, 1).Data)
		return nil
	}}
	out, err := m.Run(context.Background(), models.Prompt(corrupted...), hook)
	if err != nil {
		t.Fatal(err)
	}
	if d := r.Logits.MaxDifference(out.Logits.Sub(0)); d != 0 {
		t.Errorf("the moved run differs from the hand-written patch by %g", d)
	}
	if d := r.Logits.MaxDifference(v.Corrupted.Logits); !(d > 0) {
		t.Errorf("the move changes nothing (%g)", d)
	}
}

func TestMovesRefuse(t *testing.T) {
	m := modeltest.GPT2(3)
	for _, c := range []struct {
		name string
		a    []int
		try  []ablate.Move
		want string
	}{
		{"lengths", clean[:4], []ablate.Move{{Site: "resid_post0"}}, "clean has 4 tokens, corrupted has 5"},
		{"nothing", clean, nil, "try 0 moves nothing"},
		{"site", clean, []ablate.Move{{Site: "blocks.0.hook_resid_pst"}}, "hook_resid_pst"},
		{"layer", clean, []ablate.Move{{Site: "blocks.9.hook_resid_post"}}, "9"},
		{"end", clean, []ablate.Move{{Site: "ln_final.hook_normalized"}}, "behind the last block"},
		{"shape", clean, []ablate.Move{{Site: "z0", Into: "resid_post0"}}, "fits only where the axes are the same"},
		{"position", clean, []ablate.Move{{Site: "resid_post0", At: []int{5}}}, "at: index 5 is outside 0..4 (or -5..-1 from the end)"},
		{"target", clean, []ablate.Move{{Site: "resid_post0", At: []int{1}, To: []int{7}}}, "to: index 7 is outside 0..4"},
		{"counts", clean, []ablate.Move{{Site: "resid_post0", At: []int{1, 2}, To: []int{3}}}, "2 positions are read ([1 2]) and 1 are written"},
		{"head", clean, []ablate.Move{{Site: "z0", Heads: []int{40}}}, "heads: index 40 is outside"},
		{"axis", clean, []ablate.Move{{Site: "resid_post0", Heads: []int{0}}}, "heads"},
		{"empty", clean, []ablate.Move{{Site: "resid_post0", At: []int{}}}, "empty list"},
		{"run", clean, []ablate.Move{{Site: "resid_post0", Run: "other"}}, `run is "other"`},
		{"mean", clean, []ablate.Move{{Site: "resid_post0", Run: ablate.FromMean}}, "no reference prompts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ablate.StartMoved(context.Background(), m, c.a, corrupted, ablate.MovedOptions{Tries: [][]ablate.Move{c.try}, Keep: streams(m)})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
