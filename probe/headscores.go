package probe

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"orrery/models/tensor"
)

// HeadDetector names where a kind of head looks.
type HeadDetector string

// The detectors. Those of TransformerLens' head_detector, and the first token.
const (
	// PreviousToken looks at the token before.
	PreviousToken HeadDetector = "previous_token"
	// DuplicateToken looks at earlier copies of the token.
	DuplicateToken HeadDetector = "duplicate_token"
	// Induction looks at what stood behind earlier copies of the token (Elhage
	// et al., "A Mathematical Framework for Transformer Circuits", 2021).
	Induction HeadDetector = "induction"
	// FirstToken looks at position 0.
	FirstToken HeadDetector = "first_token"
)

// HeadDetectors lists them in the order in which a switch shows them.
func HeadDetectors() []HeadDetector {
	return []HeadDetector{PreviousToken, DuplicateToken, Induction, FirstToken}
}

// DetectionPattern is the attention that a detector asks for on a prompt,
// [T, T] of 0 and 1, rows the query. A detector that has nowhere to look in this
// prompt, as that of duplicates where no token comes twice, is refused.
func DetectionPattern(d HeadDetector, ids []int) (*mat.Dense, error) {
	n := len(ids)
	if n < 2 {
		return nil, fmt.Errorf("detection pattern: %d tokens: at least 2 are needed", n)
	}
	out := mat.NewDense(n, n, nil)
	found := false
	for i := range n {
		for j := range i + 1 {
			looks := false
			switch d {
			case PreviousToken:
				looks = j == i-1
			case DuplicateToken:
				looks = j < i && ids[j] == ids[i]
			case Induction:
				looks = j > 0 && ids[j-1] == ids[i]
			case FirstToken:
				looks = j == 0
			default:
				return nil, fmt.Errorf("detection pattern: unknown detector %q: there are %q", d, HeadDetectors())
			}
			if looks {
				out.Set(i, j, 1)
				found = true
			}
		}
	}
	if !found {
		return nil, fmt.Errorf("detection pattern: %s has nowhere to look: no token of the prompt comes twice", d)
	}
	return out, nil
}

// ScoreOptions are the options of ScoreHeads.
type ScoreOptions struct {
	// Difference scores 1 - T·mean|A - D| (TransformerLens' "abs", which rounds
	// it to three digits) in place of the share of attention ΣA·D / ΣA ("mul").
	Difference bool
	// WithoutFirst and WithoutCurrent leave attention to position 0 and to the
	// query's own position out of all sums; T stays the number of positions.
	WithoutFirst, WithoutCurrent bool
}

// ScoreHeads scores the pattern [H, T, T] of one layer, rows the query, against
// a detection pattern [T, T]; one score a head. A head with no attention left
// outside of what is taken out scores 0 by share. The cost is H·T².
func ScoreHeads(pattern *tensor.Dense, detection *mat.Dense, opt ScoreOptions) ([]float64, error) {
	heads, n, err := checkPattern("head scores", pattern)
	if err != nil {
		return nil, err
	}
	if r, c := detection.Dims(); r != n || c != n {
		return nil, fmt.Errorf("head scores: a detection pattern [%d,%d] for %d positions", r, c, n)
	}
	scores := make([]float64, heads)
	for h := range scores {
		hit, all, off := 0.0, 0.0, 0.0
		for i := range n {
			row := pattern.Sub(h, i).Data
			for j, d := range detection.RawRowView(i) {
				if opt.WithoutFirst && j == 0 || opt.WithoutCurrent && j == i {
					continue
				}
				a := float64(row[j])
				hit += a * d
				all += a
				off += math.Abs(a - d)
			}
		}
		switch {
		case opt.Difference:
			scores[h] = 1 - off/float64(n)
		case all > 0:
			scores[h] = hit / all
		}
	}
	return scores, nil
}

// checkPattern refuses what is not [H, T, T] of finite numbers.
func checkPattern(op string, pattern *tensor.Dense) (heads, n int, err error) {
	if pattern == nil || pattern.Rank() != 3 || pattern.Len() == 0 || pattern.Dim(1) != pattern.Dim(2) {
		shape := []int(nil)
		if pattern != nil {
			shape = pattern.Shape
		}
		return 0, 0, fmt.Errorf("%s: a pattern of shape %v: [heads, positions, positions] is needed", op, shape)
	}
	for i, v := range pattern.Data {
		if v64 := float64(v); math.IsNaN(v64) || math.IsInf(v64, 0) {
			return 0, 0, fmt.Errorf("%s: attention at index %d is %v", op, i, v)
		}
	}
	return pattern.Dim(0), pattern.Dim(1), nil
}

