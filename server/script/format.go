package script

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// formatText is the builtin fmt: replacement fields as in Python's str.format,
// {} {0} {name} {:spec} {!r}, with the specs of numbers and strings:
// [[fill]align][sign][#][0][width][,|_][.precision][type].
func formatText(c call) (starlark.Value, error) {
	if len(c.args) == 0 {
		return nil, &hinted{"fmt: no text given", `write fmt("{:.3f}", x)`}
	}
	text, ok := c.args[0].(starlark.String)
	if !ok {
		return nil, &hinted{fmt.Sprintf("fmt: the first argument must be a string, not %s", c.args[0].Type()), `write fmt("{:.3f}", x)`}
	}
	f := fields{values: c.args[1:], named: map[string]starlark.Value{}}
	for _, kv := range c.kwargs {
		f.named[string(kv[0].(starlark.String))] = kv[1]
	}
	var out strings.Builder
	for rest := string(text); rest != ""; {
		i := strings.IndexAny(rest, "{}")
		if i < 0 {
			out.WriteString(rest)
			break
		}
		out.WriteString(rest[:i])
		if strings.HasPrefix(rest[i+1:], rest[i:i+1]) { // doubled: itself
			out.WriteByte(rest[i])
			rest = rest[i+2:]
			continue
		}
		end := strings.IndexByte(rest[i:], '}')
		if rest[i] == '}' || end < 0 {
			return nil, &hinted{fmt.Sprintf("fmt: single %q in %q", rest[i:i+1], text), "write {{ or }} for a brace itself"}
		}
		s, err := f.field(rest[i+1 : i+end])
		if err != nil {
			return nil, err
		}
		out.WriteString(s)
		if out.Len() > maxText {
			return nil, tooLong("fmt")
		}
		rest = rest[i+end+1:]
	}
	return starlark.String(out.String()), nil
}

// fields hands out the arguments of one fmt.
type fields struct {
	values starlark.Tuple
	named  map[string]starlark.Value
	next   int
	manual bool
}

// field writes one replacement field, braces cut off.
func (f *fields) field(field string) (string, error) {
	head, spec, _ := strings.Cut(field, ":")
	name, conversion, converted := strings.Cut(head, "!")
	v, err := f.value(name)
	if err != nil {
		return "", err
	}
	if weight(v, maxText) > maxText {
		return "", tooLong("fmt")
	}
	if converted {
		switch conversion {
		case "r":
			v = starlark.String(v.String())
		case "s":
			v = starlark.String(plain(v))
		default:
			return "", fmt.Errorf("fmt: unknown conversion !%s in {%s}; use !r or !s", conversion, field)
		}
	}
	s, err := formatValue(v, spec)
	if err != nil {
		return "", fmt.Errorf("fmt: {%s}: %w", field, err)
	}
	return s, nil
}

func (f *fields) value(name string) (starlark.Value, error) {
	if name == "" {
		if f.manual {
			return nil, fmt.Errorf("fmt: {} and {0} cannot stand in one text")
		}
		f.next++
		if f.next > len(f.values) {
			return nil, &hinted{fmt.Sprintf("fmt: the text has more {} than the %d values given", len(f.values)), "give a value for each {}"}
		}
		return f.values[f.next-1], nil
	}
	if i, err := strconv.Atoi(name); err == nil {
		if f.next > 0 {
			return nil, fmt.Errorf("fmt: {} and {0} cannot stand in one text")
		}
		f.manual = true
		if i < 0 || i >= len(f.values) {
			return nil, fmt.Errorf("fmt: {%d} asks for a value that is not there; %d are given", i, len(f.values))
		}
		return f.values[i], nil
	}
	if v, ok := f.named[name]; ok {
		return v, nil
	}
	return nil, &hinted{fmt.Sprintf("fmt: no value for {%s}", name), fmt.Sprintf(`write fmt("{}", %s), or fmt("{%s}", %s=%s)`, name, name, name, name)}
}

// plain is a value as str gives it.
func plain(v starlark.Value) string {
	if s, ok := starlark.AsString(v); ok {
		return s
	}
	return v.String()
}

// spec is a format specification.
type spec struct {
	fill      rune
	align     byte // < > ^ = or 0
	sign      byte // + - or space
	alternate bool
	group     string // "", "," or "_"
	width     int
	precision int // -1 for none
	verb      byte
}

