package ablate_test

import (
	"math"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"orrery/ablate"
)

// exactly computes an expression with numbers of any size; nil for one that is
// none, or that divides with a remainder.
func exactly(text string) *big.Int {
	text = strings.NewReplacer("−", "-", "×", "*", "÷", "/", " ", "").Replace(text)
	if !regexp.MustCompile(`^[0-9]+([-+*/][0-9]+)*$`).MatchString(text) {
		return nil
	}
	sum := new(big.Int)
	for _, term := range regexp.MustCompile(`[-+]?[0-9*/]+`).FindAllString(text, -1) {
		product, op := big.NewInt(1), "*"
		for _, part := range regexp.MustCompile(`[0-9]+|[*/]`).FindAllString(term, -1) {
			v, ok := new(big.Int).SetString(part, 10)
			switch {
			case !ok:
				op = part
			case op == "*":
				product.Mul(product, v)
			case v.Sign() == 0:
				return nil
			default:
				var rest big.Int
				if product.QuoRem(product, v, &rest); rest.Sign() != 0 {
					return nil
				}
			}
		}
		if strings.HasPrefix(term, "-") {
			product.Neg(product)
		}
		sum.Add(sum, product)
	}
	return sum
}

// FuzzEvaluate compares with numbers of any size: the value to the last digit, or
// an error that quotes the expression, or says why it has no value.
func FuzzEvaluate(f *testing.F) {
	for _, text := range []string{"12+34", "2+3*4", "12÷4−1", "9223372036854775807+1", "4294967296*4294967296", "0*9223372036854775807*2", "7/2", "1/0", "3é4", "", "0-0", "007", "1+", " 1 2 ", "6/4*2", "9223372036854775808/2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ablate.Evaluate(text)
		want := exactly(text)
		if err == nil {
			if want == nil || want.Cmp(big.NewInt(int64(got))) != 0 {
				t.Fatalf("%q = %d, want %v", text, got, want)
			}
			return
		}
		if !strings.Contains(err.Error(), "expression") && !strings.Contains(err.Error(), "no whole number") {
			t.Errorf("%q: %v", text, err)
		}
		// What is refused has no value, or a number on the way to it is too large.
		if small := regexp.MustCompile(`^[0-9]{1,3}([-+*][0-9]{1,3}){0,5}$`); small.MatchString(text) {
			t.Errorf("%q = %v is refused: %v", text, want, err)
		}
	})
}

// FuzzTemplate holds that a template that passes makes prompts of its own text.
func FuzzTemplate(f *testing.F) {
	f.Add("{a}+{b}=", "a", "b", "+", 3, 4)
	f.Add("{a}{op}{b}=", "a", "b", "×", 0, 99)
	f.Add("<s>{a} {op1} {op2} {x y}", "a", "x y", "", -1, math.MaxInt)
	f.Add("}{a}{", "a", "", "\xff", 1, 1)
	f.Add("{{a}}{op}{op}{op}{op}{op}", "{a", "op", "+", 1, 2)
	f.Add("{{a}{a}", "a", "{a", "+", 1, 2)
	f.Add("{a}{b}", "a", "b", "+", math.MinInt, math.MaxInt)
	f.Fuzz(func(t *testing.T, text, first, second, op string, lo, hi int) {
		tpl := ablate.Template{Text: text, Operands: []ablate.Range{{Name: first, Lo: lo, Hi: hi}, {Name: second, Values: []int{hi}}}, Operators: []string{op, "-"}}
		if err := tpl.Check(); err != nil {
			if len(err.Error()) < 10 {
				t.Errorf("%+v: %v", tpl, err)
			}
			return
		}
		if strings.Count(text, "{"+first+"}") != 1 && first != second || strings.Count(text, "{"+second+"}") < 1 {
			t.Errorf("%+v passes without its operands, each once", tpl)
		}
		if lo >= hi || uint(hi)-uint(lo) > 1<<20 {
			t.Errorf("%+v passes with an empty range, or with more values than are tried", tpl)
		}
	})
}
