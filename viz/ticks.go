package viz

import (
	"math"

	"gonum.org/v1/plot"
)

// ticks are the marks of an axis from lo to hi, about n of them: multiples of
// 1, 2 or 5 times a power of ten, or on a log axis powers of ten, with 2 and 5
// between them where those are few.
func ticks(s Scale, n int) []plot.Tick {
	if s.Kind == ScaleLog && s.Hi/s.Lo >= 5 {
		return logTicks(s.Lo, s.Hi, n)
	}
	if !(s.Hi > s.Lo) {
		return []plot.Tick{{Value: s.Lo, Label: FormatNumber("%.3g", s.Lo)}}
	}
	step := math.Pow(10, math.Floor(math.Log10((s.Hi-s.Lo)/float64(n))))
	for _, k := range []float64{1, 2, 5, 10} {
		if (s.Hi-s.Lo)/(k*step) <= float64(n) {
			step *= k
			break
		}
	}
	var out []plot.Tick
	for i := math.Ceil(s.Lo/step - 1e-9); i*step <= s.Hi+1e-9*step && len(out) <= 2*n; i++ {
		out = append(out, plot.Tick{Value: i * step, Label: tickLabel("%.6g", i*step)})
	}
	return out
}

// tickLabel writes a tick; whole numbers from a thousand to some millions have
// their thousands apart.
func tickLabel(format string, v float64) string {
	if v >= 1000 && v < 1e7 && v == math.Round(v) {
		return thousands(FormatNumber("%.0f", v))
	}
	return FormatNumber(format, v)
}

func logTicks(lo, hi float64, n int) []plot.Tick {
	first, last := int(math.Floor(math.Log10(lo))), int(math.Ceil(math.Log10(hi)))
	every := max(1, (last-first+n-1)/n)
	few := last-first <= n/2
	var out []plot.Tick
	for e := first; e <= last; e++ {
		for k := 1.0; k < 10; k++ {
			v := k * math.Pow(10, float64(e))
			if v < lo*(1-1e-9) || v > hi*(1+1e-9) {
				continue
			}
			label := ""
			if (k == 1 && (e-first)%every == 0) || (few && (k == 2 || k == 5)) {
				label = tickLabel("%.3g", v)
				if k == 1 && e <= -3 {
					label = FormatNumber("%.0e", v)
				}
			}
			if label != "" || every == 1 {
				out = append(out, plot.Tick{Value: v, Label: label})
			}
		}
	}
	return out
}

// labelTicks marks x values with given labels, only every so many where they
// would touch, the last always.
func labelTicks(x []float64, labels []string, s Scale, widest, length float64) []plot.Tick {
	every := max(1, int(math.Ceil(widest*float64(len(x))/max(length, 1))))
	out := make([]plot.Tick, 0, len(x))
	for i, v := range x {
		if !(v >= s.Lo && v <= s.Hi) {
			continue
		}
		t := plot.Tick{Value: v}
		if (len(x)-1-i)%every == 0 {
			t.Label = labels[i]
		}
		if t.Label == "" && every > 1 {
			continue
		}
		out = append(out, t)
	}
	return out
}
