package analysis_test

import (
	"math"
	"strings"
	"testing"

	"orrery/server/analysis"
	"orrery/viz"
)

// TestCAMAViews runs every view and metric on a small set and checks that
// nothing is left open, that every number is one, and what provenance says.
func TestCAMAViews(t *testing.T) {
	m := mental(t)
	for name, args := range map[string]analysis.Args{
		"wait":      {"show": "wait", "metric": "margin"},
		"sampled":   {"show": "wait", "metric": "prob", "contexts": 300},
		"grid":      {"show": "grid"},
		"operands":  {"show": "grid", "peek": "operands", "metric": "margin"},
		"edges":     {"show": "edges"},
		"heads":     {"show": "heads", "wait": 0, "transfer": 2},
		"attention": {"show": "attention", "wait": 0, "transfer": 2},
		"one":       {"show": "grid", "wait": 0, "transfer": 1, "n": 2},
	} {
		t.Run(name, func(t *testing.T) {
			args["m"], args["hi"] = m, 12
			if args["n"] == nil {
				args["n"] = 12
			}
			fig, s := run(t, "cama", args)
			if err := fig.Validate(); err != nil {
				t.Fatal(err)
			}
			for array, a := range fig.Arrays {
				for i := range a.Data {
					if v, state := a.At(i); state == viz.Pending || v != v {
						t.Fatalf("%s[%d] is %g (%v)", array, i, v, state)
					}
				}
			}
			last := s.progress[len(s.progress)-1]
			if last[0] != last[1] {
				t.Errorf("progress ends at %v", last)
			}
			if fig.Provenance.Seed == nil || !strings.Contains(fig.Subtitle, "n = ") || !strings.Contains(fig.Caption, "contexts of \"+\"") || !strings.Contains(fig.Caption, "equal to the bit") {
				t.Errorf("subtitle %q, caption %q", fig.Subtitle, fig.Caption)
			}
		})
	}
}

// TestCAMABaselines: behind the last block, where the last token's stream is all
// that counts, every mean says the same of every prompt, and a zero stream
// nothing at all. Isolated in all blocks, the last token knows no operand.
func TestCAMABaselines(t *testing.T) {
	fig, _ := run(t, "cama", analysis.Args{"m": mental(t), "n": 60, "hi": 40})
	n := len(fig.Lines.XLabels)
	if len(fig.Lines.Series) != 6 || fig.Lines.Series[0].Name != "CAMA" {
		t.Fatalf("%d lines, the first is %s", len(fig.Lines.Series), fig.Lines.Series[0].Name)
	}
	for _, s := range fig.Lines.Series {
		v, _ := fig.Arrays[s.Y].At(n - 1)
		if s.Name == "resample" {
			continue // a partner may have the same answer
		}
		if !(v <= 0.2) {
			t.Errorf("%s behind the last block keeps %g of the answers", s.Name, v)
		}
	}
}

// TestCAMAGridNoTransfer: without a transfer block, the last token has read
// operands in no block but those that CAMA erases.
func TestCAMAGridNoTransfer(t *testing.T) {
	fig, _ := run(t, "cama", analysis.Args{"m": mental(t), "show": "grid", "n": 60, "hi": 40})
	grid := fig.Arrays["grid"]
	L := grid.Shape[0]
	for w := range L {
		if v, state := grid.At(w); state != viz.Done || !(v <= 0.2) {
			t.Errorf("wait %d without a transfer keeps %g (%v)", w, v, state)
		}
		for P := range L {
			if _, state := grid.At(P*L + w); (state == viz.Blank) != (w+1+P > L) {
				t.Errorf("wait %d, transfer %d is %v", w, P, state)
			}
		}
	}
	if s := fig.Scales["effect"]; s.Kind != viz.ScaleSequential || s.Lo != 0 || math.Abs(s.Hi-1) > 0 {
		t.Errorf("scale %+v", s)
	}
}
