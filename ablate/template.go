package ablate

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Template makes arithmetic prompts: text with the names of operands and, where
// several operators are tried, of operators in braces.
//
//	Template{Text: "{a}{op}{b}=", Operands: []Range{{"a", 0, 100}, {"b", 0, 100}}, Operators: []string{"+", "-"}}
type Template struct {
	Text     string
	Operands []Range
	// Operators are what stands for {op}, {op1}, {op2} and so on, each of them
	// independently.
	Operators []string
	// Expression gives the answer, "{a}-{b}"; left out, it is the text without
	// special tokens that open it, such as <|endoftext|>, and without a closing
	// "=". × and ÷ go before + and −.
	Expression string
	// Lo and Hi bound the answer: Lo ≤ answer < Hi. Both 0 for no bounds.
	Lo, Hi int
}

// Range is an operand: the values Lo ≤ v < Hi, or those that are listed.
type Range struct {
	Name   string
	Lo, Hi int
	Values []int // nil for Lo..Hi
}

// size is how many values an operand has.
func (r Range) size() int {
	if r.Values != nil {
		return len(r.Values)
	}
	if r.Lo >= r.Hi {
		return 0
	}
	return int(min(uint(r.Hi)-uint(r.Lo), math.MaxInt)) // the difference may be beyond int
}

// at is the value of that number.
func (r Range) at(i int) int {
	if r.Values != nil {
		return r.Values[i]
	}
	return r.Lo + i
}

// number is that of a value.
func (r Range) number(v int) int {
	if r.Values != nil {
		return slices.Index(r.Values, v)
	}
	return v - r.Lo
}

// String is "a in 0..99", the last value included.
func (r Range) String() string {
	if r.Values == nil {
		return fmt.Sprintf("%s in %d..%d", r.Name, r.Lo, r.Hi-1)
	}
	if len(r.Values) > 8 {
		return fmt.Sprintf("%s of %d values from %d to %d", r.Name, len(r.Values), slices.Min(r.Values), slices.Max(r.Values))
	}
	return fmt.Sprintf("%s in %v", r.Name, r.Values)
}

// Check reports what is wrong with a template, as far as no model is needed.
func (t Template) Check() error {
	_, operators, err := t.parse()
	if err == nil && t.candidates(operators) > maxCandidates {
		return fmt.Errorf("template %q has more than %d choices of values: take smaller ranges", t.Text, maxCandidates)
	}
	return err
}

// piece is a part of a template's text: a constant, an operand or an operator.
type piece struct {
	text              string
	operand, operator int // indices, -1 for none
}

// parse splits the text at its names.
func (t Template) parse() (pieces []piece, operators int, err error) {
	rest, seen := t.Text, map[int]bool{}
	for rest != "" {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			return append(pieces, piece{rest, -1, -1}), operators, t.checkOperands(seen, operators)
		}
		if open > 0 {
			pieces = append(pieces, piece{rest[:open], -1, -1})
		}
		end := strings.IndexByte(rest, '}')
		if end < open {
			return nil, 0, fmt.Errorf("template %q: a brace at %q is not closed", t.Text, rest[open:])
		}
		name := rest[open+1 : end]
		rest = rest[end+1:]
		at := t.operand(name)
		switch {
		case at >= 0 && seen[at]:
			return nil, 0, fmt.Errorf("template %q: {%s} stands there twice", t.Text, name)
		case at >= 0:
			seen[at] = true
			pieces = append(pieces, piece{"", at, -1})
		case name == "op" || strings.HasPrefix(name, "op") && strings.Trim(name[2:], "0123456789") == "":
			pieces = append(pieces, piece{name, -1, operators})
			operators++
		default:
			return nil, 0, fmt.Errorf("template %q: {%s} is neither an operand %v nor {op}", t.Text, name, t.names())
		}
	}
	return pieces, operators, t.checkOperands(seen, operators)
}

func (t Template) operand(name string) int {
	for i, r := range t.Operands {
		if r.Name == name {
			return i
		}
	}
	return -1
}

func (t Template) names() (names []string) {
	for _, r := range t.Operands {
		names = append(names, r.Name)
	}
	return names
}

func (t Template) checkOperands(seen map[int]bool, operators int) error {
	if len(t.Operands) == 0 {
		return fmt.Errorf("template %q has no operands", t.Text)
	}
	for i, r := range t.Operands {
		if strings.ContainsAny(r.Name, "{}") { // {{a} could be read in two ways
			return fmt.Errorf("operand %q: a name holds no braces", r.Name)
		}
		if !seen[i] {
			return fmt.Errorf("template %q lacks the operand {%s}", t.Text, r.Name)
		}
		if r.Values == nil && r.Lo >= r.Hi {
			return fmt.Errorf("operand %s: the range %d..%d is empty (its end is not a part of it)", r.Name, r.Lo, r.Hi)
		}
		if err := r.checkValues(); err != nil {
			return fmt.Errorf("operand %s: %w", r.Name, err)
		}
	}
	if operators > 0 && len(t.Operators) == 0 {
		return fmt.Errorf("template %q has an operator's place, and no operators are given", t.Text)
	}
	return nil
}

