package notebook

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// HTML renders Markdown (CommonMark with tables, strikethrough, task lists and
// bare links) for the page. No HTML of the source reaches the page: a comment
// vanishes, any other tag is shown as the text it is. Links lead to http,
// https, mailto or a # of the page; a link that leads elsewhere is shown as
// its text. An image becomes a link, so that opening a notebook asks no other
// machine for anything. Front matter is shown as a code block. A text that is
// made to keep the parser busy (see costly) is shown as it is.
func HTML(markdown string) string {
	if costly(markdown) {
		return "<pre><code>" + string(util.EscapeHTML([]byte(markdown))) + "</code></pre>\n"
	}
	front, rest := splitFront(markdown)
	if front != "" {
		rest = "```yaml\n" + front + "```\n" + rest
	}
	var b bytes.Buffer
	if err := newMarkdown().Convert([]byte(rest), &b); err != nil {
		panic("notebook: writing to memory failed: " + err.Error())
	}
	return b.String()
}

// The bounds of costly, with which 60 KB of the worst text take half a second.
const (
	maxContainers = 50          // quotes and lists that one line opens
	maxMarkWork   = 300_000_000 // sum over paragraphs of bytes times marks
)

// costly reports a text that the parser would need long for: its time grows
// with the square of quotes and lists within each other, and of brackets and
// stars within a paragraph.
func costly(markdown string) bool {
	work, size, marks := 0, 0, 0
	for line := range strings.SplitSeq(markdown, "\n") {
		lead := line[:len(line)-len(strings.TrimLeft(line, " \t0123456789>-+*.)"))]
		containers := strings.Count(lead, ">")
		for _, mark := range [...]string{"- ", "+ ", "* ", ". ", ") "} {
			containers += strings.Count(lead, mark)
		}
		if containers > maxContainers {
			return true
		}
		if blank(line) {
			work += size * marks
			size, marks = 0, 0
			continue
		}
		size += len(line) + 1
		for _, c := range []byte(line) {
			if strings.IndexByte("[*_<`!~", c) >= 0 {
				marks++
			}
		}
	}
	return work+size*marks > maxMarkWork
}

// newMarkdown returns the parser and renderer of Markdown cells.
func newMarkdown() goldmark.Markdown {
	return goldmark.New(
		goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.TaskList, extension.Linkify),
		goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(links{}, 1000))),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(rawHTML{}, 1))),
	)
}

// splitFront cuts front matter, "---" lines around YAML at the very start, off
// a Markdown text.
func splitFront(markdown string) (front, rest string) {
	line, next := cutLine(markdown, 0)
	if line != "---" {
		return "", markdown
	}
	end, after := findLine(markdown, next, func(l string) bool { return l == "---" || l == "..." })
	if after == end || strings.Contains(markdown[next:end], "```") {
		return "", markdown
	}
	return markdown[next:end], markdown[after:]
}

// links is the pass over the syntax tree that settles where links may lead.
type links struct{}

// Transform makes links safe: see HTML.
func (links) Transform(doc *ast.Document, reader text.Reader, _ parser.Context) {
	source := reader.Source()
	var found []ast.Node
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n.(type) {
		case *ast.Link, *ast.AutoLink, *ast.Image:
			if entering {
				found = append(found, n)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, n := range found {
		switch n := n.(type) {
		case *ast.Link:
			if !allowed(n.Destination) {
				unwrap(n)
			} else {
				outside(n, n.Destination)
			}
		case *ast.AutoLink:
			dest := n.URL(source)
			if n.AutoLinkType == ast.AutoLinkEmail || allowed(dest) {
				outside(n, dest)
			} else {
				label := ast.NewString(n.Label(source))
				label.SetRaw(true)
				n.Parent().ReplaceChild(n.Parent(), n, label)
			}
		case *ast.Image:
			link := ast.NewLink()
			link.Destination, link.Title = n.Destination, n.Title
			for c := n.FirstChild(); c != nil; c = n.FirstChild() {
				link.AppendChild(link, c)
			}
			if link.FirstChild() == nil {
				link.AppendChild(link, ast.NewString([]byte("image")))
			}
			n.Parent().ReplaceChild(n.Parent(), n, link)
			if !allowed(link.Destination) || insideLink(link) {
				unwrap(link)
			} else {
				outside(link, link.Destination)
			}
		}
	}
}

// allowed reports whether a link may lead to dest.
func allowed(dest []byte) bool {
	if bytes.HasPrefix(dest, []byte("#")) {
		return true
	}
	u, err := url.Parse(string(dest))
	if err != nil {
		return false
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		return u.Host != ""
	case "mailto":
		return true
	}
	return false
}

// outside marks a link that leaves the page, so that the other page neither
// reaches back nor learns the address of this one.
func outside(n ast.Node, dest []byte) {
	if bytes.HasPrefix(dest, []byte("#")) {
		return
	}
	n.SetAttributeString("rel", []byte("noopener noreferrer"))
	n.SetAttributeString("target", []byte("_blank"))
}

// unwrap puts the children of a node in its place.
func unwrap(n ast.Node) {
	parent := n.Parent()
	for c := n.FirstChild(); c != nil; c = n.FirstChild() {
		parent.InsertBefore(parent, n, c)
	}
	parent.RemoveChild(parent, n)
}

func insideLink(n ast.Node) bool {
	for p := n.Parent(); p != nil; p = p.Parent() {
		if p.Kind() == ast.KindLink {
			return true
		}
	}
	return false
}

// rawHTML renders the HTML of a source as text.
type rawHTML struct{}

// RegisterFuncs takes the place of goldmark's own rendering of raw HTML.
func (rawHTML) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindHTMLBlock, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		block := n.(*ast.HTMLBlock)
		raw := block.Lines().Value(source)
		if block.HasClosure() {
			raw = append(bytes.Clone(raw), block.ClosureLine.Value(source)...)
		}
		if shown := bytes.TrimSpace(dropComments(raw)); len(shown) > 0 {
			_, _ = w.WriteString("<pre><code>")
			_, _ = w.Write(util.EscapeHTML(shown))
			_, _ = w.WriteString("</code></pre>\n")
		}
		return ast.WalkContinue, nil
	})
	r.Register(ast.KindRawHTML, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			raw := n.(*ast.RawHTML).Segments.Value(source)
			_, _ = w.Write(util.EscapeHTML(dropComments(raw)))
		}
		return ast.WalkSkipChildren, nil
	})
}

// dropComments removes HTML comments; one that is not closed goes on to the end.
func dropComments(raw []byte) []byte {
	var out []byte
	for {
		before, after, found := bytes.Cut(raw, []byte("<!--"))
		out = append(out, before...)
		if !found {
			return out
		}
		if _, raw, found = bytes.Cut(after, []byte("-->")); !found {
			return out
		}
	}
}
