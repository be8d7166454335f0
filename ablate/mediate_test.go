package ablate_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"orrery/ablate"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

func (g golden) mediate(t *testing.T, pairs []ablate.Pair, opt ablate.MediateOptions) *ablate.Effects {
	t.Helper()
	e, err := ablate.Mediate(context.Background(), g.model, pairs, opt, func(ablate.Cell) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestMediateGolden compares every cell and pair with the reference. The
// bound is relative: an indirect effect is a quotient of probabilities, whose
// relative error in float32 is that of the logits, about 1e-5.
func TestMediateGolden(t *testing.T) {
	eachGolden(t, "02_mediation.safetensors", func(t *testing.T, g golden) {
		for set, pairs := range map[string][]ablate.Pair{"varying": g.pairs(t, "pairs5"), "fixed": g.pairs(t, "pairs_fixed")} {
			e := g.mediate(t, pairs, ablate.MediateOptions{Components: []ablate.Component{ablate.MLP, ablate.Attention, ablate.Embedding, ablate.Coordinate}, Layer: g.model.Config.Layers / 2})
			if e.OwnError != 0 || e.SourceError != 0 {
				t.Errorf("%s: own value %g, whole stream %g, want 0 and 0", set, e.OwnError, e.SourceError)
			}
			if e.Report.Checked == 0 || e.Report.Different != 0 || e.Report.Computed >= e.Report.Full {
				t.Errorf("%s: report %+v", set, e.Report)
			}
			for _, c := range []ablate.Component{ablate.MLP, ablate.Attention} {
				g.checkCells(t, e, c, set, "ie", ablate.Shift.Indirect)
				g.checkCells(t, e, c, set, "term1", func(s ablate.Shift) float64 { r, _ := s.Terms(); return r })
				g.checkCells(t, e, c, set, "term2", func(s ablate.Shift) float64 { _, r := s.Terms(); return r })
				g.checkCells(t, e, c, set, "sum_diff", ablate.Shift.Moved)
				g.checkCells(t, e, c, set, "absdiff_rprime", ablate.Shift.Changed)
				g.checkCells(t, e, c, set, "p_r", func(s ablate.Shift) float64 { return s.EditedR })
				g.checkCells(t, e, c, set, "p_rprime", func(s ablate.Shift) float64 { return s.EditedRPrime })
				g.checkCells(t, e, c, set, "diff_r", func(s ablate.Shift) float64 { return s.EditedR - s.BaseR })
			}
			g.checkTotal(t, e, set)
			if at := g.ints(t, set+".coordinates.layer"); len(at) != 1 || at[0] != g.model.Config.Layers/2 {
				t.Fatalf("the coordinates are of layer %v", at)
			}
			coordinates := tensor.New(len(pairs), g.model.Config.Width)
			for _, c := range e.Cells {
				for i, s := range c.Shifts {
					if c.Component == ablate.Coordinate {
						coordinates.Set(float32(s.Indirect()), i, c.Coordinate)
					}
				}
			}
			modeltest.Close(t, set+" coordinates", coordinates, g.read(t, set+".coordinates.ie"), 1e-5, 5e-5)
			g.checkImportance(t, e, set)
		}
	})
}

// checkTotal compares the runs without edits and the shift from one to the other,
// by every measure.
func (g golden) checkTotal(t *testing.T, e *ablate.Effects, set string) {
	t.Helper()
	for name, measure := range map[string]func(ablate.Shift) float64{
		"base.p_r":                    func(s ablate.Shift) float64 { return s.BaseR },
		"base.p_rprime":               func(s ablate.Shift) float64 { return s.BaseRPrime },
		"source.p_r":                  func(s ablate.Shift) float64 { return s.EditedR },
		"source.p_rprime":             func(s ablate.Shift) float64 { return s.EditedRPrime },
		"total_effect.p_r":            func(s ablate.Shift) float64 { return s.EditedR },
		"total_effect.p_rprime":       func(s ablate.Shift) float64 { return s.EditedRPrime },
		"total_effect.ie":             ablate.Shift.Indirect,
		"total_effect.term1":          func(s ablate.Shift) float64 { r, _ := s.Terms(); return r },
		"total_effect.term2":          func(s ablate.Shift) float64 { _, r := s.Terms(); return r },
		"total_effect.sum_diff":       ablate.Shift.Moved,
		"total_effect.diff_r":         func(s ablate.Shift) float64 { return s.EditedR - s.BaseR },
		"total_effect.absdiff_rprime": ablate.Shift.Changed,
	} {
		got := make([]float64, len(e.Total))
		for i, s := range e.Total {
			got[i] = measure(s)
		}
		modeltest.Close(t, set+"."+name, vector(got), g.read(t, set+"."+name), 1e-5, 5e-5)
	}
}

// checkImportance compares relative importance with and without the row of the
// embedding, with both floors, and by |P* − P|.
func (g golden) checkImportance(t *testing.T, e *ablate.Effects, set string) {
	t.Helper()
	blocks := *e
	blocks.Cells = nil
	for _, c := range e.Cells {
		if c.Component != ablate.Embedding {
			blocks.Cells = append(blocks.Cells, c)
		}
	}
	changed := func(s ablate.Shift) float64 { return math.Abs(s.EditedR - s.BaseR) }
	var got []float32
	for _, test := range []struct {
		of      *ablate.Effects
		measure func(ablate.Shift) float64
		floor   float64
	}{{e, ablate.Shift.Indirect, 0}, {e, ablate.Shift.Indirect, 0.1}, {&blocks, ablate.Shift.Indirect, 0}, {&blocks, ablate.Shift.Indirect, 0.1}, {e, changed, 0}, {&blocks, changed, 0}} {
		v, err := test.of.RelativeImportance(test.measure, test.floor)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, float32(v))
	}
	modeltest.Close(t, set+" relative importance", tensor.From(got[:4], 4), g.read(t, set+".ri"), ratioBound, ratioBound)
	modeltest.Close(t, set+" relative importance of changes", tensor.From(got[4:], 2), g.read(t, set+".ri_absdiff"), ratioBound, ratioBound)
}

// checkCells compares one measure of all cells of a component with
// SET.COMPONENT.NAME [pair,layer,pos], and its mean and standard error where
// the reference has them. The MLP's table starts with the embedding.
func (g golden) checkCells(t *testing.T, e *ablate.Effects, c ablate.Component, set, name string, measure func(ablate.Shift) float64) {
	t.Helper()
	key := fmt.Sprintf("%s.%s.%s", set, c, name)
	want := g.read(t, key)
	skip := 0
	if c == ablate.MLP {
		skip = 1
	}
	layers, positions := e.Layers+skip, e.Position
	got := tensor.New(len(e.Pairs), layers, positions)
	mean, sem, size := tensor.New(layers, positions), tensor.New(layers, positions), tensor.New(layers, positions)
	for _, cell := range e.Cells {
		layer := cell.Layer + skip
		if cell.Component != c && !(c == ablate.MLP && cell.Component == ablate.Embedding) {
			continue
		}
		for i, s := range cell.Shifts {
			got.Set(float32(measure(s)), i, layer, cell.Position)
		}
		s := cell.Summarise(measure)
		mean.Set(float32(s.Mean), layer, cell.Position)
		sem.Set(float32(s.SEM), layer, cell.Position)
		s = cell.Summarise(func(s ablate.Shift) float64 { return math.Abs(measure(s)) })
		size.Set(float32(s.Mean), layer, cell.Position)
	}
	modeltest.Close(t, key, got, want, 1e-5, 5e-5)
	if name == "ie" {
		modeltest.Close(t, key+"_mean", mean, g.read(t, key+"_mean"), 1e-5, 5e-5)
		modeltest.Close(t, key+"_sem", sem, g.read(t, key+"_sem"), 1e-5, 5e-5)
	}
	if name == "diff_r" {
		key = fmt.Sprintf("%s.%s.absdiff_r_mean", set, c)
		modeltest.Close(t, key, size, g.read(t, key), 1e-5, 5e-5)
	}
}

// TestMediateNull exchanges a prompt with itself: no cell may change anything.
func TestMediateNull(t *testing.T) {
	g := toy(t)
	p := g.pairs(t, "pairs5")[0]
	p.Source = p.Base
	for _, cell := range g.mediate(t, []ablate.Pair{p}, ablate.MediateOptions{}).Cells {
		if s := cell.Shifts[0]; s.BaseR != s.EditedR || s.BaseRPrime != s.EditedRPrime {
			t.Errorf("%s layer %d position %d: %+v, want no change", cell.Component, cell.Layer, cell.Position, s)
		}
	}
}

// TestMediateCausal checks that nothing changes at positions before the first
// one at which the prompts differ.
func TestMediateCausal(t *testing.T) {
	g := toy(t)
	for _, cell := range g.mediate(t, g.pairs(t, "pairs5"), ablate.MediateOptions{}).Cells {
		for i, s := range cell.Shifts {
			p := g.pairs(t, "pairs5")[i]
			if cell.Position == 0 || p.Base[1] == p.Source[1] && cell.Position == 1 {
				if s.BaseR != s.EditedR {
					t.Errorf("pair %d %s layer %d position %d changed the answer", i, cell.Component, cell.Layer, cell.Position)
				}
			}
		}
	}
}

func TestMediateStops(t *testing.T) {
	g := toy(t)
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	e, err := ablate.Mediate(ctx, g.model, g.pairs(t, "pairs5"), ablate.MediateOptions{}, func(ablate.Cell) error {
		if n++; n == 7 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || e == nil || len(e.Cells) != 7 {
		t.Fatalf("cancelled after 7 cells: error %v, effects %v", err, e)
	}
}

func TestMediateRefuses(t *testing.T) {
	g := toy(t)
	for _, test := range []struct {
		name  string
		pairs []ablate.Pair
		opt   ablate.MediateOptions
	}{
		{"no pairs", nil, ablate.MediateOptions{}},
		{"unequal prompts", []ablate.Pair{{Base: []int{1, 2}, Source: []int{1}}}, ablate.MediateOptions{}},
		{"pairs of two lengths", []ablate.Pair{{Base: []int{1}, Source: []int{2}}, {Base: []int{1, 2}, Source: []int{2, 2}}}, ablate.MediateOptions{}},
		{"answer outside the vocabulary", []ablate.Pair{{Base: []int{1}, Source: []int{2}, BaseAnswer: 61}}, ablate.MediateOptions{}},
		{"unknown component", g.pairs(t, "pairs5"), ablate.MediateOptions{Components: []ablate.Component{"heads"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := ablate.Mediate(context.Background(), g.model, test.pairs, test.opt, func(ablate.Cell) error { return nil }); err == nil {
				t.Error("no error")
			}
		})
	}
}

// TestMediateFindsThePlantedHead: in the circuit, the first token's embedding
// mediates everything up to head 0 of layer 1, and that layer's attention output
// at the last position from there on; no other output, of MLPs or attention, at
// any position, does anything.
func TestMediateFindsThePlantedHead(t *testing.T) {
	var pairs []ablate.Pair
	for _, c := range copyContrasts() {
		p, err := c.Pair(ablate.Noise)
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, p)
	}
	g := golden{model: modeltest.Copy()}
	e := g.mediate(t, pairs, ablate.MediateOptions{Components: []ablate.Component{ablate.MLP, ablate.Attention, ablate.Embedding}})
	whole := 0.0
	for _, s := range e.Total {
		whole += s.Indirect() / float64(len(e.Total))
	}
	if !(whole > 1) {
		t.Fatalf("the total effect is %g", whole)
	}
	for _, c := range e.Cells {
		planted := c.Component == ablate.Embedding && c.Position == 0 || c.Component == ablate.Attention && c.Layer == 1 && c.Position == 3
		if v := c.Summarise(ablate.Shift.Indirect).Mean; planted && !(math.Abs(v/whole-1) <= 1e-3) || !planted && v != 0 {
			t.Errorf("%s layer %d position %d: indirect effect %g, of all %g", c.Component, c.Layer, c.Position, v, whole)
		}
	}
}
