package probe

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// PCA is a principal component analysis of rows [N, D].
//
// A component has no sign of its own: here its entry of largest size is
// positive (the first of equals).
type PCA struct {
	// Mean is [D]; it is taken off before anything else.
	Mean []float64
	// Components is [k, D], orthonormal rows, largest variance first. k is
	// less than was asked for when the cloud has fewer dimensions than that.
	Components *mat.Dense
	// Variance is [k], the variance along each component, divided by N-1.
	Variance []float64
	// Ratio is [k], the share of the total variance.
	Ratio []float64
	// Total is the variance summed over all D, divided by N-1.
	Total float64
	// Randomised says that the range finder was used; Residual then bounds
	// how far the components are from exact ones: the largest |Cv - λv| over
	// the components, as a share of the first λ (C the covariance). 0 if exact.
	Randomised bool
	Residual   float64
}

// FitPCA finds the first k principal components of x [N, D] exactly, as the
// eigenvectors of the smaller of the two Gram sides, [D, D] or [N, N] (Pearson,
// "On lines and planes of closest fit", 1901). k = 0 means all, min(N-1, D).
//
// Components with a variance below 1e-12 of the first are rounding and are left
// out. The cost is N·D·min(N, D) for the Gram matrix and about 9·min(N, D)³ for
// its eigenvectors: seconds at 1000 x 768, where FitPCARandom takes a tenth of
// one. Errors: fewer than two rows, k out of range, constant rows, NaN.
func FitPCA(x *mat.Dense, k int) (*PCA, error) {
	p, xc, k, err := startPCA(x, k)
	if err != nil {
		return nil, err
	}
	n, d := xc.Dims()
	side := d
	if n < d {
		side = n
	}
	gram := mat.NewSymDense(side, nil)
	if n < d {
		gram.SymOuterK(1, xc)
	} else {
		gram.SymOuterK(1, xc.T())
	}
	var eig mat.EigenSym
	if !eig.Factorize(gram, true) {
		return nil, fmt.Errorf("pca: the eigenvalues of the [%d,%d] Gram matrix do not converge", side, side)
	}
	values := eig.Values(nil)
	var vectors mat.Dense
	eig.VectorsTo(&vectors)
	first := values[side-1]
	components := mat.NewDense(k, d, nil)
	for i := range k {
		value := values[side-1-i]
		if !(value > 1e-12*first) {
			k = i
			break
		}
		v := mat.Col(nil, side-1-i, &vectors)
		if n < d {
			var w mat.VecDense
			w.MulVec(xc.T(), mat.NewVecDense(n, v))
			v = w.RawVector().Data
		}
		components.SetRow(i, v)
		p.Variance = append(p.Variance, value/float64(n-1))
	}
	p.finish(mat.DenseCopyOf(components.Slice(0, k, 0, d)), n < d)
	return p, nil
}

// RandomOptions are the options of FitPCARandom.
type RandomOptions struct {
	// Oversample is how many directions are followed beyond k; 0 means 12.
	Oversample int
	// Iterations is how often the range is refined; 0 means 3.
	Iterations int
	// Seed starts the random directions.
	Seed uint64
}

// FitPCARandom finds about the first k principal components of x [N, D] with a
// randomised range finder: random directions are pushed through the centred
// data and back Iterations times, and the small problem that is left is solved
// exactly (Halko, Martinsson and Tropp, "Finding structure with randomness",
// 2011, arXiv:0909.4061, algorithms 4.4 and 5.1).
//
// The cost is (2·Iterations + 4)·N·D·(k + Oversample): a few hundredths of a
// second at 1000 x 768 and k = 20. Variances are never above the exact ones,
// and close to them where the spectrum falls; Residual says how close. The
// errors are FitPCA's.
func FitPCARandom(x *mat.Dense, k int, opt RandomOptions) (*PCA, error) {
	p, xc, k, err := startPCA(x, k)
	if err != nil {
		return nil, err
	}
	n, d := xc.Dims()
	if opt.Oversample <= 0 {
		opt.Oversample = 12
	}
	if opt.Iterations <= 0 {
		opt.Iterations = 3
	}
	width := min(k+opt.Oversample, n, d)
	rng := rand.New(rand.NewPCG(opt.Seed, 0x9e3779b97f4a7c15))
	start := mat.NewDense(d, width, nil)
	for i := range d {
		row := start.RawRowView(i)
		for j := range row {
			row[j] = rng.NormFloat64()
		}
	}
	q := orthonormal(product(xc, start))
	for range opt.Iterations {
		back := orthonormal(product(xc.T(), q))
		q = orthonormal(product(xc, back))
	}
	small := product(q.T(), xc) // [width, D]
	var svd mat.SVD
	if !svd.Factorize(small, mat.SVDThin) {
		return nil, fmt.Errorf("pca: the singular values of the [%d,%d] sketch do not converge", width, d)
	}
	values := svd.Values(nil)
	var v mat.Dense
	svd.VTo(&v)
	components := mat.NewDense(k, d, nil)
	for i := range k {
		if !(values[i] > 1e-6*values[0]) {
			k = i
			break
		}
		components.SetRow(i, mat.Col(nil, i, &v))
		p.Variance = append(p.Variance, values[i]*values[i]/float64(n-1))
	}
	p.Randomised = true
	p.finish(mat.DenseCopyOf(components.Slice(0, k, 0, d)), false)
	p.Residual = p.residual(xc)
	return p, nil
}

