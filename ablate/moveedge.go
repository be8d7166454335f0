package ablate

import (
	"fmt"
	"slices"
	"strings"

	"orrery/models"
	"orrery/models/nearest"
	"orrery/models/tensor"
)

// arrow stands between the ends of an edge's name.
const arrow = " → "

// ends are the names that arrows join in a move's site, itself where there is none.
// For an arrow "->" does as well.
func (v Move) ends() []string {
	name := strings.ReplaceAll(strings.ReplaceAll(v.Site, "->", "→"), "→", " → ")
	return strings.Split(strings.Join(strings.Fields(name), " "), arrow)
}

// edge is the edge that a move is made along; ok is false where its site is one of
// the model's own, or a path. Its site is then the name of an EdgeGraph, "head 0.1 → q 1.2".
func (v Move) edge(m *models.Model) (from Node, to Receiver, ok bool, err error) {
	ends := v.ends()
	if len(ends) < 2 || v.Freeze != "" {
		return from, to, false, nil
	}
	g, err := NewEdgeGraph(m)
	if err != nil {
		return from, to, true, err
	}
	var sources, destinations []string
	for i := range g.Sources {
		sources = append(sources, g.SourceName(i))
	}
	for i := range g.Destinations {
		destinations = append(destinations, g.DestinationName(i))
	}
	if len(ends) > 2 {
		return from, to, true, fmt.Errorf("%q has %d ends: an edge leads from one component to one other", v.Site, len(ends))
	}
	s, d := slices.Index(sources, ends[0]), slices.Index(destinations, ends[1])
	switch {
	case s < 0:
		return from, to, true, fmt.Errorf("no edge begins at %q: there are %s", ends[0], strings.Join(nearest.Names(ends[0], sources, 4), ", "))
	case d < 0:
		return from, to, true, fmt.Errorf("no edge ends at %q: there are %s", ends[1], strings.Join(nearest.Names(ends[1], destinations, 4), ", "))
	}
	if err := g.check([]Edge{{s, d}}); err != nil {
		return from, to, true, err
	}
	if v.Into != "" || v.To != nil || v.Heads != nil || v.Neurons != nil || v.Queries != nil || v.Keys != nil {
		return from, to, true, fmt.Errorf("%q says itself which heads it joins and where it ends: give at alone", v.Site)
	}
	return g.Sources[s], g.Destinations[d], true, nil
}

// Edge says whether a move is made along an edge, and then the edge's two ends in
// words.
func (v Move) Edge(m *models.Model) (from, to string, ok bool) {
	a, b, ok, err := v.edge(m)
	if !ok || err != nil {
		return "", "", false
	}
	g := EdgeGraph{Sources: []Node{a}, Destinations: []Receiver{b}}
	return g.SourceName(0), g.DestinationName(0), true
}

// edgeEdit adds what a giver's output of the edge's source differs from that of the
// run that is edited, x [T,D] (of a head [T,H,D]) against own, to what its end reads.
func (v Move) edgeEdit(from Node, to Receiver, x, own *tensor.Dense) (models.Edit, error) {
	at, err := resolveIndex("at", v.At, own.Dim(0))
	if err != nil {
		return models.Edit{}, fmt.Errorf("%s: %w", v.Site, err)
	}
	var delta []float32
	for _, pos := range at {
		given := headOf(x, pos, from.Index)
		for d, old := range headOf(own, pos, from.Index) {
			delta = append(delta, given[d]-old)
		}
	}
	edit := models.Edit{Site: destinationSite(to).String(), Op: models.Add, Positions: at, Value: models.List(delta...)}
	if to.Input != MLPInput && to.Input != LogitsInput {
		edit.Heads = []int{to.Index}
	}
	return edit, nil
}
