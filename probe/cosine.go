package probe

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Cosines sums up the cosines between the rows of a cloud.
type Cosines struct {
	// Mean and Std are over the full matrix with its diagonal of ones, as in
	// "The Geometry of Tokens in Internal Representations of Large Language
	// Models", 2025, arXiv:2501.10573; MeanOthers leaves the diagonal out.
	Mean, Std, MeanOthers float64
}

// CosineMatrix is the cosine of every pair of rows of x [N, D], [N, N]. A row of
// zeros has no direction and is refused. A cosine depends on the scale of single
// channels: two channels far larger than the rest make all rows look alike
// (Steck, Ekanadham and Kallus, "Is Cosine-Similarity of Embeddings Really About
// Similarity?", 2024, arXiv:2403.05440); compare with the cloud centred, without
// its OutlierChannels, and standardised.
func CosineMatrix(x *mat.Dense) (*mat.Dense, error) {
	n, _, err := checkRows("cosine", "rows", x, 1)
	if err != nil {
		return nil, err
	}
	unit, err := unitRows("cosine", x)
	if err != nil {
		return nil, err
	}
	c := product(unit, unit.T())
	for i := range n {
		c.Set(i, i, 1)
	}
	return c, nil
}

func unitRows(op string, x *mat.Dense) (*mat.Dense, error) {
	unit := mat.DenseCopyOf(x)
	for i, size := range rowNorms(x) {
		if size == 0 {
			return nil, fmt.Errorf("%s: row %d is 0 everywhere and has no direction", op, i)
		}
		floats.Scale(1/size, unit.RawRowView(i))
	}
	return unit, nil
}

// MeasureCosines sums up CosineMatrix. The cost is N²·D.
func MeasureCosines(x *mat.Dense) (Cosines, error) {
	m, err := CosineMatrix(x)
	if err != nil {
		return Cosines{}, err
	}
	n, _ := m.Dims()
	if n < 2 {
		return Cosines{}, fmt.Errorf("cosine: one row: at least 2 are needed")
	}
	total := mat.Sum(m)
	c := Cosines{Mean: total / float64(n*n), MeanOthers: (total - float64(n)) / float64(n*(n-1))}
	for _, v := range m.RawMatrix().Data {
		c.Std += (v - c.Mean) * (v - c.Mean)
	}
	c.Std = math.Sqrt(c.Std / float64(n*n))
	return c, nil
}

// Centre is x less the mean of its rows.
func Centre(x *mat.Dense) (*mat.Dense, error) {
	if _, _, err := checkRows("centre", "rows", x, 1); err != nil {
		return nil, err
	}
	return centred(x, columnMeans(x)), nil
}

// Standardise is x with every column brought to the mean 0 and the standard
// deviation 1. A constant column is refused.
func Standardise(x *mat.Dense) (*mat.Dense, error) {
	n, d, err := checkRows("standardise", "rows", x, 2)
	if err != nil {
		return nil, err
	}
	mean := columnMeans(x)
	out := mat.NewDense(n, d, nil)
	for j := range d {
		column := mat.DenseCopyOf(x.Slice(0, n, j, j+1))
		c, total, err := variation("standardise", fmt.Sprintf("values of channel %d", j), column, mean[j:j+1])
		if err != nil {
			return nil, err
		}
		c.Scale(1/math.Sqrt(total/float64(n)), c)
		out.SetCol(j, c.RawMatrix().Data)
	}
	return out, nil
}

// OutlierChannels are the columns whose largest |x| is above times the median
// |x| of the whole cloud (20 is usual), and the share of Σx² that the heaviest
// single column holds.
func OutlierChannels(x *mat.Dense, times float64) (channels []int, topShare float64, err error) {
	n, d, err := checkRows("outlier channels", "rows", x, 1)
	if err != nil {
		return nil, 0, err
	}
	if !(times > 0) {
		return nil, 0, fmt.Errorf("outlier channels: %v times the median: it must be above 0", times)
	}
	sizes := make([]float64, 0, n*d)
	top, square := make([]float64, d), make([]float64, d)
	for i := range n {
		for j, v := range x.RawRowView(i) {
			v = math.Abs(v)
			sizes = append(sizes, v)
			top[j] = math.Max(top[j], v)
			square[j] += v * v
		}
	}
	slices.Sort(sizes)
	median := (sizes[(len(sizes)-1)/2] + sizes[len(sizes)/2]) / 2
	for j, v := range top {
		if v > times*median {
			channels = append(channels, j)
		}
	}
	if sum := floats.Sum(square); sum > 0 {
		topShare = floats.Max(square) / sum
	}
	return channels, topShare, nil
}

// WithoutChannels is x with the named columns left out.
func WithoutChannels(x *mat.Dense, channels []int) (*mat.Dense, error) {
	n, d, err := checkRows("without channels", "rows", x, 1)
	if err != nil {
		return nil, err
	}
	var keep []int
	for j := range d {
		if !slices.Contains(channels, j) {
			keep = append(keep, j)
		}
	}
	if len(keep) == 0 {
		return nil, fmt.Errorf("without channels: none of the %d channels is left", d)
	}
	out := mat.NewDense(n, len(keep), nil)
	for i, j := range keep {
		out.SetCol(i, mat.Col(nil, j, x))
	}
	return out, nil
}
