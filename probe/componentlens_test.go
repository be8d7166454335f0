package probe_test

import (
	"context"
	"math"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/probe"
)

func keepRow(probe.LensRow) error { return nil }

// The components' rows are named and placed; their values are compared in
// checkLens.
func TestComponentLens(t *testing.T) {
	m, g, _ := toy(t)
	frozen, err := probe.ComponentLens(context.Background(), m, g.IDs, probe.LensComponents, probe.LensOptions{Frozen: true}, keepRow)
	if err != nil {
		t.Fatal(err)
	}
	if names := []string{frozen.Rows[0].State, frozen.Rows[1].State, frozen.Rows[6].State}; names[0] != "embed" || names[1] != "attn_out.0" || names[2] != "mlp_out.2" || frozen.Rows[6].Layer != 2 {
		t.Errorf("rows %v, last layer %d", names, frozen.Rows[6].Layer)
	}
}

// With the frozen scale, the heads of a layer and b_O add up to its attention
// output, and the stream's last state is the logits.
func TestFrozenHeadsAddUp(t *testing.T) {
	m, g, _ := toy(t)
	opt := probe.LensOptions{Frozen: true}
	heads, err := probe.ComponentLens(context.Background(), m, g.IDs, probe.LensHeads, opt, keepRow)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := probe.ComponentLens(context.Background(), m, g.IDs, probe.LensComponents, opt, keepRow)
	if err != nil {
		t.Fatal(err)
	}
	for l := range m.Config.Layers {
		attn := parts.Rows[1+2*l].Logits
		// What is left is b_O, the same at every position but for the scale there.
		scale := finalScale(t, m, g.IDs)
		bias := make([]float64, attn.Dim(1))
		for p := range g.IDs {
			for v := range bias {
				rest := float64(attn.At(p, v))
				for h := range m.Config.Heads {
					rest -= float64(heads.Rows[l*m.Config.Heads+h].Logits.At(p, v))
				}
				rest *= scale[p]
				if p == 0 {
					bias[v] = rest
				} else if !(math.Abs(rest-bias[v]) <= 2e-5) {
					t.Fatalf("layer %d position %d column %d: %v is left, at position 0 %v", l, p, v, rest, bias[v])
				}
			}
		}
	}
	lens, err := probe.LogitLens(context.Background(), m, g.IDs, opt, keepRow)
	if err != nil {
		t.Fatal(err)
	}
	if !(lens.LastRowError <= 1e-5) {
		t.Errorf("the last state with its own scale frozen is %v from the logits", lens.LastRowError)
	}
	own, err := probe.LogitLens(context.Background(), m, g.IDs, probe.LensOptions{}, keepRow)
	if err != nil {
		t.Fatal(err)
	}
	if d := lens.Rows[0].Logits.MaxDifference(own.Rows[0].Logits); !(d > 0.1) {
		t.Errorf("the two conventions differ by %v at the embedding", d)
	}
}

func finalScale(t *testing.T, m *models.Model, ids []int) []float64 {
	t.Helper()
	_, cache, err := m.RunWithCache(context.Background(), models.Prompt(ids...), models.CacheOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x, ok := cache.Get(models.Site{Layer: -1, Kind: models.FinalScale})
	if !ok {
		t.Fatal("no scale")
	}
	var out []float64
	for _, v := range x.Data {
		out = append(out, float64(v))
	}
	return out
}

func stored(t *testing.T, f *modeltest.Values, name string) *tensor.Dense {
	t.Helper()
	x, err := f.Float32(name)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestReadOutputs: the outputs of a run that was made before read as the
// component lens reads them.
func TestReadOutputs(t *testing.T) {
	for _, m := range modeltest.Kinds(2) {
		ids := []int{1, 5, 3, 2, 4}
		var sites []models.Site
		for _, s := range m.Sites() {
			if s.Kind == models.AttnOut || s.Kind == models.MLPOut {
				sites = append(sites, s)
			}
		}
		out, cache, err := m.RunWithCache(context.Background(), models.Prompt(ids...), models.CacheOptions{Sites: models.Sites(sites...)})
		if err != nil {
			t.Fatal(err)
		}
		none := func(probe.LensRow) error { return nil }
		opt := probe.LensOptions{TopK: 3, Target: []int{1, 2, 3, 4, 5}}
		got, err := probe.ReadOutputs(context.Background(), m, probe.LensRun{IDs: ids, Cache: cache, Logits: out.Logits.Sub(0)}, sites, opt, none)
		if err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		want, err := probe.ComponentLens(context.Background(), m, ids, probe.LensComponents, opt, none)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Rows) != len(want.Rows)-1 {
			t.Fatalf("%s: %d rows and %d", m.Name, len(got.Rows), len(want.Rows))
		}
		for i, r := range got.Rows {
			w := want.Rows[i+1] // behind the embedding
			for p := range ids {
				if a, b := r.Values[probe.Probability][p], w.Values[probe.Probability][p]; r.TopIDs[p][0] != w.TopIDs[p][0] || !(math.Abs(a-b) <= 1e-6) {
					t.Errorf("%s: %s at %d: token %d, P %g; %s has %d, %g", m.Name, r.State, p, r.TopIDs[p][0], a, w.State, w.TopIDs[p][0], b)
				}
			}
		}
		if _, err := probe.ReadOutputs(context.Background(), m, probe.LensRun{IDs: ids, Cache: cache, Logits: out.Logits.Sub(0)}, []models.Site{{Layer: 0, Kind: models.Z}}, opt, none); err == nil {
			t.Errorf("%s: z is read", m.Name)
		}
	}
}
