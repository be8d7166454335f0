package script

import (
	"errors"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.starlark.net/syntax"

	"orrery/server/api"
)

// habit is something that Python has and Starlark has not, or has otherwise.
type habit struct {
	// got must be part of the parser's message; empty for any message.
	got string
	// pattern finds it in a masked line; it is where the first group is, or
	// else where the pattern starts behind spaces. Empty means the parser's place.
	pattern string
	message string
	hint    string
}

// habits lists what to look for on a line with a syntax error, in order.
func habits() []habit {
	return []habit{
		{"excessive nesting", ``, "the cell nests too deeply", "give parts of the expression names of their own"},
		{"", `^\s*(?:import|from)\b`, "cells have no import", "leave the line out: load, tokens, run_with_cache, the analyses, math and json are there already"},
		{"", `\b(?:[fF][rR]?|[rR][fF])["']`, "there are no f-strings", `write fmt("{} {:.3f}", name, x)`},
		{"'**'", `[{,]\s*(\*\*)`, "** cannot merge dictionaries", "write a | b"},
		{"'**'", `\*\*`, "there is no ** operator", "write pow(x, y)"},
		{"", `\bis\s+not\b`, "there is no is not operator", "write !="},
		{"", `\bis\b`, "there is no is operator", "write =="},
		{"", `^\s*(?:try|except|finally)\b`, "there is no try and except", "write value, error = attempt(f, x); error is None when f succeeded"},
		{"", `^\s*raise\b`, "there is no raise", `write fail("what is wrong")`},
		{"", `^\s*class\b`, "there are no classes", "write functions, and keep values in a dictionary"},
		{"", `^\s*(?:async\s+)?with\b`, "there is no with", "values need no closing here; leave the line out"},
		{"", `^\s*assert\b`, "there is no assert", `write if not x: fail("what is wrong")`},
		{"", `^\s*del\b`, "there is no del", "for an item write d.pop(key); a name needs no deleting"},
		{"", `^\s*(?:global|nonlocal)\b`, "a function cannot assign names outside of it", "return the new value and assign it where the function is called"},
		{"", `\byield\b`, "there are no generators", "append to a list and return it"},
		{"", `\b(?:async|await)\b`, "there is no async and await", "calls wait by themselves; leave the word out"},
		{"", `^\s*(?:match|case)\b.*:`, "there is no match", "write if, elif and else"},
		{"", `:=`, "there is no := operator", "assign on a line of its own"},
		{"", `^\s*def\b.*(?:->|\w\s*:\s*\w)`, "there are no type annotations", "leave them out; say the type in a comment"},
		{"got ':'", `^\s*\w+\s*:\s*[\w\[\], .]+(?:=|$)`, "there are no type annotations", "leave the type out: x = 1"},
		{"'@'", `^\s*@`, "there are no decorators", "call the function on the other: f = decorate(f)"},
		{"'@'", `@`, "there is no @ operator", "write a.matmul(b)"},
		{"got '='", `=.*=`, "only one = in an assignment", "write it as two lines: x = 1 and y = x"},
		{"", `\b\d+_\d`, "numbers have no _ in them", "leave the _ out"},
		{"got string literal", `["']\s+["']`, "two strings side by side are not joined", "write + between them"},
		{"got string literal", `\b[uU]["']`, "strings need no u in front", "leave the u out"},
		{"", `\[[^\[\]]*:[^\[\]]*,|\[[^\[\]]*,[^\[\]]*:`, "a slice and another index cannot stand in one pair of brackets", `write t.at("1:2", 3) or, by name, t.sel(pos="1:2", head=3)`},
		{"'.'", `\.\.\.`, "there is no ...", `write t.at(None, 0), where None takes all of an axis, or t.sel(pos=0)`},
		{"", `^\s*print\s+[^\s(?:]`, "print needs parentheses", "write print(x)"},
		{"does not associate", ``, "comparisons cannot be chained", "write a < b and b < c"},
		{"", `\+\+|--\s*$`, "there is no ++ and --", "write x += 1"},
		{"", `&&`, "there is no && operator", "write and"},
		{"", `\|\|`, "there is no || operator", "write or"},
		{"", `<>`, "there is no <> operator", "write !="},
		{"'%'", `^\s*%`, "there are no notebook magics", "leave the line out"},
		{"'!'", `^\s*!`, "there are no shell commands", "leave the line out"},
		{"'!'", `!`, "there is no ! operator", "write not"},
		{"'?'", `^\s*\?*\w+\?*\s*$`, "there is no ? operator", "write help(f)"},
		{"'?'", `\?`, "there is no ? operator", "write a if condition else b"},
		{"conditional expression without else", `\bif\b`, "a conditional expression needs else", "write a if condition else b"},
		{"got ',', want ':'", `\{`, "braces hold dictionaries only", "write set([1, 2])"},
		{"'*'", `[,\[]\s*(\*)`, "* cannot unpack here", "write xs[0] and xs[1:], or a + b to join lists"},
		{"got else", `^\s*else\b`, "this else belongs to no if", "for and while have no else here; check the indentation"},
		{"got elif", `^\s*elif\b`, "this elif belongs to no if", "check the indentation"},
		{"obsolete form of octal", `\b0\d`, "a number cannot start with 0", "leave the 0 out, or write 0o7 for octal"},
		{"unexpected input", "[\u2018\u2019\u201c\u201d]", "these are typographic quotes", `write plain quotes: "text"`},
		{"unexpected EOF in string", `["']`, "the string is not closed", "put the same quote at its end; a text of several lines needs three"},
		{"unexpected newline in string", `["']`, "the string is not closed", "put the same quote at its end; a text of several lines needs three"},
		{"want ':'", `^\s*(?:if|elif|else|for|while|def)\b`, "a colon is missing", "end the line with :"},
		{"want indent", `^`, "the line belongs into the block above", "indent it by four spaces"},
		{"got indent", `\S`, "the line is indented further than the one above", "start it in the same column"},
		{"dedent", `\S`, "the indentation fits none of the lines above", "start it in the column of one of them"},
		{"inconsistent", `\S`, "the indentation fits none of the lines above", "start it in the column of one of them"},
		{"got identifier, want newline", `\d[a-zA-Z]\w*`, "a name cannot start with a digit", "put a letter in front; there are no complex numbers"},
	}
}