// MeanDiagonal is each head's mean attention from a position to the one offset
// before it, over the positions that have one, for pattern [H, T, T]. Offset 1
// is the previous token; on a random sequence repeated with the period P,
// offset P-1 is the induction stripe and P that of duplicates.
func MeanDiagonal(pattern *tensor.Dense, offset int) ([]float64, error) {
	heads, n, err := checkPattern("mean diagonal", pattern)
	if err != nil {
		return nil, err
	}
	if offset < 0 || offset >= n {
		return nil, fmt.Errorf("mean diagonal: offset %d for %d positions: 0..%d are possible", offset, n, n-1)
	}
	out := make([]float64, heads)
	for h := range out {
		for i := offset; i < n; i++ {
			out[h] += float64(pattern.At(h, i, i-offset)) / float64(n-offset)
		}
	}
	return out, nil
}

// MeanToPosition is each head's mean attention to one position, over all rows of
// pattern [H, T, T].
func MeanToPosition(pattern *tensor.Dense, position int) ([]float64, error) {
	heads, n, err := checkPattern("mean attention", pattern)
	if err != nil {
		return nil, err
	}
	if position < 0 || position >= n {
		return nil, fmt.Errorf("mean attention: position %d is outside 0..%d", position, n-1)
	}
	out := make([]float64, heads)
	for h := range out {
		for i := range n {
			out[h] += float64(pattern.At(h, i, position)) / float64(n)
		}
	}
	return out, nil
}

// AttentionEntropy is -Σ_j a ln a of each row of pattern [H, T, T], [H, T], in
// nats; rows are brought to the sum 1 first. A row without attention has 0.
func AttentionEntropy(pattern *tensor.Dense) (*mat.Dense, error) {
	heads, n, err := checkPattern("attention entropy", pattern)
	if err != nil {
		return nil, err
	}
	out := mat.NewDense(heads, n, nil)
	for h := range heads {
		for i := range n {
			row := pattern.Sub(h, i).Data
			p := make([]float64, n)
			for j, a := range row {
				if a < 0 {
					return nil, fmt.Errorf("attention entropy: head %d attends with %v from position %d to %d: not a share", h, a, i, j)
				}
				p[j] = float64(a)
			}
			out.Set(h, i, entropy(p))
		}
	}
	return out, nil
}

// entropy is -Σ p ln p of weights p ≥ 0 brought to the sum 1; 0 for no weight.
func entropy(p []float64) float64 {
	sum := floats.Sum(p)
	e := 0.0
	for _, v := range p {
		if v > 0 {
			e -= v / sum * math.Log(v/sum)
		}
	}
	return e
}

// ClassAttention is attention summed up by classes of tokens.
type ClassAttention struct {
	// Mean is [H, C, C]: head, class of the query, class of the key; the mean
	// over pairs of positions, 0 where there is none.
	Mean *tensor.Dense
	// Count is [C][C], how many pairs of positions each mean is over.
	Count [][]int
	// Mass is [H, C, C]: all attention from a query of the class to keys of the
	// class, averaged over the queries. Rows of a whole pattern sum to 1.
	Mass *tensor.Dense
}

// AttendByClass averages pattern [H, T, T] over classes of positions (roles of
// the tokens: operand, operator, equals), class[t] in 0..classes-1. Only keys at
// or before the query count; own says whether its own position does. The cost
// is H·T².
func AttendByClass(pattern *tensor.Dense, class []int, classes int, own bool) (*ClassAttention, error) {
	heads, n, err := checkPattern("attention by class", pattern)
	if err != nil {
		return nil, err
	}
	if len(class) != n || classes < 1 {
		return nil, fmt.Errorf("attention by class: %d classes given for %d positions, %d classes in all", len(class), n, classes)
	}
	queries := make([]int, classes)
	for t, c := range class {
		if c < 0 || c >= classes {
			return nil, fmt.Errorf("attention by class: class %d of position %d is outside 0..%d", c, t, classes-1)
		}
		queries[c]++
	}
	out := &ClassAttention{Mean: tensor.New(heads, classes, classes), Mass: tensor.New(heads, classes, classes)}
	sums := make([]float64, heads*classes*classes)
	out.Count = make([][]int, classes)
	for c := range out.Count {
		out.Count[c] = make([]int, classes)
	}
	for i := range n {
		last := i
		if !own {
			last--
		}
		for j := 0; j <= last; j++ {
			out.Count[class[i]][class[j]]++
			for h := range heads {
				sums[(h*classes+class[i])*classes+class[j]] += float64(pattern.At(h, i, j))
			}
		}
	}
	for at, sum := range sums {
		query, key := at/classes%classes, at%classes
		if count := out.Count[query][key]; count > 0 {
			out.Mean.Data[at] = float32(sum / float64(count))
			out.Mass.Data[at] = float32(sum / float64(queries[query]))
		}
	}
	return out, nil
}
