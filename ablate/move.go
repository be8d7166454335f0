package ablate

import (
	"fmt"
	"slices"

	"orrery/models"
	"orrery/models/tensor"
)

// Giver says where a moved value comes from.
type Giver string

// The givers: the clean run, another place of the corrupted run itself, or what
// stands in for a value that is knocked out.
const (
	FromClean     Giver = "clean"
	FromCorrupted Giver = "corrupted"
	FromZero      Giver = Giver(Zero)
	FromMean      Giver = Giver(MeanAll)
	FromMeanByPos Giver = Giver(MeanByPos)
)

// Givers lists the givers.
var Givers = [...]Giver{FromClean, FromCorrupted, FromZero, FromMean, FromMeanByPos}

// Move is a value of one run put into another, as data. Lists of indices may be
// left out, which means all; negative ones count from the end.
type Move struct {
	// Site is that of the value, any name that Model.Site knows, or an edge,
	// "head 0.1 → q 1.2": then the edge's end alone reads the giver's output of its
	// beginning. With Freeze it is a path between such ends (PathSenders,
	// PathReceivers).
	Site string `json:"site"`
	Into string `json:"into,omitempty"` // the site it is put into, of the same shape; "" for Site
	Run  Giver  `json:"run,omitempty"`  // "" for the clean run
	At   []int  `json:"at,omitempty"`   // positions that are read
	To   []int  `json:"to,omitempty"`   // positions that are written, as many; nil for At

	Heads   []int `json:"heads,omitempty"`
	Neurons []int `json:"neurons,omitempty"` // on the last axis
	Queries []int `json:"queries,omitempty"` // of scores and patterns
	Keys    []int `json:"keys,omitempty"`

	// Freeze, of a path, says what keeps the run's own values while the change
	// travels, as in PathPatch: the end alone takes what then arrives. "" for all else.
	Freeze Freeze `json:"freeze,omitempty"`
}

// Giver is where the value comes from.
func (v Move) Giver() Giver {
	if v.Run == "" {
		return FromClean
	}
	return v.Run
}

// Sites resolves the names of where a value is read and written: of an edge, what
// its source adds to the stream and what its end reads; of a path, the sender's
// output and what its end takes, the end of the stream for the logits. Others must
// have the same axes, and stand before the end of the residual stream.
func (v Move) Sites(m *models.Model) (from, into models.Site, err error) {
	if !slices.Contains(Givers[:], v.Giver()) {
		return from, into, fmt.Errorf("run is %q, want one of %q", v.Run, Givers)
	}
	if sender, end, ok, err := v.path(m); ok {
		if end.Input == LogitsInput {
			return sender.site(), destinationSite(end), err
		}
		return sender.site(), end.site(), err
	}
	if source, end, ok, err := v.edge(m); ok {
		return sourceSite(source), destinationSite(end), err
	}
	if from, err = m.Site(v.Site); err != nil {
		return from, into, err
	}
	into = from
	if v.Into != "" {
		if into, err = m.Site(v.Into); err != nil {
			return from, into, err
		}
	}
	if a, b := m.Axes(from), m.Axes(into); !slices.Equal(a, b) {
		return from, into, fmt.Errorf("%s has axes %v, %s has %v: a value fits only where the axes are the same", from, a[1:], into, b[1:])
	}
	if into.Kind > models.ResidPost {
		return from, into, fmt.Errorf("%s comes behind the last block: nothing that is computed there changes the stream", into)
	}
	return from, into, nil
}

// edit is the edit that puts the value in. x is the giver's value at the move's
// site, without the batch axis, for T positions.
func (v Move) edit(m *models.Model, x *tensor.Dense, T int) (models.Edit, error) {
	from, into, err := v.Sites(m)
	if err != nil {
		return models.Edit{}, err
	}
	e := models.Edit{Site: into.String(), Op: models.Set, Positions: v.To, Heads: v.Heads, Neurons: v.Neurons, Queries: v.Queries, Keys: v.Keys}
	if v.To == nil {
		e.Positions = v.At
	} else if len(v.To) != len(v.At) && !(v.At == nil && len(v.To) == T) {
		return models.Edit{}, fmt.Errorf("%d positions are read (%v) and %d are written (%v): give as many of both", len(v.At), v.At, len(v.To), v.To)
	}
	index := make([][]int, len(x.Shape))
	for a, axis := range m.Axes(from)[1:] {
		name, list := v.list(axis)
		if index[a], err = resolveIndex(name, list, x.Shape[a]); err != nil {
			return models.Edit{}, fmt.Errorf("%s: %w", from, err)
		}
	}
	// Hooks of the edit check what it writes, and which axes there are.
	if _, err := m.Edits(withValue(e, tensor.From([]float32{0}, 1))); err != nil {
		return models.Edit{}, err
	}
	if _, err := resolveIndex("to", e.Positions, T); err != nil {
		return models.Edit{}, fmt.Errorf("%s: %w", into, err)
	}
	return withValue(e, take(x, index)), nil
}

func withValue(e models.Edit, x *tensor.Dense) models.Edit {
	e.Value = models.Tensor(x)
	return e
}

// list is the move's list for an axis, and its name.
func (v Move) list(axis string) (string, []int) {
	switch axis {
	case "pos":
		return "at", v.At
	case "head", "kv_head":
		return "heads", v.Heads
	case "query":
		return "queries", v.Queries
	case "key":
		return "keys", v.Keys
	}
	return "neurons", v.Neurons
}

// resolveIndex turns a list into indices of an axis of length n.
func resolveIndex(name string, list []int, n int) ([]int, error) {
	if list == nil {
		out := make([]int, n)
		for i := range out {
			out[i] = i
		}
		return out, nil
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s is an empty list: leave it out to mean all", name)
	}
	out := make([]int, len(list))
	for i, v := range list {
		if out[i] = v; v < 0 {
			out[i] += n
		}
		if out[i] < 0 || out[i] >= n {
			return nil, fmt.Errorf("%s: index %d is outside 0..%d (or -%d..-1 from the end)", name, v, n-1, n)
		}
	}
	return out, nil
}

// take gathers the elements of x at all combinations of an index an axis.
func take(x *tensor.Dense, index [][]int) *tensor.Dense {
	shape := make([]int, len(index))
	for a := range index {
		shape[a] = len(index[a])
	}
	out := tensor.New(shape...)
	for i := range out.Data {
		at, rest := 0, i
		for a, step := len(index)-1, 1; a >= 0; a-- {
			at += step * index[a][rest%shape[a]]
			rest /= shape[a]
			step *= x.Shape[a]
		}
		out.Data[i] = x.Data[at]
	}
	return out
}
