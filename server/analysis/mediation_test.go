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
