package analysis_test

import (
	"strings"
	"testing"

	"orrery/server/analysis"
	"orrery/viz"
)

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