// checkValues refuses a list without values, or with one that stands there twice.
func (r Range) checkValues() error {
	if r.Values != nil && len(r.Values) == 0 {
		return errors.New("the list of values is empty")
	}
	sorted := slices.Sorted(slices.Values(r.Values))
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return fmt.Errorf("the value %d stands there twice", sorted[i])
		}
	}
	return nil
}

// filled is a template with its values.
type filled struct {
	operands []int
	ops      []int // indices of Operators
	text     string
	spans    [][2]int // of the pieces in text
}

// fill writes the text of one choice of values.
func (t Template) fill(pieces []piece, operands, ops []int) filled {
	f := filled{operands: operands, ops: ops}
	for _, p := range pieces {
		from := len(f.text)
		switch {
		case p.operand >= 0:
			f.text += fmt.Sprint(operands[p.operand])
		case p.operator >= 0:
			f.text += t.Operators[ops[p.operator]]
		default:
			f.text += p.text
		}
		f.spans = append(f.spans, [2]int{from, len(f.text)})
	}
	return f
}

// opening is the special tokens that a text begins with, such as <|endoftext|>.
var opening = regexp.MustCompile(`^(\s*<[^<>\s]+>)+`)

// answer computes what stands behind the text.
func (t Template) answer(f filled) (int, error) {
	text := opening.ReplaceAllString(f.text, "")
	if t.Expression != "" {
		text = t.Expression
		for i, r := range t.Operands {
			text = strings.ReplaceAll(text, "{"+r.Name+"}", fmt.Sprint(f.operands[i]))
		}
		op := "" // named as in the text: {op} or {op1}
		for i, at := range f.ops {
			op = t.Operators[at]
			text = strings.ReplaceAll(text, fmt.Sprintf("{op%d}", i+1), op)
		}
		if len(f.ops) == 1 {
			text = strings.ReplaceAll(text, "{op}", op)
		}
	}
	text = strings.TrimSuffix(strings.TrimSpace(text), "=")
	v, err := Evaluate(text)
	if err != nil {
		return 0, err
	}
	if t.Lo < t.Hi && (v < t.Lo || v >= t.Hi) {
		return 0, errRange
	}
	return v, nil
}

var (
	errRange = errors.New("the answer is out of range")
	errWhole = errors.New("the answer is no whole number")
	errLarge = errors.New("a number of more than 63 bits")
)

// plainOperators writes an expression with ASCII's operators and without spaces.
var plainOperators = strings.NewReplacer("−", "-", "×", "*", "÷", "/", " ", "")

// Evaluate computes an expression of whole numbers with + - × ÷, * and /, where
// products go first. A division that leaves a remainder is an error, and so is a
// number that int does not hold, on the way too.
func Evaluate(text string) (int, error) {
	sum, product, have := 0, 0, false
	op := byte('+')
	sign := 1
	rest := plainOperators.Replace(text)
	for rest != "" {
		n := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if n == 0 {
			return 0, fmt.Errorf("expression %q: want a number before %q; give the expression of the answer where the text is not one", text, rest)
		}
		v, err := strconv.Atoi(rest[:n])
		if err != nil {
			return 0, fmt.Errorf("expression %q: %w", text, err)
		}
		rest = rest[n:]
		switch op {
		case '+', '-':
			if sum, err = addExact(sum, sign*product); err != nil {
				return 0, fmt.Errorf("expression %q: %w", text, err)
			}
			product, sign = v, 1
			if op == '-' {
				sign = -1
			}
		case '*':
			if v > 0 && product > math.MaxInt/v {
				return 0, fmt.Errorf("expression %q: %w", text, errLarge)
			}
			product *= v
		case '/':
			if v == 0 || product%v != 0 {
				return 0, errWhole
			}
			product /= v
		}
		have = true
		if rest == "" {
			break
		}
		if op = rest[0]; strings.IndexByte("+-*/", op) < 0 {
			letter, _ := utf8.DecodeRuneInString(rest)
			return 0, fmt.Errorf("expression %q: %q is no operator (+ - × ÷)", text, letter)
		}
		rest = rest[1:]
		if rest == "" {
			return 0, fmt.Errorf("expression %q ends with an operator", text)
		}
	}
	if !have {
		return 0, errors.New("the expression is empty")
	}
	v, err := addExact(sum, sign*product)
	if err != nil {
		return 0, fmt.Errorf("expression %q: %w", text, err)
	}
	return v, nil
}

// addExact is a + b, an error where int does not hold it.
func addExact(a, b int) (int, error) {
	if c := a + b; (c > a) == (b > 0) {
		return c, nil
	}
	return 0, errLarge
}
