package notebook

import (
	"strconv"
	"strings"

	"orrery/server/api"
)

// Plate says how the start page shows a notebook. A comment of its own line in
// the first Markdown cell holds it, which neither the page nor a forge shows:
//
//	<!-- plate: 1 | figure: mediation | paper: Stolfo, Belinkov & Sachan 2023 -->
//
// Keys may be left out; others are kept in the file and mean nothing.
type Plate struct {
	// Number is the plate's place among the shipped notebooks; 0 for none.
	Number int
	// Figure is the id of the cell whose first figure is drawn in small; "" is
	// the first cell that has one.
	Figure string
	// Paper is the source of the method, authors and year.
	Paper string
}

// Plate returns what the first Markdown cell says about the notebook's plate.
func (n *Notebook) Plate() Plate {
	for _, c := range n.Cells {
		if c.Kind != api.CellMarkdown {
			continue
		}
		for line := range strings.SplitSeq(c.Source, "\n") {
			if p, ok := readPlate(line); ok {
				return p
			}
		}
		break
	}
	return Plate{}
}

// readPlate reads one line; ok is false when it holds no known key.
func readPlate(line string) (p Plate, ok bool) {
	s, open := strings.CutPrefix(strings.TrimSpace(line), "<!--")
	s, closed := strings.CutSuffix(s, "-->")
	if !open || !closed {
		return Plate{}, false
	}
	for field := range strings.SplitSeq(s, "|") {
		key, value, found := strings.Cut(field, ":")
		if !found {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "plate":
			if n, err := strconv.Atoi(value); err == nil && n > 0 {
				p.Number, ok = n, true
			}
		case "figure":
			if ValidID(value) {
				p.Figure, ok = value, true
			}
		case "paper":
			p.Paper, ok = value, true
		}
	}
	return p, ok
}
