package script

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"go.starlark.net/starlark"

	"orrery/models/tensor"
)

// FuzzFormatSpec formats numbers by any specification: it is refused with what it
// is, or gives a text of the asked width in which the number can be read again.
func FuzzFormatSpec(f *testing.F) {
	for _, spec := range []string{".3f", "8.2f", "+.2e", ".1%", "5d", "<10", ",", "_x", "é^9", "=+09,.1f", "#g", "c", "1e9", "99999", ".", "\xff>4", "\u2028<3", "n", "#X", "08b"} {
		f.Add(spec, int64(-1234567), math.Float64bits(-0.5))
	}
	f.Add(",.2f", int64(math.MinInt64), math.Float64bits(math.Copysign(0, -1)))
	f.Add("+", int64(0x110000), math.Float64bits(math.NaN()))
	f.Add("g", int64(0), math.Float64bits(1e308))
	f.Add(",f", int64(0), math.Float64bits(9.999999999999918e307))
	f.Add(".0f", int64(0), math.Float64bits(math.Inf(-1)))
	f.Add(".0E", int64(0), math.Float64bits(-1.7976931348622824e308))
	f.Add(",.0E", int64(0), math.Float64bits(1e300))
	f.Add("012f", int64(0), math.Float64bits(math.Inf(-1)))
	f.Add("0^10", int64(-1234533), math.Float64bits(-0.5))
	f.Fuzz(func(t *testing.T, text string, whole int64, bits uint64) {
		p, err := parseSpec(text)
		if err != nil {
			if err.Error() == "" {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		plain := strings.NewReplacer(",", "", "_", "", " ", "", "+", "").Replace
		x := math.Float64frombits(bits)
		for _, v := range []starlark.Value{starlark.MakeInt64(whole), starlark.Float(x), starlark.String("aé")} {
			s, err := formatValue(v, text)
			if err != nil {
				continue
			}
			if n := utf8.RuneCountInString(s); n < p.width || p.width == 0 && n > 500+2*max(p.precision, 0) {
				t.Errorf("%v by %q is %q: %d letters, want %d", v, text, s, n, p.width)
			}
			if p.fill != ' ' && (p.fill != '0' || p.align != '=') || p.alternate {
				continue // the filling cannot be told from the number
			}
			if at := strings.IndexAny(s, ".eE"); p.group != "" && v.Type() == "float" && at >= 0 && strings.Contains(s[at:], p.group) {
				t.Errorf("%v by %q is %q: groups behind the point, or in the exponent", v, text, s)
			}
			switch {
			case v.Type() == "int" && (p.verb == 0 || p.verb == 'd' || p.verb == 'n'):
				if got, ok := new(big.Int).SetString(plain(s), 10); !ok || got.Cmp(big.NewInt(whole)) != 0 {
					t.Errorf("%d by %q is %q", whole, text, s)
				}
			case v.Type() == "float" && strings.IndexByte("eEf", p.verb) >= 0 && p.verb != 0 && (p.fill == ' ' || !math.IsInf(x, 0) && !math.IsNaN(x)): // 00inf is no number
				digits := p.precision
				if digits < 0 {
					digits = 6
				}
				// What rounds up beyond the largest float reads as an infinity, out of range.
				want, _ := strconv.ParseFloat(strconv.FormatFloat(x, p.verb|0x20, digits, 64), 64)
				if got, err := strconv.ParseFloat(plain(s), 64); err != nil && !(errors.Is(err, strconv.ErrRange) && math.IsInf(want, 0)) || got != want && !(math.IsNaN(got) && math.IsNaN(x)) || math.Signbit(got) != math.Signbit(want) && !math.IsNaN(x) {
					t.Errorf("%v by %q is %q, want %v", x, text, s, want)
				}
			}
		}
	})
}

// FuzzSlice takes any slice of an axis, against Starlark's own slices of a list.
func FuzzSlice(f *testing.F) {
	for _, s := range []string{"1:3", ":-1", "::2", "::-2", "-2:", "5:1", "::0", ":", "1", "a:b", " 1 : 2 ", "1::9223372036854775807", "9::-9223372036854775808", "+1:2", "0x1:", "1:2:3:4", "٣:", ""} {
		f.Add(s, 5)
	}
	f.Add(":", 0)
	f.Add("01:0", 8)
	f.Add(" \f:", 3)
	f.Fuzz(func(t *testing.T, text string, n int) {
		if n < 0 || n > 50 {
			return
		}
		list := starlark.NewList(nil)
		data := newTensor(tensor.New(n), []string{"pos"}, "float32")
		for i := range n {
			if err := list.Append(starlark.MakeInt(i)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := data.slice(0, text)
		if err != nil {
			if !strings.Contains(err.Error(), "is no slice") {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		thread := &starlark.Thread{}
		// Starlark knows no 007 and no number of more than 32 bits here; a list is as
		// short for a step of 1000 as for any other.
		parts := strings.Split(text, ":")
		for i, part := range parts {
			if parts[i] = strings.TrimSpace(part); parts[i] != "" {
				v, err := strconv.Atoi(parts[i])
				if err != nil {
					t.Fatalf("%q is a slice here", text)
				}
				parts[i] = strconv.Itoa(min(max(v, -1000), 1000))
			}
		}
		want, err := starlark.EvalOptions(options(), thread, "slice", "x["+strings.Join(parts, ":")+"]", starlark.StringDict{"x": list})
		if err != nil {
			t.Fatalf("%q is a slice here: %v", text, err)
		}
		var indices []starlark.Value
		for _, i := range got.indices {
			indices = append(indices, starlark.MakeInt(i))
		}
		if same, err := starlark.Equal(starlark.NewList(indices), want); err != nil || !same {
			t.Errorf("%q of %d gives %v, want %v", text, n, got.indices, want)
		}
	})
}