// startPCA checks the input and centres it.
func startPCA(x *mat.Dense, k int) (*PCA, *mat.Dense, int, error) {
	n, d, err := checkRows("pca", "activations", x, 2)
	if err != nil {
		return nil, nil, 0, err
	}
	most := min(n-1, d)
	if k == 0 {
		k = most
	}
	if k < 1 || k > most {
		return nil, nil, 0, fmt.Errorf("pca: %d components of %d rows of width %d: between 1 and %d are possible", k, n, d, most)
	}
	mean := columnMeans(x)
	xc, total, err := variation("pca", "activations", x, mean)
	if err != nil {
		return nil, nil, 0, err
	}
	return &PCA{Mean: mean, Total: total / float64(n-1)}, xc, k, nil
}

// finish stores the components, orthonormal and with their sign, and the shares.
func (p *PCA) finish(components *mat.Dense, orthogonalise bool) {
	if orthogonalise {
		components = mat.DenseCopyOf(orthonormal(mat.DenseCopyOf(components.T())).T())
	}
	k, _ := components.Dims()
	p.Ratio = make([]float64, k)
	for i := range k {
		signed(components.RawRowView(i))
		p.Ratio[i] = p.Variance[i] / p.Total
	}
	p.Components = components
}

// residual is the largest |Cv - λv| over the components, over the first λ.
func (p *PCA) residual(xc *mat.Dense) float64 {
	n, _ := xc.Dims()
	image := product(product(xc, p.Components.T()).T(), xc)
	worst := 0.0
	for i, value := range p.Variance {
		row := image.RawRowView(i)
		floats.Scale(1/float64(n-1), row)
		floats.AddScaled(row, -value, p.Components.RawRowView(i))
		worst = math.Max(worst, floats.Norm(row, 2))
	}
	return worst / p.Variance[0]
}

// K is the number of components.
func (p *PCA) K() int { return len(p.Variance) }

// Scores is (x - mean)·Vᵀ, [N, k]: the coordinates of rows x [N, D].
func (p *PCA) Scores(x *mat.Dense) (*mat.Dense, error) {
	_, d, err := checkRows("pca scores", "activations", x, 1)
	if err != nil {
		return nil, err
	}
	if d != len(p.Mean) {
		return nil, fmt.Errorf("pca scores: rows of width %d for components of width %d", d, len(p.Mean))
	}
	return product(centred(x, p.Mean), p.Components.T()), nil
}

// Reconstruct is z·V + mean, [N, D], from coordinates z [N, j] along the first
// j ≤ k components.
func (p *PCA) Reconstruct(z *mat.Dense) (*mat.Dense, error) {
	_, j, err := checkRows("pca reconstruct", "coordinates", z, 1)
	if err != nil {
		return nil, err
	}
	if j > p.K() {
		return nil, fmt.Errorf("pca reconstruct: %d coordinates for %d components", j, p.K())
	}
	x := product(z, p.Components.Slice(0, j, 0, len(p.Mean)))
	n, _ := x.Dims()
	for i := range n {
		floats.Add(x.RawRowView(i), p.Mean)
	}
	return x, nil
}

// signed turns v so that its entry of largest size is positive.
func signed(v []float64) {
	at := 0
	for i := range v {
		if math.Abs(v[i]) > math.Abs(v[at]) {
			at = i
		}
	}
	if v[at] < 0 {
		floats.Scale(-1, v)
	}
}
