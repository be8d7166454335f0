package models

import (
	"crypto/sha256"
	"fmt"
	"slices"
)

// Variant is one edited run: row Row of the base's batch, alone, under the
// base's edits and then these. Hooks are functions for what edits cannot say;
// from the first site that they select on, every position is computed.
type Variant struct {
	Row   int    `json:"row"`
	Edits []Edit `json:"edits"`
	Hooks []Hook `json:"-"`
}

// plan is a variant that was checked against its base.
type plan struct {
	index  int // in the list that was given
	row    int
	hooks  []Hook
	stages map[int][]*placed // its edits by stage: -1 for the embedding, a layer, L for the end
	keys   map[int]string    // what tells edits of a stage apart
	first  int               // the first stage that changes anything; L+1 for none
	full   int               // the stage from which hooks need every position; L+1 without hooks
	order  string            // equal beginnings sort together
}

// stage is where a site belongs in a sweep.
func (m *Model) stage(s Site) int {
	switch {
	case s.Kind < ResidPre:
		return -1
	case s.Kind > ResidPost:
		return m.Config.Layers
	}
	return s.Layer
}

// plan checks a variant.
func (b *Base) plan(index int, v Variant) (*plan, error) {
	m := b.m
	if v.Row < 0 || v.Row >= b.in.B {
		return nil, fmt.Errorf("row %d is outside the base's 0..%d", v.Row, b.in.B-1)
	}
	none := m.Config.Layers + 1
	p := &plan{index: index, row: v.Row, hooks: v.Hooks, stages: map[int][]*placed{}, keys: map[int]string{}, first: none, full: none}
	placed, err := m.placeAll(v.Edits, 1, b.in.T)
	if err != nil {
		return nil, err
	}
	for _, e := range placed {
		stage := m.stage(e.site)
		p.stages[stage] = append(p.stages[stage], e)
		p.first = min(p.first, stage)
	}
	for stage, edits := range p.stages {
		p.keys[stage] = key(edits)
	}
	for i, h := range v.Hooks {
		if h.Sites == nil || h.Fn == nil {
			return nil, fmt.Errorf("hook %d lacks its sites or its function", i)
		}
		for _, s := range m.Sites() {
			if h.Sites(s) {
				p.full = min(p.full, m.stage(s))
				break
			}
		}
	}
	if p.first = min(p.first, p.full); p.full < none {
		p.keys[p.full] += fmt.Sprintf("hooks of variant %d", index) // functions are shared with nobody
	}
	return p, nil
}

// placeAll checks edits and resolves them for runs of b rows and t positions.
func (m *Model) placeAll(edits []Edit, b, t int) ([]*placed, error) {
	if _, err := m.Edits(edits...); err != nil {
		return nil, err
	}
	out := make([]*placed, len(edits))
	for i := range edits {
		site, err := m.Site(edits[i].Site)
		if err != nil {
			return nil, err
		}
		if out[i], err = edits[i].place(m, site, m.Shape(site, b, t)); err != nil {
			return nil, fmt.Errorf("edit %d at %q: %w", i, edits[i].Site, err)
		}
	}
	return out, nil
}

// key tells the edits of a stage from others: equal edits have equal keys.
func key(edits []*placed) string {
	h := sha256.New()
	for _, p := range edits {
		e := p.edit
		fmt.Fprintln(h, p.site, e.Op, e.Rows, e.Positions, e.Heads, e.Neurons, e.Queries, e.Keys)
		for _, v := range []*Value{e.Value, e.Basis} {
			if v != nil {
				fmt.Fprintln(h, v.Shape, len(v.Data))
				h.Write(bits(v.Data))
			}
		}
	}
	return string(h.Sum(nil))
}

// at reports whether an edit of one of these kinds touches a place.
func at(edits []*placed, row, pos int, kinds func(Kind) bool) bool {
	return slices.ContainsFunc(edits, func(e *placed) bool { return kinds(e.site.Kind) && e.touches(row, pos) })
}

// The kinds by the stage of a block that an edit there starts at.
func startsIn(k Kind) bool        { return k >= ResidPre && k <= RotK }
func startsHeads(k Kind) bool     { return k > ResidPre && k <= RotK }
func startsAttention(k Kind) bool { return k >= AttnScores && k <= LN1PostOut }
func startsMiddle(k Kind) bool    { return k == AttnOut || k == ResidMid }
func startsForward(k Kind) bool   { return k >= MLPIn && k <= LN2PostOut }
func startsEnd(k Kind) bool       { return k == MLPOut || k == ResidPost }
func startsEnding(k Kind) bool    { return k >= FinalScale }
func startsEmbed(k Kind) bool     { return k < ResidPre }
func nothing(Kind) bool           { return false }
func queriesOnly(k Kind) bool {
	return k == Q || k >= QNormScale && k <= QNormOut || k == RotQ || k == QInput
}
