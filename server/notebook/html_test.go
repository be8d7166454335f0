package notebook_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"orrery/server/api"
	"orrery/server/notebook"
)

// A tag of the page: an allowed name, allowed attributes with quoted values.
var (
	tag  = regexp.MustCompile(`^</?(p|h[1-6]|em|strong|del|code|pre|blockquote|ul|ol|li|hr|br|a|table|thead|tbody|tr|th|td|input)((?: [a-z-]+="[^"<>]*")*)( /)?>`)
	attr = regexp.MustCompile(` ([a-z-]+)="([^"]*)"`)
	href = regexp.MustCompile(`(?i)^(https?://|mailto:|#)`)
)

// checkSafe fails when HTML holds anything but allowed tags and attributes.
func checkSafe(t *testing.T, source, html string) {
	t.Helper()
	for rest := html; ; {
		i := strings.IndexByte(rest, '<')
		if i < 0 {
			return
		}
		rest = rest[i:]
		m := tag.FindStringSubmatch(rest)
		if m == nil {
			t.Errorf("%q rendered a tag that is not allowed: %.60q", source, rest)
			return
		}
		for _, a := range attr.FindAllStringSubmatch(m[2], -1) {
			ok := false
			switch a[1] {
			case "href":
				ok = href.MatchString(a[2])
			case "rel":
				ok = a[2] == "noopener noreferrer"
			case "target":
				ok = a[2] == "_blank"
			case "title", "start", "align":
				ok = true
			case "style":
				ok = strings.HasPrefix(a[2], "text-align:")
			case "class":
				ok = m[1] == "code" && strings.HasPrefix(a[2], "language-")
			case "type", "checked", "disabled":
				ok = m[1] == "input" && (a[2] == "checkbox" || a[2] == "")
			}
			if !ok {
				t.Errorf("%q rendered the attribute %s=%q in <%s>", source, a[1], a[2], m[1])
			}
		}
		rest = rest[len(m[0]):]
	}
}

func TestHTMLIsSafe(t *testing.T) {
	for _, c := range []struct{ name, source, want, without string }{
		{"script block", "<script>alert(1)</script>", "&lt;script&gt;", "<script"},
		{"script inline", "a <script>alert(1)</script> b", "&lt;script&gt;alert(1)", "<script"},
		{"upper case", "<SCRIPT SRC=//evil></SCRIPT>", "&lt;SCRIPT", "<SCRIPT"},
		{"unclosed script", "<script", "&lt;script", "<script"},
		{"img onerror", `<img src=x onerror=alert(1)>`, "&lt;img", "<img"},
		{"svg onload", `<svg onload=alert(1)>`, "&lt;svg", "<svg"},
		{"svg script", "<svg><script>x</script></svg>", "&lt;svg", "<svg"},
		{"style", "<style>body{display:none}</style>", "&lt;style", "<style"},
		{"iframe", `<iframe src="https://evil"></iframe>`, "&lt;iframe", "<iframe"},
		{"object", `<object data="x"></object>`, "&lt;object", "<object"},
		{"form", `<form action="https://evil"><input name=a></form>`, "&lt;form", "<form"},
		{"base", `<base href="https://evil">`, "&lt;base", "<base"},
		{"meta", `<meta http-equiv=refresh content="0;url=//evil">`, "&lt;meta", "<meta"},
		{"details", "<details open ontoggle=alert(1)>", "&lt;details", "<details"},
		{"math", `<math><mtext><style><img onerror=x></style></mtext></math>`, "&lt;math", "<math"},
		{"a javascript", `<a href="javascript:alert(1)">x</a>`, "&lt;a href", "<a "},
		{"link javascript", "[x](javascript:alert(1))", "<p>x</p>", "javascript"},
		{"link upper javascript", "[x](JaVaScRiPt:alert(1))", "<p>x</p>", "alert"},
		{"link tab javascript", "[x](java&#9;script:alert(1))", "x", "<a"},
		{"link entity javascript", "[x](&#106;avascript:alert(1))", "<p>x</p>", "alert"},
		{"link space javascript", "[x](<\x01javascript:alert(1)>)", "x", "<a"},
		{"link vbscript", "[x](vbscript:msgbox)", "<p>x</p>", "vbscript"},
		{"link data", "[x](data:text/html;base64,PHNjcmlwdD4=)", "<p>x</p>", "data:"},
		{"link data image", "[x](data:image/svg+xml;base64,AAAA)", "<p>x</p>", "data:"},
		{"link file", "[x](file:///etc/passwd)", "<p>x</p>", "file:"},
		{"link blob", "[x](blob:https://a/b)", "<p>x</p>", "blob:"},
		{"link relative", "[x](/api/notebooks)", "<p>x</p>", "/api"},
		{"link protocol relative", "[x](//evil.example/)", "<p>x</p>", "evil"},
		{"link backslash", `[x](https:\\evil)`, "x", "<a"},
		{"reference link", "[x][1]\n\n[1]: javascript:alert(1)", "<p>x</p>", "javascript"},
		{"link title", `[x](https://a.b "t\" onclick=\"alert(1)")`, "&quot; onclick=", `" onclick`},
		{"autolink", "<javascript:alert(1)>", "javascript:alert(1)", "<a"},
		{"autolink https", "<https://a.b/c?d&e>", `href="https://a.b/c?d&amp;e" rel="noopener noreferrer" target="_blank"`, "&e"},
		{"bare link", "see https://a.b/c now", `<a href="https://a.b/c" rel="noopener noreferrer"`, "now</a>"},
		{"bare www", "see www.a.example now", `<a href="http://www.a.example" rel=`, ""},
		{"bare ftp", "see ftp://a.b/c now", "ftp://a.b/c", "<a"},
		{"mail", "<a@b.example>", `href="mailto:a@b.example"`, ""},
		{"image", "![alt](https://a.b/c.png)", `<a href="https://a.b/c.png" rel="noopener noreferrer" target="_blank">alt</a>`, "<img"},
		{"image javascript", "![alt](javascript:alert(1))", "<p>alt</p>", "javascript"},
		{"image data", "![](data:image/png;base64,AAAA)", "<p>image</p>", "data:"},
		{"image in link", "[![alt](https://a.b/c.png)](https://d.e)", `<a href="https://d.e" rel="noopener noreferrer" target="_blank">alt</a>`, "<img"},
		{"link in bad link", "[![a](https://x.y)](javascript:alert(1))", "a", "javascript"},
		{"comment", "a <!-- secret --> b", "a  b", "secret"},
		{"comment block", "<!-- cell x -->\n\ntext", "<p>text</p>", "cell x"},
		{"comment trick", "<!-- --><script>x</script><!-- -->", "&lt;script&gt;", "<script"},
		{"comment tricks", "<!--><script>x</script>-->", "", "<script>"},
		{"processing", "<?php echo 1 ?>", "&lt;?php", "<?php"},
		{"declaration", "<!DOCTYPE html>", "&lt;!DOCTYPE", "<!DOCTYPE"},
		{"cdata", "<![CDATA[<script>]]>", "&lt;![CDATA[", "<!["},
		{"entities", "&lt;script&gt; &amp; &#60;b&#62;", "&lt;script&gt; &amp; &lt;b&gt;", "<script"},
		{"code", "`<script>`", "<code>&lt;script&gt;</code>", "<script"},
		{"fence info", "```x\" onload=\"y\nz\n```", "language-x&quot;", `" onload`},
		{"heading attribute", "# x {onclick=alert(1)}", "<h1>x {onclick=alert(1)}</h1>", "<h1 "},
		{"table", "|a|b|\n|-|:-:|\n|<b>|`x`|", "<table>", "<b>"},
		{"front matter", "---\ntitle: <b>\n---\n# x", `<code class="language-yaml">title: &lt;b&gt;`, "<hr"},
		{"anchor", "[x](#cell)", `<a href="#cell">x</a>`, "target"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := notebook.HTML(c.source)
			checkSafe(t, c.source, got)
			if !strings.Contains(got, c.want) {
				t.Errorf("%q rendered\n%s\nwithout %q", c.source, got, c.want)
			}
			if c.without != "" && strings.Contains(got, c.without) {
				t.Errorf("%q rendered\n%s\nwith %q", c.source, got, c.without)
			}
		})
	}
}

