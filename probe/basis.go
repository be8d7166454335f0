package probe

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/mat"
)

// DefaultPeriods are those of the helix paper.
func DefaultPeriods() []float64 { return []float64{2, 5, 10, 100} }

// NumberBasis is a set of functions of a number n, one column each:
//
//	cos(2πn/T), sin(2πn/T) for each period T; then (n/Scale)^1 .. (n/Scale)^Degree
//
// With periods and degree 1 it is a helix, with degree 0 a circle a period, with
// no periods a polynomial. The constant is not among the columns: a fit adds it
// once, as its last column. The sine of period 2 is 0 on whole numbers, so a
// helix with that period has a column that carries nothing; fits take the
// solution of minimum norm, which leaves it at 0.
type NumberBasis struct {
	// Periods are at least 2, in the order of the columns: whole numbers cannot
	// tell a shorter period from a longer one.
	Periods []float64
	// Degree is the highest power of n.
	Degree int
	// Scale divides n in the powers; it is not 0 if Degree is not.
	Scale float64
}

// Columns is the number of columns.
func (b NumberBasis) Columns() int { return 2*len(b.Periods) + b.Degree }

// Labels names the columns, n written as of.
func (b NumberBasis) Labels(of string) []string {
	var out []string
	for _, t := range b.Periods {
		out = append(out, fmt.Sprintf("cos(2π%s/%.6g)", of, t), fmt.Sprintf("sin(2π%s/%.6g)", of, t))
	}
	for d := 1; d <= b.Degree; d++ {
		if d == 1 {
			out = append(out, fmt.Sprintf("%s/%.6g", of, b.Scale))
			continue
		}
		out = append(out, fmt.Sprintf("(%s/%.6g)^%d", of, b.Scale, d))
	}
	return out
}

// Validate says what is wrong with the basis.
func (b NumberBasis) Validate() error {
	for i, t := range b.Periods {
		if !(t >= 2) || math.IsInf(t, 0) {
			return fmt.Errorf("number basis: period %v is below 2 or not finite: whole numbers cannot tell it from a longer one", t)
		}
		if at := slices.Index(b.Periods, t); at < i {
			return fmt.Errorf("number basis: period %v is named twice", t)
		}
	}
	if b.Degree < 0 {
		return fmt.Errorf("number basis: degree %d is below 0", b.Degree)
	}
	if b.Degree > 0 && (b.Scale == 0 || math.IsNaN(b.Scale) || math.IsInf(b.Scale, 0)) {
		return fmt.Errorf("number basis: scale %v divides the powers of the number: it must be finite and not 0", b.Scale)
	}
	if b.Columns() == 0 {
		return fmt.Errorf("number basis: no periods and degree 0 leave no column")
	}
	return nil
}

// fill writes the columns of n to dst, which has their length.
func (b NumberBasis) fill(dst []float64, n int) {
	for i, t := range b.Periods {
		sin, cos := math.Sincos(2 * math.Pi * turn(n, t))
		dst[2*i], dst[2*i+1] = snap(cos), snap(sin)
	}
	power := 1.0
	for d := range b.Degree {
		power *= float64(n) / b.Scale
		dst[2*len(b.Periods)+d] = power
	}
}

// turn is n/t less its whole part: the angle of a large number keeps all digits.
func turn(n int, t float64) float64 { return math.Mod(float64(n), t) / t }

// snap makes an exact 0 of a sine or cosine that is 0 but for rounding.
func snap(v float64) float64 {
	if math.Abs(v) < 1e-12 {
		return 0
	}
	return v
}

// HelixTerm is one number that the activations may depend on: an operand, or a
// sum of two.
type HelixTerm struct {
	// Name is how labels write it: "a", "a+b".
	Name string
	// Numbers holds the number of each row.
	Numbers []int
	Basis   NumberBasis
}

// design is [rows, columns + 1]: the terms side by side, then the constant.
func design(terms []HelixTerm) *mat.Dense {
	columns := 1
	for _, t := range terms {
		columns += t.Basis.Columns()
	}
	b := mat.NewDense(len(terms[0].Numbers), columns, nil)
	for i := range terms[0].Numbers {
		fillRow(b.RawRowView(i), terms, func(t int) int { return terms[t].Numbers[i] })
	}
	return b
}

func fillRow(row []float64, terms []HelixTerm, number func(term int) int) {
	at := 0
	for t, term := range terms {
		next := at + term.Basis.Columns()
		term.Basis.fill(row[at:next], number(t))
		at = next
	}
	row[at] = 1
}

// checkTerms refuses terms that do not fit the rows or each other.
func checkTerms(op string, rows int, terms []HelixTerm) error {
	if len(terms) == 0 {
		return fmt.Errorf("%s: no number to fit: give at least one term", op)
	}
	for _, t := range terms {
		if len(t.Numbers) != rows {
			return fmt.Errorf("%s: %d numbers %s for %d rows of activations", op, len(t.Numbers), t.Name, rows)
		}
		if err := t.Basis.Validate(); err != nil {
			return fmt.Errorf("%s: %s: %w", op, t.Name, err)
		}
	}
	return nil
}

// distinct counts the different combinations of numbers over the rows.
func distinct(terms []HelixTerm) int {
	seen := map[string]bool{}
	var key []byte
	for i := range terms[0].Numbers {
		key = key[:0]
		for _, t := range terms {
			key = strconv.AppendInt(key, int64(t.Numbers[i]), 10)
			key = append(key, ' ')
		}
		seen[string(key)] = true
	}
	return len(seen)
}

// largest is max |n|, at least 1: the scale that brings a sweep into [-1, 1].
func largest(numbers []int) float64 {
	m := 1.0
	for _, n := range numbers {
		m = math.Max(m, math.Abs(float64(n)))
	}
	return m
}
