package analysis

import (
	"fmt"
	"math"

	"orrery/models"
	"orrery/viz"
)

// narrow turns float64 into the float32 of figures.
func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

// grow widens a scale's limits to hold values; finite ones only. Limits are
// rounded up to two digits, and a diverging scale stays centred at 0.
func grow(s viz.Scale, values []float64) viz.Scale {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		if s.Kind == viz.ScaleDiverging {
			v = math.Abs(v)
		}
		if v > s.Hi {
			s.Hi = roundUp(v)
		}
	}
	if s.Kind == viz.ScaleDiverging {
		s.Lo = -s.Hi
	}
	return s
}

// errorsOver settles what means over n pairs or prompts come with: their standard
// errors and the interval of 95 % that is drawn, and of one value neither; then it
// is false.
func errorsOver(f *viz.Figure, n int, interval func(n int) *viz.Interval) bool {
	if n == 1 {
		dropErrors(f)
		return false
	}
	f.Interval = interval(n)
	return true
}

// reach is what an axis has to hold of a mean that is drawn: it, and the ends of its
// interval where it has one.
func reach(f *viz.Figure, mean, sem float64) []float64 {
	lo, hi := f.Interval.Ends(mean, sem)
	if math.IsNaN(lo) || math.IsNaN(hi) || f.Interval == nil {
		return []float64{mean}
	}
	return []float64{lo, mean, hi}
}

// dropErrors takes the standard errors, and what the means are over, out of a
// figure: there are none of one value.
func dropErrors(f *viz.Figure) {
	if f.Heatmap != nil {
		for i := range f.Heatmap.Panels {
			p := &f.Heatmap.Panels[i]
			delete(f.Arrays, p.Errors)
			delete(f.Arrays, p.Each)
			p.Errors, p.Each = "", ""
		}
	}
	series := seriesOf(f)
	for i := range series {
		s := &series[i]
		delete(f.Arrays, s.Errors)
		delete(f.Arrays, s.Each)
		s.Errors, s.Each = "", ""
	}
}

// roundUp returns the next number of two significant digits, so that limits
// read well on a colour bar.
func roundUp(v float64) float64 {
	if v <= 0 {
		return 0
	}
	step := math.Pow(10, math.Floor(math.Log10(v))-1)
	return math.Ceil(v/step-1e-9) * step
}

// provenance says what made a figure.
func provenance(m *models.Model, name string, version int, a Args, ids ...[]int) viz.Provenance {
	params := map[string]any{}
	for k, v := range a {
		switch v := v.(type) {
		case *models.Model:
			params[k] = v.Name
		case nil: // a prompt that was left out
		case Prompts:
			params[k] = v.Describe()
		case *BoundPrompts:
			params[k] = v.Describe()
		case MetricFunc:
			params[k] = v.Name
		case Prompt:
			if v.IDs != nil {
				params[k] = v.IDs
			} else {
				params[k] = v.Text
			}
		default:
			params[k] = v
		}
	}
	return viz.Provenance{Model: m.Name, Hash: m.Hash(), Analysis: name, Version: version, Params: params, PromptIDs: ids, Basis: m.Basis(), Program: Version, Kernel: models.BitsPath(), Tolerance: viz.DefaultTolerance}
}

// Version is the program's version, written into every figure.
const Version = "0.1.0"

// TokenID returns the id of a token given as text: a vocabulary entry, or a
// text that encodes to one token.
func TokenID(m *models.Model, text string) (int, error) {
	if m.Tokenizer == nil {
		return 0, &hintError{fmt.Sprintf("model %s has no tokenizer to read %q", m.Name, text), "pass ids instead of text"}
	}
	if id, ok := m.Tokenizer.ID(text); ok {
		return id, nil
	}
	enc, err := m.Tokenizer.Encode(text, false)
	if err != nil {
		return 0, err
	}
	if len(enc.IDs) != 1 {
		return 0, &hintError{fmt.Sprintf("%q is %d tokens (%q), not one", text, len(enc.IDs), enc.Tokens), "name a single token"}
	}
	return enc.IDs[0], nil
}
