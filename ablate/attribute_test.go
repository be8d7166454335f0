package ablate_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// TestAttributionGolden compares first-order estimates of every site in both
// directions.
func TestAttributionGolden(t *testing.T) {
	sites := map[string]ablate.PatchSweep{}
	for name, key := range map[string]string{"resid_pre": "resid_pre", "resid_mid": "resid_mid", "resid_post": "resid_post", "attn_out": "attn_out", "mlp_out": "mlp_out",
		"attn_head_out_by_pos": "z", "attn_head_q_by_pos": "q", "attn_head_k_by_pos": "k", "attn_head_v_by_pos": "v"} {
		s, err := ablate.PatchSweepsByName(name)
		if err != nil {
			t.Fatal(err)
		}
		sites[key] = s[0]
	}
	sites["mlp_post"] = ablate.PatchSweep{Name: "neurons", Site: "mlp.hook_post", Axes: []string{"layer", "pos", "d_mlp"}}
	sites["pattern"] = ablate.PatchSweep{Name: "patterns", Site: "attn.hook_pattern", Axes: []string{"layer", "head", "query", "key"}}
	eachReference(t, "06_attribution.safetensors", func(t *testing.T, g golden) {
		for set, name := range map[string]string{"t5": "pairs5", "t9": "pairs9"} {
			for _, direction := range []ablate.Direction{ablate.Denoise, ablate.Noise} {
				for site, sweep := range sites {
					key := set + "." + string(direction) + "." + site + ".norm"
					if _, ok := g.values.Info(key); !ok {
						if site == "resid_mid" {
							continue // a parallel block has none
						}
						t.Fatalf("the reference lacks %s", key)
					}
					p, err := ablate.AttributionPatch(context.Background(), g.model, g.contrasts(t, name), ablate.PatchOptions{Sweeps: []ablate.PatchSweep{sweep}, Direction: direction, Metric: metric(t, "logit_diff")})
					if err != nil {
						t.Fatal(err)
					}
					base, source := set+".ld_corrupted", set+".ld_clean"
					if direction == ablate.Noise {
						base, source = source, base
					}
					modeltest.Close(t, base, vector(p.Base), g.read(t, base), plainBound, plainBound)
					modeltest.Close(t, source, vector(p.Source), g.read(t, source), plainBound, plainBound)
					want := g.read(t, key)
					got := tensor.New(want.Shape...)
					for i, values := range p.Grids[0].Values {
						for c, v := range values {
							norm, err := p.NormalisedPair(i, v)
							if err != nil {
								t.Fatal(err)
							}
							got.Sub(i).Data[c] = float32(norm)
						}
					}
					modeltest.Close(t, key, got, want, ratioBound, ratioBound)
				}
			}
		}
	})
}

// TestNeuronAttributionGolden compares the neurons' scores at the last position.
func TestNeuronAttributionGolden(t *testing.T) {
	eachReference(t, "06_attribution.safetensors", func(t *testing.T, g golden) {
		sweep := ablate.PatchSweep{Name: "neurons", Site: "mlp.hook_post", Axes: []string{"layer", "pos", "d_mlp"}}
		p, err := ablate.AttributionPatch(context.Background(), g.model, g.contrasts(t, "pairs5"), ablate.PatchOptions{Sweeps: []ablate.PatchSweep{sweep}, Metric: metric(t, "logit_change")})
		if err != nil {
			t.Fatal(err)
		}
		want := g.read(t, "t5.neuron_attribution_4_5")
		got := tensor.New(want.Shape...)
		layers, width := want.Dim(1), want.Dim(2)
		for i, values := range p.Grids[0].Values {
			for l := range layers {
				for n := range width {
					got.Set(float32(values[(l*5+4)*width+n]), i, l, n)
				}
			}
		}
		modeltest.Close(t, "neuron attribution", got, want, plainBound, plainBound)
		mean := tensor.New(layers, width)
		for l := range layers {
			for n := range width {
				mean.Set(float32(ablate.Summarise(p.Grids[0].Cell((l*5+4)*width+n)).Mean), l, n)
			}
		}
		modeltest.Close(t, "mean neuron attribution", mean, g.read(t, "t5.neuron_attribution_4_5.mean"), plainBound, plainBound)
	})
}

