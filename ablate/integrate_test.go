package ablate_test

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models/modeltest"
)

// sumOfLayer adds up what a layer's cells have of a pair, and gives what patching
// the layer whole does.
func sumOfLayer(g *ablate.Integration, sweep, layer, pair int) (sum, whole float64) {
	values := g.Grids[sweep].Values[pair]
	n := len(values) / len(g.Whole[sweep])
	for _, v := range values[layer*n : (layer+1)*n] {
		sum += v - g.Base[pair]
	}
	return sum, g.Whole[sweep][layer][pair] - g.Base[pair]
}

// TestIntegratedPatchIsComplete: estimates of a layer add up to the effect of
// patching it whole, the better the more steps there are, and that effect is
// Patch's. The bound is that of the midpoint rule at 64 steps, measured: the error
// falls with the square of the steps.
func TestIntegratedPatchIsComplete(t *testing.T) {
	g := toy(t)
	c := g.contrasts(t, "pairs5")
	sweeps := traceSweeps(t, "resid_post", "attn_head_out_by_pos", "attn_head_v_by_pos", "attn_head_pattern_dest_src_pos")
	sweeps = append(sweeps, ablate.PatchSweep{Name: "scores", Site: "attn.hook_attn_scores", Axes: []string{"layer", "head"}})
	last := math.Inf(1)
	for _, steps := range []int{4, 16, 64} {
		opt := ablate.PatchOptions{Sweeps: sweeps, Direction: ablate.Noise, Metric: metric(t, "logit_diff")}
		got, err := ablate.IntegratedPatch(context.Background(), g.model, c, steps, opt, quiet)
		if err != nil {
			t.Fatal(err)
		}
		worst := 0.0
		for at := range sweeps {
			for l := range g.model.Config.Layers {
				for i := range c {
					sum, whole := sumOfLayer(got, at, l, i)
					worst = math.Max(worst, math.Abs(sum-whole))
				}
			}
		}
		if worst != got.CompletenessError || !(worst < last/4) {
			t.Errorf("%d steps: off by %g, said to be by %g, and by %g with a quarter of the steps", steps, worst, got.CompletenessError, last)
		}
		last = worst
	}
	if !(last <= 1e-3) {
		t.Errorf("64 steps leave %g", last)
	}
	one, err := ablate.IntegratedPatch(context.Background(), g.model, c, 1, ablate.PatchOptions{Sweeps: sweeps[:1], Metric: metric(t, "logit_diff")}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := ablate.Patch(context.Background(), g.model, c, ablate.PatchOptions{Sweeps: []ablate.PatchSweep{{Name: "whole", Site: "hook_resid_post", Axes: []string{"layer"}}}, Metric: metric(t, "logit_diff")}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	for i := range c {
		for l := range g.model.Config.Layers {
			if one.Whole[0][l][i] != whole.Grids[0].Values[i][l] {
				t.Errorf("layer %d of pair %d whole: %g, patched %g", l, i, one.Whole[0][l][i], whole.Grids[0].Values[i][l])
			}
		}
	}
}

// TestIntegratedPatchOfALinearModel: where the model is linear, one step is exact,
// and so is the slope at the base: 2e-5·(1+|want|) for sums in float32.
func TestIntegratedPatchOfALinearModel(t *testing.T) {
	g := readGolden(t, "m4-linear", filepath.Join("testdata", "m4-linear"), "06_eap.safetensors")
	c := g.contrasts(t, "pairs5")
	opt := ablate.PatchOptions{Sweeps: traceSweeps(t, "resid_pre", "mlp_out", "attn_head_out_by_pos"), Metric: metric(t, "logit_diff")}
	exact, err := ablate.Patch(context.Background(), g.model, c, opt, quiet)
	if err != nil {
		t.Fatal(err)
	}
	integrated, err := ablate.IntegratedPatch(context.Background(), g.model, c, 1, opt, quiet)
	if err != nil {
		t.Fatal(err)
	}
	slope, err := ablate.AttributionPatch(context.Background(), g.model, c, opt)
	if err != nil {
		t.Fatal(err)
	}
	for at := range opt.Sweeps {
		for i := range c {
			want := vector(exact.Grids[at].Values[i])
			modeltest.Close(t, "integrated "+opt.Sweeps[at].Name, vector(integrated.Grids[at].Values[i]), want, 2e-5, 2e-5)
			modeltest.Close(t, "slope "+opt.Sweeps[at].Name, vector(slope.Grids[at].Values[i]), want, 2e-5, 2e-5)
		}
	}
}

func TestIntegratedPatchRefuses(t *testing.T) {
	g := toy(t)
	sweeps := traceSweeps(t, "mlp_out")
	for want, test := range map[string]struct {
		steps int
		opt   ablate.PatchOptions
	}{
		"0 steps":              {0, ablate.PatchOptions{Sweeps: sweeps, Metric: metric(t, "logit")}},
		`metric is "rank"`:     {4, ablate.PatchOptions{Sweeps: sweeps, Metric: metric(t, "rank")}},
		"a window of 2 layers": {4, ablate.PatchOptions{Sweeps: sweeps, Metric: metric(t, "logit"), Window: 2}},
		"no sweeps":            {4, ablate.PatchOptions{Metric: metric(t, "logit")}},
	} {
		if _, err := ablate.IntegratedPatch(context.Background(), g.model, g.contrasts(t, "pairs5"), test.steps, test.opt, quiet); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

// integration: patched whole, a layer's stream is the source run, and what a run's
// own values are given is nothing.
func (v invariants) integration(t *testing.T) {
	sweeps := traceSweeps(t, "resid_post")
	g, err := ablate.IntegratedPatch(context.Background(), v.m, []ablate.Contrast{v.c, v.same()}, 2, ablate.PatchOptions{Sweeps: sweeps, Metric: metric(t, "logit_diff")}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	for l := range v.m.Config.Layers {
		if g.Whole[0][l][0] != g.Source[0] {
			t.Errorf("layer %d whole gives %g, the source run %g", l, g.Whole[0][l][0], g.Source[0])
		}
		if sum, whole := sumOfLayer(g, 0, l, 1); sum != 0 || whole != 0 {
			t.Errorf("layer %d: the run's own values have %g of %g", l, sum, whole)
		}
	}
}

// TestIntegratedSlopes: with every metric that has a derivative, what a layer's
// cells are given adds up to what patching it whole does, as the steps of the
// integral grow: the error falls as 1/steps², by 16 for four times the steps
// (8 is asked for, as rounding has its part), to 1e-4 of the largest effect.
func TestIntegratedSlopes(t *testing.T) {
	g := toy(t)
	for _, name := range []string{"logit", "logit_diff", "logit_change", "prob", "logprob", "loss", "kl", "centred_logit"} {
		opt := ablate.PatchOptions{Sweeps: traceSweeps(t, "resid_pre"), Metric: metric(t, name)}
		errs, whole := map[int]float64{}, 0.0
		for _, steps := range []int{64, 256} {
			seen := 0
			p, err := ablate.IntegratedPatch(context.Background(), g.model, g.contrasts(t, "pairs5"), steps, opt, func(c ablate.PatchCell) error {
				seen++
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if seen != p.Grids[0].Cells() {
				t.Errorf("%s: %d of %d cells are emitted", name, seen, p.Grids[0].Cells())
			}
			errs[steps] = p.CompletenessError
			for _, layer := range p.Whole[0] {
				for i, v := range layer {
					whole = max(whole, math.Abs(v-p.Base[i]))
				}
			}
		}
		if !(whole > 1e-3) || !(errs[256] <= 1e-4*whole) || !(errs[64] >= 8*errs[256]) {
			t.Errorf("%s: effects up to %g, the sums miss them by %g with 64 steps and %g with 256", name, whole, errs[64], errs[256])
		}
	}
}
