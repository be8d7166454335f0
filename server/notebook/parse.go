package notebook

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"orrery/server/api"
)

const byteOrderMark = "\ufeff"

// Parse reads a notebook file. Any UTF-8 text within the limits is a notebook:
// plain Markdown is one Markdown cell, an empty file has no cells. Bytes that
// are no UTF-8 are refused with their offset.
func Parse(md []byte) (*Notebook, error) {
	if len(md) > MaxFile {
		return nil, tooLarge("the file", len(md), MaxFile, "split it into several notebooks")
	}
	if at := invalidByte(md); at >= 0 {
		return nil, &api.Error{Code: api.Invalid,
			Message: fmt.Sprintf("byte %#02x at offset %d (line %d) is not UTF-8", md[at], at, 1+bytes.Count(md[:at], []byte("\n"))),
			Hint:    "save the file as UTF-8 and open it again"}
	}
	text := strings.TrimPrefix(string(md), byteOrderMark)
	if crlf := strings.Count(text, "\r\n"); crlf > 0 && crlf == strings.Count(text, "\n") {
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	cells := split(text)
	if len(cells) > MaxCells {
		return nil, tooMany(len(cells))
	}
	taken := make(map[string]bool, len(cells))
	clash := make([]bool, len(cells))
	for i, c := range cells {
		if len(c.Source) > MaxCell {
			return nil, cellTooLarge(fmt.Sprintf("cell %d", i+1), len(c.Source))
		}
		if c.ID != "" {
			clash[i] = taken[c.ID]
			taken[c.ID] = true
		}
	}
	for i := range cells {
		c := &cells[i]
		if c.ID != "" && !clash[i] {
			continue
		}
		c.ID = derivedID(c.Kind, c.Source, taken)
		if i == 0 && c.Kind == api.CellMarkdown && !clash[i] && !taken[TopID] {
			c.ID = TopID
		}
		taken[c.ID] = true
	}
	return &Notebook{Cells: cells, changed: map[string]uint64{}}, nil
}

// invalidByte returns the offset of the first byte that is no UTF-8, or -1.
func invalidByte(b []byte) int {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// split cuts a file into cells; a cell without an id in the file has none yet.
func split(text string) []Cell {
	var cells []Cell
	for pos := 0; pos < len(text); {
		line, next := cutLine(text, pos)
		if n, id, ok := codeFence(line); ok {
			end, after := findLine(text, next, func(l string) bool { return closesFence(l, '`', n) })
			cells = append(cells, Cell{ID: id, Kind: api.CellCode, Source: strings.TrimSuffix(text[next:end], "\n")})
			pos = after
			continue
		}
		if id, until, ok := cellMark(line); ok {
			body, end, after := next, 0, 0
			if until != "" {
				end, after = findLine(text, next, func(l string) bool { return l == endMark(until) })
			} else {
				end = markdownEnd(text, next)
				after = end
			}
			source := strings.TrimPrefix(text[body:end], "\n")
			if until == "" && end < len(text) {
				source = strings.TrimSuffix(source, "\n")
			}
			cells = append(cells, Cell{ID: id, Kind: api.CellMarkdown, Source: strings.TrimSuffix(source, "\n")})
			pos = after
			continue
		}
		end := markdownEnd(text, pos)
		source := text[pos:end]
		if !blank(source) {
			if len(cells) > 0 {
				source = strings.TrimPrefix(source, "\n")
			}
			if end < len(text) {
				source = strings.TrimSuffix(source, "\n")
			}
			cells = append(cells, Cell{Kind: api.CellMarkdown, Source: strings.TrimSuffix(source, "\n")})
		}
		pos = end
	}
	return cells
}

// cutLine returns the line at pos without its end ("\n" or "\r\n"), and where
// the next one starts.
func cutLine(text string, pos int) (line string, next int) {
	next = len(text)
	line = text[pos:]
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line, next = line[:i], pos+i+1
	}
	return strings.TrimSuffix(line, "\r"), next
}

// findLine returns the start of the first line from pos on that is wanted and
// the start of the line after it; the end of the text twice where there is none.
func findLine(text string, pos int, wanted func(line string) bool) (at, after int) {
	for pos < len(text) {
		line, next := cutLine(text, pos)
		if wanted(line) {
			return pos, next
		}
		pos = next
	}
	return len(text), len(text)
}

// markdownEnd returns where the Markdown that starts at pos ends: at the next
// mark of a cell outside fences, or at the end of the text.
func markdownEnd(text string, pos int) int {
	end, _ := scanMarkdown(text, pos)
	return end
}

// scanMarkdown is markdownEnd; open reports a fence that was not closed.
func scanMarkdown(text string, pos int) (end int, open bool) {
	var char byte
	count := 0
	for pos < len(text) {
		line, next := cutLine(text, pos)
		switch {
		case count > 0:
			if closesFence(line, char, count) {
				count = 0
			}
		default:
			if _, _, ok := codeFence(line); ok {
				return pos, false
			}
			if _, _, ok := cellMark(line); ok {
				return pos, false
			}
			char, count = opensFence(line)
		}
		pos = next
	}
	return len(text), count > 0
}

// opensFence returns a fence's character and length as CommonMark 4.5 has it,
// 0 when the line opens none.
func opensFence(line string) (char byte, count int) {
	s := strings.TrimLeft(line, " ")
	if len(line)-len(s) > 3 || s == "" || s[0] != '`' && s[0] != '~' {
		return 0, 0
	}
	count = len(s) - len(strings.TrimLeft(s, s[:1]))
	if count < 3 || s[0] == '`' && strings.Contains(s[count:], "`") {
		return 0, 0
	}
	return s[0], count
}

// closesFence reports whether a line closes a fence of that character and length.
func closesFence(line string, char byte, count int) bool {
	s := strings.TrimLeft(line, " ")
	if len(line)-len(s) > 3 {
		return false
	}
	rest := strings.TrimLeft(s, string(char))
	return len(s)-len(rest) >= count && strings.Trim(rest, " \t") == ""
}

// codeFence reads the first line of a code cell.
func codeFence(line string) (count int, id string, ok bool) {
	rest := strings.TrimLeft(line, "`")
	count = len(line) - len(rest)
	info, ok := strings.CutPrefix(strings.Trim(rest, " \t"), "python")
	if count < 3 || !ok {
		return 0, "", false
	}
	if info == "" {
		return count, "", true
	}
	id, ok = strings.CutPrefix(strings.TrimLeft(info, " \t"), "{#")
	if !ok || !strings.ContainsAny(info[:1], " \t") {
		return 0, "", false
	}
	id, ok = strings.CutSuffix(id, "}")
	return count, id, ok && ValidID(id)
}

// cellMark reads the comment that starts a Markdown cell.
func cellMark(line string) (id, until string, ok bool) {
	s, ok := strings.CutPrefix(strings.TrimRight(line, " \t"), "<!-- cell ")
	if !ok {
		return "", "", false
	}
	s, ok = strings.CutSuffix(s, " -->")
	id, until, found := strings.Cut(s, " until ")
	return id, until, ok && ValidID(id) && (!found || ValidID(until))
}

func endMark(tag string) string { return "<!-- " + tag + " -->" }

// blank reports whether a text holds nothing but spaces and line ends.
func blank(s string) bool { return strings.Trim(s, " \t\r\n") == "" }

func tooLarge(what string, size, limit int, hint string) *api.Error {
	return &api.Error{Code: api.TooLarge,
		Message: fmt.Sprintf("%s has %d bytes, the limit is %d", what, size, limit), Hint: hint}
}

func cellTooLarge(what string, size int) *api.Error {
	return tooLarge(what, size, MaxCell, "split it into several cells")
}

func tooMany(count int) *api.Error {
	return &api.Error{Code: api.TooLarge,
		Message: fmt.Sprintf("the notebook has %d cells, the limit is %d", count, MaxCells),
		Hint:    "split it into several notebooks"}
}
