package probe

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// DifferenceOfMeans is the simplest probe of two classes: the direction from
// the mean of the rows with the smaller label to that of the larger, with the
// threshold halfway.
func DifferenceOfMeans(x *mat.Dense, labels []int) (*Classifier, error) {
	n, d, err := checkRows("difference of means", "features", x, 2)
	if err != nil {
		return nil, err
	}
	classes, index, err := classIndex("difference of means", labels, n)
	if err != nil {
		return nil, err
	}
	if len(classes) != 2 {
		return nil, fmt.Errorf("difference of means: %d classes: two are needed", len(classes))
	}
	means, _ := classMeans(x, index, 2)
	direction := floats.SubTo(make([]float64, d), means.RawRowView(1), means.RawRowView(0))
	if floats.Norm(direction, 2) == 0 {
		return nil, fmt.Errorf("difference of means: both classes have the same mean: there is no direction")
	}
	middle := floats.AddTo(make([]float64, d), means.RawRowView(0), means.RawRowView(1))
	return &Classifier{Classes: classes, Coef: mat.NewDense(1, d, direction), Intercept: []float64{-floats.Dot(middle, direction) / 2}}, nil
}

// classMeans is [classes, D] and each class's count.
func classMeans(x *mat.Dense, index []int, classes int) (*mat.Dense, []float64) {
	_, d := x.Dims()
	means, count := mat.NewDense(classes, d, nil), make([]float64, classes)
	for i, c := range index {
		floats.Add(means.RawRowView(c), x.RawRowView(i))
		count[c]++
	}
	for c := range classes {
		floats.Scale(1/count[c], means.RawRowView(c))
	}
	return means, count
}

// FitDiscriminant is linear discriminant analysis: Gaussian classes of one
// covariance, the pooled one divided by N, priors the class shares (Fisher, "The
// use of multiple measurements in taxonomic problems", 1936):
//
//	score_c(x) = x·S⁻¹μ_c - μ_c·S⁻¹μ_c/2 + ln π_c
//
// The pooled covariance needs more rows than features and classes; fewer are
// refused (take principal components first), as are features that depend on
// each other. The cost is N·D² + D³.
func FitDiscriminant(x *mat.Dense, labels []int) (*Classifier, error) {
	n, d, err := checkRows("discriminant", "features", x, 2)
	if err != nil {
		return nil, err
	}
	classes, index, err := classIndex("discriminant", labels, n)
	if err != nil {
		return nil, err
	}
	k := len(classes)
	if n-k < d {
		return nil, fmt.Errorf("discriminant: %d rows in %d classes for %d features: the pooled covariance needs at least %d rows", n, k, d, d+k)
	}
	means, count := classMeans(x, index, k)
	within := mat.DenseCopyOf(x)
	for i, c := range index {
		floats.Sub(within.RawRowView(i), means.RawRowView(c))
	}
	pooled := mat.NewSymDense(d, nil)
	pooled.SymOuterK(1/float64(n), within.T())
	var chol mat.Cholesky
	if !chol.Factorize(pooled) || chol.Cond() > 1e12 {
		return nil, fmt.Errorf("discriminant: the %d features depend on each other: the pooled covariance has no inverse", d)
	}
	var coef mat.Dense // [D, K]
	if err := chol.SolveTo(&coef, means.T()); err != nil {
		return nil, fmt.Errorf("discriminant: %w", err)
	}
	c := &Classifier{Classes: classes, Coef: mat.DenseCopyOf(coef.T()), Intercept: make([]float64, k)}
	for i := range k {
		c.Intercept[i] = math.Log(count[i]/float64(n)) - floats.Dot(means.RawRowView(i), c.Coef.RawRowView(i))/2
	}
	if k == 2 {
		one := mat.NewDense(1, d, floats.SubTo(make([]float64, d), c.Coef.RawRowView(1), c.Coef.RawRowView(0)))
		c.Coef, c.Intercept = one, []float64{c.Intercept[1] - c.Intercept[0]}
	}
	return c, nil
}
