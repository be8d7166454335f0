package analysis_test

import (
	"strings"
	"testing"

	"orrery/server/analysis"
	"orrery/viz"
)

// TestMediationOfCoordinates exchanges single numbers of an MLP output beside the
// whole of it.
func TestMediationOfCoordinates(t *testing.T) {
	m := mental(t)
	fig, s := run(t, "causal_mediation", analysis.Args{"m": m, "n": 4, "hi": 30, "components": []string{"mlp", "coordinate"}, "layer": -2})
	a := fig.Arrays["coordinate"]
	if a.Shape[0] != 1 || a.Shape[1] != m.Config.Width || s.parts != 4*5+m.Config.Width {
		t.Fatalf("shape %v, %d parts", a.Shape, s.parts)
	}
	moved := 0
	for i := range a.Data {
		v, state := a.At(i)
		if state != viz.Done || v != v {
			t.Fatalf("coordinate %d is %g (%v)", i, v, state)
		}
		if v != 0 {
			moved++
		}
	}
	if moved < m.Config.Width/2 || fig.Heatmap.Panels[1].Rows.Labels[0] != "2" {
		t.Errorf("%d coordinates move anything, rows %v", moved, fig.Heatmap.Panels[1].Rows.Labels)
	}
}

// TestMediationOfASet compares operand-related pairs with pairs that keep the
// result, in one figure.
func TestMediationOfASet(t *testing.T) {
	fig, s := run(t, "causal_mediation", analysis.Args{"m": mental(t), "n": 12, "hi": 40, "metric": "changed", "control": true})
	var titles []string
	for _, p := range fig.Heatmap.Panels {
		titles = append(titles, p.Title)
		for _, name := range []string{p.Values, p.Errors} {
			a := fig.Arrays[name]
			for i := range a.Data {
				if v, state := a.At(i); state != viz.Done || v != v {
					t.Fatalf("%s[%d] is %g (%v)", name, i, v, state)
				}
			}
		}
		if p.Columns.Labels[1] != "a" || p.Columns.Labels[4] != "=" {
			t.Errorf("%s: columns %v", p.Title, p.Columns.Labels)
		}
	}
	if got := strings.Join(titles, "; "); got != "MLP output; Attention output; MLP output, result kept; Attention output, result kept" {
		t.Errorf("panels %s", got)
	}
	if s.parts != 4*4*5 {
		t.Errorf("%d parts, want 80", s.parts)
	}
	for _, want := range []string{"With the result kept", "relative importance", "equal to the bit", "12 of 12 right"} {
		if !strings.Contains(fig.Caption, want) {
			t.Errorf("caption %q does not say %q", fig.Caption, want)
		}
	}
	if fig.Provenance.Seed == nil || len(fig.Provenance.PromptIDs) != 48 {
		t.Errorf("provenance with seed %v and %d prompts", fig.Provenance.Seed, len(fig.Provenance.PromptIDs))
	}
}

// TestRelativeImportanceSaysItsFloor: the share of late MLPs is given as it is, and
// as the paper's figures have it.
func TestRelativeImportanceSaysItsFloor(t *testing.T) {
	fig, _ := run(t, "causal_mediation", analysis.Args{"m": mental(t), "n": 6, "hi": 40})
	for _, want := range []string{"relative importance, Σ ln(1 + IE); ", "% where effects are raised to 0.1 first, as in the paper's figures)."} {
		if !strings.Contains(fig.Caption, want) {
			t.Errorf("caption %q does not say %q", fig.Caption, want)
		}
	}
}

// TestMediationOfOneAnswer: where r = r′ the usual measure gives way to the change
// of the one answer's probability, in words too; a measure that was asked for is
// refused.
func TestMediationOfOneAnswer(t *testing.T) {
	for _, args := range []analysis.Args{
		{"n": 4, "hi": 30, "control": true},
		{"n": 4, "hi": 30, "change": "result"},
		{"base": "12+5=", "source": "5+12="},
	} {
		args["m"] = mental(t)
		fig, _ := run(t, "causal_mediation", args)
		if fig.Provenance.Params["metric"] != "changed" || !strings.Contains(fig.Subtitle, "change of the base answer's probability") || !strings.Contains(fig.Subtitle, "r = r′") {
			t.Errorf("%v: metric %v, subtitle %q", args, fig.Provenance.Params["metric"], fig.Subtitle)
		}
		if s := fig.Scales["effect"]; s.Kind != viz.ScaleSequential || s.Lo != 0 {
			t.Errorf("%v: scale %+v", args, s)
		}
	}
	for _, metric := range []string{"ie", "ie_r", "moved"} {
		if _, said := try(t, "causal_mediation", analysis.Args{"m": mental(t), "base": "12+5=", "source": "5+12=", "metric": metric}); !strings.Contains(said, "compares an answer with itself") {
			t.Errorf("%s of one answer: %q", metric, said)
		}
	}
}
