package probe

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"orrery/models"
	"orrery/models/tensor"
)

// ModularCircuit is how much of a modular adder the algorithm of Nanda et al., 2023,
// arXiv:2301.05217, section 4 accounts for, part by part: attention that follows one
// frequency, neurons that are products of two waves, a read-out of few directions,
// logits in waves of a+b.
type ModularCircuit struct {
	Heads []HeadWave
	// Readout are the two directions of each key frequency in the space of neurons,
	// ReadoutShare the part of |W_L|² that they hold together.
	Readout      []ReadoutWave
	ReadoutShare float64
	// Replaced are the losses with one part replaced by what the algorithm says of
	// it, in the order of ReplacedParts.
	Replaced []Loss
	// Neurons is how many were replaced by their products of waves.
	Neurons int
}

// HeadWave is one head's score of the last token for a less that for b, as a
// function of both numbers: the frequency whose products of waves (polynomials of
// degree 2 in its cosines and sines) hold most of its variance, that share, and the
// variance. A head whose score is the same everywhere has frequency 0.
type HeadWave struct {
	Layer, Head     int
	Frequency       int
	Share, Variance float64
}

// ReadoutWave is a direction in the space of neurons that the unembedding reads a
// wave of the classes from, row cos_k or sin_k of F·W_L: Share is the part of the
// variance of the neurons' projection on it that is the same wave of a+b.
type ReadoutWave struct {
	K     int
	Sine  bool
	Share float64
}

// ReplacedPart names what of a modular adder is replaced.
type ReplacedPart string

// The replacements, in the order of ModularCircuit.Replaced.
const (
	WholeNetwork ReplacedPart = "network" // nothing is replaced
	// SumWavesOnly are the restricted logits, ProductsOnly their projection on the
	// constant and the products of waves of one key each, CosinesOnly Σ α cos w(a+b−c).
	SumWavesOnly ReplacedPart = "logits: waves of a + b"
	ProductsOnly ReplacedPart = "logits: products per key"
	CosinesOnly  ReplacedPart = "logits: Σ α cos"
	// QuadraticNeurons puts the neurons of clusters on the products of waves of their
	// frequency, ReadoutOnly all of them on the directions that W_L reads the keys'
	// waves from, RandomReadoutOnly on as many random ones.
	QuadraticNeurons  ReplacedPart = "neurons: own products"
	ReadoutOnly       ReplacedPart = "neurons: read-out only"
	RandomReadoutOnly ReplacedPart = "neurons: random only"
	// WithoutReadout and WithoutSumWaves leave in what the others take away.
	WithoutReadout  ReplacedPart = "neurons: no read-out"
	WithoutSumWaves ReplacedPart = "logits: no a + b"
)

// ReplacedParts lists them in order; the last three are controls.
func ReplacedParts() []ReplacedPart {
	return []ReplacedPart{WholeNetwork, SumWavesOnly, ProductsOnly, CosinesOnly, QuadraticNeurons, ReadoutOnly, RandomReadoutOnly, WithoutReadout, WithoutSumWaves}
}

// MeasureCircuit measures a frame of a training, whose Run and Clusters it needs, by
// the key frequencies of opt; the seed draws the random directions. Neurons are
// replaced where they stand and what follows them is computed anew: the last block's
// own way to the logits, W_L, so that the model must have no final norm.
//
// The cost is 2·P³·F and two runs of P² prompts. Errors: no keys or such as do not
// fit, a final norm or a cap on the logits.
func MeasureCircuit(ctx context.Context, m *models.Model, a ModularAdder, g *GrokFrame, opt GrokOptions, seed uint64) (*ModularCircuit, error) {
	if m.Config.Norm != models.NoNorm || m.Config.LogitCap != 0 {
		return nil, fmt.Errorf("modular circuit: %s has a final norm or a cap on its logits: neurons do not add to the logits there", m.Name)
	}
	if len(opt.Keys) == 0 {
		return nil, fmt.Errorf("modular circuit: no key frequencies")
	}
	if err := g.Logits.check(opt.Keys, opt.Train); err != nil {
		return nil, err
	}
	f, err := DFT(a.P)
	if err != nil {
		return nil, err
	}
	c := &ModularCircuit{}
	if c.Heads, err = headWaves(ctx, m, a, f); err != nil {
		return nil, err
	}
	w, err := a.Readout(m)
	if err != nil {
		return nil, err
	}
	directions := selectRows(product(f.Rows, w), rowsOfKeys(f, opt.Keys)) // [2·keys, F]
	c.readWaves(f, g.Run.Neurons, directions, opt.Keys)
	c.ReadoutShare = sumOfSquares(directions) / sumOfSquares(w)
	return c, c.replace(f, g, w, directions, opt, seed)
}

