package models

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"orrery/models/exactjson"
	"orrery/models/tensor"
)

// Op is what an edit does to the elements it selects.
type Op string

// The operations.
const (
	Set        Op = "set"         // x = value
	Add        Op = "add"         // x += value
	Scale      Op = "scale"       // x *= value
	Mask       Op = "mask"        // attention edges are cut before the softmax; no value
	ProjectOut Op = "project_out" // the part of x within a subspace is removed: x −= BBᵀ(x − value)
	Keep       Op = "keep"        // only that part is kept: x = value + BBᵀ(x − value)
)

// Edit is an intervention as data: the elements of one site, and what happens
// to them. Its JSON form is the one of the wire and of files. Every list of
// indices may be left out, which means all; negative ones count from the end.
// Positions are places in the batch's rows, padding included.
//
//	{"site":"blocks.1.attn.hook_z","heads":[1],"op":"set","value":0}
//	{"site":"blocks.1.attn.hook_attn_scores","queries":[-1],"keys":[4],"op":"mask"}
//	{"site":"blocks.0.hook_resid_post","op":"project_out","basis":{"shape":[1,4],"data":[1,0,0,0]}}
type Edit struct {
	Site      string `json:"site"` // any name that Model.Site knows
	Rows      []int  `json:"rows,omitempty"`
	Positions []int  `json:"positions,omitempty"`
	Heads     []int  `json:"heads,omitempty"`
	Neurons   []int  `json:"neurons,omitempty"` // on the last axis: d_model, d_head, d_mlp or d_vocab
	Queries   []int  `json:"queries,omitempty"` // of scores and patterns
	Keys      []int  `json:"keys,omitempty"`    // of scores and patterns
	Op        Op     `json:"op"`
	Value     *Value `json:"value,omitempty"`

	// Basis spans the subspace of ProjectOut and Keep: rows of length n, where n
	// is the number of selected neurons. They need not be orthonormal, but they
	// must be independent. With these operations Value is the point that stays
	// where it is, 0 when it is left out.
	Basis *Value `json:"basis,omitempty"`
}

// ParseEdits reads a JSON list of edits. Unknown keys, and keys that stand twice
// in an edit, are errors.
func ParseEdits(r io.Reader) ([]Edit, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("edits: %w", err)
	}
	var edits []Edit
	if err := exactjson.Decode(text, &edits); err != nil {
		return nil, fmt.Errorf("edits: %w", err)
	}
	if edits == nil {
		return nil, errors.New("edits: want a list, not null")
	}
	return edits, nil
}

// Edits turns edits into hooks, one each in the same order. What depends on the
// model alone is checked here, and positions, rows and the size of values when
// the run meets them; both name the site, the value and the range.
func (m *Model) Edits(edits ...Edit) ([]Hook, error) {
	hooks := make([]Hook, len(edits))
	for i, e := range edits {
		hook, err := m.edit(e)
		if err != nil {
			return nil, fmt.Errorf("edit %d at %q: %w", i, e.Site, err)
		}
		hooks[i] = hook
	}
	return hooks, nil
}

// edit checks one edit and turns it into a hook.
func (m *Model) edit(e Edit) (Hook, error) {
	site, err := m.editSite(e.Site)
	if err != nil {
		return Hook{}, err
	}
	e.Site = site.String()
	if err := e.checkOp(site); err != nil {
		return Hook{}, err
	}
	if err := e.fits(m, site); err != nil {
		return Hook{}, err
	}
	hook := Hook{
		Sites: Sites(site),
		Fn: func(_ Site, x *tensor.Dense) error {
			p, err := e.place(m, site, x.Shape)
			if err != nil {
				return err
			}
			p.applyAll(x.Data, p.apply)
			return nil
		},
	}
	if e.Op != Add {
		hook.Grad = func(_ Site, g *tensor.Dense) error {
			p, err := e.place(m, site, g.Shape)
			if err != nil {
				return err
			}
			p.applyAll(g.Data, p.transpose)
			return nil
		}
	}
	return hook, nil
}

// checkOp reports what does not go with the operation.
func (e *Edit) checkOp(site Site) error {
	switch e.Op {
	case Set, Add, Scale:
		if e.Value == nil {
			return fmt.Errorf("op %q needs a value", e.Op)
		}
	case Mask:
		if e.Value != nil {
			return fmt.Errorf("op %q takes no value", e.Op)
		}
		if site.Kind != AttnScores {
			return fmt.Errorf("op %q cuts attention edges: its site is %s", e.Op, Site{max(site.Layer, 0), AttnScores})
		}
	case ProjectOut, Keep:
		if e.Basis == nil {
			return fmt.Errorf("op %q needs a basis: rows that span the subspace", e.Op)
		}
		if site.Kind.square() || kinds[site.Kind].axes[len(kinds[site.Kind].axes)-1] == axisOne {
			return fmt.Errorf("op %q works on vectors, and the axes of %s are %v", e.Op, site, kinds[site.Kind].axes)
		}
	default:
		return fmt.Errorf("op is %q, want %q, %q, %q, %q, %q or %q", e.Op, Set, Add, Scale, Mask, ProjectOut, Keep)
	}
	if e.Basis != nil && e.Op != ProjectOut && e.Op != Keep {
		return fmt.Errorf("op %q takes no basis", e.Op)
	}
	for _, v := range []*Value{e.Value, e.Basis} {
		if v == nil {
			continue
		}
		if err := v.check(); err != nil {
			return err
		}
	}
	return nil
}

// lists pairs the edit's index lists with the axes they may index.
func (e *Edit) lists() []indexList {
	return []indexList{
		{"rows", e.Rows, []string{axisBatch}},
		{"positions", e.Positions, []string{axisPos}},
		{"heads", e.Heads, []string{axisHead, axisKVHead}},
		{"neurons", e.Neurons, []string{axisModel, axisHeadDim, axisHeads, axisKVHeads, axisMLP, axisVocab}},
		{"queries", e.Queries, []string{axisQuery}},
		{"keys", e.Keys, []string{axisKey}},
	}
}

type indexList struct {
	name  string
	index []int
	axes  []string
}

// fits reports an index list that the site has no axis for, and an index that
// is outside an axis whose length the model alone decides.
func (e *Edit) fits(m *Model, site Site) error {
	for _, list := range e.lists() {
		if list.index == nil {
			continue
		}
		at := slices.IndexFunc(m.Axes(site), func(axis string) bool { return slices.Contains(list.axes, axis) })
		if at < 0 {
			return fmt.Errorf("%s has no axis for %q: its axes are %v", site, list.name, m.Axes(site))
		}
		if n := m.Shape(site, -1, -1)[at]; n >= 0 {
			if _, err := list.resolve(n); err != nil {
				return err
			}
		}
	}
	return nil
}

// resolve turns a list into indices of an axis of length n: all when it is nil,
// negative ones counted from the end.
func (l indexList) resolve(n int) ([]int, error) {
	if l.index == nil {
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		return all, nil
	}
	if len(l.index) == 0 {
		return nil, fmt.Errorf("%s is an empty list: leave it out to mean all", l.name)
	}
	out, seen := make([]int, len(l.index)), make(map[int]bool, len(l.index))
	for i, v := range l.index {
		at := v
		if v < 0 {
			at += n
		}
		if at < 0 || at >= n {
			return nil, fmt.Errorf("%s: index %d is outside 0..%d (or -%d..-1 from the end)", l.name, v, n-1, n)
		}
		if seen[at] {
			return nil, fmt.Errorf("%s: index %d is listed twice", l.name, v)
		}
		seen[at], out[i] = true, at
	}
	return out, nil
}
