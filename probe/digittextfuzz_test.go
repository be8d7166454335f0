package probe_test

import (
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"orrery/probe"
)

// FuzzCoupledPositions holds what the positions mean: digits of one significance,
// and they alone, share one, in operands and sum, and the sum is right.
func FuzzCoupledPositions(f *testing.F) {
	f.Add("653", "49", 3, true, true)
	f.Add("0", "000", 1, false, true)
	f.Add("999999999999999999", "999999999999999999", 1<<30, false, false)
	f.Add("1", "2", math.MaxInt, false, false)
	f.Add("+5", "1", math.MaxInt, false, false)
	f.Add("12", "٣", 0, true, false)
	f.Add("1_0", "", -1, false, false)
	f.Fuzz(func(t *testing.T, a, b string, start int, reverse, pad bool) {
		tokens, positions, err := probe.CoupledPositions(a, b, probe.CoupledOptions{Start: start, Reverse: reverse, Pad: pad})
		if err != nil {
			if !strings.Contains(err.Error(), "coupled positions: ") || !strings.Contains(err.Error(), "needed") && !strings.Contains(err.Error(), "position") {
				t.Errorf("%v", err)
			}
			return
		}
		text := strings.Join(tokens, "")
		left, sum, ok := strings.Cut(text, "=")
		x, y, both := strings.Cut(left, "+")
		if !ok || !both || len(tokens) != len(positions) || len(tokens) != len(text) {
			t.Fatalf("%q with %d positions", tokens, len(positions))
		}
		digits, at := positions[len(positions)-len(sum):], sum
		if reverse {
			digits, at = slices.Clone(digits), backwards(sum)
			slices.Reverse(digits)
		}
		p, _ := new(big.Int).SetString(x, 10)
		q, _ := new(big.Int).SetString(y, 10)
		if r, ok := new(big.Int).SetString(at, 10); !ok || r.Cmp(p.Add(p, q)) != 0 {
			t.Errorf("%q is no sum", text)
		}
		units := positions[len(x)-1]
		for name, part := range map[string][]int{"a": positions[:len(x)], "b": positions[len(x)+1 : len(left)], "the sum": digits} {
			for i, v := range part {
				if v != units-(len(part)-1-i) || v < start {
					t.Errorf("%q: the digits of %s have the positions %v, and units are at %d", text, name, part, units)
					break
				}
			}
		}
		if positions[len(x)] != units+1 || positions[len(left)] != units+1 {
			t.Errorf("%q: + and = are at %d and %d, units at %d", text, positions[len(x)], positions[len(left)], units)
		}
	})
}

func backwards(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}
