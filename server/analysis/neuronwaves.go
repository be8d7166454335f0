package analysis

import (
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/probe"
)

// exchanged is pre-activations y with the values of each operand exchanged: what the
// same waves explain where the order of the numbers is lost.
func (r *neuronFitsRun) exchanged(y *mat.Dense) *mat.Dense {
	var values []int
	for i := range r.side {
		values = append(values, i)
	}
	a, b := probe.ExchangeNumbers(values, r.seed), probe.ExchangeNumbers(values, r.seed+1)
	n, neurons := y.Dims()
	out := mat.NewDense(n, neurons, nil)
	for i := range n {
		out.SetRow(a[i/r.side]*r.side+b[i%r.side], y.RawRowView(i))
	}
	return out
}

// ofSum is the share of each neuron's variance on the pairs held out that some
// function of a+b alone explains, whatever its form: the mean of the fitted pairs of
// each sum, and their overall mean for a sum without one. It is 0 for a neuron of
// one value.
func (r *neuronFitsRun) ofSum(y *mat.Dense) []float64 {
	out, held := make([]float64, len(r.neurons)), make([]bool, r.cells())
	for _, i := range r.held {
		held[i] = true
	}
	for j := range out {
		sum, count := make([]float64, 2*r.side), make([]float64, 2*r.side)
		column := mat.Col(nil, j, y)
		all, n := 0.0, 0.0
		for i, v := range column {
			if s := i/r.side + i%r.side; !held[i] {
				sum[s], count[s] = sum[s]+v, count[s]+1
				all, n = all+v, n+1
			}
		}
		total, miss, square := 0.0, 0.0, 0.0
		for _, i := range r.held {
			s, v, said := i/r.side+i%r.side, column[i], all/n
			total += (v - said) * (v - said)
			square += v * v
			if count[s] > 0 {
				said = sum[s] / count[s]
			}
			miss += (v - said) * (v - said)
		}
		if total > 1e-12*square {
			out[j] = 1 - miss/total
		}
	}
	return out
}

// writes is what each neuron adds to the logits of the number tokens by its row of
// W_out, its waves' mean size over the neurons, and each one's strongest frequency.
func (r *neuronFitsRun) writes() (*probe.Spectrum, []int, error) {
	h := mat.NewDense(len(r.neurons), r.m.Config.Width, nil)
	blocks := map[int]*models.BlockParams{}
	for i, n := range r.neurons {
		if blocks[n.Layer] == nil {
			b, err := r.m.Block(n.Layer)
			if err != nil {
				return nil, nil, err
			}
			blocks[n.Layer] = b
		}
		for j := range r.m.Config.Width {
			h.Set(i, j, float64(blocks[n.Layer].Out.Weight.At(j, n.Index)))
		}
	}
	transform, spectrum, err := probe.ContributionSpectrum(r.space.basis, h, r.space.readout(true))
	if err != nil {
		return nil, nil, err
	}
	dominant, err := r.space.basis.DominantFrequencies(transform)
	return spectrum, dominant, err
}

// medianOf is the median of the fits' values, those of constant neurons left out.
func medianOf(fits []probe.NeuronFit, of func(probe.NeuronFit) float64) float64 {
	var v []float64
	for _, f := range fits {
		if !f.Constant {
			v = append(v, of(f))
		}
	}
	if len(v) == 0 {
		return 0
	}
	return median(v)
}

// largestSize is max |x|.
func largestSize(x []float64) float64 { return max(floats.Max(x), -floats.Min(x)) }
