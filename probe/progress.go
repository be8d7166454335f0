package probe

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// ModularLogits are the logits of a modular adder at all pairs of numbers, with
// what the progress measures need of them. Nanda, Chan, Lieberum, Smith and
// Steinhardt, "Progress measures for grokking via mechanistic interpretability",
// 2023, arXiv:2301.05217, sections 4.1 and 5.1.
type ModularLogits struct {
	// P is the modulus.
	P int
	// logits is [P·P, P], row a·P + b.
	logits *mat.Dense
	// sums is [P, P]: the mean of the logits over the pairs with a+b = s mod P.
	// A wave of a+b sees nothing else of them.
	sums *mat.Dense
	// mean is [P], over all pairs.
	mean []float64
	// variation is Σ(L - mean)².
	variation float64
}

// NewModularLogits takes logits [P·P, V], row a·P + b, V ≥ P, at the position
// that predicts; columns from P on ("=") are left out. Errors: p below 3, rows
// that are not P·P, NaN, logits that are the same at every pair.
func NewModularLogits(logits *mat.Dense, p int) (*ModularLogits, error) {
	n, v, err := checkRows("modular logits", "logits", logits, 1)
	if err != nil {
		return nil, err
	}
	if p < 3 || n != p*p || v < p {
		return nil, fmt.Errorf("modular logits: [%d,%d] for p = %d: p must be at least 3, with a row for each of the p² pairs and a column for each of the p classes", n, v, p)
	}
	m := &ModularLogits{P: p, logits: mat.DenseCopyOf(logits.Slice(0, n, 0, p)), sums: mat.NewDense(p, p, nil)}
	m.mean = columnMeans(m.logits)
	if _, m.variation, err = variation("modular logits", "logits", m.logits, m.mean); err != nil {
		return nil, err
	}
	for i := range n {
		floats.AddScaled(m.sums.RawRowView((i/p+i%p)%p), 1/float64(p), m.logits.RawRowView(i))
	}
	return m, nil
}

// Loss is a mean cross-entropy in nats over all pairs, over a subset, and over
// the rest (training and test pairs).
type Loss struct{ All, Subset, Rest float64 }

// check refuses frequencies that are not 1..(P-1)/2 or come twice, and a subset
// that names pairs that are not there.
func (m *ModularLogits) check(keys []int, subset []int) error {
	seen := map[int]bool{}
	for _, k := range keys {
		if k < 1 || k > (m.P-1)/2 || seen[k] {
			return fmt.Errorf("progress measures: frequency %d of mod %d: each must be in 1..%d and come once", k, m.P, (m.P-1)/2)
		}
		seen[k] = true
	}
	for _, i := range subset {
		if i < 0 || i >= m.P*m.P {
			return fmt.Errorf("progress measures: pair %d is outside 0..%d", i, m.P*m.P-1)
		}
	}
	return nil
}

// Loss is the cross-entropy of the logits themselves. subset holds rows a·P+b,
// usually the training pairs; nil leaves Subset 0 and Rest equal to All.
func (m *ModularLogits) Loss(subset []int) (Loss, error) {
	if err := m.check(nil, subset); err != nil {
		return Loss{}, err
	}
	return m.loss(subset, func(_ int, l []float64) []float64 { return l }), nil
}

// Accuracy is the share of pairs whose largest logit is a+b mod P.
func (m *ModularLogits) Accuracy() float64 {
	right := 0
	for i := range m.P * m.P {
		if floats.MaxIdx(m.logits.RawRowView(i)) == (i/m.P+i%m.P)%m.P {
			right++
		}
	}
	return float64(right) / float64(m.P*m.P)
}

// RestrictedLoss is the loss of what the key frequencies alone explain: the
// logits projected on the waves cos(w_k(a+b)) and sin(w_k(a+b)) of the keys,
// plus their mean over pairs. It falls while the circuit forms. The cost is
// P²·(keys + P).
func (m *ModularLogits) RestrictedLoss(keys, subset []int) (Loss, error) {
	if err := m.check(keys, subset); err != nil {
		return Loss{}, err
	}
	waves := m.project(keys)
	addRows(waves, m.mean)
	return m.loss(subset, func(sum int, _ []float64) []float64 { return waves.RawRowView(sum) }), nil
}

// ExcludedLoss is the loss when the waves of the keys are taken off the logits:
// what memory alone achieves; on the training pairs it rises while the network
// gives up memorising. One key at a time tells what each carries. No bias is
// put back. The cost is P³.
func (m *ModularLogits) ExcludedLoss(keys, subset []int) (Loss, error) {
	if err := m.check(keys, subset); err != nil {
		return Loss{}, err
	}
	waves := m.project(keys)
	row := make([]float64, m.P)
	return m.loss(subset, func(sum int, l []float64) []float64 {
		return floats.SubTo(row, l, waves.RawRowView(sum))
	}), nil
}

// Restricted is the part of the logits in the waves of a+b at the keys, [P·P, P],
// row a·P + b; the mean over pairs is not added.
func (m *ModularLogits) Restricted(keys []int) (*mat.Dense, error) {
	if err := m.check(keys, nil); err != nil {
		return nil, err
	}
	waves := m.project(keys)
	out := mat.NewDense(m.P*m.P, m.P, nil)
	for i := range m.P * m.P {
		out.SetRow(i, waves.RawRowView((i/m.P+i%m.P)%m.P))
	}
	return out, nil
}

