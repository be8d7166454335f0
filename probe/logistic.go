package probe

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Classifier says which class a row belongs to by linear scores.
type Classifier struct {
	// Classes are the labels, ascending.
	Classes []int
	// Coef is [classes, D] and Intercept [classes]; for two classes there is one
	// row, the score of the second against the first.
	Coef      *mat.Dense
	Intercept []float64
	// Gradient is how far from the optimum an iterative fit stopped: the largest
	// entry of the objective's gradient. 0 where the fit is in closed form.
	Gradient float64
}

// FitLogistic fits softmax(x·Wᵀ + b) to labels, with a penalty on W but not on b:
//
//	min C·Σ -ln p(label) + |W|²/2
//
// with one row of W a class, or for two classes the single row of a logistic
// function (scikit-learn's convention). Newton's method solves its steps by
// conjugate gradients, so that no matrix of D² is formed: an iteration costs a
// few tens of N·D·classes. The penalty makes the optimum unique even where the
// classes can be separated. Labels all the same are refused.
//
// With no more rows than features any labels can be told apart in sample: only
// scores on rows that the fit has not seen mean something (CrossValidate).
func FitLogistic(x *mat.Dense, labels []int, c float64) (*Classifier, error) {
	n, d, err := checkRows("logistic", "features", x, 2)
	if err != nil {
		return nil, err
	}
	classes, index, err := classIndex("logistic", labels, n)
	if err != nil {
		return nil, err
	}
	if !(c > 0) || math.IsInf(c, 0) {
		return nil, fmt.Errorf("logistic: C %v: it must be above 0 and finite", c)
	}
	rows := len(classes)
	if rows == 2 {
		rows = 1
	}
	// The intercept is free, so moving the features changes it alone: centred
	// ones have no direction that all rows share, which would slow the steps.
	mean := columnMeans(x)
	p := &logisticProblem{x: centred(x, mean), index: index, rows: rows, classes: len(classes), c: c}
	w := mat.NewDense(rows, d+1, nil)
	gradient, err := p.newton(w)
	if err != nil {
		return nil, err
	}
	out := &Classifier{Classes: classes, Coef: mat.DenseCopyOf(w.Slice(0, rows, 0, d)), Intercept: mat.Col(nil, d, w), Gradient: gradient}
	for r := range rows {
		out.Intercept[r] -= floats.Dot(mean, out.Coef.RawRowView(r))
	}
	return out, nil
}

// classIndex is the different labels and each row's place among them.
func classIndex(op string, labels []int, rows int) (classes, index []int, err error) {
	if len(labels) != rows {
		return nil, nil, fmt.Errorf("%s: %d labels for %d rows", op, len(labels), rows)
	}
	classes = distinctNumbers(labels)
	if len(classes) < 2 {
		return nil, nil, fmt.Errorf("%s: every label is %d: there is nothing to tell apart", op, classes[0])
	}
	for _, l := range labels {
		at, _ := slices.BinarySearch(classes, l)
		index = append(index, at)
	}
	return classes, index, nil
}

// logisticProblem is the objective; weights are [rows, D+1], the intercept last.
type logisticProblem struct {
	x             *mat.Dense
	index         []int
	rows, classes int
	c             float64
}

// scores are x·Wᵀ + b, [N, rows].
func (p *logisticProblem) scores(w *mat.Dense) *mat.Dense {
	_, d := p.x.Dims()
	s := product(p.x, w.Slice(0, p.rows, 0, d).T())
	addRows(s, mat.Col(nil, d, w))
	return s
}

// probabilities turns scores into p of each row's class, in place, and returns
// the objective.
func (p *logisticProblem) probabilities(s, w *mat.Dense) float64 {
	n, d := p.x.Dims()
	loss := 0.0
	for i := range n {
		row := s.RawRowView(i)
		if p.rows == 1 {
			z := row[0]
			// ln(1 + e^-z) without overflow on either side.
			if p.index[i] == 0 {
				z = -z
			}
			loss += math.Log1p(math.Exp(-math.Abs(z))) + math.Max(-z, 0)
			row[0] = 1 / (1 + math.Exp(-row[0]))
			continue
		}
		total := floats.LogSumExp(row)
		loss += total - row[p.index[i]]
		for j := range row {
			row[j] = math.Exp(row[j] - total)
		}
	}
	objective := p.c * loss
	for r := range p.rows {
		row := w.RawRowView(r)[:d]
		objective += floats.Dot(row, row) / 2
	}
	return objective
}

// back is C·Xᵀr, with the sums of r in the last column, plus the penalty of w.
func (p *logisticProblem) back(r, w *mat.Dense) *mat.Dense {
	n, d := p.x.Dims()
	out := mat.NewDense(p.rows, d+1, nil)
	out.Slice(0, p.rows, 0, d).(*mat.Dense).Mul(r.T(), p.x)
	for i := range n {
		for j, v := range r.RawRowView(i) {
			out.Set(j, d, out.At(j, d)+v)
		}
	}
	out.Scale(p.c, out)
	for j := range p.rows {
		floats.Add(out.RawRowView(j)[:d], w.RawRowView(j)[:d])
	}
	return out
}

