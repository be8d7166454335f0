package viz_test

import (
	"math"
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