// TrigShare is the share of the logits' variance over pairs that the waves of
// the keys hold, 0 to 1.
func (m *ModularLogits) TrigShare(keys []int) (float64, error) {
	if err := m.check(keys, nil); err != nil {
		return 0, err
	}
	return float64(m.P) * sumOfSquares(m.project(keys)) / m.variation, nil
}

// project is [P, P]: the waves of the keys in the logits, a row for each a+b.
func (m *ModularLogits) project(keys []int) *mat.Dense {
	p := m.P
	out := mat.NewDense(p, p, nil)
	coefficient := make([]float64, p)
	for _, k := range keys {
		for _, of := range []func(float64) float64{math.Cos, math.Sin} {
			clear(coefficient)
			wave := make([]float64, p)
			for s := range p {
				wave[s] = of(2 * math.Pi * float64(k*s%p) / float64(p))
				floats.AddScaled(coefficient, 2/float64(p)*wave[s], m.sums.RawRowView(s))
			}
			for s := range p {
				floats.AddScaled(out.RawRowView(s), wave[s], coefficient)
			}
		}
	}
	return out
}

// loss averages the cross-entropy of the logits that change makes of each row.
func (m *ModularLogits) loss(subset []int, change func(sum int, row []float64) []float64) Loss {
	p := m.P
	inside := make([]int, p*p)
	for _, i := range subset {
		inside[i]++
	}
	var l Loss
	rest := 0
	for i := range p * p {
		sum := (i/p + i%p) % p
		z := change(sum, m.logits.RawRowView(i))
		ce := floats.LogSumExp(z) - z[sum]
		l.All += ce
		if inside[i] == 0 {
			l.Rest += ce
			rest++
		}
		l.Subset += float64(inside[i]) * ce
	}
	l.All /= float64(p * p)
	if len(subset) > 0 {
		l.Subset /= float64(len(subset))
	}
	if rest > 0 {
		l.Rest /= float64(rest)
	}
	return l
}

// CosineFit is the logits as Σ_k α_k cos(w_k(a+b-c)), the formula that the
// circuit of a grokked network computes.
type CosineFit struct {
	Keys []int
	// Alpha holds α, one a key.
	Alpha []float64
	// Explained is the share of the variance about one grand mean; RowExplained
	// the same after each pair's mean over classes is taken off, which softmax
	// does not see.
	Explained, RowExplained float64
	// Loss is the cross-entropy of the fit over all pairs.
	Loss float64
}

// CosineCoefficients is ⟨L, cos(w_k(a+b-c))⟩ / |cos| for k = 1..(P-1)/2,
// frequency 1 first.
func (m *ModularLogits) CosineCoefficients() []float64 {
	p := m.P
	byDistance := make([]float64, p) // Σ L over a+b-c = d
	for s := range p {
		for c, v := range m.sums.RawRowView(s) {
			byDistance[((s-c)%p+p)%p] += float64(p) * v
		}
	}
	out := make([]float64, (p-1)/2)
	for k := range out {
		for d, v := range byDistance {
			out[k] += v * math.Cos(2*math.Pi*float64((k+1)*d%p)/float64(p))
		}
		out[k] /= m.cosineNorm()
	}
	return out
}

// cosineNorm is |cos(w_k(a+b-c))| over all a, b, c: P·√(P/2).
func (m *ModularLogits) cosineNorm() float64 { return float64(m.P) * math.Sqrt(float64(m.P)/2) }

// FitCosines fits the logits by the cosines of the keys, by least squares. The
// cosines are orthogonal to each other, to the mean and to each pair's mean, so
// the fit is their projections and shares of variance follow from Σα²|cos|².
func (m *ModularLogits) FitCosines(keys []int) (*CosineFit, error) {
	if err := m.check(keys, nil); err != nil {
		return nil, err
	}
	p := m.P
	coefficients := m.CosineCoefficients()
	f := &CosineFit{Keys: keys}
	explained := 0.0
	byDistance := make([]float64, p)
	for _, k := range keys {
		alpha := coefficients[k-1] / m.cosineNorm()
		f.Alpha = append(f.Alpha, alpha)
		explained += coefficients[k-1] * coefficients[k-1]
		for d := range p {
			byDistance[d] += alpha * math.Cos(2*math.Pi*float64(k*d%p)/float64(p))
		}
	}
	grand := floats.Sum(m.mean) / float64(p)
	total, rows := 0.0, 0.0
	for i := range p * p {
		row := m.logits.RawRowView(i)
		mean := floats.Sum(row) / float64(p)
		for _, v := range row {
			total += (v - grand) * (v - grand)
			rows += (v - mean) * (v - mean)
		}
	}
	f.Explained, f.RowExplained = explained/total, explained/rows
	// Each pair has the same fitted logits, turned: the loss is that of one.
	f.Loss = floats.LogSumExp(byDistance) - byDistance[0]
	return f, nil
}

func addRows(x *mat.Dense, row []float64) {
	n, _ := x.Dims()
	for i := range n {
		floats.Add(x.RawRowView(i), row)
	}
}
