package train

import (
	"math/bits"
	"math/rand/v2"
	"strconv"
)

// Sizes of the task of digits.
const (
	digitPlaces  = 5
	digitUniform = 100_000 // pairs drawn evenly
	digitCarries = 100_000 // and pairs with places that add up to 9
)

// addDigits is the sum of two numbers of five digits, each digit a token, the
// most significant first, after Quirke and Barez, "Understanding Addition in
// Transformers", ICLR 2024, arXiv:2310.13121. All 10¹⁰ pairs are too many to
// list: 100,000 are drawn evenly. As a carry that passes through several places
// is rare among them (each such place must add up to 9), as many pairs are
// learned from besides in which each place is made to add up to 9 with a chance
// of 2 in 5.
func addDigits() Task {
	t := Task{
		Name: "add-5digit",
		Data: `"ddddd+ddddd=dddddd", each digit a token, the sum's six digits to be answered one after the other: 100,000 pairs of 0..99999 drawn evenly, ` +
			"and 100,000 more to learn from in which each place adds up to 9 with a chance of 2 in 5",
		Split: "by pairs without order, of those drawn evenly",
	}
	for d := range 10 {
		t.Tokens = append(t.Tokens, strconv.Itoa(d))
	}
	t.Tokens = append(t.Tokens, "+", "=")
	rng := rand.NewPCG(5, streamTask)
	below := func(n uint64) int {
		v, _ := bits.Mul64(rng.Uint64(), n)
		return int(v)
	}
	for range digitUniform {
		t.Examples = append(t.Examples, digitSum(below(100_000), below(100_000)))
	}
	for range digitCarries {
		a, b := 0, 0
		for range digitPlaces {
			x, y := below(10), below(10)
			if below(5) < 2 {
				y = 9 - x
			}
			a, b = 10*a+x, 10*b+y
		}
		t.Besides = append(t.Besides, digitSum(a, b))
	}
	t.Tokenizer = wordTokenizer(t.Tokens, "", true)
	return t
}

// digitSum is the example of a + b.
func digitSum(a, b int) Example {
	const plus, equals = 10, 11
	digits := func(ids []int, n, places int) []int {
		at := len(ids)
		ids = append(ids, make([]int, places)...)
		for i := places - 1; i >= 0; i-- {
			ids[at+i] = n % 10
			n /= 10
		}
		return ids
	}
	text := append(digits(nil, a, digitPlaces), plus)
	text = append(digits(text, b, digitPlaces), equals)
	text = digits(text, a+b, digitPlaces+1)
	last := len(text) - 1
	return Example{IDs: text[:last:last], Answers: text[last-digitPlaces:], Group: min(a, b)*100_000 + max(a, b)}
}
