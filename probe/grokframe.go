package probe

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"orrery/models"
)

// GrokOptions say what a frame measures; the same for all checkpoints of a
// training, so that they can be compared.
type GrokOptions struct {
	// Keys are the key frequencies, usually those of the last checkpoint.
	Keys []int
	// Train are the rows a·P + b of the pairs that were learned from; nil where
	// they are not known.
	Train []int
	// Threshold is the share of variance from which a neuron belongs to a
	// frequency; 0.85 in the paper.
	Threshold float64
}

// GrokFrame is one checkpoint of a modular adder under the progress measures of
// Nanda et al., 2023, arXiv:2301.05217, section 5.
type GrokFrame struct {
	Run *ModularRun
	// Logits are the run's, ready for more measures.
	Logits   *ModularLogits
	Accuracy float64
	// Loss is that of the network, Restricted of the key frequencies alone,
	// Excluded of all but them, ExcludedOne of all but one of them, in the order
	// of Keys. All, train (Subset) and test (Rest).
	Loss, Restricted, Excluded Loss
	ExcludedOne                []Loss
	// Embedding and Unembedding are the spectra of W_E and W_U over the numbers,
	// Readout that of W_L = W_out·W_U.
	Embedding, Unembedding, Readout *Spectrum
	// GiniEmbedding and GiniReadout are of the joined frequencies of two of them.
	GiniEmbedding, GiniReadout float64
	// Clusters are of the neurons behind the nonlinearity at the last position.
	Clusters *NeuronClusters
	// Cosines is ModularLogits.CosineCoefficients; Fit is by the keys' cosines, and
	// TrigShare the share of the logits' variance in their waves of a+b.
	Cosines   []float64
	Fit       *CosineFit
	TrigShare float64
	// Squares is the sum of all squared weights, Weights that of each.
	Squares float64
	Weights []WeightSize
}

// MeasureGrok runs one checkpoint on all pairs and measures it. Beside RunModular
// the cost is P³·(keys + 4) exponentials and logarithms and 8·P²·F for the
// clusters.
func MeasureGrok(ctx context.Context, m *models.Model, a ModularAdder, opt GrokOptions) (*GrokFrame, error) {
	f, err := DFT(a.P)
	if err != nil {
		return nil, err
	}
	g, err := GrokWeights(m, a)
	if err != nil {
		return nil, err
	}
	if g.Run, err = RunModular(ctx, m, a); err != nil {
		return nil, err
	}
	if g.Logits, err = NewModularLogits(g.Run.Logits, a.P); err != nil {
		return nil, err
	}
	if err := g.losses(opt); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if g.Clusters, err = ClusterNeurons(f, g.Run.Neurons, opt.Threshold); err != nil {
		return nil, err
	}
	return g, nil
}

// GrokWeights is what MeasureGrok says of the weights alone, before anything
// runs: spectra, their Gini, and the sum of squares.
func GrokWeights(m *models.Model, a ModularAdder) (*GrokFrame, error) {
	f, err := DFT(a.P)
	if err != nil {
		return nil, err
	}
	g := &GrokFrame{}
	if err := g.spectra(m, a, f); err != nil {
		return nil, err
	}
	g.Weights, g.Squares = SquaredWeights(m.Params())
	return g, nil
}

// spectra are of the weights alone.
func (g *GrokFrame) spectra(m *models.Model, a ModularAdder, f *FourierBasis) error {
	for _, s := range []struct {
		of   func(*models.Model) (*mat.Dense, error)
		to   **Spectrum
		gini *float64
	}{
		{a.Embedding, &g.Embedding, &g.GiniEmbedding}, {a.Readout, &g.Readout, &g.GiniReadout}, {a.Unembedding, &g.Unembedding, nil},
	} {
		w, err := s.of(m)
		if err != nil {
			return err
		}
		if *s.to, err = EmbeddingSpectrum(f, w); err != nil {
			return err
		}
		if s.gini == nil {
			continue
		}
		if *s.gini, err = Gini((*s.to).Frequencies); err != nil {
			return err
		}
	}
	return nil
}

func (g *GrokFrame) losses(opt GrokOptions) (err error) {
	l := g.Logits
	g.Accuracy, g.Cosines = l.Accuracy(), l.CosineCoefficients()
	if g.Loss, err = l.Loss(opt.Train); err != nil {
		return err
	}
	if g.Restricted, err = l.RestrictedLoss(opt.Keys, opt.Train); err != nil {
		return err
	}
	if g.Excluded, err = l.ExcludedLoss(opt.Keys, opt.Train); err != nil {
		return err
	}
	for _, k := range opt.Keys {
		one, err := l.ExcludedLoss([]int{k}, opt.Train)
		if err != nil {
			return err
		}
		g.ExcludedOne = append(g.ExcludedOne, one)
	}
	if g.Fit, err = l.FitCosines(opt.Keys); err != nil {
		return err
	}
	g.TrigShare, err = l.TrigShare(opt.Keys)
	return err
}

// Plane is the plane of R^D in which an embedding turns with one frequency: the
// directions of its cosine and its sine over the numbers, made orthonormal.
type Plane struct {
	K    int
	X, Y []float64 // [D]
}

// FrequencyPlane finds the plane of frequency k of an embedding w [P, D]: the
// span of the two rows of F·w. In a space of D ≥ P dimensions the plane of any
// embedding's own frequency shows some circle, noise included: look at other
// checkpoints, or at held-out numbers, in the plane of one. Errors: a frequency
// that is not 1..(P-1)/2, a plane without one of its directions.
func FrequencyPlane(f *FourierBasis, w *mat.Dense, k int) (*Plane, error) {
	t, err := f.Transform(w)
	if err != nil {
		return nil, err
	}
	var rows [][]float64
	for i, of := range f.K {
		if of == k && k > 0 {
			rows = append(rows, append([]float64(nil), t.RawRowView(i)...))
		}
	}
	if len(rows) != 2 {
		return nil, fmt.Errorf("frequency plane: frequency %d: those with a cosine and a sine are 1..%d", k, (f.P-1)/2)
	}
	p := &Plane{K: k, X: rows[0], Y: rows[1]}
	size := floats.Norm(p.X, 2)
	if !(size > 1e-9*mat.Norm(w, 2)) {
		return nil, fmt.Errorf("frequency plane: the embedding has no wave of frequency %d", k)
	}
	floats.Scale(1/size, p.X)
	floats.AddScaled(p.Y, -floats.Dot(p.Y, p.X), p.X)
	if size = floats.Norm(p.Y, 2); !(size > 1e-9*mat.Norm(w, 2)) {
		return nil, fmt.Errorf("frequency plane: sine and cosine of frequency %d lie on one line", k)
	}
	floats.Scale(1/size, p.Y)
	return p, nil
}

// Place gives the coordinates of each row of w [N, D] in the plane.
func (p *Plane) Place(w *mat.Dense) (x, y []float64) {
	n, _ := w.Dims()
	for i := range n {
		x = append(x, floats.Dot(w.RawRowView(i), p.X))
		y = append(y, floats.Dot(w.RawRowView(i), p.Y))
	}
	return x, y
}
