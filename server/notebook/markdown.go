package notebook

import (
	"fmt"
	"strings"

	"orrery/server/api"
)

// Markdown returns the notebook's file. It ends in a line end; a notebook
// without cells is an empty file.
func (n *Notebook) Markdown() []byte {
	var b strings.Builder
	for i, c := range n.Cells {
		if i > 0 {
			b.WriteByte('\n')
		}
		if c.Kind == api.CellCode {
			fence := strings.Repeat("`", fenceLength(c.Source))
			fmt.Fprintf(&b, "%spython {#%s}\n%s\n%s\n", fence, c.ID, c.Source, fence)
			continue
		}
		if until := endTag(c.Source); until != "" {
			fmt.Fprintf(&b, "<!-- cell %s until %s -->\n\n%s\n%s\n", c.ID, until, c.Source, endMark(until))
			continue
		}
		if i > 0 || c.ID != TopID || !plainStart(c.Source) {
			fmt.Fprintf(&b, "<!-- cell %s -->\n\n", c.ID)
		}
		b.WriteString(c.Source)
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

// plainStart reports whether a Markdown cell may open a file without a mark:
// Parse drops blank text and a byte order mark there, and reads a file of
// CRLF lines as LF.
func plainStart(source string) bool {
	return !blank(source) && !strings.Contains(source, "\r") && !strings.HasPrefix(source, byteOrderMark)
}

// fenceLength returns the length of a fence that no line of source closes.
func fenceLength(source string) int {
	longest := 2
	for line := range strings.SplitSeq(source, "\n") {
		s := strings.TrimLeft(line, " \t")
		longest = max(longest, len(s)-len(strings.TrimLeft(s, "`")))
	}
	return longest + 1
}

// endTag returns the tag of the end line that a Markdown cell needs, "" when
// it needs none because nothing in it reads as the mark of a cell and every
// fence is closed.
func endTag(source string) string {
	text := source + "\n"
	if end, open := scanMarkdown(text, 0); end == len(text) && !open {
		return ""
	}
	for k := 1; ; k++ {
		tag := fmt.Sprintf("end%d", k)
		mark := endMark(tag)
		if at, _ := findLine(text, 0, func(l string) bool { return l == mark }); at == len(text) {
			return tag
		}
	}
}
