package notebook_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"orrery/server/api"
	"orrery/server/notebook"
)

func md(id, source string) notebook.Cell {
	return notebook.Cell{ID: id, Kind: api.CellMarkdown, Source: source}
}

func code(id, source string) notebook.Cell {
	return notebook.Cell{ID: id, Kind: api.CellCode, Source: source}
}

func TestMarkdownForm(t *testing.T) {
	n := &notebook.Notebook{Cells: []notebook.Cell{
		md("top", "---\nauthor: x\n---\n# Lens\n\nProse."),
		code("k3", "m = load(\"mental-2op\")"),
		md("w8", "Text with\n\n```json\n{}\n```"),
		code("e1", ""),
		md("q2", "```python\nshown, not run\n```"),
		code("f1", "s = '''\n```\n'''"),
	}}
	want := strings.ReplaceAll(`---
author: x
---
# Lens

Prose.

'''python {#k3}
m = load("mental-2op")
'''

<!-- cell w8 -->

Text with

'''json
{}
'''

'''python {#e1}

'''

<!-- cell q2 until end1 -->

'''python
shown, not run
'''
<!-- end1 -->

''''python {#f1}
s = ***
'''
***
''''
`, "'", "`")
	want = strings.ReplaceAll(want, "***", "'''")
	if got := string(n.Markdown()); got != want {
		t.Errorf("file is\n%s\nwant\n%s", got, want)
	}
}

// sources are texts that could confuse the file's marks.
func sources() []string {
	return []string{
		"", "\n", "\n\n\n", " ", "x", "x\n", "\nx", "\n\nx\n\n", "\r", "a\r\nb", "a\r\nb\r", "a\rb", "\ufeff# Title",
		"```", "```\n", "```json\n{}\n```", "```python\nx\n```", "```python {#a}\nx\n```", "````python {#a}\n```\n````",
		"~~~python\n```python\n~~~", "   ```python\nx\n   ```", "- list\n  ```python\n  x\n  ```", "```python title=x\n```",
		"<!-- cell a -->", "<!-- cell a -->\n", "<!-- cell a until end1 -->\nx\n<!-- end1 -->", "<!-- end1 -->",
		"```python\n<!-- end1 -->\n<!-- end2 -->\n```", "<!-- cell", "<!-- cell a -->\r\nx\r\n", "---\na: b\n---\n", "---\n```python\n---",
		"````````", "  `````  ", "\t```", "`````python {#a}", "text ``` text", "`````\n```python\n", "é 東\u2028x\x00y",
		"<!--\n```python\n-->", "```\n<!-- cell a -->", "$$\nx\n$$", strings.Repeat("`", 300),
	}
}

func TestRoundTripEveryPair(t *testing.T) {
	kinds := []api.CellKind{api.CellMarkdown, api.CellCode}
	for _, a := range sources() {
		for _, b := range sources() {
			for k := range 8 {
				cells := []notebook.Cell{
					{ID: []string{"top", "a"}[k/4], Kind: kinds[k&1], Source: a},
					{ID: "b", Kind: kinds[k>>1&1], Source: b},
				}
				roundTrip(t, cells)
			}
		}
	}
	roundTrip(t, []notebook.Cell{})
	roundTrip(t, []notebook.Cell{md("a", "x"), md("top", "y"), code("c", "z")})
}

func roundTrip(t *testing.T, cells []notebook.Cell) {
	t.Helper()
	file := (&notebook.Notebook{Cells: cells}).Markdown()
	n, err := notebook.Parse(file)
	if err != nil {
		t.Fatalf("%q: %v", cells, err)
	}
	if len(n.Cells) != len(cells) || len(cells) > 0 && !reflect.DeepEqual(n.Cells, cells) {
		t.Fatalf("cells\n%q\nwritten as\n%q\nread back as\n%q", cells, file, n.Cells)
	}
	if again := n.Markdown(); string(again) != string(file) {
		t.Fatalf("file\n%q\nwritten again as\n%q", file, again)
	}
}

