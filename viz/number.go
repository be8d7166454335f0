package viz

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// numberFormat is a parsed Scale.Format.
type numberFormat struct {
	plus bool
	prec int
	verb byte // 'f', 'e' or 'g'
}

// parseFormat reads "%.2f", "%+.3f", "%.1e", "%.3g" or "%d"; empty is "%.3g".
func parseFormat(s string) (numberFormat, error) {
	if s == "" {
		return numberFormat{prec: 3, verb: 'g'}, nil
	}
	bad := fmt.Errorf("number format %q is not of the form %%.2f, %%+.2f, %%.1e, %%.3g or %%d", s)
	rest, ok := strings.CutPrefix(s, "%")
	if !ok || rest == "" {
		return numberFormat{}, bad
	}
	var f numberFormat
	rest, f.plus = strings.CutPrefix(rest, "+")
	if rest == "d" {
		f.verb = 'f'
		return f, nil
	}
	f.prec = 6
	if p, ok := strings.CutPrefix(rest, "."); ok {
		end := 0
		for end < len(p) && p[end] >= '0' && p[end] <= '9' {
			end++
		}
		n, err := strconv.Atoi("0" + p[:end])
		if err != nil || n > 17 {
			return numberFormat{}, bad
		}
		f.prec, rest = n, p[end:]
	}
	if len(rest) != 1 || !strings.Contains("feg", rest) {
		return numberFormat{}, bad
	}
	f.verb = rest[0]
	if f.verb == 'g' && f.prec == 0 {
		f.prec = 1
	}
	return f, nil
}

// FormatNumber writes a number for a reader, by a Scale.Format: the text in a
// cell, on a colour bar and on hover. The rule is the one of JavaScript's
// toFixed, toExponential and toPrecision, so that page and export agree:
// exact ties round away from zero; the exponent has no leading zeros; "%g"
// drops trailing zeros and turns to an exponent below 1e-6 and at 10^precision;
// the minus is U+2212; a number that rounds to zero has no sign. NaN is "NaN",
// the infinities are "∞" and "−∞". A format that does not parse is taken as "%.3g".
func FormatNumber(format string, v float64) string {
	f, err := parseFormat(format)
	if err != nil {
		f = numberFormat{prec: 3, verb: 'g'}
	}
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "∞"
	case math.IsInf(v, -1):
		return "−∞"
	}
	var s string
	abs := math.Abs(v)
	switch f.verb {
	case 'f':
		s = fixed(abs, f.prec)
	case 'e':
		s = exponential(abs, f.prec)
	default:
		s = precision(abs, f.prec)
	}
	if !strings.ContainsAny(mantissa(s), "123456789") {
		return s
	}
	if v < 0 {
		return "−" + s
	}
	if f.plus {
		return "+" + s
	}
	return s
}

func mantissa(s string) string {
	m, _, _ := strings.Cut(s, "e")
	return m
}

// fixed is FormatFloat(v, 'f', prec) with exact ties away from zero; v >= 0.
func fixed(v float64, prec int) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if dot := strings.IndexByte(s, '.'); dot < 0 || len(s)-dot-1 != prec+1 || s[len(s)-1] != '5' {
		return strconv.FormatFloat(v, 'f', prec, 64)
	}
	return new(big.Rat).SetFloat64(v).FloatString(prec) // rounds halves away from zero
}

// exponential is "d.ddde±x" with ties away from zero; v >= 0.
func exponential(v float64, prec int) string {
	s := strconv.FormatFloat(v, 'e', prec, 64)
	if short := strconv.FormatFloat(v, 'e', -1, 64); strings.HasSuffix(mantissa(short), "5") {
		digits := strings.Replace(mantissa(short), ".", "", 1)
		if exact := strconv.FormatFloat(v, 'e', 40, 64); len(digits) == prec+2 && strings.TrimRight(mantissa(exact), "0") == mantissa(short) {
			s = strconv.FormatFloat(math.Nextafter(v, math.Inf(1)), 'e', prec, 64)
		}
	}
	m, e, _ := strings.Cut(s, "e")
	n, _ := strconv.Atoi(e)
	return fmt.Sprintf("%se%+d", m, n)
}

// precision is v to so many significant digits without trailing zeros; v >= 0.
func precision(v float64, digits int) string {
	m, e, _ := strings.Cut(exponential(v, digits-1), "e")
	exp, _ := strconv.Atoi(e)
	if v != 0 && (exp < -6 || exp >= digits) {
		return trimZeros(m) + fmt.Sprintf("e%+d", exp)
	}
	if v == 0 {
		return "0"
	}
	all := strings.Replace(m, ".", "", 1)
	if exp < 0 {
		return trimZeros("0." + strings.Repeat("0", -exp-1) + all)
	}
	return trimZeros(all[:exp+1] + "." + all[exp+1:])
}

func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// thousands sets the thousands of a number without exponent apart: "17,000".
func thousands(s string) string {
	whole, rest, _ := strings.Cut(s, ".")
	first := strings.IndexAny(whole, "0123456789")
	if first < 0 {
		return s // no digits: an infinity
	}
	sign, digits := whole[:first], whole[first:]
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if rest != "" {
		rest = "." + rest
	}
	return sign + digits + rest
}
