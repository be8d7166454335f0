package probe

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// NeuronFit is one neuron's pre-activation as a function of two operands:
//
//	N(a,b) = Σ_t Σ_T A_tT·cos(2π(t - d_tT)/T) + linear terms + constant
//
// t runs over a, b and a+b, T over the periods.
type NeuronFit struct {
	// Coefficients are those of cos and sin of each period for a, then for b,
	// then for a+b; then of a, b, a+b rescaled to [-1, 1]; then of 1.
	Coefficients []float64
	// Amplitude and Delay are A and d, [3][periods], rows a, b, a+b; 0 ≤ d < T.
	Amplitude, Delay [][]float64
	// NRMSE is the root mean square error over max - min of the neuron.
	NRMSE float64
	R2    float64
	// SumShare is ΣA² of the row a+b over ΣA² of all three; linear terms do not
	// count. 0 if there is no wave at all.
	SumShare float64
	// Dominant is the period of the largest amplitude in any row.
	Dominant float64
	// Constant says that the neuron has one value everywhere: nothing is fitted
	// and every number here is 0.
	Constant bool
}

// FitNeurons fits pre-activations y [A·B, neurons] on a grid of operands, row
// a·B + b, a < A, b < B (arXiv:2502.00873, section 5.3 and appendix; the
// authors descend by stochastic gradients, this is the optimum in closed form:
// least squares of minimum norm over cosines and sines). Periods of nil mean
// DefaultPeriods.
//
// The cost is A·B·columns² once, columns = 6·periods + 4, then A·B·columns a
// neuron. Errors: a grid that does not match, periods below 2, a grid with no
// more points than independent columns, NaN.
func FitNeurons(y *mat.Dense, a, b int, periods []float64) ([]NeuronFit, error) {
	n, neurons, err := checkRows("neuron fit", "pre-activations", y, 2)
	if err != nil {
		return nil, err
	}
	if a < 2 || b < 2 || a*b != n {
		return nil, fmt.Errorf("neuron fit: %d rows for a grid of %d by %d operands, at least 2 each", n, a, b)
	}
	if periods == nil {
		periods = DefaultPeriods()
	}
	if err := (NumberBasis{Periods: periods}).Validate(); err != nil {
		return nil, fmt.Errorf("neuron fit: %w", err)
	}
	x := neuronDesign(a, b, periods)
	s, err := newSolver("neuron fit", x)
	if err != nil {
		return nil, err
	}
	if n <= s.rank {
		return nil, fmt.Errorf("neuron fit: %d points for %d independent columns: the fit would be exact for any neuron", n, s.rank)
	}
	w := s.solve(y)
	var miss mat.Dense
	miss.Sub(y, product(x, w))
	out := make([]NeuronFit, neurons)
	for j := range out {
		out[j] = readNeuron(mat.Col(nil, j, y), mat.Col(nil, j, &miss), mat.Col(nil, j, w), periods)
	}
	return out, nil
}

// neuronDesign is [a·b, 6·periods + 4].
func neuronDesign(a, b int, periods []float64) *mat.Dense {
	basis := NumberBasis{Periods: periods}
	wave := basis.Columns()
	x := mat.NewDense(a*b, 3*wave+4, nil)
	for i := range a {
		for j := range b {
			row := x.RawRowView(i*b + j)
			for t, n := range [3]int{i, j, i + j} {
				basis.fill(row[t*wave:(t+1)*wave], n)
				row[3*wave+t] = 2*float64(n)/float64([3]int{a - 1, b - 1, a + b - 2}[t]) - 1
			}
			row[3*wave+3] = 1
		}
	}
	return x
}

func readNeuron(y, miss, w, periods []float64) NeuronFit {
	mean := floats.Sum(y) / float64(len(y))
	total := 0.0
	for _, v := range y {
		total += (v - mean) * (v - mean)
	}
	if !(total > constantTolerance*(total+float64(len(y))*mean*mean)) {
		return NeuronFit{Constant: true}
	}
	sse := floats.Dot(miss, miss)
	f := NeuronFit{
		Coefficients: w,
		NRMSE:        math.Sqrt(sse/float64(len(y))) / (floats.Max(y) - floats.Min(y)),
		R2:           1 - sse/total,
	}
	all, sum, largest := 0.0, 0.0, -1.0
	for t := range 3 {
		amplitude, delay := make([]float64, len(periods)), make([]float64, len(periods))
		for i, period := range periods {
			at := 2 * (t*len(periods) + i)
			cos, sin := w[at], w[at+1]
			amplitude[i] = math.Hypot(cos, sin)
			delay[i] = math.Mod(math.Atan2(sin, cos)/(2*math.Pi)*period+period, period)
			all += amplitude[i] * amplitude[i]
			if t == 2 {
				sum += amplitude[i] * amplitude[i]
			}
			if amplitude[i] > largest {
				largest, f.Dominant = amplitude[i], period
			}
		}
		f.Amplitude, f.Delay = append(f.Amplitude, amplitude), append(f.Delay, delay)
	}
	if all > 0 {
		f.SumShare = sum / all
	}
	return f
}
