package notebook

import (
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"

	"orrery/server/api"
)

// Title returns the text of the first heading of the first Markdown cell, ""
// when there is none; the file's name is the title then.
func (n *Notebook) Title() string {
	title, _ := n.opening()
	return title
}

// Summary returns the first sentence of the first paragraph of the first
// Markdown cell, "" when there is none.
func (n *Notebook) Summary() string {
	_, summary := n.opening()
	return summary
}

// opening reads the first Markdown cell; of a costly one it takes nothing.
func (n *Notebook) opening() (title, summary string) {
	for _, c := range n.Cells {
		if c.Kind != api.CellMarkdown {
			continue
		}
		if costly(c.Source) {
			break
		}
		_, rest := splitFront(c.Source)
		source := []byte(rest)
		doc := newMarkdown().Parser().Parse(text.NewReader(source))
		for b := doc.FirstChild(); b != nil; b = b.NextSibling() {
			switch b.Kind() {
			case ast.KindHeading:
				if title == "" {
					title = plainText(b, source)
				}
			case ast.KindParagraph:
				if summary == "" {
					summary = firstSentence(plainText(b, source))
				}
			}
		}
		break
	}
	return title, summary
}

// plainText returns the words of a block without their marks.
func plainText(block ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(block, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			b.Write(n.Value(source))
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.AutoLink:
			b.Write(n.Label(source))
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(b.String()), " ")
}

// firstSentence cuts a text after its first full stop, question or exclamation
// mark that a space and a capital, or the end, follows.
func firstSentence(s string) string {
	for i := 0; i+2 < len(s); i++ {
		if strings.IndexByte(".?!", s[i]) >= 0 && s[i+1] == ' ' && (s[i+2] < 'a' || s[i+2] > 'z') {
			return s[:i+1]
		}
	}
	return s
}
