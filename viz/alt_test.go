package viz_test

import (
	"strings"
	"testing"

	"orrery/viz"
)

func TestAlt(t *testing.T) {
	for name, want := range map[string][]string{
		"tokens":      {"Token grid: Logit lens", "7 rows (layer), embed to 5", "<bos> 34 + 57 =", "from 0.00 to 1.00", "4: 91 (0.86), 5: 91 (0.97)"},
		"tokens-odd":  {"·34 ↵ ∅ =", "10 of 35 not yet computed", "3 not finite"},
		"heatmap":     {"from −2.40 to +2.40 · centred at 0", "Greatest 1.96 at row 4, column =", "Least −0.33 at row 5, column ="},
		"heatmap-odd": {"9 of 24 not yet computed", "2 not finite"},
		"lines":       {"answers kept, % from 0.0 to 100.0", "CAMA: greatest 100.0 at none", "zero ablation (control)"},
		"table":       {"4 rows; columns cell; P(91); restored, %; logit change", "block 8 · 34; 0.003; 1; −0.42"},
		"table-odd":   {"NaN; not yet computed"},
	} {
		got := viz.Alt(samples()[name])
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: %q does not say %q", name, got, w)
			}
		}
	}
}
