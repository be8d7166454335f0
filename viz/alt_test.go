package viz_test

import (
	"strings"
	"testing"

	"orrery/viz"
)

func TestAlt(t *testing.T) {
	for name, want := range map[string][]string{
		"tokens":      {"Token grid: Logit lens", "7 rows (layer), embed to 5", "<bos> 34 + 57 =", "from 0 to 1", "4: 91 (0.86), 5: 91 (0.97)"},
		"tokens-odd":  {"·34 ↵ ∅ =", "10 of 35 not yet computed", "3 not finite"},
		"heatmap":     {"from −2.4 to +2.4 · centred at 0", "Greatest 1.96 at row 4, column =", "Least −0.33 at row 5, column ="},
		"heatmap-odd": {"9 of 24 not yet computed", "2 not finite"},
		"lines":       {"answers kept, % from 0 to 100", "CAMA: greatest 100.0 at none", "zero ablation (control)"},
		"table":       {"4 rows; columns cell; P(91); restored, %; logit change", "block 8 · 34; 0.003; 1; −0.42"},
		"table-odd":   {"NaN; not yet computed"},
		"helix":       {"Scatter: Numbers on a helix", "100 points in space, azimuth 30 and elevation 20 degrees", "cos 2πa/10: greatest 1.1 at", "Colour is last digit from 0 to 9", "A line, in order, joins 100 points"},
		"helix-odd":   {"30 of 100 points not yet computed", "3 points with no finite place, at the margin", "2 points beyond the limits, on the box", "1 point blank"},
		"scatter":     {"64 points in a plane", "gradient symmetricity: greatest"},
		"spectrum":    {"Stems: Fourier spectrum", "56 stems (frequency k, period 113 / k), 1 to 56", "Marked: 14 (3.96), 35 (4.44), 41 (4.94), 42 (5.43), 52 (5.92)"},
		"bars":        {"Bars: Direct logit attribution", "answer: greatest +3.10 at L3 MLP, least −0.80 at L3 attn", "random token (control)"},
		"dials":       {"T = 10 (0.93 of the variance): 100 points around a circle of period 10. Hand 34 at 4 of 10. Hand 57 at 7 of 10. Hand 91 at 1 of 10"},
		"dials-odd":   {"Hand 34 not finite", "Hand 91 not yet computed", "40 of 100 not yet computed"},
		"multiples":   {"6 panels. Panel 1. Lines: Loss", "Panel 6. Heatmap: k = 4 · neuron 213", "Shown at checkpoint 9,400, 8 of 10."},
	} {
		got := viz.Alt(samples()[name])
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: %q does not say %q", name, got, w)
			}
		}
	}
}
