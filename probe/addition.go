package probe

import "fmt"

// SumState is what two digits alone say of the carry out of their column.
type SumState string

// The three states of a column.
const (
	// NoCarry is a sum of at most 8: no carry, whatever comes in.
	NoCarry SumState = "ST8"
	// Undecided is a sum of 9: the carry in goes on.
	Undecided SumState = "ST9"
	// Carry is a sum of at least 10.
	Carry SumState = "ST10"
)

// AdditionDigit is what one column of an addition asks for, by the names of
// Quirke and Barez, "Understanding Addition in Transformers", 2023,
// arXiv:2310.13121, and Quirke, Neo and Barez, "Increasing Trust in Language
// Models through the Reuse of Verified Circuits", 2024, arXiv:2402.02619.
type AdditionDigit struct {
	// D and D2 are the two digits, Answer the digit of the sum.
	D, D2, Answer int
	// SA is (D+D2) mod 10, SC whether D+D2 ≥ 10, SS whether it is 9; ST sums the
	// two up.
	SA     int
	SC, SS bool
	ST     SumState
	// CarryIn and CarryOut are the true carries into and out of the column (SV).
	CarryIn, CarryOut bool
	// UC1 says that the column below makes a carry by itself, US9 that it hands
	// one on through a sum of 9. Cascade says that this column does so.
	UC1, US9, Cascade bool
	// BaseAdd says that no carry comes in or goes out by the digits alone: SA is
	// all there is to know.
	BaseAdd bool
}

// AdditionColumns takes a+b apart into n columns, the units first. Carry is the
// top digit of the sum, beyond the columns. Complexity is 0 where no column makes
// a carry, otherwise 1 + the longest run of sums of 9 that a carry runs through.
// Errors: operands below 0 or of more than n digits, n outside 1..18.
func AdditionColumns(a, b, n int) (columns []AdditionDigit, carry bool, complexity int, err error) {
	limit := 1
	if n < 1 || n > 18 {
		return nil, false, 0, fmt.Errorf("addition columns: %d columns: between 1 and 18 are possible", n)
	}
	for range n {
		limit *= 10
	}
	if a < 0 || b < 0 || a >= limit || b >= limit {
		return nil, false, 0, fmt.Errorf("addition columns: %d + %d: operands of at most %d digits are needed", a, b, n)
	}
	below := AdditionDigit{}
	run := -1 // sums of 9 since a column made a carry, -1 when none runs
	for range n {
		d := AdditionDigit{D: a % 10, D2: b % 10, CarryIn: carry, UC1: below.SC, US9: below.Cascade}
		a, b = a/10, b/10
		sum := d.D + d.D2
		d.SA, d.SC, d.SS = sum%10, sum >= 10, sum == 9
		switch {
		case d.SC:
			d.ST = Carry
		case d.SS:
			d.ST = Undecided
		default:
			d.ST = NoCarry
		}
		d.Cascade = d.SS && carry
		d.BaseAdd = !carry && !d.SC
		d.Answer = d.SA
		if carry {
			d.Answer = (d.SA + 1) % 10
		}
		carry = d.SC || d.Cascade
		d.CarryOut = carry
		switch {
		case d.SC:
			run = 0
			complexity = max(complexity, 1)
		case d.SS && run >= 0:
			run++
			complexity = max(complexity, 1+run)
		default:
			run = -1
		}
		columns, below = append(columns, d), d
	}
	return columns, carry, complexity, nil
}

// ProductDigit is one step of long multiplication, Bai et al., "Why Can't
// Transformers Learn Multiplication?", 2025, arXiv:2510.00184.
type ProductDigit struct {
	// Sum is s_k = Σ_{i+j=k} a_i·b_j; Running is ĉ_k = s_k + ⌊ĉ_{k-1}/10⌋; Digit
	// is ĉ_k mod 10 and Carry ⌊ĉ_k/10⌋.
	Sum, Running, Digit, Carry int
}

// RunningProducts follows a·b digit by digit, the units first, for operands of n
// digits: 2n steps. Running is the target of linear probes of multiplication.
// Errors: operands below 0 or of more than n digits, n outside 1..9.
func RunningProducts(a, b, n int) ([]ProductDigit, error) {
	if n < 1 || n > 9 {
		return nil, fmt.Errorf("running products: %d digits: between 1 and 9 are possible", n)
	}
	da, db := make([]int, n), make([]int, n)
	x, y := a, b
	for i := range n {
		da[i], db[i] = x%10, y%10
		x, y = x/10, y/10
	}
	if a < 0 || b < 0 || x > 0 || y > 0 {
		return nil, fmt.Errorf("running products: %d·%d: operands of at most %d digits are needed", a, b, n)
	}
	out := make([]ProductDigit, 2*n)
	carry := 0
	for k := range out {
		for i := max(0, k-n+1); i <= min(k, n-1); i++ {
			out[k].Sum += da[i] * db[k-i]
		}
		out[k].Running = out[k].Sum + carry
		out[k].Digit, out[k].Carry = out[k].Running%10, out[k].Running/10
		carry = out[k].Carry
	}
	return out, nil
}