// rowsOfKeys are the rows of the basis of some frequencies, cosine and sine of each.
func rowsOfKeys(f *FourierBasis, keys []int) (rows []int) {
	for _, k := range keys {
		for i, of := range f.K {
			if of == k {
				rows = append(rows, i)
			}
		}
	}
	return rows
}

// headWaves fits every head of the model.
func headWaves(ctx context.Context, m *models.Model, a ModularAdder, f *FourierBasis) ([]HeadWave, error) {
	scores, err := ScoreDifferences(ctx, m, a)
	if err != nil {
		return nil, err
	}
	shares, err := f.FrequencyShares(scores)
	if err != nil {
		return nil, fmt.Errorf("modular circuit: %w", err)
	}
	var out []HeadWave
	for i := range m.Config.Layers * m.Config.Heads {
		h := HeadWave{Layer: i / m.Config.Heads, Head: i % m.Config.Heads, Variance: stat.PopVariance(mat.Col(nil, i, scores), nil)}
		for k, share := range shares.RawRowView(i) {
			if share > h.Share {
				h.Frequency, h.Share = k+1, share
			}
		}
		out = append(out, h)
	}
	return out, nil
}

// ScoreDifferences is each head's attention score of the last token for a less that
// for b, [P·P, L·H], row a·P + b, layer by layer: what softmax makes its choice
// between the two from.
func ScoreDifferences(ctx context.Context, m *models.Model, a ModularAdder) (*mat.Dense, error) {
	H, last := m.Config.Heads, 1+len(a.Tail)
	out := mat.NewDense(a.P*a.P, m.Config.Layers*H, nil)
	first := 0
	read := models.Hook{Sites: func(s models.Site) bool { return s.Kind == models.AttnScores }, Fn: func(at models.Site, x *tensor.Dense) error {
		for b := range x.Dim(0) {
			for h := range H {
				row := x.Sub(b, h, last).Data
				out.Set(first+b, at.Layer*H+h, float64(row[0])-float64(row[1]))
			}
		}
		return nil
	}}
	for first < a.P*a.P {
		var rows [][]int
		for i := first; i < min(first+modularRows, a.P*a.P); i++ {
			rows = append(rows, a.Prompt(i/a.P, i%a.P))
		}
		in, err := models.Rows(rows)
		if err != nil {
			return nil, fmt.Errorf("score differences: %w", err)
		}
		if _, err := m.RunFor(ctx, in, models.Need{Last: true, Tokens: a.Numbers[:1]}, read); err != nil {
			return nil, fmt.Errorf("score differences: %w", err)
		}
		first += in.B
	}
	return out, nil
}

// readWaves measures what the neurons y [P·P, F] say along each read-out direction.
func (c *ModularCircuit) readWaves(f *FourierBasis, y, directions *mat.Dense, keys []int) {
	along, p := product(y, directions.T()), f.P // [P·P, 2·keys]
	for i, row := range rowsOfKeys(f, keys) {
		column := mat.Col(nil, i, along)
		mean, total, wave := 0.0, 0.0, 0.0
		for _, v := range column {
			mean += v / float64(len(column))
		}
		for at, v := range column {
			total += (v - mean) * (v - mean)
			wave += (v - mean) * f.Rows.At(row, (at/p+at%p)%p)
		}
		r := ReadoutWave{K: f.K[row], Sine: i%2 == 1}
		if total > constantTolerance*(total+float64(len(column))*mean*mean) {
			r.Share = wave * wave / float64(p) / total // the wave has norm √P over the pairs
		}
		c.Readout = append(c.Readout, r)
	}
}

