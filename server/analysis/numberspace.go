package analysis

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/models/tensor"
	"orrery/probe"
	"orrery/viz"
)

// fewestNumbers is below which waves over the numbers say nothing.
const fewestNumbers = 10

// numberSpace is the numbers 0..P-1 of a model as an axis of waves.
type numberSpace struct {
	m     *models.Model
	ids   []int // [P] the token of each number
	basis *probe.FourierBasis
	paper bool // the basis of arXiv:2406.03445, not the exact DFT
}

// spaceParams choose a number space.
func spaceParams() []Param {
	return []Param{
		{Name: "basis", Type: TypeChoice, Default: "dft", Choices: []string{"dft", "paper"},
			Help: "dft: the exact transform of P numbers, waves of period P/k; paper: sines and cosines of period (P-1)/k of arXiv 2406.03445, not quite orthonormal"},
		{Name: "numbers", Type: TypeInt, Default: 0, Bounds: atLeast(0), Unit: "numbers", Help: "P, how many numbers from 0 on; 0 takes the most of which 2, 5 and 10 are whole periods, and of a modular model all"},
	}
}

// newNumberSpace reads a model's number tokens and the parameters.
func newNumberSpace(m *models.Model, a Args) (*numberSpace, error) {
	ids, err := numberTokens(m)
	if err != nil {
		return nil, err
	}
	s := &numberSpace{m: m, paper: a["basis"].(string) == "paper"}
	p := a["numbers"].(int)
	switch most := len(ids); {
	case p < 0 || p > most:
		return nil, &hintError{fmt.Sprintf("numbers: %d is outside 0..%d: %s has the tokens of 0 to %d", p, most, m.Name, most-1), "0 chooses"}
	case p != 0 && p < fewestNumbers:
		return nil, &hintError{fmt.Sprintf("numbers: %d are too few for waves: at least %d are needed", p, fewestNumbers), "0 chooses"}
	case p == 0:
		p = s.choose(most)
	}
	s.ids = ids[:p]
	if s.paper {
		s.basis, err = probe.NumberSpace(p)
	} else {
		s.basis, err = probe.DFT(p)
	}
	if err != nil {
		return nil, &hintError{err.Error(), "take an odd count with basis=\"paper\", or basis=\"dft\""}
	}
	return s, nil
}

// choose is how many of n numbers make the periods 2, 5 and 10 whole.
func (s *numberSpace) choose(n int) int {
	if _, err := probe.FindModularAdder(s.m); err == nil && !s.paper {
		return n
	}
	extra := 0
	if s.paper {
		extra = 1
	}
	if n >= 20+extra {
		return (n-extra)/10*10 + extra
	}
	return n - (1-n%2)*extra
}

// numberTokens are the tokens of 0, 1, 2, ... as far as each is one token, in the
// spelling, plain or behind a space, that goes further.
func numberTokens(m *models.Model) ([]int, error) {
	if m.Tokenizer == nil {
		return nil, &hintError{fmt.Sprintf("model %s has no tokenizer: its number tokens are not known", m.Name), "take a model with a tokenizer"}
	}
	byText := map[string]int{}
	for id := m.Config.Outputs() - 1; id >= 0; id-- { // the lowest id of a text stays
		if !m.Tokenizer.IsSpecial(id) {
			byText[m.Tokenizer.Label(id)] = id
		}
	}
	var best []int
	for _, space := range []string{"", " "} {
		var ids []int
		for {
			id, ok := byText[space+fmt.Sprint(len(ids))]
			if !ok {
				break
			}
			ids = append(ids, id)
		}
		if len(ids) > len(best) {
			best = ids
		}
	}
	if len(best) < fewestNumbers {
		return nil, &hintError{fmt.Sprintf("%s has %d number tokens from 0 on, at least %d are needed for waves over them", m.Name, len(best), fewestNumbers),
			"take a model in which every number is one token, such as mental-2op"}
	}
	return best, nil
}

// rows are those of x [V, D] that belong to the numbers, [P, D].
func (s *numberSpace) rows(x *tensor.Dense) *mat.Dense {
	out := mat.NewDense(len(s.ids), x.Dim(1), nil)
	for i, id := range s.ids {
		row := out.RawRowView(i)
		for j, v := range x.Sub(id).Data {
			row[j] = float64(v)
		}
	}
	return out
}