// TestAttributionGradientGolden compares the slopes that estimates are made of:
// the derivative of the first pair's logit difference by every site of its
// corrupted run.
func TestAttributionGradientGolden(t *testing.T) {
	names := map[string]string{"resid_pre": "hook_resid_pre", "attn_out": "hook_attn_out", "mlp_out": "hook_mlp_out", "mlp_post": "mlp.hook_post",
		"pattern": "attn.hook_pattern", "q": "attn.hook_q", "k": "attn.hook_k", "v": "attn.hook_v", "z": "attn.hook_z"}
	eachReference(t, "06_attribution.safetensors", func(t *testing.T, g golden) {
		c := g.contrasts(t, "pairs5")[0]
		in, err := models.Rows([][]int{c.Corrupted.IDs})
		if err != nil {
			t.Fatal(err)
		}
		last := in.T - 1
		difference := func(logits *tensor.Dense) (float64, *tensor.Dense, error) {
			d := tensor.New(logits.Shape...)
			d.Set(1, 0, last, c.Clean.Answer)
			d.Set(-1, 0, last, c.Clean.Other)
			return float64(logits.At(0, last, c.Clean.Answer)) - float64(logits.At(0, last, c.Clean.Other)), d, nil
		}
		slopes, err := g.model.Gradient(context.Background(), in, difference, models.Want{Sites: models.All})
		if err != nil {
			t.Fatal(err)
		}
		for key, name := range names {
			want := g.read(t, "t5.pair0.gradient_corrupted."+key)
			for l := range g.model.Config.Layers {
				site, err := g.model.Site(fmt.Sprintf("blocks.%d.%s", l, name))
				if err != nil {
					t.Fatal(err)
				}
				got, ok := slopes.Sites.Get(site)
				if !ok {
					t.Fatalf("no slope at %s", site)
				}
				modeltest.Close(t, "slope at "+site.String(), got.Sub(0), want.Sub(l), plainBound, plainBound)
			}
		}
	})
}

// TestAttributionFollowsPatching: where patching changes nothing, the estimate is
// nothing, and over all values that heads read it errs by less than half of what
// patching measures.
func TestAttributionFollowsPatching(t *testing.T) {
	g := toy(t)
	c := g.contrasts(t, "pairs5")
	sweeps, err := ablate.PatchSweepsByName("attn_head_v_by_pos")
	if err != nil {
		t.Fatal(err)
	}
	opt := ablate.PatchOptions{Sweeps: sweeps, Metric: metric(t, "logit_diff")}
	exact, err := ablate.Patch(context.Background(), g.model, c, opt, quiet)
	if err != nil {
		t.Fatal(err)
	}
	estimate, err := ablate.AttributionPatch(context.Background(), g.model, c, opt)
	if err != nil {
		t.Fatal(err)
	}
	xs, ys := 0.0, 0.0
	for cell := range exact.Grids[0].Cells() {
		for i := range c {
			x, y := exact.Grids[0].Values[i][cell]-exact.Base[i], estimate.Grids[0].Values[i][cell]-estimate.Base[i]
			if x == 0 && y != 0 {
				t.Errorf("cell %d of pair %d: nothing changes, and the estimate is %g", cell, i, y)
			}
			xs, ys = xs+math.Abs(x), ys+math.Abs(x-y)
		}
	}
	if !(ys < xs/2) {
		t.Errorf("estimates are off by %g of %g", ys, xs)
	}
	for _, bad := range []ablate.PatchOptions{{Sweeps: sweeps, Metric: metric(t, "entropy")}, {Sweeps: sweeps, Metric: metric(t, "logit"), Window: 2}, {Metric: metric(t, "logit")}} {
		if _, err := ablate.AttributionPatch(context.Background(), g.model, c, bad); err == nil || !strings.Contains(err.Error(), "attribution patching") {
			t.Errorf("metric %q, window %d: %v", bad.Metric.Name, bad.Window, err)
		}
	}
}
