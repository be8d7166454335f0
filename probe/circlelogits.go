package probe

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/models/tensor"
)

// LogitPattern is a formula of the logit of c at (a, b) mod P that a circle of
// numbers alone may follow, w = 2πk/P its frequency.
type LogitPattern string

// The patterns (Zhong, Liu, Tegmark, Andreas, "The Clock and the Pizza: Two
// Stories in Mechanistic Explanation of Neural Networks", NeurIPS 2023, arXiv
// 2306.17844, section 4 and its appendix on accompanying pizzas; the formulas
// are those of the authors' notebook eval-main).
const (
	// ClockPattern is cos w(a+b−c).
	ClockPattern LogitPattern = "clock"
	// PizzaPattern is |cos w(a−b)/2| · (|cos w(a+b−c)/2| − |sin w(a+b−c)/2|).
	PizzaPattern LogitPattern = "pizza"
	// PizzaPrimePattern is the same with sizes taken along four fixed directions:
	// (|ca+cb| − |sa+sb|) cos wc − (|ca+cb−sa−sb| − |ca+cb+sa+sb|) sin wc / √2,
	// where ca = cos wa, sa = sin wa.
	PizzaPrimePattern LogitPattern = "pizza_prime"
	// AccompanyingPattern is −cos h(a−b) · cos h(a+b−c), 2h ≡ w mod 2π: what a circle
	// of twice the frequency adds where the pizza of h is weak.
	AccompanyingPattern LogitPattern = "accompanying"
)

// LogitPatterns lists the patterns.
var LogitPatterns = [...]LogitPattern{ClockPattern, PizzaPattern, PizzaPrimePattern, AccompanyingPattern}

// at is the pattern at a, b and c; w is the circle's frequency and h half of it
// among the whole ones.
func (q LogitPattern) at(w, h, a, b, c float64) float64 {
	switch q {
	case PizzaPattern:
		return math.Abs(math.Cos(w*(a-b)/2)) * (math.Abs(math.Cos(w*(a+b-c)/2)) - math.Abs(math.Sin(w*(a+b-c)/2)))
	case PizzaPrimePattern:
		x, y := math.Cos(w*a)+math.Cos(w*b), math.Sin(w*a)+math.Sin(w*b)
		return (math.Abs(x)-math.Abs(y))*math.Cos(w*c) - (math.Abs(x-y)-math.Abs(x+y))*math.Sin(w*c)/math.Sqrt2
	case AccompanyingPattern:
		return -math.Cos(h*(a-b)) * math.Cos(h*(a+b-c))
	}
	return math.Cos(w * (a + b - c))
}

// CircleChoice is how the circles of an embedding are told apart.
type CircleChoice string

const (
	// CirclesByComponents takes two principal components at a time, the first and
	// second, then the third and fourth, and so on, as the paper does. Where circles
	// are of about the same size a component is some of each.
	CirclesByComponents CircleChoice = "components"
	// CirclesByFrequency takes the plane of one frequency at a time (FrequencyPlane),
	// the strongest first.
	CirclesByFrequency CircleChoice = "frequency"
)

// CircleLogits is what the logits follow when one circle of the embedding is left.
type CircleLogits struct {
	// Circle counts from 0; by components it is of 2·Circle and 2·Circle + 1.
	// Frequency is the k of the wave that stands out in it.
	Circle, Frequency int
	// Explained is, a pattern, 1 − var(L − Q) of logits and pattern that were each
	// given mean 0 and variance 1 over all (a, b, c): twice their correlation less 1.
	// It is 1 for the pattern itself and -1 where nothing of it is there.
	Explained map[LogitPattern]float64
}

// MeasureCircleLogits isolates circles of a modular adder: of the numbers'
// embeddings only the mean and one circle are left, and the logits of all pairs are
// compared with the patterns of that circle's frequency (section 4 of the paper
// of LogitPattern, its table of explained variance). Each circle is emitted when it
// is done; emit may be nil. Hooks are those of the run.
//
// It costs RunModular's run a circle. Circles that are not there are an error,
// and logits that are the same everywhere.
func MeasureCircleLogits(ctx context.Context, m *models.Model, a ModularAdder, circles int, by CircleChoice, emit func(CircleLogits) error, hooks ...models.Hook) ([]CircleLogits, error) {
	embedding, err := a.Embedding(m)
	if err != nil {
		return nil, err
	}
	f, err := DFT(a.P)
	if err != nil {
		return nil, err
	}
	left, err := findCircles(f, embedding, circles, by)
	if err != nil {
		return nil, fmt.Errorf("logits of circles: %w", err)
	}
	var out []CircleLogits
	for i, circle := range left {
		c := CircleLogits{Circle: i, Frequency: circle.k}
		keep, err := m.Edits(models.Edit{
			Site: models.Site{Layer: -1, Kind: models.Embed}.String(), Positions: []int{0, 1}, Op: models.Keep,
			Value: models.List(narrow(columnMeans(embedding))...), Basis: models.Tensor(rows32(circle.plane, 0, 2)),
		})
		if err != nil {
			return out, fmt.Errorf("logits of circles: %w", err)
		}
		run, err := RunModular(ctx, m, a, append(hooks[:len(hooks):len(hooks)], keep...)...)
		if err != nil {
			return out, err
		}
		if c.Explained, err = ExplainedByPatterns(run.Logits, a.P, c.Frequency); err != nil {
			return out, fmt.Errorf("logits of circle %d: %w", i+1, err)
		}
		out = append(out, c)
		if emit == nil {
			continue
		}
		if err := emit(c); err != nil {
			return out, err
		}
	}
	return out, nil
}

