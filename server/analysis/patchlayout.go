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

// panels are the sweep's, with its name where there are several sweeps.
func (l patchLayout) panels(tokens viz.Axis, titled bool) (panels []viz.Panel) {
	for i := range l.length(l.panel) {
		p := viz.Panel{Rows: l.axis(l.row, tokens), Columns: l.axis([]int{l.column}, tokens), Values: l.array(i), Errors: l.array(i) + "_sem"}
		if titled || len(l.panel) > 0 {
			p.Title = l.sweep.Name
		}
		if len(l.panel) > 0 {
			p.Title = axisWords[l.sweep.Axes[l.panel[len(l.panel)-1]]] + " " + l.names(l.panel, tokens)[i]
		}
		panels = append(panels, p)
	}
	return panels
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