// replace computes the losses.
func (c *ModularCircuit) replace(f *FourierBasis, g *GrokFrame, w, directions *mat.Dense, opt GrokOptions, seed uint64) error {
	own, err := rowSpace(directions)
	if err != nil {
		return fmt.Errorf("modular circuit: %w", err)
	}
	if own == nil {
		return fmt.Errorf("modular circuit: the read-out has no waves of the frequencies %v", opt.Keys)
	}
	rank, width := own.Dims()
	rng := rand.New(rand.NewPCG(seed, 9))
	noise := mat.NewDense(rank, width, nil)
	for i := range noise.RawMatrix().Data {
		noise.RawMatrix().Data[i] = rng.NormFloat64()
	}
	other, err := rowSpace(noise)
	if err != nil {
		return fmt.Errorf("modular circuit: %w", err)
	}
	logits, neurons := g.Logits.logits, g.Run.Neurons
	all := product(neurons, w.T()) // what the neurons add
	within := func(rows *mat.Dense) *mat.Dense { return product(product(neurons, rows.T()), product(rows, w.T())) }
	kept := within(own)
	quadratic := mat.DenseCopyOf(logits)
	c.Neurons = addQuadratic(quadratic, f, g.Clusters, neurons, w, all)
	blocks := blockBasis(f, opt.Keys)
	products := product(blocks, product(blocks.T(), logits))
	loss := func(change func(l *mat.Dense)) Loss {
		l := mat.DenseCopyOf(logits)
		change(l)
		return (&ModularLogits{P: f.P, logits: l}).loss(opt.Train, func(_ int, row []float64) []float64 { return row })
	}
	for _, part := range ReplacedParts() {
		var l Loss
		switch part {
		case WholeNetwork:
			l = g.Loss
		case SumWavesOnly:
			l = g.Restricted
		case WithoutSumWaves:
			l = g.Excluded
		case CosinesOnly:
			l = Loss{All: g.Fit.Loss, Subset: g.Fit.Loss, Rest: g.Fit.Loss} // every pair has the same logits, turned
		case ProductsOnly:
			l = loss(func(l *mat.Dense) { l.Copy(products) })
		case QuadraticNeurons:
			l = loss(func(l *mat.Dense) { l.Copy(quadratic) })
		case ReadoutOnly:
			l = loss(func(l *mat.Dense) { l.Sub(l, all); l.Add(l, kept) })
		case RandomReadoutOnly:
			l = loss(func(l *mat.Dense) { l.Sub(l, all); l.Add(l, within(other)) })
		case WithoutReadout:
			l = loss(func(l *mat.Dense) { l.Sub(l, kept) })
		}
		if math.IsNaN(l.All) || math.IsInf(l.All, 0) {
			return fmt.Errorf("modular circuit: %s: a loss of %v", part, l.All)
		}
		if opt.Train == nil {
			l.Subset = 0
		}
		c.Replaced = append(c.Replaced, l)
	}
	return nil
}

// addQuadratic puts, in logits, the neurons of clusters on the products of waves of
// their frequency, and says how many; all is what all neurons add, [P·P, P].
func addQuadratic(logits *mat.Dense, f *FourierBasis, c *NeuronClusters, y, w, all *mat.Dense) (count int) {
	of := map[int][]int{}
	for n, cluster := range c.Cluster {
		of[cluster] = append(of[cluster], n)
	}
	logits.Sub(logits, all)
	if rest := of[0]; rest != nil {
		logits.Add(logits, product(selectColumns(y, rest), selectColumns(w, rest).T()))
	}
	for _, k := range c.Keys {
		basis := blockBasis(f, []int{k})
		waves := product(basis.T(), selectColumns(y, of[k]))
		logits.Add(logits, product(basis, product(waves, selectColumns(w, of[k]).T())))
		count += len(of[k])
	}
	return count
}

// blockBasis is [P·P, 1 + 8·keys]: the constant over all pairs and the other eight
// products of {1, cos, sin} of a with those of b for each frequency, of norm 1.
func blockBasis(f *FourierBasis, keys []int) *mat.Dense {
	p := f.P
	out := mat.NewDense(p*p, 1+8*len(keys), nil)
	set := func(column, i, j int) {
		for at := range p * p {
			out.Set(at, column, f.Rows.At(i, at/p)*f.Rows.At(j, at%p))
		}
	}
	set(0, 0, 0)
	for n, k := range keys {
		rows := append([]int{0}, rowsOfKeys(f, []int{k})...)
		column := 1 + 8*n
		for _, i := range rows {
			for _, j := range rows {
				if i != 0 || j != 0 {
					set(column, i, j)
					column++
				}
			}
		}
	}
	return out
}

// selectColumns copies the named columns of x.
func selectColumns(x *mat.Dense, columns []int) *mat.Dense {
	n, _ := x.Dims()
	out := mat.NewDense(n, len(columns), nil)
	for i := range n {
		row := x.RawRowView(i)
		for j, c := range columns {
			out.Set(i, j, row[c])
		}
	}
	return out
}

// Part finds a replaced part's loss.
func (c *ModularCircuit) Part(part ReplacedPart) Loss {
	return c.Replaced[slices.Index(ReplacedParts(), part)]
}
