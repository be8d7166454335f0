package train

import (
	"fmt"
	"strconv"
)

// modularAddition is (a + b) mod p of all ordered pairs, each number one token.
// With equals the prompt is "a b =", as in Nanda, Chan, Lieberum, Smith and
// Steinhardt, "Progress measures for grokking via mechanistic interpretability",
// ICLR 2023, arXiv:2301.05217; without it "a b", as in Zhong, Liu, Tegmark and
// Andreas, "The Clock and the Pizza", NeurIPS 2023, arXiv:2306.17844. Neither
// has a token in front.
func modularAddition(p int, equals bool) Task {
	t := Task{
		Name:  fmt.Sprintf("modadd-%d", p),
		Data:  fmt.Sprintf(`"a b" for all a and b in 0..%d; each number is one token, the answer (a + b) mod %d is the next token`, p-1, p),
		Split: "by ordered pairs: b a may be learned from where a b is held out",
	}
	for n := range p {
		t.Tokens = append(t.Tokens, strconv.Itoa(n))
	}
	if equals {
		t.Data = fmt.Sprintf(`"a b =" for all a and b in 0..%d; each number is one token, the answer (a + b) mod %d is the next token`, p-1, p)
		t.Tokens = append(t.Tokens, "=")
	}
	for a := range p {
		for b := range p {
			e := Example{IDs: []int{a, b}, Answers: []int{(a + b) % p}, Group: a*p + b}
			if equals {
				e.IDs = append(e.IDs, p)
			}
			t.Examples = append(t.Examples, e)
		}
	}
	t.Tokenizer = wordTokenizer(t.Tokens, "", false)
	return t
}
