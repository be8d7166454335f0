package ablate_test

import (
	"context"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

func traceSweeps(t *testing.T, names ...string) (sweeps []ablate.PatchSweep) {
	t.Helper()
	for _, name := range names {
		s, err := ablate.PatchSweepsByName(name)
		if err != nil {
			t.Fatal(err)
		}
		sweeps = append(sweeps, s...)
	}
	return sweeps
}

// TestCausalTraceGolden compares the noised runs and what restoring the stream,
// MLPs and attention brings back, also by windows of three layers.
func TestCausalTraceGolden(t *testing.T) {
	eachReference(t, "07_knockouts.safetensors", func(t *testing.T, g golden) {
		for _, test := range []struct {
			suffix string
			window int
			names  []string
		}{{"", 1, []string{"resid_post", "mlp_out", "attn_out"}}, {"_window3", 3, []string{"mlp_out", "attn_out"}}} {
			logits := g.read(t, "noise.logits")
			noised := tensor.New(logits.Shape...)
			filled := make([]bool, logits.Dim(0)) // the runs with noise are measured first
			keep := ablate.Metric{Name: "logits", Of: func(r ablate.Readout) float64 {
				if !filled[r.Row] && &r.Run[0] != &r.Base[0] {
					copy(noised.Sub(r.Row).Data, r.Run)
					filled[r.Row] = true
				}
				return 0
			}}
			opt := ablate.TraceOptions{
				Sweeps: traceSweeps(t, test.names...), Metrics: []ablate.Metric{metric(t, "logit_diff"), metric(t, "prob"), metric(t, "kl"), metric(t, "loss"), keep},
				Window: test.window, Positions: []int{1, 3}, Noise: g.read(t, "noise.standard_normal"),
			}
			tr, err := ablate.CausalTrace(context.Background(), g.model, g.cleanPrompts(t, "pairs5"), opt, func(ablate.KnockoutCell) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			if tr.CleanError != 0 || tr.Report.Checked == 0 || tr.Report.Different != 0 {
				t.Errorf("whole stream %g, report %+v", tr.CleanError, tr.Report)
			}
			modeltest.Close(t, "sigma", vector([]float64{tr.Sigma}), g.read(t, "noise.sigma_W_E"), 1e-6, 1e-6)
			modeltest.Close(t, "noise.logits", noised, logits, plainBound, plainBound)
			for i, key := range map[int]string{0: "noise.ld", 2: "noise.kl", 3: "noise.loss"} {
				modeltest.Close(t, key, vector(tr.Noised[i]), g.read(t, key), plainBound, plainBound)
			}
			for at, name := range test.names {
				key := "noise.restore." + name + test.suffix
				want := map[string]*tensor.Dense{}
				for _, q := range []string{"dp", "ld_norm", "dkl"} {
					want[q] = g.read(t, key+"."+q)
				}
				got := map[string]*tensor.Dense{"dp": tensor.New(want["dp"].Shape...), "ld_norm": tensor.New(want["dp"].Shape...), "dkl": tensor.New(want["dp"].Shape...)}
				for row := range tr.Prompts {
					for c := range tr.Grids[0][at].Cells() {
						value := func(m int) float64 { return tr.Grids[m][at].Values[row][c] }
						norm, err := ablate.RatioOfMeans([]float64{value(0)}, tr.Noised[0][row:row+1], tr.Clean[0][row:row+1])
						if err != nil {
							t.Fatal(err)
						}
						got["ld_norm"].Sub(row).Data[c] = float32(norm)
						got["dp"].Sub(row).Data[c] = float32(value(1) - tr.Noised[1][row])
						got["dkl"].Sub(row).Data[c] = float32(tr.Noised[2][row] - value(2)) // less divergence is more restored
					}
				}
				modeltest.Close(t, key+".dp", got["dp"], want["dp"], plainBound, plainBound)
				modeltest.Close(t, key+".dkl", got["dkl"], want["dkl"], plainBound, plainBound)
				modeltest.Close(t, key+".ld_norm", got["ld_norm"], want["ld_norm"], ratioBound, ratioBound)
			}
		}
	})
}

// TestCausalTraceOfThePlantedHead: with noise on the copied token, the planted
// head's output at the last position brings everything back, and no other head
// anything.
func TestCausalTraceOfThePlantedHead(t *testing.T) {
	var prompts []ablate.Prompt
	for i := range 5 {
		prompts = append(prompts, ablate.Prompt{IDs: []int{i, 1, 2, 3}, Answer: i, Other: i + 1})
	}
	opt := ablate.TraceOptions{Sweeps: traceSweeps(t, "attn_head_out_all_pos"), Metrics: []ablate.Metric{metric(t, "kl"), metric(t, "logit")}, Positions: []int{0}, Seed: 1}
	tr, err := ablate.CausalTrace(context.Background(), modeltest.Copy(), prompts, opt, func(ablate.KnockoutCell) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for c := range 4 {
		for row, v := range tr.Grids[0][0].Cell(c) {
			if c == 2 && !(v <= 1e-6) || c != 2 && v != tr.Noised[0][row] {
				t.Errorf("head %d.%d of prompt %d: divergence %g, noised %g", c/2, c%2, row, v, tr.Noised[0][row])
			}
		}
	}
	again, err := ablate.CausalTrace(context.Background(), modeltest.Copy(), prompts, opt, func(ablate.KnockoutCell) error { return nil })
	if err != nil || !equal(again.Noised[1], tr.Noised[1]) {
		t.Errorf("the same seed gives %v and %v, %v", tr.Noised[1], again.Noised[1], err)
	}
	opt.Seed = 2
	if other, err := ablate.CausalTrace(context.Background(), modeltest.Copy(), prompts, opt, func(ablate.KnockoutCell) error { return nil }); err != nil || equal(other.Noised[1], tr.Noised[1]) {
		t.Errorf("another seed gives the same noise, %v", err)
	}
}

func TestCausalTraceRefuses(t *testing.T) {
	g := toy(t)
	good := func() ablate.TraceOptions {
		return ablate.TraceOptions{Sweeps: traceSweeps(t, "mlp_out"), Metrics: []ablate.Metric{metric(t, "prob")}, Positions: []int{1}}
	}
	for want, change := range map[string]func(*ablate.TraceOptions){
		"no sweeps":             func(o *ablate.TraceOptions) { o.Sweeps = nil },
		"no metrics":            func(o *ablate.TraceOptions) { o.Metrics = nil },
		"no positions":          func(o *ablate.TraceOptions) { o.Positions = nil },
		"position 5 is outside": func(o *ablate.TraceOptions) { o.Positions = []int{5} },
		"position -4 is listed": func(o *ablate.TraceOptions) { o.Positions = []int{1, -4} },
		"scale -1":              func(o *ablate.TraceOptions) { o.Scale = -1 },
		"a window of 4 layers":  func(o *ablate.TraceOptions) { o.Window = 4 },
		"has the shape [5 24]":  func(o *ablate.TraceOptions) { o.Noise = tensor.New(5, 24) },
		`no site "blocks.0.x"`:  func(o *ablate.TraceOptions) { o.Sweeps[0].Site = "x" },
	} {
		opt := good()
		change(&opt)
		if _, err := ablate.CausalTrace(context.Background(), g.model, g.cleanPrompts(t, "pairs5"), opt, func(ablate.KnockoutCell) error { return nil }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

// trace: the whole clean stream in a run with noise is the clean run, at the last
// position behind the last block it is all that is needed, and in front of the noise
// restoring changes nothing, each to the bit.
func (v invariants) trace(t *testing.T) {
	sweeps := traceSweeps(t, "resid_post")
	opt := ablate.TraceOptions{Sweeps: sweeps, Metrics: []ablate.Metric{metric(t, "margin")}, Positions: []int{differs}, Seed: 2}
	tr, err := ablate.CausalTrace(context.Background(), v.m, []ablate.Prompt{v.c.Clean, v.c.Clean}, opt, func(ablate.KnockoutCell) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if tr.CleanError != 0 || tr.Report.Different != 0 {
		t.Errorf("whole stream %g, %+v", tr.CleanError, tr.Report)
	}
	g := tr.Grids[0][0]
	for row := range tr.Prompts {
		for l := range v.m.Config.Layers {
			for pos := range differs {
				if got := g.Values[row][l*g.Shape[1]+pos]; got != tr.Noised[0][row] {
					t.Errorf("layer %d position %d: %g, with noise %g", l, pos, got, tr.Noised[0][row])
				}
			}
		}
		if got := g.Values[row][g.Cells()-1]; got != tr.Clean[0][row] {
			t.Errorf("the last stream gives %g, the clean run %g", got, tr.Clean[0][row])
		}
	}
}
