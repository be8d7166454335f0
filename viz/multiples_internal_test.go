package viz

import (
	"slices"
	"testing"
)

func TestWholeRows(t *testing.T) {
	grids := func(n int) Item { return Item{Kind: KindHeatmap, Heatmap: &Heatmap{Panels: make([]Panel, n)}} }
	one, two, six := Item{Kind: KindTable, Table: &Table{}}, grids(2), grids(6)
	for name, c := range map[string]struct {
		items []Item
		want  []bool
	}{
		"beside each other":     {[]Item{one, two}, []bool{false, false}},
		"alone at the end":      {[]Item{two, one, two}, []bool{false, false, true}},
		"alone between two":     {[]Item{six, two, six}, []bool{true, true, true}},
		"one grid stays narrow": {[]Item{one, one, grids(1)}, []bool{false, false, false}},
		"dials":                 {[]Item{{Kind: KindDials, Dials: &Dials{Items: make([]Dial, 2)}}}, []bool{true}},
	} {
		if got := wholeRows(c.items, 2); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