func FuzzHTML(f *testing.F) {
	for _, s := range sources() {
		f.Add(s)
	}
	f.Add("[a](https://b \"c\") <!-- --><x onload=y> ![d][e]\n\n[e]: javascript:z\n- [ ] t\n\n|a|\n|:-|\n|b|")
	f.Add("[a](HTTPS://b) <MailTo:c@d> Http://www.e.f")
	f.Fuzz(func(t *testing.T, source string) { checkSafe(t, source, notebook.HTML(source)) })
}

func TestTitleAndSummary(t *testing.T) {
	for _, c := range []struct{ name, source, title, summary string }{
		{"both", "# A *lens* on `x`\n\nIt reads 3.5 nats. Then\nmore.", "A lens on x", "It reads 3.5 nats."},
		{"front matter", "---\ntitle: no\n---\n\n## Yes\n\nOne sentence", "Yes", "One sentence"},
		{"no heading", "Only *prose*, e.g. this! And that.", "", "Only prose, e.g. this!"},
		{"nothing", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := &notebook.Notebook{Cells: []notebook.Cell{code("a", "# not this"), {ID: "b", Kind: api.CellMarkdown, Source: c.source}, md("c", "# nor this")}}
			if n.Title() != c.title || n.Summary() != c.summary {
				t.Errorf("title %q, summary %q", n.Title(), n.Summary())
			}
		})
	}
}

// TestHTMLIsQuick holds that no text keeps the renderer busy.
func TestHTMLIsQuick(t *testing.T) {
	for _, part := range []string{"[", "[a](", "[a](<", "> ", ">", "- ", "1. ", "* ", "a**b_c", "<a ", "`a", "![", "|a", "~~a", "[a]: b\n", "> > > > > > > > > > > > > > > > > x\n", "word_word [x](y) *z* "} {
		source := strings.Repeat(part, notebook.MaxCell/len(part))
		start := time.Now()
		html := notebook.HTML(source)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%d bytes of %q took %v", len(source), part, took)
		}
		checkSafe(t, part, html[:10000])
	}
	// Titles are read of the same texts, for each notebook of the start page.
	n := &notebook.Notebook{Cells: []notebook.Cell{md("a", "# A\n\n"+strings.Repeat("[a](", notebook.MaxCell/8))}}
	if n.Title() != "" || n.Summary() != "" {
		t.Errorf("title %q, summary %q of a text that is not rendered", n.Title(), n.Summary())
	}
	table := "|a_b|c*d|\n|-|-|\n" + strings.Repeat("|x_y|1 * 2|\n", 500)
	if !strings.Contains(notebook.HTML(table), "<table>") || !strings.Contains(notebook.HTML(strings.Repeat("A *word* and [a link](https://a.b).\n\n", 20000)), "<em>") {
		t.Error("an ordinary long text was not rendered")
	}
}
