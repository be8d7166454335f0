package models_test

import (
	"context"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// What is not needed is not computed, and what is has the bits of a full run,
// padded or not.
func TestNeedChangesNoBit(t *testing.T) {
	rows := [][]int{{1, 5, 2, 7, 3}, {3, 4, 6}, {2, 2, 2, 2, 2}}
	for name, m := range map[string]*models.Model{"gpt2": modeltest.GPT2(4), "llama": modeltest.Llama(5)} {
		for _, side := range []models.Side{models.Left, models.Right} {
			in, err := models.Pad(rows, side, 0)
			if err != nil {
				t.Fatal(err)
			}
			full := logits(t, m, in, models.Need{})
			for _, need := range []models.Need{
				{Last: true}, {Positions: []int{4, -3}}, {Positions: []int{2}, Tokens: []int{3, 0}}, {Last: true, Tokens: []int{7}}, {Tokens: []int{1, 1}},
			} {
				got := logits(t, m, in, need)
				for b := range in.B {
					places := need.Positions
					if need.Last {
						places = []int{in.End[b] - 1}
					}
					if places == nil {
						places = []int{0, 1, 2, 3, 4}
					}
					for i, at := range places {
						want := full.Sub(b, (at+in.T)%in.T).Data
						if need.Tokens != nil {
							picked := []float32{}
							for _, id := range need.Tokens {
								picked = append(picked, want[id])
							}
							want = picked
						}
						if have := got.Sub(b, i); !have.EqualBits(tensor.From(want, len(want))) {
							t.Errorf("%s, %s padding, %+v: row %d place %d differs from the full run", name, side, need, b, at)
						}
					}
				}
			}
		}
	}
}

func logits(t *testing.T, m *models.Model, in models.Batch, need models.Need, hooks ...models.Hook) *tensor.Dense {
	t.Helper()
	out, err := m.RunFor(context.Background(), in, need, hooks...)
	if err != nil {
		t.Fatal(err)
	}
	return out.Logits
}

// A hook at a row that nobody needs still sees it, and the gradients of pruned
// and of full passes agree, whether sites are looked at or not.
func TestNeedKeepsHooksAndGradients(t *testing.T) {
	m := modeltest.Llama(5)
	in := models.Prompt(1, 5, 2, 7, 3)
	last := models.Need{Last: true, Tokens: []int{2, 6}}
	seen := models.NewCache()
	logits(t, m, in, last, models.Record(seen, models.All))
	if x, _ := seen.Get(models.Site{Layer: -1, Kind: models.Logits}); x == nil || x.Dim(1) != in.T {
		t.Errorf("a hook at the logits sees %v, want every position", x)
	}
	difference := func(at int) models.Objective {
		return func(l *tensor.Dense) (float64, *tensor.Dense, error) {
			g := tensor.New(l.Shape...)
			row, a, b := l.Sub(0, at).Data, 2, 6
			if len(row) == 2 {
				a, b = 0, 1
			}
			g.Sub(0, at).Data[a], g.Sub(0, at).Data[b] = 1, -1
			return float64(row[a] - row[b]), g, nil
		}
	}
	want := gradient(t, m, in, difference(in.T-1), models.Want{Params: true})
	for _, sites := range []models.Selector{nil, models.All} {
		got := gradient(t, m, in, difference(0), models.Want{Params: true, Sites: sites, Need: last})
		if got.Value != want.Value {
			t.Errorf("value %g, want %g", got.Value, want.Value)
		}
		got.Params.Each(func(name string, x *tensor.Dense) {
			y, _ := want.Params.Get(name)
			modeltest.Close(t, name, x, y, 1e-5, 1e-5)
		})
	}
}

func TestNeedRefuses(t *testing.T) {
	m := modeltest.GPT2(4)
	for want, need := range map[string]models.Need{
		"position 9 is outside 0..2":            {Positions: []int{9}},
		"position -4 is outside 0..2":           {Positions: []int{-4}},
		"token 900 is outside the vocabulary 0": {Tokens: []int{900}},
		"positions is an empty list":            {Positions: []int{}},
		"tokens is an empty list":               {Tokens: []int{}},
		"take one":                              {Positions: []int{0}, Last: true},
	} {
		_, err := m.RunFor(context.Background(), models.Prompt(1, 2, 3), need)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one with %q", need, err, want)
		}
	}
}

// Gradients of sites have the same bits whether all tokens are unembedded or
// the wanted ones only, in any order and with one twice.
func TestNeededTokensKeepGradients(t *testing.T) {
	for name, m := range subjects(t) {
		in := models.Prompt(1, 5, 2, 7, 3)
		weight := []float32{1, -2, 0.5}
		of := func(tokens []int) models.Objective {
			return func(l *tensor.Dense) (float64, *tensor.Dense, error) {
				g, row, sum := tensor.New(l.Shape...), l.Sub(0, 0).Data, 0.0
				for i, at := range tokens {
					sum += float64(weight[i]) * float64(row[at])
					g.Sub(0, 0).Data[at] += weight[i]
				}
				return sum, g, nil
			}
		}
		streams := func(s models.Site) bool { return s.Kind == models.ResidPre || s.Kind == models.Z }
		want := gradient(t, m, in, of([]int{6, 2, 6}), models.Want{Sites: streams, Need: models.Need{Last: true}})
		got := gradient(t, m, in, of([]int{0, 1, 2}), models.Want{Sites: streams, Need: models.Need{Last: true, Tokens: []int{6, 2, 6}}})
		if got.Value != want.Value {
			t.Errorf("%s: value %g, want %g", name, got.Value, want.Value)
		}
		for _, s := range want.Sites.Sites() {
			x, _ := got.Sites.Get(s)
			if y, _ := want.Sites.Get(s); !x.EqualBits(y) {
				t.Errorf("%s: the gradient at %s differs by %g", name, s, x.MaxDifference(y))
			}
		}
	}
}
