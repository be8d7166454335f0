package probe

import (
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// RankScore is how well scores put values in order.
type RankScore struct {
	// Spearman and Pearson are correlations of ranks and of values, Kendall is
	// tau-b, which counts ties.
	Spearman, Kendall, Pearson float64
	// Pairwise is the share of pairs of different values that are put in the
	// right order.
	Pairwise float64
}

// ScoreRank compares scores with the values y that they should order. The cost
// is N². Fewer than two rows, and scores or values that are all the same, are
// refused: there is no order to compare.
func ScoreRank(scores, y []float64) (RankScore, error) {
	if len(scores) != len(y) || len(y) < 2 {
		return RankScore{}, fmt.Errorf("rank score: %d scores for %d values, at least 2 of each are needed", len(scores), len(y))
	}
	for _, v := range [2][]float64{scores, y} {
		if floats.HasNaN(v) || math.IsInf(floats.Max(v), 0) || math.IsInf(floats.Min(v), 0) {
			return RankScore{}, fmt.Errorf("rank score: a score or value is not finite")
		}
		if floats.Max(v) == floats.Min(v) {
			return RankScore{}, fmt.Errorf("rank score: all %d scores or values are %v: there is no order", len(v), v[0])
		}
	}
	s := RankScore{
		Spearman: stat.Correlation(ranks(scores), ranks(y), nil),
		Pearson:  stat.Correlation(scores, y, nil),
	}
	agree, disagree, tiedScore, tiedValue := 0.0, 0.0, 0.0, 0.0
	for i := range y {
		for j := range i {
			a, b := scores[i]-scores[j], y[i]-y[j]
			switch {
			case a == 0 && b == 0:
			case a == 0:
				tiedScore++
			case b == 0:
				tiedValue++
			case (a > 0) == (b > 0):
				agree++
			default:
				disagree++
			}
		}
	}
	both := agree + disagree
	s.Kendall = (agree - disagree) / math.Sqrt((both+tiedScore)*(both+tiedValue))
	s.Pairwise = agree / (both + tiedScore)
	return s, nil
}

// ranks gives each value its place from 1 up, equals the mean of their places.
func ranks(v []float64) []float64 {
	at := make([]int, len(v))
	for i := range at {
		at[i] = i
	}
	sort.Slice(at, func(i, j int) bool { return v[at[i]] < v[at[j]] })
	out := make([]float64, len(v))
	for i := 0; i < len(at); {
		j := i
		for j < len(at) && v[at[j]] == v[at[i]] {
			j++
		}
		for k := i; k < j; k++ {
			out[at[k]] = float64(i+1+j) / 2
		}
		i = j
	}
	return out
}

// RankAxis is the unit direction [D] along which rows x [N, D] are best ordered
// by a value y, as the map of a ridge regression ("On the rankability of visual
// embeddings", 2025, uses the same map fitted by descent). Score it on other rows
// with ScoreRank, beside the same of an untrained model.
func RankAxis(x *mat.Dense, y []float64, alpha float64) ([]float64, error) {
	if len(y) == 0 {
		return nil, fmt.Errorf("rank axis: no values")
	}
	l, err := FitRidge(x, mat.NewDense(len(y), 1, append([]float64(nil), y...)), alpha)
	if err != nil {
		return nil, fmt.Errorf("rank axis: %w", err)
	}
	return unit("rank axis", mat.Row(nil, 0, l.Coef))
}

// ExtremesAxis is the unit direction [D] from the mean of the shots rows of the
// smallest values to that of the shots rows of the largest.
func ExtremesAxis(x *mat.Dense, y []float64, shots int) ([]float64, error) {
	n, _, err := checkRows("extremes axis", "features", x, 2)
	if err != nil {
		return nil, err
	}
	if len(y) != n || shots < 1 || 2*shots > n || floats.HasNaN(y) {
		return nil, fmt.Errorf("extremes axis: %d finite values for %d rows and between 1 and %d rows an end are needed, not %d and %d", n, n, n/2, len(y), shots)
	}
	at := make([]int, n)
	for i := range at {
		at[i] = i
	}
	sort.SliceStable(at, func(i, j int) bool { return y[at[i]] < y[at[j]] })
	axis := columnMeans(selectRows(x, at[n-shots:]))
	floats.Sub(axis, columnMeans(selectRows(x, at[:shots])))
	return unit("extremes axis", axis)
}

func unit(op string, v []float64) ([]float64, error) {
	size := floats.Norm(v, 2)
	if size == 0 {
		return nil, fmt.Errorf("%s: the direction is 0", op)
	}
	floats.Scale(1/size, v)
	return v, nil
}
