package viz_test

import (
	"math"
	"strings"
	"testing"

	"orrery/viz"
)

func TestFormatNumberAgrees(t *testing.T) {
	for _, c := range readAgreement(t).Numbers {
		if got := viz.FormatNumber(c.Format, c.Value); got != c.Text {
			t.Errorf("%q of %v: %q, want %q", c.Format, c.Value, got, c.Text)
		}
	}
}

func TestFormatNumberOdd(t *testing.T) {
	for _, c := range []struct {
		name, format string
		value        float64
		want         string
	}{
		{"not a number", "%.2f", math.NaN(), "NaN"},
		{"infinity", "%.2f", math.Inf(1), "∞"},
		{"minus infinity", "%+.2f", math.Inf(-1), "−∞"},
		{"a format that does not parse", "%s", 0.5, "0.5"},
		{"default digits", "%f", 0.5, "0.500000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := viz.FormatNumber(c.format, c.value); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestTokenText(t *testing.T) {
	for _, c := range readAgreement(t).Tokens {
		if got := viz.TokenText(c.Label); got != c.Text {
			t.Errorf("%q: %q, want %q", c.Label, got, c.Text)
		}
	}
	if got := viz.TokenText("a\xffb"); got != `a\xffb` {
		t.Errorf("a broken byte: %q", got)
	}
}

// TestLimits holds how limits stand on axes and colour bars: no zeros at the
// end, thousands apart.
func TestLimits(t *testing.T) {
	for _, test := range []struct {
		lo, hi float64
		kind   viz.ScaleKind
		want   string
	}{
		{0, 17000, viz.ScaleSequential, "from 0 to 17,000"},
		{0, 1, viz.ScaleSequential, "from 0 to 1"},
		{-2.5, 2.5, viz.ScaleDiverging, "from −2.5 to +2.5"},
		{0, 1234567.5, viz.ScaleSequential, "from 0 to 1,234,567.5"},
		{0, 0.0004, viz.ScaleSequential, "from 0 to 0.0004"},
	} {
		f := sampleHeatmap()
		s := f.Scales[f.Heatmap.Scale]
		s.Kind, s.Lo, s.Hi, s.Format = test.kind, test.lo, test.hi, "%.2f"
		f.Scales[f.Heatmap.Scale] = s
		if got := viz.Alt(f); !strings.Contains(got, test.want) {
			t.Errorf("%v to %v: %q does not say %q", test.lo, test.hi, got, test.want)
		}
	}
}