// syntaxError turns the parser's error into one for a reader: it looks for
// Python habits on the line, then for brackets that are never closed.
func syntaxError(m masked, err error) error {
	var parse syntax.Error
	if !errors.As(err, &parse) {
		return &api.Error{Code: api.Invalid, Message: showLoad(err.Error())}
	}
	at := position(parse.Pos)
	message := showLoad(parse.Msg)
	// The parser may stop behind the line that it could not read.
	for _, line := range []int{at.line, at.line - 1} {
		if line < 1 || line > len(m.lines) || line < at.line && at.column > 1 {
			continue
		}
		text := m.lines[line-1]
		for _, h := range habits() {
			if !strings.Contains(message, h.got) {
				continue
			}
			found := regexp.MustCompile(h.pattern).FindStringSubmatchIndex(text)
			if found == nil {
				continue
			}
			start := found[0] + len(text[found[0]:]) - len(strings.TrimLeft(text[found[0]:], " \t"))
			if len(found) > 2 {
				start = found[2]
			}
			column := utf8.RuneCountInString(text[:start]) + 1
			if h.pattern == "" {
				column = at.column
			}
			return &api.Error{Code: api.Invalid, Message: h.message, Hint: h.hint, Line: line, Column: column}
		}
	}
	if strings.Contains(message, "end of file") && m.open.line > 0 {
		return &api.Error{Code: api.Invalid, Message: "this bracket is never closed", Hint: "put its partner where the expression ends",
			Line: m.open.line, Column: m.open.column}
	}
	if at.line <= len(m.lines) {
		at.column = tokenStart(m.lines[at.line-1], at.column, message)
	}
	e := &api.Error{Code: api.Invalid, Message: "syntax error: " + message, Line: at.line, Column: at.column}
	if strings.Contains(message, "want newline") {
		e.Hint = "is an operator or a comma missing?"
	} else if strings.Contains(message, "end of file") {
		e.Hint = "the line stops too early"
	}
	return e
}

// tokenStart returns where the token starts that the parser did not want: it
// reports where the token ends.
func tokenStart(line string, column int, message string) int {
	for _, notThere := range []string{"got newline", "got end of file", "got indent", "got outdent"} {
		if strings.HasPrefix(message, notThere) {
			return column
		}
	}
	letters := []rune(line)
	i := min(column-1, len(letters))
	if !strings.HasPrefix(message, "got ") || i < 1 {
		return column
	}
	word := func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	for i--; i > 0 && word(letters[i]) && word(letters[i-1]); i-- {
	}
	return i + 1
}
