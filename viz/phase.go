package viz

import (
	"fmt"
	"maps"
	"slices"
)

// phaseOrder is the residues 0 to n-1 in the order of k·i mod n, which is what
// sorts a wave of k turns into one.
func phaseOrder(n, k int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return k*a%n - k*b%n })
	return order
}

// chooseOrder sorts a map's panels by phase where that is asked for. A panel
// without a frequency stays as it is.
func (f *Figure) chooseOrder(o Options) (*Figure, error) {
	if err := f.noneOf(o); err != nil {
		return nil, err
	}
	waves := slices.ContainsFunc(f.Heatmap.Panels, func(p Panel) bool { return p.Frequency > 0 })
	switch {
	case o.Show == "":
		return f, nil
	case !waves || o.Show != ByPhase:
		return nil, fmt.Errorf("unknown order %q: %q is one of maps whose panels have a frequency", o.Show, ByPhase)
	}
	heat := *f.Heatmap
	heat.Panels = slices.Clone(heat.Panels)
	f.Heatmap, f.Arrays = &heat, maps.Clone(f.Arrays)
	moves := func(string) bool { return false }
	if f.Slider != nil {
		slider := *f.Slider
		slider.Arrays = slices.Clone(slider.Arrays)
		f.Slider = &slider
		moves = func(name string) bool { return slices.Contains(f.Slider.Arrays, name) }
	}
	for i := range heat.Panels {
		p := &heat.Panels[i]
		if p.Frequency == 0 {
			continue
		}
		n, k := len(p.Rows.Labels), p.Frequency
		order := phaseOrder(n, k)
		name := p.Values + " by phase"
		f.Arrays[name] = f.Arrays[p.Values].sortedPlane(order)
		if moves(p.Values) && !moves(name) {
			f.Slider.Arrays = append(f.Slider.Arrays, name)
		}
		p.Values = name
		p.Rows, p.Columns = p.Rows.sorted(order, k), p.Columns.sorted(order, k)
	}
	return f, nil
}

// sorted is an axis over residues with its labels in an order.
func (a Axis) sorted(order []int, k int) Axis {
	out := Axis{Name: fmt.Sprintf("%s, by %d·%s mod %d", a.Name, k, a.Name, len(order)), Labels: make([]string, len(order))}
	for i, at := range order {
		out.Labels[i] = a.Labels[at]
	}
	return out
}

// sortedPlane is an array whose last two dimensions are both in an order.
func (a *Array) sortedPlane(order []int) *Array {
	n := len(order)
	out := &Array{Shape: a.Shape, Axes: a.Axes, Data: make([]float32, len(a.Data))}
	if a.State != nil {
		out.State = make([]State, len(a.State))
	}
	for from := 0; from < len(a.Data); from += n * n {
		for r, row := range order {
			for c, column := range order {
				to, at := from+r*n+c, from+row*n+column
				out.Data[to] = a.Data[at]
				if a.State != nil {
					out.State[to] = a.State[at]
				}
			}
		}
	}
	return out
}
