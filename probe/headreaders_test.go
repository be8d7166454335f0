package probe_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/probe"
)

// TestReadersOfGolden: the scores of later heads are TransformerLens' composition
// scores, and those of MLPs are what the matrices, multiplied out, say.
func TestReadersOfGolden(t *testing.T) {
	g := readGolden(t, modeltest.Reference(t, "probes", "06-attention"), "toy", &struct{}{})
	m := modeltest.FromTransformerLens(t, modeltest.OpenValues(t, g.file).File, "in.", toyConfig)
	heads, err := probe.ReadHeads(m)
	if err != nil {
		t.Fatal(err)
	}
	scores := map[probe.Composition][]float64{}
	for _, c := range []probe.Composition{probe.QComposition, probe.KComposition, probe.VComposition} {
		scores[c] = g.vector("out.composition_" + string(c))
	}
	for i, h := range heads {
		readers, err := probe.ReadersOf(m, h.Layer, h.Head)
		if err != nil {
			t.Fatal(err)
		}
		if want := 3*4*(2-h.Layer) + 3 - h.Layer; len(readers) != want {
			t.Errorf("head %d.%d has %d readers, want %d", h.Layer, h.Head, len(readers), want)
		}
		last := math.Inf(1)
		for _, r := range readers {
			name := fmt.Sprintf("%d.%d to %d.%d %s", h.Layer, h.Head, r.Layer, r.Head, r.Input)
			if r.Head >= 0 {
				within(t, name, r.Score, scores[r.Input][i*len(heads)+4*r.Layer+r.Head], attentionAbs, 0)
			} else {
				within(t, name, r.Score, mlpComposition(t, m, h, r.Layer), 1e-12, 0)
			}
			if r.Score > last {
				t.Errorf("%s: %g stands behind %g", name, r.Score, last)
			}
			last = r.Score
		}
	}
	for _, at := range [][2]int{{3, 0}, {-1, 0}, {0, 4}, {0, -1}} {
		if _, err := probe.ReadersOf(m, at[0], at[1]); err == nil || !strings.Contains(err.Error(), "outside") {
			t.Errorf("the readers of %v: %v", at, err)
		}
	}
}

// mlpComposition multiplies the matrices out, number by number.
func mlpComposition(t *testing.T, m *models.Model, h probe.HeadWeights, layer int) float64 {
	t.Helper()
	block, err := m.Block(layer)
	if err != nil {
		t.Fatal(err)
	}
	in, err := probe.Matrix(block.In.Weight) // [F, D]
	if err != nil {
		t.Fatal(err)
	}
	square := func(x mat.Matrix) (sum float64) {
		n, d := x.Dims()
		for i := range n {
			for j := range d {
				sum += x.At(i, j) * x.At(i, j)
			}
		}
		return sum
	}
	var ov, both mat.Dense
	ov.Mul(h.V, h.O)
	both.Mul(&ov, in.T())
	return math.Sqrt(square(&both) / square(&ov) / square(in))
}

// TestReadersOfEveryFamily: what stands behind a head in every family, no layer before
// it and no MLP of its own layer where the two are parallel.
func TestReadersOfEveryFamily(t *testing.T) {
	for _, m := range modeltest.Kinds(1) {
		c := m.Config
		for l := range c.Layers {
			readers, err := probe.ReadersOf(m, l, 0)
			if err != nil {
				t.Fatalf("%s: %v", m.Name, err)
			}
			mlps := c.Layers - l
			if c.Parallel {
				mlps--
			}
			if c.AttnOnly {
				mlps = 0
			}
			if want := 3*c.Heads*(c.Layers-l-1) + mlps; len(readers) != want {
				t.Errorf("%s: head %d.0 has %d readers, want %d", m.Name, l, len(readers), want)
			}
			for _, r := range readers {
				if !(r.Score > 0 && r.Score <= 1+1e-12) {
					t.Errorf("%s: %+v", m.Name, r)
				}
			}
		}
	}
}

// TestHeadDirect: over a set, what a head writes is its bar of the direct logit
// attribution of each prompt, in every family.
func TestHeadDirect(t *testing.T) {
	ctx := context.Background()
	for _, m := range modeltest.Kinds(1) {
		groups := [][][]int{{{1, 5, 3, 2}, {1, 4, 3, 2}}, {{2, 2, 1, 4}, {5, 2, 1, 4}}, {{3, 1, 1, 0}, {3, 2, 1, 0}}}
		top := func(z []float32) (best int) {
			for id, v := range z {
				if v > z[best] {
					best = id
				}
			}
			return best
		}
		var picked [][2]int
		got, err := probe.HeadDirect(ctx, m, groups, 1, 1, func(last [][]float32) (int, int) {
			answer := top(last[1])
			other := (answer + 1) % len(last[0])
			picked = append(picked, [2]int{answer, other})
			return answer, other
		})
		if err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		for g, prompts := range groups {
			for i, ids := range prompts {
				d, err := probe.DirectAttribution(ctx, m, ids, probe.DirectOptions{By: probe.ByHead, Position: -1, Answer: picked[g][0], Incorrect: picked[g][1]})
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range d.Parts {
					if p.Label == "L1H1" {
						within(t, m.Name, got[g][i].Direct, p.Value, 1e-5, 1e-5)
					}
				}
				within(t, m.Name+" difference", got[g][i].Difference, d.Logit, 1e-5, 1e-5)
			}
		}
	}
	m, _, _ := toy(t)
	none := func([][]float32) (int, int) { return 0, 1 }
	for want, c := range map[string]struct {
		groups      [][][]int
		layer, head int
	}{
		"no prompts":         {nil, 0, 0},
		"layer 3":            {[][][]int{{{1}}}, 3, 0},
		"head -1":            {[][][]int{{{1}}}, 0, -1},
		"group 1":            {[][][]int{{{1}}, {{1}, {2}}}, 0, 0},
		"row 1 has 2 tokens": {[][][]int{{{1}}, {{1, 2}}}, 0, 0},
	} {
		if _, err := probe.HeadDirect(ctx, m, c.groups, c.layer, c.head, none); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