func parseSpec(s string) (spec, error) {
	p := spec{fill: ' ', precision: -1, sign: '-'}
	all := s
	if r, n := utf8.DecodeRuneInString(s); n < len(s) && strings.IndexByte("<>^=", s[n]) >= 0 {
		p.fill, p.align, s = r, s[n], s[n+1:]
	} else if s != "" && strings.IndexByte("<>^=", s[0]) >= 0 {
		p.align, s = s[0], s[1:]
	}
	if s != "" && strings.IndexByte("+- ", s[0]) >= 0 {
		p.sign, s = s[0], s[1:]
	}
	if strings.HasPrefix(s, "#") {
		p.alternate, s = true, s[1:]
	}
	if strings.HasPrefix(s, "0") {
		if s = s[1:]; p.align == 0 {
			p.fill, p.align = '0', '='
		}
	}
	var err error
	if p.width, s, err = leadingInt(s); err != nil {
		return p, err
	}
	if s != "" && (s[0] == ',' || s[0] == '_') {
		p.group, s = s[:1], s[1:]
	}
	if strings.HasPrefix(s, ".") {
		if s = s[1:]; s == "" || s[0] < '0' || s[0] > '9' {
			return p, fmt.Errorf("a precision is missing after the dot in %q", all)
		}
		if p.precision, s, err = leadingInt(s); err != nil {
			return p, err
		}
	}
	if s != "" {
		p.verb, s = s[0], s[1:]
	}
	if s != "" {
		return p, &hinted{fmt.Sprintf("unknown format %q", all), "formats look like .3f, 8.2f, +.2e, .1%, 5d, <10 or ,"}
	}
	return p, nil
}

// leadingInt cuts a number of at most 4 digits off.
func leadingInt(s string) (int, string, error) {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if n == 0 {
		return 0, s, nil
	}
	if n > 4 {
		return 0, s, fmt.Errorf("%s is too wide", s[:n])
	}
	v, err := strconv.Atoi(s[:n])
	return v, s[n:], err
}

// formatValue formats one value.
func formatValue(v starlark.Value, text string) (string, error) {
	p, err := parseSpec(text)
	if err != nil {
		return "", err
	}
	if t, ok := v.(*Tensor); ok && text != "" {
		if t.data.Len() != 1 {
			return "", &hinted{fmt.Sprintf("a tensor of shape %v is no single number", t.data.Shape), "format its elements, such as t[0], or t.mean()"}
		}
		v = t.scalar(0)
	}
	switch v := v.(type) {
	case starlark.Int:
		if p.verb == 0 || strings.IndexByte("dbcoxXn", p.verb) >= 0 {
			return p.int(v.BigInt())
		}
		if strings.IndexByte("eEfFgG%", p.verb) >= 0 {
			return p.float(float64(v.Float()))
		}
	case starlark.Float:
		if p.verb == 0 || strings.IndexByte("eEfFgGn%", p.verb) >= 0 {
			return p.float(float64(v))
		}
	default:
		if p.verb == 0 || p.verb == 's' {
			return p.string(plain(v))
		}
	}
	hint := ""
	if p.verb == 'd' {
		hint = "; round it first: round(x)"
	}
	return "", fmt.Errorf("a %s cannot be formatted with %q%s", v.Type(), string(p.verb), hint)
}

func (p spec) string(s string) (string, error) {
	if p.align == '=' || p.group != "" {
		return "", fmt.Errorf("a string takes no number format")
	}
	if n := utf8.RuneCountInString(s); p.precision >= 0 && p.precision < n {
		s = string([]rune(s)[:p.precision])
	}
	return p.pad("", s, '<'), nil
}

func (p spec) int(v *big.Int) (string, error) {
	if p.precision >= 0 {
		return "", fmt.Errorf("an int takes no precision; use f for digits behind the point")
	}
	base, prefix := 10, ""
	switch p.verb {
	case 'b':
		base, prefix = 2, "0b"
	case 'o':
		base, prefix = 8, "0o"
	case 'x', 'X':
		base, prefix = 16, "0"+string(p.verb)
	case 'c':
		if !v.IsInt64() || v.Int64() < 0 || v.Int64() > utf8.MaxRune {
			return "", fmt.Errorf("%v is no character", v)
		}
		return p.pad("", string(rune(v.Int64())), '<'), nil
	}
	digits := new(big.Int).Abs(v).Text(base)
	if p.verb == 'X' {
		digits = strings.ToUpper(digits)
	}
	if !p.alternate {
		prefix = ""
	}
	every := 3
	if base != 10 {
		every = 4
	}
	sign := p.signOf(v.Sign() < 0) + prefix
	return p.pad(sign, p.grouped(digits, every, len(sign)), '>'), nil
}

