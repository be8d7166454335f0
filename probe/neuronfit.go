package probe

import (
	"fmt"
	"math"
	"slices"

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
	// NRMSE is the root mean square error over max - min of the neuron on the whole
	// grid, R2 the share of its variance that is explained: of the pairs that were
	// fitted.
	NRMSE, R2 float64
	// HeldNRMSE and HeldR2 are those of the pairs that were held out; R2 is about
	// the mean of the fitted ones. Both are 0 where none were.
	HeldNRMSE, HeldR2 float64
	// SumShare is ΣA² of the row a+b over ΣA² of all three; linear terms do not
	// count. 0 if there is no wave at all.
	SumShare float64
	// Dominant is the period of the largest amplitude in any row.
	Dominant float64
	// Constant says that the neuron has one value everywhere: nothing is fitted
	// and every number here is 0.
	Constant bool
}

// neuronsAtOnce is how many neurons' errors are held in memory at a time.
const neuronsAtOnce = 256

// FitNeurons fits pre-activations y [A·B, neurons] on a grid of operands, row
// a·B + b, a < A, b < B (arXiv:2502.00873, section 5.3 and appendix; the
// authors descend by stochastic gradients, this is the optimum in closed form:
// least squares of minimum norm over cosines and sines). Periods of nil mean
// DefaultPeriods. held are rows that the fit does not see and is measured on
// besides; nil for none.
//
// The cost is A·B·columns² once, columns = 6·periods + 4, then A·B·columns a
// neuron. Errors: a grid that does not match, periods below 2, no more fitted
// points than independent columns, a held row that is not there or comes twice,
// NaN.
func FitNeurons(y *mat.Dense, a, b int, periods []float64, held []int) ([]NeuronFit, error) {
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
	seen := slices.Repeat([]bool{true}, n)
	for _, i := range held {
		if i < 0 || i >= n || !seen[i] {
			return nil, fmt.Errorf("neuron fit: held-out row %d is outside 0..%d or comes twice", i, n-1)
		}
		seen[i] = false
	}
	var fitted []int
	for i, in := range seen {
		if in {
			fitted = append(fitted, i)
		}
	}
	if len(fitted) == 0 {
		return nil, fmt.Errorf("neuron fit: all %d points are held out: none is left to fit", n)
	}
	x := neuronDesign(a, b, periods)
	s, err := newSolver("neuron fit", selectRows(x, fitted))
	if err != nil {
		return nil, err
	}
	if len(fitted) <= s.rank {
		return nil, fmt.Errorf("neuron fit: %d points for %d independent columns: the fit would be exact for any neuron", len(fitted), s.rank)
	}
	fits := make([]NeuronFit, neurons)
	for lo := 0; lo < neurons; lo += neuronsAtOnce {
		hi := min(lo+neuronsAtOnce, neurons)
		part := y.Slice(0, n, lo, hi).(*mat.Dense)
		w := s.solve(selectRows(part, fitted))
		var miss mat.Dense
		miss.Sub(part, product(x, w))
		for j := range hi - lo {
			fits[lo+j] = readNeuron(mat.Col(nil, j, part), mat.Col(nil, j, &miss), mat.Col(nil, j, w), periods, seen)
		}
	}
	return fits, nil
}

// neuronDesign is [a·b, 6·periods + 4].
func neuronDesign(a, b int, periods []float64) *mat.Dense {
	x := mat.NewDense(a*b, 6*len(periods)+4, nil)
	for i := range a {
		for j := range b {
			neuronRow(x.RawRowView(i*b+j), i, j, a, b, periods)
		}
	}
	return x
}

// neuronRow is the design's row of the pair (i, j) of a grid of a by b operands.
func neuronRow(row []float64, i, j, a, b int, periods []float64) {
	basis := NumberBasis{Periods: periods}
	wave := basis.Columns()
	for t, n := range [3]int{i, j, i + j} {
		basis.fill(row[t*wave:(t+1)*wave], n)
		row[3*wave+t] = 2*float64(n)/float64([3]int{a - 1, b - 1, a + b - 2}[t]) - 1
	}
	row[3*wave+3] = 1
}

// readNeuron reads a neuron y [A·B] off its coefficients w and what they miss;
// fitted says which rows they were found from.
func readNeuron(y, miss, w, periods []float64, fitted []bool) NeuronFit {
	var mean, count float64
	for i, v := range y {
		if fitted[i] {
			mean, count = mean+v, count+1
		}
	}
	mean /= count
	var total, sse [2]float64 // of fitted and of held-out rows
	for i, v := range y {
		k := 1
		if fitted[i] {
			k = 0
		}
		total[k] += (v - mean) * (v - mean)
		sse[k] += miss[i] * miss[i]
	}
	if !(total[0] > constantTolerance*(total[0]+count*mean*mean)) {
		return NeuronFit{Constant: true}
	}
	spread := floats.Max(y) - floats.Min(y)
	f := NeuronFit{Coefficients: w, NRMSE: math.Sqrt(sse[0]/count) / spread, R2: 1 - sse[0]/total[0]}
	if held := float64(len(y)) - count; held > 0 {
		f.HeldNRMSE = math.Sqrt(sse[1]/held) / spread
		if total[1] > 0 {
			f.HeldR2 = 1 - sse[1]/total[1]
		}
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

// Grid is what the fit says of the pre-activation on a grid of operands, [A·B],
// row a·B + b: the fit's own grid and periods. It is nil for a constant neuron.
func (f NeuronFit) Grid(a, b int, periods []float64) ([]float64, error) {
	if f.Constant {
		return nil, nil
	}
	periods, err := f.check(a, b, periods)
	if err != nil {
		return nil, err
	}
	return product(neuronDesign(a, b, periods), mat.NewDense(len(f.Coefficients), 1, f.Coefficients)).RawMatrix().Data, nil
}

// At is Grid's value of each of some pairs, rows i·B + j; of a constant neuron nil.
func (f NeuronFit) At(rows []int, a, b int, periods []float64) ([]float64, error) {
	if f.Constant {
		return nil, nil
	}
	periods, err := f.check(a, b, periods)
	if err != nil {
		return nil, err
	}
	out, row := make([]float64, len(rows)), make([]float64, len(f.Coefficients))
	for k, at := range rows {
		if at < 0 || at >= a*b {
			return nil, fmt.Errorf("neuron fit: row %d is outside 0..%d", at, a*b-1)
		}
		neuronRow(row, at/b, at%b, a, b, periods)
		out[k] = floats.Dot(row, f.Coefficients)
	}
	return out, nil
}

// check refuses a grid and periods that are not the fit's.
func (f NeuronFit) check(a, b int, periods []float64) ([]float64, error) {
	if periods == nil {
		periods = DefaultPeriods()
	}
	if want := 6*len(periods) + 4; a < 2 || b < 2 || len(f.Coefficients) != want {
		return nil, fmt.Errorf("neuron fit: %d coefficients on a grid of %d by %d: %d periods have %d", len(f.Coefficients), a, b, len(periods), want)
	}
	return periods, nil
}
