package analysis_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/server/analysis"
)

// TestGradientCellsAreTheLibrarys compares integrated gradients, attribution
// patching and the exact panel with package ablate, cell by cell.
func TestGradientCellsAreTheLibrarys(t *testing.T) {
	m := mental(t)
	b := boundPairs(t, m, 4)
	contrasts := b.Contrasts.Contrasts
	metric, err := ablate.MetricByName("logprob")
	if err != nil {
		t.Fatal(err)
	}
	sweeps, err := ablate.PatchSweepsByName("mlp_out")
	if err != nil {
		t.Fatal(err)
	}
	opt := ablate.PatchOptions{Sweeps: sweeps, Metric: metric, Direction: ablate.Noise}
	exact, err := ablate.Patch(context.Background(), m, contrasts, opt, func(ablate.PatchCell) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for steps, estimate := range map[int]func() (*ablate.Patching, error){
		0: func() (*ablate.Patching, error) {
			return ablate.AttributionPatch(context.Background(), m, contrasts, opt)
		},
		7: func() (*ablate.Patching, error) {
			g, err := ablate.IntegratedPatch(context.Background(), m, contrasts, 7, opt, func(ablate.PatchCell) error { return nil })
			if err != nil {
				return nil, err
			}
			return g.Patching, nil
		},
	} {
		p, err := estimate()
		if err != nil {
			t.Fatal(err)
		}
		fig, s := run(t, "integrated_gradients", analysis.Args{"m": m, "prompts": b, "sweep": "mlp_out", "metric": "logprob", "direction": "noise", "steps": steps, "normalise": false})
		numbers(t, fig)
		if s.parts != 2*p.Grids[0].Cells() || s.progress[len(s.progress)-1] != [2]int{s.parts, s.parts} {
			t.Errorf("%d steps: %d parts, progress %v", steps, s.parts, s.progress[len(s.progress)-1])
		}
		for c := range p.Grids[0].Cells() {
			for array, of := range map[string]*ablate.Patching{"mlp_out": p, "mlp_out_exact": exact} {
				want := 0.0
				for i, v := range of.Grids[0].Cell(c) {
					want += (v - of.Base[i]) / float64(len(of.Base))
				}
				if got := float64(fig.Arrays[array].Data[c]); !(math.Abs(got-want) <= 1e-6*(1+math.Abs(want))) {
					t.Errorf("%d steps, %s cell %d: %g, the library's mean %g", steps, array, c, got, want)
				}
			}
		}
		if !strings.Contains(fig.Subtitle, "from the clean run to corrupted values") || !strings.Contains(fig.Caption, "correlate with exact patches") {
			t.Errorf("subtitle %q, caption %q", fig.Subtitle, fig.Caption)
		}
	}
}

// TestIntegratedGradientsAddUp: with enough steps the cells of the stream of any
// layer add up to the whole difference of the two runs.
func TestIntegratedGradientsAddUp(t *testing.T) {
	fig := streamed(t, "integrated_gradients", analysis.Args{"m": mental(t), "prompts": boundPairs(t, mental(t), 3), "steps": 300, "exact": false})
	a := fig.Arrays["resid_pre"]
	for l := range a.Shape[0] {
		sum := 0.0
		for pos := range a.Shape[1] {
			sum += float64(a.Data[l*a.Shape[1]+pos])
		}
		if !(math.Abs(sum-1) <= 5e-3) {
			t.Errorf("layer %d adds up to %g of the difference", l, sum)
		}
	}
}

// TestCausalTraceCell: nothing comes back before the noise, the whole stream behind
// the last layer brings all of it back, and the numbers are the library's, a prompt's
// mean over its draws.
func TestCausalTraceCell(t *testing.T) {
	m := mental(t)
	b := boundPairs(t, m, 4)
	single := *b
	single.Contrasts, single.Pairs = nil, nil
	args := analysis.Args{"m": m, "prompts": &single, "draws": 3, "metric": "logprob", "positions": []int{-2}}
	fig := streamed(t, "causal_trace", args)
	a := fig.Arrays["resid_post"]
	L, T := a.Shape[0], a.Shape[1]
	for l := range L {
		for pos := range 3 {
			if v := a.Data[l*T+pos]; v != 0 {
				t.Errorf("layer %d, position %d lies before the noise and brings back %g", l, pos, v)
			}
		}
	}
	var rows []ablate.Prompt
	for _, p := range b.Set.Prompts {
		rows = append(rows, p, p, p)
	}
	metric, err := ablate.MetricByName("logprob")
	if err != nil {
		t.Fatal(err)
	}
	sweeps, err := ablate.PatchSweepsByName("resid_post")
	if err != nil {
		t.Fatal(err)
	}
	tr, err := ablate.CausalTrace(context.Background(), m, rows, ablate.TraceOptions{Sweeps: sweeps, Metrics: []ablate.Metric{metric}, Positions: []int{3}, Seed: *fig.Provenance.Seed}, func(ablate.KnockoutCell) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for c := range tr.Grids[0][0].Cells() {
		want := tr.Change(0, tr.Grids[0][0].Cell(c)).Mean
		if got := float64(a.Data[c]); !(math.Abs(got-want) <= 1e-6*(1+math.Abs(want))) {
			t.Errorf("cell %d is %g, the library's change %g", c, got, want)
		}
	}
	whole := ablate.Summarise(tr.Clean[0]).Mean - ablate.Summarise(tr.Noised[0]).Mean
	if got := float64(a.Data[L*T-1]); !(whole > 1) || !(math.Abs(got-whole) <= 1e-5*whole) {
		t.Errorf("the last stream brings back %g of %g", got, whole)
	}
	// The standard error is over prompts, whose draws are no samples of the task.
	var each [4]float64
	for i := range each {
		for d := range 3 {
			each[i] += (tr.Grids[0][0].Values[3*i+d][L*T-1] - tr.Noised[0][3*i+d]) / 3
		}
	}
	if got, want := float64(fig.Arrays["resid_post_sem"].Data[L*T-1]), ablate.Summarise(each[:]).SEM; !(math.Abs(got-want) <= 1e-5*want) {
		t.Errorf("the standard error is %g, want %g", got, want)
	}
	if !strings.Contains(fig.Subtitle, "noise of 3 σ on b") || !strings.Contains(fig.Subtitle, "3 draws each") {
		t.Errorf("subtitle %q", fig.Subtitle)
	}
}

func TestGradientAndTraceRefusals(t *testing.T) {
	for _, c := range []struct {
		analysis string
		args     analysis.Args
		want     []string
	}{
		{"integrated_gradients", analysis.Args{"steps": -1}, []string{"steps: -1 is"}},
		{"integrated_gradients", analysis.Args{"sweep": "mlp"}, []string{`"mlp"`, "mlp_out"}},
		{"integrated_gradients", analysis.Args{"change": "result"}, []string{"both are token", `"prob"`}},
		{"causal_trace", analysis.Args{"draws": 0}, []string{"draws: 0 is"}},
		{"causal_trace", analysis.Args{"draws": 5000}, []string{"draws: 5000", "1000"}},
		{"causal_trace", analysis.Args{"scale": 0}, []string{"scale: 0", "above 0"}},
		{"causal_trace", analysis.Args{"positions": []int{5}}, []string{"5 is outside 0..4", "-5..-1"}},
		{"causal_trace", analysis.Args{"positions": []int{1, -4}}, []string{"token 1 is listed twice"}},
		{"causal_trace", analysis.Args{"window": 0}, []string{"window: 0", "1 or more"}},
		{"causal_trace", analysis.Args{"window": 9}, []string{"window of 9 layers", "model's 4"}},
		{"causal_trace", analysis.Args{"scale": 1e-9, "normalise": true}, []string{"nothing to divide by", "normalise=False"}},
	} {
		_, said := try(t, c.analysis, with(t, c.analysis, c.args))
		for _, w := range c.want {
			if !strings.Contains(said, w) {
				t.Errorf("%s %v: %q does not say %q", c.analysis, c.args, said, w)
			}
		}
	}
}

// TestStopOfLongSweeps: a sweep that is stopped behind its first part ends with the
// context's error and leaves the figure as far as it came.
func TestStopOfLongSweeps(t *testing.T) {
	for name, args := range map[string]analysis.Args{
		"causal_trace":         {},
		"integrated_gradients": {"steps": 2},
		"edge_patching":        {},
		"path_patching":        {},
		"edge_attribution":     {"show": "circuits"},
	} {
		a, err := analysis.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		bound, err := a.Bind(with(t, name, args))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		s := &stream{t: t, stop: cancel}
		fig, err := a.Run(ctx, bound, s.emit())
		if !errors.Is(err, context.Canceled) || fig == nil || s.parts == 0 || s.parts > 20 {
			t.Errorf("%s: stopped with %v, %d parts, figure %v", name, err, s.parts, fig != nil)
		}
	}
}