func (p spec) float(v float64) (string, error) {
	verb, suffix := p.verb, ""
	digits := p.precision
	switch verb {
	case 0:
		if digits < 0 {
			s := starlark.Float(math.Abs(v)).String()
			sign := p.signOf(math.Signbit(v))
			return p.pad(sign, p.grouped(s, 3, len(sign)), '>'), nil
		}
		verb = 'g'
	case 'n':
		verb = 'g'
	case '%':
		v, verb, suffix = v*100, 'f', "%"
	}
	if digits < 0 {
		digits = 6
	}
	lower := verb | 0x20
	var s string
	switch {
	case math.IsNaN(v):
		s = "nan"
	case math.IsInf(v, 0):
		s = "inf"
	case lower == 'g':
		s = general(math.Abs(v), max(digits, 1), p.alternate, p.verb == 0)
	default:
		s = strconv.FormatFloat(math.Abs(v), lower, digits, 64)
	}
	if p.alternate && !strings.ContainsAny(s, ".n") {
		mantissa, exponent, found := strings.Cut(s, "e")
		if s = mantissa + "."; found {
			s += "e" + exponent
		}
	}
	if verb != lower {
		s = strings.ToUpper(s)
	}
	sign := p.signOf(math.Signbit(v) && !math.IsNaN(v))
	return p.pad(sign, p.grouped(s, 3, len(sign)+len(suffix))+suffix, '>'), nil
}

// general is C's %g: digits significant digits, an exponent where it is
// shorter. As Python's default format it switches one digit earlier and keeps
// one digit behind the point.
func general(v float64, digits int, keepZeros, bare bool) string {
	e := strconv.FormatFloat(v, 'e', digits-1, 64)
	mantissa, exponent, _ := strings.Cut(e, "e")
	exp, err := strconv.Atoi(exponent)
	if err != nil {
		return e
	}
	limit := digits
	if bare {
		limit--
	}
	trim := func(s string) string {
		if keepZeros || !strings.Contains(s, ".") {
			return s
		}
		return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	if exp < -4 || exp >= limit {
		return trim(mantissa) + "e" + exponent
	}
	s := trim(strconv.FormatFloat(v, 'f', max(digits-1-exp, 0), 64))
	if bare && !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func (p spec) signOf(negative bool) string {
	switch {
	case negative:
		return "-"
	case p.sign == '-':
		return ""
	}
	return string(p.sign)
}

// grouped puts the separator between groups of digits before the point. Where
// zeros fill the width they are grouped too; beside is how much of it is taken by
// what stands around s.
func (p spec) grouped(s string, every, beside int) string {
	if p.group == "" || strings.IndexByte("inIN", s[0]) >= 0 { // inf and nan
		return s
	}
	end := len(s)
	if i := strings.IndexAny(s, ".eE"); every == 3 && i >= 0 {
		end = i
	}
	if p.fill == '0' && p.align == '=' {
		missing := 0
		for n := end; n+(n-1)/every+len(s)-end+beside < p.width; n++ {
			missing++
		}
		s, end = strings.Repeat("0", missing)+s, end+missing
	}
	var out strings.Builder
	for i := range end {
		if i > 0 && (end-i)%every == 0 {
			out.WriteString(p.group)
		}
		out.WriteByte(s[i])
	}
	return out.String() + s[end:]
}

// pad fills sign and body up to the width.
func (p spec) pad(sign, body string, align byte) string {
	if p.align != 0 {
		align = p.align
	}
	n := p.width - utf8.RuneCountInString(sign) - utf8.RuneCountInString(body)
	if n <= 0 {
		return sign + body
	}
	fill := func(n int) string { return strings.Repeat(string(p.fill), n) }
	switch align {
	case '<':
		return sign + body + fill(n)
	case '^':
		return fill(n/2) + sign + body + fill(n-n/2)
	case '=':
		return sign + fill(n) + body
	}
	return fill(n) + sign + body
}
