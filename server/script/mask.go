package script

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// hiddenLoad stands for the name load while Starlark reads a cell: load is a
// keyword there, and here a function like any other. The letter in its middle
// is another alphabet's o, so that columns, which count letters, stay right.
const hiddenLoad = "l\u043ead"

// showLoad puts the name back into a message.
func showLoad(s string) string { return strings.ReplaceAll(s, hiddenLoad, "load") }

// inString stands for the letters of a string in masked text.
const inString = '·'

// masked is a cell's text as the parser and the search for Python habits see it.
type masked struct {
	// text is the source with load renamed.
	text string
	// lines is the source, by line and letter for letter, with comments blanked
	// and inString for what strings hold.
	lines []string
	// open is the innermost bracket that is never closed; its line is 0 where
	// all are.
	open place
	// depth is how deep brackets nest.
	depth int
}

// place is a position, 1-based, in lines and letters.
type place struct{ line, column int }

// unixLines is a text whose lines end as Starlark counts them: at \n, \r\n and \r
// alike.
func unixLines(s string) string {
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
}

// mask reads a cell's text, of unixLines, once, as far as strings, comments, names and
// brackets go.
func mask(source string) masked {
	var text, code strings.Builder
	var m masked
	var brackets []place
	line, column := 1, 1
	put := func(r, shown rune) {
		text.WriteRune(r)
		if r == '\n' {
			shown = r
		}
		code.WriteRune(shown)
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
	}
	for i := 0; i < len(source); {
		r, size := utf8.DecodeRuneInString(source[i:])
		switch {
		case r == '#':
			for i < len(source) && source[i] != '\n' {
				r, size = utf8.DecodeRuneInString(source[i:])
				put(r, ' ')
				i += size
			}
			continue
		case r == '"' || r == '\'':
			end := stringEnd(source, i)
			first, last := i, end-1
			for i < end {
				r, size = utf8.DecodeRuneInString(source[i:])
				shown := inString
				if i == first || i == last {
					shown = r
				}
				put(r, shown)
				i += size
			}
			continue
		case r == '_' || unicode.IsLetter(r):
			end := i
			for end < len(source) {
				r, size := utf8.DecodeRuneInString(source[end:])
				if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
					break
				}
				end += size
			}
			name := source[i:end]
			if name == "load" {
				name = hiddenLoad
			}
			for _, r := range name {
				put(r, r)
			}
			i = end
			continue
		case strings.ContainsRune("([{", r):
			brackets = append(brackets, place{line, column})
			m.depth = max(m.depth, len(brackets))
		case strings.ContainsRune(")]}", r) && len(brackets) > 0:
			brackets = brackets[:len(brackets)-1]
		}
		put(r, r)
		i += size
	}
	if len(brackets) > 0 {
		m.open = brackets[len(brackets)-1]
	}
	m.text = text.String()
	m.lines = strings.Split(strings.ReplaceAll(code.String(), hiddenLoad, "load"), "\n")
	return m
}

// stringEnd returns where the string literal that starts at i ends.
func stringEnd(s string, i int) int {
	quote, triple := s[i], false
	if strings.HasPrefix(s[i:], strings.Repeat(s[i:i+1], 3)) {
		triple, i = true, i+2
	}
	for i++; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '\n' && !triple:
			return i
		case s[i] == quote && !triple:
			return i + 1
		case s[i] == quote && strings.HasPrefix(s[i:], strings.Repeat(string(quote), 3)):
			return i + 3
		}
	}
	return len(s)
}

// sourceLine returns a line of a text, 1-based, without its indentation.
func sourceLine(source string, line int) string {
	for l := range strings.SplitSeq(source, "\n") {
		if line--; line == 0 {
			return strings.TrimSpace(l)
		}
	}
	return ""
}
