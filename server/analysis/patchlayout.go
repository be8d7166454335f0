package analysis

import (
	"fmt"
	"slices"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

// patchLayout says where the cells of a sweep stand: single entries of patterns
// in a panel a head, destination over source; everything else in one panel,
// with positions as columns where the sweep has them, and heads where it has
// not.
type patchLayout struct {
	sweep ablate.PatchSweep
	shape []int
	// panel and row are the sweep's axes, by place, that choose a panel and a row;
	// column is the one across.
	panel, row []int
	column     int
}

func newPatchLayout(m *models.Model, sweep ablate.PatchSweep, T int) (patchLayout, error) {
	l := patchLayout{sweep: sweep}
	var err error
	if l.shape, err = sweep.Shape(m, T); err != nil {
		return l, err
	}
	if i := slices.Index(sweep.Axes, "key"); i >= 0 {
		l.column = i
		for a, axis := range sweep.Axes {
			switch axis {
			case "query":
				l.row = append(l.row, a)
			case "key":
			default:
				l.panel = append(l.panel, a)
			}
		}
		return l, nil
	}
	l.column = slices.IndexFunc(sweep.Axes, func(axis string) bool { return axis == "pos" || axis == "query" })
	if l.column < 0 {
		l.column = len(sweep.Axes) - 1
	}
	for a := range sweep.Axes {
		if a != l.column {
			l.row = append(l.row, a)
		}
	}
	return l, nil
}

func (l patchLayout) cells() int { return l.length(l.panel) * l.length(l.row) * l.shape[l.column] }

// length is how many indices some axes have together.
func (l patchLayout) length(axes []int) int {
	n := 1
	for _, a := range axes {
		n *= l.shape[a]
	}
	return n
}

// at numbers an index on some axes.
func (l patchLayout) at(axes, index []int) int {
	n := 0
	for _, a := range axes {
		n = n*l.shape[a] + index[a]
	}
	return n
}

// place gives the array and the place in it of a cell.
func (l patchLayout) place(index []int) (array string, offset int) {
	return l.array(l.at(l.panel, index)), l.at(l.row, index)*l.shape[l.column] + index[l.column]
}

func (l patchLayout) array(panel int) string {
	if len(l.panel) == 0 {
		return l.sweep.Name
	}
	return fmt.Sprintf("%s_%d", l.sweep.Name, panel)
}

// names are the labels of some axes' indices, such as 2.1 for layer and head.
func (l patchLayout) names(axes []int, tokens viz.Axis) (labels []string) {
	for i := range l.length(axes) {
		var parts []string
		for k := len(axes) - 1; k >= 0; k-- {
			n := l.shape[axes[k]]
			part := fmt.Sprint(i % n)
			if l.tokenAxis(axes[k]) {
				part = tokens.Labels[i%n]
			}
			parts = append([]string{part}, parts...)
			i /= n
		}
		labels = append(labels, strings.Join(parts, "."))
	}
	return labels
}

func (l patchLayout) tokenAxis(a int) bool {
	return slices.Contains([]string{"pos", "query", "key"}, l.sweep.Axes[a])
}

// axisWords are what an axis counts.
var axisWords = map[string]string{"layer": "layer", "pos": "position", "query": "destination", "key": "source", "head": "head", "kv_head": "key-value head"}

func (l patchLayout) axis(axes []int, tokens viz.Axis) viz.Axis {
	var words []string
	for _, a := range axes {
		words = append(words, axisWords[l.sweep.Axes[a]])
	}
	out := viz.Axis{Name: strings.Join(words, "."), Labels: l.names(axes, tokens)}
	if len(axes) == 1 && l.tokenAxis(axes[0]) {
		out.Roles, out.IDs = tokens.Roles, tokens.IDs
	}
	return out
}

// panels are the sweep's, with its name where there are several sweeps. Names
// are what the runs of the figure's prompts are called.
func (l patchLayout) panels(m *models.Model, tokens viz.Axis, titled bool, names ...string) (panels []viz.Panel) {
	for i := range l.length(l.panel) {
		p := viz.Panel{Rows: l.axis(l.row, tokens), Columns: l.axis([]int{l.column}, tokens), Values: l.array(i), Errors: l.array(i) + "_sem"}
		p.Sums = len(l.row) == 1 && strings.HasSuffix(l.sweep.Axes[l.column], "head")
		if titled || len(l.panel) > 0 {
			p.Title = l.sweep.Name
		}
		if len(l.panel) > 0 {
			p.Title = axisWords[l.sweep.Axes[l.panel[len(l.panel)-1]]] + " " + l.names(l.panel, tokens)[i]
		}
		p.Heads = l.heads(m, i, names)
		panels = append(panels, p)
	}
	return panels
}

// layPatches gives a figure the panels of sweeps over tokens, with empty arrays, and
// says how many cells they have together; runs name those that a cell of a head can be
// looked at in.
func layPatches(m *models.Model, f *viz.Figure, sweeps []ablate.PatchSweep, tokens viz.Axis, runs ...string) (layouts []patchLayout, cells int, err error) {
	for _, sweep := range sweeps {
		l, err := newPatchLayout(m, sweep, len(tokens.Labels))
		if err != nil {
			return nil, 0, err
		}
		layouts, cells = append(layouts, l), cells+l.cells()
		f.Heatmap.Panels = append(f.Heatmap.Panels, l.panels(m, tokens, len(sweeps) > 1, runs...)...)
	}
	for _, panel := range f.Heatmap.Panels {
		for _, name := range []string{panel.Values, panel.Errors} {
			f.Arrays[name] = viz.NewArray([]string{panel.Rows.Name, panel.Columns.Name}, len(panel.Rows.Labels), len(panel.Columns.Labels))
		}
	}
	return layouts, cells, nil
}

// heads says which head each cell of a panel is about; nil for a sweep of none.
// What is no query's own is read at the last token.
func (l patchLayout) heads(m *models.Model, panel int, names []string) *viz.HeadCells {
	if names == nil || !slices.ContainsFunc(l.sweep.Axes, func(axis string) bool { return axis == "head" || axis == "kv_head" }) {
		return nil
	}
	group := m.Config.Heads / m.Config.KVHeads
	h := &viz.HeadCells{Names: names}
	if group > 1 && slices.Contains(l.sweep.Axes, "kv_head") {
		h.Note = fmt.Sprintf("the first of %d heads that share these keys and values", group)
	}
	place := func(index map[int]int) (at viz.HeadPlace) {
		for a, i := range index {
			switch l.sweep.Axes[a] {
			case "layer":
				at.Layer = i
			case "head":
				at.Head = i
			case "kv_head":
				at.Head = i * group
			case "query":
				at.Query = i
			case "pos":
				if l.ofQuery() {
					at.Query = i
				}
			}
		}
		return at
	}
	whole := place(l.unravel(l.panel, panel))
	for row := range l.length(l.row) {
		at := place(l.unravel(l.row, row))
		at.Layer, at.Head = at.Layer+whole.Layer, at.Head+whole.Head
		if !l.ofQuery() {
			at.Query = -1
		}
		h.Rows = append(h.Rows, at)
	}
	for c := range l.shape[l.column] {
		h.Columns = append(h.Columns, place(map[int]int{l.column: c}))
	}
	return h
}

// ofQuery is true of a sweep with an axis of queries: the position of a query
// vector or of a head's output is one.
func (l patchLayout) ofQuery() bool {
	if slices.Contains(l.sweep.Axes, "query") {
		return true
	}
	return slices.Contains(l.sweep.Axes, "pos") && (l.sweep.Site == "attn.hook_z" || l.sweep.Site == "attn.hook_q")
}

// describe says in words which cell that is.
func (l patchLayout) describe(index []int, f *viz.Figure) string {
	var parts []string
	for a, axis := range l.sweep.Axes {
		label := fmt.Sprint(index[a])
		if l.tokenAxis(a) {
			for _, p := range f.Heatmap.Panels {
				if len(p.Columns.Roles) > 0 {
					label = p.Columns.Labels[index[a]]
				}
			}
		}
		parts = append(parts, axisWords[axis]+" "+label)
	}
	return fmt.Sprintf("%s at %s", l.sweep.Name, strings.Join(parts, ", "))
}