func TestParsePlainMarkdown(t *testing.T) {
	const file = "# Title\n\nProse.\n\n```python\nx = 1\n```\nMore.\n\n```json\n{\"a\": 1}\n```\n\n```python {#mine}\ny\n```\n```python\nx = 1\n```\n~~~python\nnot a cell\n~~~\n"
	n, err := notebook.Parse([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	wantKinds := []api.CellKind{api.CellMarkdown, api.CellCode, api.CellMarkdown, api.CellCode, api.CellCode, api.CellMarkdown}
	wantSources := []string{"# Title\n\nProse.", "x = 1", "More.\n\n```json\n{\"a\": 1}\n```", "y", "x = 1", "~~~python\nnot a cell\n~~~"}
	ids := map[string]bool{}
	for i, c := range n.Cells {
		if i >= len(wantKinds) || c.Kind != wantKinds[i] || c.Source != wantSources[i] {
			t.Fatalf("cell %d is %q", i, c)
		}
		if ids[c.ID] || !notebook.ValidID(c.ID) {
			t.Errorf("cell %d has the id %q, repeated or malformed", i, c.ID)
		}
		ids[c.ID] = true
	}
	if len(n.Cells) != len(wantKinds) {
		t.Fatalf("%d cells, want %d", len(n.Cells), len(wantKinds))
	}
	if n.Cells[0].ID != notebook.TopID || n.Cells[3].ID != "mine" {
		t.Errorf("ids are %q and %q", n.Cells[0].ID, n.Cells[3].ID)
	}
	again, _ := notebook.Parse([]byte(file))
	if !reflect.DeepEqual(again.Cells, n.Cells) {
		t.Error("the same file opened with other ids")
	}
	longer, _ := notebook.Parse([]byte(strings.Replace(file, "Prose.", "Prose, changed.", 1)))
	if longer.Cells[1].ID != n.Cells[1].ID {
		t.Error("editing one cell by hand changed the id of another")
	}
	roundTrip(t, n.Cells)
	crlf, err := notebook.Parse([]byte(strings.ReplaceAll(file, "\n", "\r\n")))
	if err != nil || !reflect.DeepEqual(crlf.Cells, n.Cells) {
		t.Errorf("with CRLF the cells are %q (%v)", crlf.Cells, err)
	}
}

func TestParseRepeatedIDs(t *testing.T) {
	n, err := notebook.Parse([]byte("```python {#a}\n1\n```\n```python {#a}\n1\n```\n<!-- cell top -->\nx\n"))
	if err != nil {
		t.Fatal(err)
	}
	if n.Cells[0].ID != "a" || n.Cells[1].ID == "a" || n.Cells[2].ID != "top" {
		t.Errorf("ids are %q", n.Cells)
	}
	n, _ = notebook.Parse([]byte("first\n\n<!-- cell top -->\nx\n"))
	if len(n.Cells) != 2 || n.Cells[0].ID == "top" || n.Cells[1].ID != "top" {
		t.Errorf("cells are %q", n.Cells)
	}
}

func TestParseOpenEnds(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       notebook.Cell
	}{
		{"fence", "```python {#a}\nx = 1\n", code("a", "x = 1")},
		{"until", "<!-- cell a until end1 -->\nx\n```python\n", md("a", "x\n```python")},
		{"no line end", "<!-- cell a -->\nx", md("a", "x")},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := notebook.Parse([]byte(c.file))
			if err != nil || len(n.Cells) != 1 || n.Cells[0] != c.want {
				t.Errorf("cells are %q (%v), want %q", n.Cells, err, c.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	cells := strings.Repeat("```python\n```\n", notebook.MaxCells+1)
	for _, c := range []struct {
		name, file, want string
		code             api.Code
	}{
		{"not utf-8", "abc\nde\xff", "byte 0xff at offset 6 (line 2) is not UTF-8", api.Invalid},
		{"cut rune", "\xe6\x9d", "byte 0xe6 at offset 0", api.Invalid},
		{"big file", strings.Repeat("x", notebook.MaxFile+1), "the limit is 16777216", api.TooLarge},
		{"big cell", strings.Repeat("x", notebook.MaxCell+1), "cell 1 has 1048577 bytes", api.TooLarge},
		{"many cells", cells, "2001 cells", api.TooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := notebook.Parse([]byte(c.file))
			var e *api.Error
			if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Message, c.want) || e.Hint == "" {
				t.Errorf("error is %#v, want %s with %q and a hint", err, c.code, c.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range sources() {
		f.Add([]byte(s), s)
	}
	f.Fuzz(func(t *testing.T, file []byte, source string) {
		n, err := notebook.Parse(file)
		if err != nil {
			return
		}
		roundTrip(t, n.Cells)
		if strings.ToValidUTF8(source, "") != source || len(source) > notebook.MaxCell {
			return
		}
		for _, kind := range []api.CellKind{api.CellCode, api.CellMarkdown} {
			cells := append([]notebook.Cell{{ID: "fuzz-a", Kind: kind, Source: source}}, n.Cells...)
			roundTrip(t, append(cells, notebook.Cell{ID: "fuzz-b", Kind: kind, Source: source}))
		}
		notebook.HTML(source)
		n.Title()
	})
}