// circle is a plane [2, D] of orthonormal rows in which numbers turn k times.
type circle struct {
	k     int
	plane *mat.Dense
}

// findCircles finds n circles of an embedding [P, D], the largest first.
func findCircles(f *FourierBasis, embedding *mat.Dense, n int, by CircleChoice) ([]circle, error) {
	var out []circle
	switch by {
	case CirclesByComponents:
		if n < 1 {
			return nil, fmt.Errorf("%d circles are asked for", n)
		}
		pca, err := FitPCA(embedding, 2*n)
		if err != nil {
			return nil, err
		}
		if pca.K() < 2*n {
			return nil, fmt.Errorf("%d circles of two components each are asked for, and the embedding has %d components", n, pca.K())
		}
		scores, err := pca.Scores(embedding)
		if err != nil {
			return nil, err
		}
		_, d := embedding.Dims()
		for i := range n {
			s, err := EmbeddingSpectrum(f, mat.DenseCopyOf(scores.Slice(0, f.P, 2*i, 2*i+2)))
			if err != nil {
				return nil, err
			}
			out = append(out, circle{s.Order()[0], mat.DenseCopyOf(pca.Components.Slice(2*i, 2*i+2, 0, d))})
		}
	case CirclesByFrequency:
		s, err := EmbeddingSpectrum(f, embedding)
		if err != nil {
			return nil, err
		}
		order := s.Order()
		if n < 1 || n > len(order) {
			return nil, fmt.Errorf("%d circles are asked for, and the embedding has %d frequencies", n, len(order))
		}
		for _, k := range order[:n] {
			p, err := FrequencyPlane(f, embedding, k)
			if err != nil {
				return nil, err
			}
			out = append(out, circle{k, mat.NewDense(2, len(p.X), append(append([]float64{}, p.X...), p.Y...))})
		}
	default:
		return nil, fmt.Errorf("circles by %q: there are %q and %q", by, CirclesByComponents, CirclesByFrequency)
	}
	return out, nil
}

// ExplainedByPatterns compares logits [P², P] of all pairs, row a·P+b, with every
// pattern of frequency k, in 1..(P-1)/2 with P odd: see CircleLogits.Explained.
func ExplainedByPatterns(logits *mat.Dense, p, k int) (map[LogitPattern]float64, error) {
	if rows, columns := logits.Dims(); rows != p*p || columns != p {
		return nil, fmt.Errorf("logits of a circle: [%d, %d], want [%d, %d]", rows, columns, p*p, p)
	}
	if p%2 == 0 || k < 1 || k > p/2 {
		return nil, fmt.Errorf("logits of a circle: frequency %d modulo %d: 1 to %d of an odd modulus are possible", k, p, (p-1)/2)
	}
	half := k
	if k%2 == 1 {
		half += p // P is odd, so that k/2 is there modulo P
	}
	w, h := 2*math.Pi*float64(k)/float64(p), 2*math.Pi*float64(half/2)/float64(p)
	out := map[LogitPattern]float64{}
	for _, q := range LogitPatterns {
		var l, v, lv moment
		for i := range p * p {
			for c, z := range logits.RawRowView(i) {
				y := q.at(w, h, float64(i/p), float64(i%p), float64(c))
				l.add(z, z)
				v.add(y, y)
				lv.add(z, y)
			}
		}
		size := math.Sqrt(l.covariance() * v.covariance())
		if !(size > 0) {
			return nil, fmt.Errorf("its logits are the same everywhere and follow no pattern")
		}
		out[q] = 2*lv.covariance()/size - 1
	}
	return out, nil
}

// moment sums up two variables for their covariance.
type moment struct{ n, x, y, xy float64 }

func (m *moment) add(x, y float64) {
	m.n++
	m.x += x
	m.y += y
	m.xy += x * y
}

func (m *moment) covariance() float64 { return m.xy/m.n - m.x/m.n*(m.y/m.n) }

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

// rows32 copies rows lo to hi of x.
func rows32(x *mat.Dense, lo, hi int) *tensor.Dense {
	_, d := x.Dims()
	out := tensor.New(hi-lo, d)
	for i := lo; i < hi; i++ {
		copy(out.Sub(i-lo).Data, narrow(x.RawRowView(i)))
	}
	return out
}