func (p *logisticProblem) gradient(probs, w *mat.Dense) *mat.Dense {
	r := mat.DenseCopyOf(probs)
	for i, at := range p.index {
		switch {
		case p.rows > 1:
			r.Set(i, at, r.At(i, at)-1)
		case at == 1:
			r.Set(i, 0, r.At(i, 0)-1)
		}
	}
	return p.back(r, w)
}

// curve is the Hessian times v.
func (p *logisticProblem) curve(probs, v *mat.Dense) *mat.Dense {
	s := p.scores(v)
	n, _ := s.Dims()
	for i := range n {
		row, q := s.RawRowView(i), probs.RawRowView(i)
		if p.rows == 1 {
			row[0] *= q[0] * (1 - q[0])
			continue
		}
		mean := floats.Dot(row, q)
		for j := range row {
			row[j] = q[j] * (row[j] - mean)
		}
	}
	return p.back(s, v)
}

// newton moves w, zeros, to the optimum and returns the largest entry of the
// gradient. Intercepts could all move together without a change of p; gradients
// over classes sum to 0, so from zeros they never do.
func (p *logisticProblem) newton(w *mat.Dense) (float64, error) {
	n, _ := p.x.Dims()
	enough := 1e-10 * math.Max(1, p.c*float64(n)*math.Sqrt(sumOfSquares(p.x)/float64(n)))
	probs := p.scores(w)
	value := p.probabilities(probs, w)
	start := 0.0
	for i := range 200 {
		g := p.gradient(probs, w)
		size := math.Max(mat.Max(g), -mat.Min(g))
		if size <= enough {
			return size, nil
		}
		if i == 0 {
			start = inner(g, g)
		}
		step := p.solve(probs, g, start)
		slope := inner(g, step)
		if slope <= 1e-20 {
			return size, nil // the step is below 1e-10: H is at least 1 for the weights
		}
		for t := 1.0; ; t /= 2 {
			next := mat.DenseCopyOf(w)
			floats.AddScaled(next.RawMatrix().Data, -t, step.RawMatrix().Data)
			s := p.scores(next)
			at := p.probabilities(s, next)
			// Near the optimum the fall is below the objective's rounding, and the
			// whole step is right without asking.
			if at <= value-1e-4*t*slope || slope <= 1e-11*(1+value) {
				w.Copy(next)
				probs, value = s, at
				break
			}
			if t < 1e-12 {
				return 0, fmt.Errorf("logistic: no step lowers the objective: the features may differ too much in size; standardise them")
			}
		}
	}
	return 0, fmt.Errorf("logistic: no optimum after 200 Newton steps: the features may differ too much in size; standardise them")
}

// solve is H⁻¹g by conjugate gradients; start is |g|² where Newton began.
func (p *logisticProblem) solve(probs, g *mat.Dense, start float64) *mat.Dense {
	rows, columns := g.Dims()
	x := mat.NewDense(rows, columns, nil)
	r := mat.DenseCopyOf(g)
	d := mat.DenseCopyOf(g)
	rr := inner(r, r)
	stop := rr * math.Min(1e-4, math.Max(rr/start, 1e-20)) // loose far from the optimum
	for range 4 * rows * columns {
		if rr <= stop {
			break
		}
		hd := p.curve(probs, d)
		dhd := inner(d, hd)
		if !(dhd > 0) {
			break
		}
		t := rr / dhd
		floats.AddScaled(x.RawMatrix().Data, t, d.RawMatrix().Data)
		floats.AddScaled(r.RawMatrix().Data, -t, hd.RawMatrix().Data)
		next := inner(r, r)
		d.Scale(next/rr, d)
		d.Add(d, r)
		rr = next
	}
	return x
}

func inner(a, b *mat.Dense) float64 { return floats.Dot(a.RawMatrix().Data, b.RawMatrix().Data) }

// Scores are x·Coefᵀ + Intercept, [N, rows of Coef].
func (c *Classifier) Scores(x *mat.Dense) (*mat.Dense, error) {
	return (&Linear{Coef: c.Coef, Intercept: c.Intercept}).Predict(x)
}

// Predict is the class of the largest score for each row.
func (c *Classifier) Predict(x *mat.Dense) ([]int, error) {
	s, err := c.Scores(x)
	if err != nil {
		return nil, err
	}
	n, rows := s.Dims()
	out := make([]int, n)
	for i := range out {
		row := s.RawRowView(i)
		switch {
		case rows > 1:
			out[i] = c.Classes[floats.MaxIdx(row)]
		case row[0] > 0:
			out[i] = c.Classes[1]
		default:
			out[i] = c.Classes[0]
		}
	}
	return out, nil
}
