package notebook

import (
	"strings"
	"testing"
)

// The plate's comment is read wherever it stands in the first Markdown cell,
// survives the file and is not shown.
func TestPlate(t *testing.T) {
	const comment = "<!-- plate: 2 | figure: main | paper: Nanda, Chan & Lieberum 2023 -->"
	for name, c := range map[string]struct {
		text string
		want Plate
	}{
		"first line":        {comment + "\n# Title\n\nText.\n", Plate{2, "main", "Nanda, Chan & Lieberum 2023"}},
		"below the title":   {"# Title\n\n" + comment + "\n\nText.\n", Plate{2, "main", "Nanda, Chan & Lieberum 2023"}},
		"paper alone":       {"<!-- paper: X 2020 -->\n\n# T\n", Plate{Paper: "X 2020"}},
		"none":              {"# Title\n\nText.\n", Plate{}},
		"bad number and id": {"<!-- plate: -1 | figure: a b | paper: X -->\n\n# T\n", Plate{Paper: "X"}},
		"in a second cell":  {"# Title\n\n<!-- cell b -->\n\n" + comment + "\n", Plate{}},
		"other comment":     {"<!-- note: x -->\n\n# T\n", Plate{}},
	} {
		n, err := Parse([]byte(c.text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := n.Plate(); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		again, err := Parse(n.Markdown())
		if err != nil || again.Plate() != n.Plate() {
			t.Errorf("%s: written and read again: %+v, %v", name, again.Plate(), err)
		}
		if html := HTML(n.Cells[0].Source); strings.Contains(html, "paper:") {
			t.Errorf("%s: the comment is shown: %s", name, html)
		}
		if c.want.Number > 0 && n.Title() != "Title" {
			t.Errorf("%s: title %q", name, n.Title())
		}
	}
}