// readout is the rows of the unembedding [P, D]; with gain as the final norm's
// output meets them: times its gain, and centred where it takes the mean off.
func (s *numberSpace) readout(gain bool) *mat.Dense {
	params := s.m.Params()
	w := s.rows(params.Unembedding())
	if !gain {
		return w
	}
	p, d := w.Dims()
	for i := range p {
		row := w.RawRowView(i)
		if params.Final.Weight != nil {
			for j := range row {
				row[j] *= float64(params.Final.Weight.Data[j])
			}
		}
		if s.m.Config.Norm == models.LayerNorm {
			mean := 0.0
			for _, v := range row {
				mean += v / float64(d)
			}
			for j := range row {
				row[j] -= mean
			}
		}
	}
	return w
}

// shuffled is w with its rows in another order: the same rows, the numbers taken
// from them.
func shuffled(w *mat.Dense, rng *rand.Rand) *mat.Dense {
	p, d := w.Dims()
	out := mat.NewDense(p, d, nil)
	for to, from := range rng.Perm(p) {
		out.SetRow(to, w.RawRowView(from))
	}
	return out
}

// frequency is k of a period, which must be whole.
func (s *numberSpace) frequency(period float64) (int, error) {
	if !(period >= 2) || math.IsInf(period, 0) {
		return 0, &hintError{fmt.Sprintf("period %g is below 2 or not finite: whole numbers cannot tell it from a longer one", period), "take a period from 2 on"}
	}
	k := int(math.Round(float64(s.basis.Over) / period))
	if k < 1 || k > s.basis.Highest() || math.Abs(s.basis.Period(k)-period) > 1e-6*period {
		lo, hi := min(max(k, 1), s.basis.Highest()), min(max(k, 1)+1, s.basis.Highest())
		return 0, &hintError{fmt.Sprintf("period %g is none of the basis: they are %d/k for k = 1..%d", period, s.basis.Over, s.basis.Highest()),
			fmt.Sprintf("near it are %.6g and %.6g; numbers=%d makes it one", s.basis.Period(lo), s.basis.Period(hi), s.whole(period))}
	}
	return k, nil
}

// whole is a count of numbers of which a period is whole.
func (s *numberSpace) whole(period float64) int {
	extra := len(s.ids) - s.basis.Over
	for p := len(s.ids); p >= fewestNumbers; p-- {
		over := float64(p - extra)
		if k := math.Round(over / period); k >= 1 && math.Abs(over/k-period) < 1e-6*period && (extra == 0 || p%2 == 1) {
			return p
		}
	}
	return len(s.ids)
}

// axis is the frequencies as categories.
func (s *numberSpace) axis() viz.Axis {
	axis := viz.Axis{Name: fmt.Sprintf("frequency k, period %d/k", s.basis.Over)}
	for k := 1; k <= s.basis.Highest(); k++ {
		axis.Labels = append(axis.Labels, fmt.Sprint(k))
	}
	return axis
}

// periods writes frequencies as periods, "10 (k = 10), 2.5 (k = 40)".
func (s *numberSpace) periods(ks []int) string {
	var words []string
	for _, k := range ks {
		words = append(words, fmt.Sprintf("%.4g (k = %d)", s.basis.Period(k), k))
	}
	return strings.Join(words, ", ")
}

// what says which basis over which numbers.
func (s *numberSpace) what() string {
	if s.paper {
		return fmt.Sprintf("paper's basis over 0..%d", len(s.ids)-1)
	}
	return fmt.Sprintf("DFT over 0..%d", len(s.ids)-1)
}

// orthonormality is the largest difference of F·Fᵀ from the identity.
func (s *numberSpace) orthonormality() float64 {
	var g mat.Dense
	g.Mul(s.basis.Rows, s.basis.Rows.T())
	n, _ := g.Dims()
	worst := 0.0
	for i := range n {
		for j := range n {
			v := g.At(i, j)
			if i == j {
				v--
			}
			worst = math.Max(worst, math.Abs(v))
		}
	}
	return worst
}
