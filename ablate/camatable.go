package ablate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"orrery/models"
	"orrery/models/tensor"
)

// TableMean is the mean of the residual stream behind every block over a set of
// contexts.
type TableMean struct {
	Mean *tensor.Dense // [L,D]; NaN behind blocks that the table is not filled for
	// SEM is the standard error of each number, the sample's deviation over
	// √Count; 0 for one context.
	SEM   *tensor.Dense // [L,D]
	Count int
}

// Table holds what context-aware mean ablation (CAMA) puts in: for every group
// of prompts, position and token the mean of the stream over contexts that have
// this token there,
//
//	x̃_t(l) = E[ resid_post(l) at t | the token at t ]
//
// (Mamidanna, Rai, Yao, Zhou, "All for One: LLMs Solve Mental Math at the Last
// Token With Information Transferred From Other Tokens", EMNLP 2025, arXiv
// 2509.09650). The mean keeps the token itself, its position and that this is
// such a task, and loses which other operands are there. Tokens behind t cannot
// matter: attention is causal. A group is a template with its operators; means
// of different ones are never mixed.
type Table struct {
	Layers, T, Width int
	// First is the first position at which the contexts of a group differ. There
	// and before it CAMA would change nothing, and nothing is replaced.
	First int
	// Contexts is how many contexts a group's means are over.
	Contexts map[string]int

	own    map[tableKey]*moments
	places map[placeKey]*moments // position by position, whatever the token

	m        *models.Model
	contexts []Prompt // those that Fill averages over
	filled   int      // behind how many of the first blocks the means are there
}

type tableKey struct {
	group      string
	pos, token int
}

type placeKey struct {
	group string
	pos   int
}

// moments accumulates a mean and a spread by Welford's recurrence.
type moments struct {
	n        int
	mean, m2 []float64 // [L·D]
}

func (a *moments) add(x []float64) {
	if a.mean == nil {
		a.mean, a.m2 = make([]float64, len(x)), make([]float64, len(x))
	}
	a.n++
	share, mean, m2 := 1/float64(a.n), a.mean[:len(x)], a.m2[:len(x)]
	for i, v := range x {
		d := v - mean[i]
		at := mean[i] + d*share
		mean[i], m2[i] = at, m2[i]+d*(v-at)
	}
}

// CAMATable averages over contexts: all prompts of a task, or a sample of it.
// Prompts that the model gets wrong belong to it. They need one length; those
// of a group (Prompt.Group) share their constant tokens.
func CAMATable(ctx context.Context, m *models.Model, contexts []Prompt) (*Table, error) {
	t, err := NewTable(m, contexts)
	if err != nil {
		return nil, err
	}
	return t, t.Fill(ctx, t.Layers)
}

// NewTable is CAMATable before anything has run: it knows its contexts, their
// groups and where they differ, and Fill makes the means. Recipes that put in no
// means can do without, and one that waits in the first blocks needs theirs only.
func NewTable(m *models.Model, contexts []Prompt) (*Table, error) {
	if err := checkPrompts(m, contexts); err != nil {
		return nil, fmt.Errorf("table of means: %w", err)
	}
	t := &Table{
		Layers: m.Config.Layers, T: len(contexts[0].IDs), Width: m.Config.Width,
		Contexts: map[string]int{}, own: map[tableKey]*moments{}, places: map[placeKey]*moments{},
		m: m, contexts: contexts,
	}
	t.First = firstVarying(contexts)
	if t.First == t.T {
		return nil, fmt.Errorf("table of means: the %d contexts of each group are the same: there is nothing to average over", len(contexts))
	}
	for _, p := range contexts {
		t.Contexts[p.Group]++
	}
	return t, nil
}

// Filled is behind how many of the first blocks the means are there.
func (t *Table) Filled() int { return t.filled }

// Fill makes the means behind the first so many blocks, unless they are there. It
// costs one run of these blocks a context, less what contexts that begin alike
// share, and keeps, a distinct token and position, 2·layers·D numbers in float64.
func (t *Table) Fill(ctx context.Context, layers int) error {
	if layers < 1 || layers > t.Layers {
		return fmt.Errorf("table of means: %d blocks are outside 1..%d", layers, t.Layers)
	}
	if layers <= t.filled {
		return nil
	}
	t.own, t.places, t.filled = map[tableKey]*moments{}, map[placeKey]*moments{}, 0
	contexts := t.contexts
	rows := make([][]int, len(contexts))
	for i, p := range contexts {
		rows[i] = p.IDs
	}
	stream := func(s models.Site) bool { return s.Kind == models.ResidPost && s.Layer < layers }
	err := eachBatch(ctx, t.m, rows, stream, func(first int, c *models.Cache) {
		batch := contexts[first:min(first+batchRows, len(rows))]
		t.expect(batch)
		var streams [][]float32 // [layers] of [B,T,D]
		for l := range layers {
			at, _ := c.Get(models.Site{Layer: l, Kind: models.ResidPost})
			streams = append(streams, at.Data)
		}
		var all sync.WaitGroup
		for pos := range t.T { // each has means of its own
			all.Go(func() { t.addAt(pos, batch, streams) })
		}
		all.Wait()
	})
	if err != nil {
		clear(t.own)
		clear(t.places)
		return err
	}
	t.filled = layers
	return nil
}

// expect makes room for the means that contexts add to.
func (t *Table) expect(contexts []Prompt) {
	for _, p := range contexts {
		for pos, id := range p.IDs {
			own, place := tableKey{p.Group, pos, id}, placeKey{p.Group, pos}
			if t.places[place] == nil {
				t.places[place] = &moments{}
			}
			if pos > t.First && t.own[own] == nil {
				t.own[own] = &moments{}
			}
		}
	}
}

// addAt adds the streams of contexts at a position to its means, in their order.
func (t *Table) addAt(pos int, contexts []Prompt, streams [][]float32) {
	x := make([]float64, len(streams)*t.Width)
	for i, p := range contexts {
		for l, stream := range streams {
			from := (i*t.T + pos) * t.Width
			for d, v := range stream[from : from+t.Width] {
				x[l*t.Width+d] = float64(v)
			}
		}
		t.places[placeKey{p.Group, pos}].add(x)
		if pos > t.First {
			t.own[tableKey{p.Group, pos, p.IDs[pos]}].add(x)
		}
	}
}

// firstVarying is the first position at which two prompts of one group differ.
func firstVarying(prompts []Prompt) int {
	first, of := len(prompts[0].IDs), map[string][]int{}
	for _, p := range prompts {
		other, ok := of[p.Group]
		if !ok {
			of[p.Group] = p.IDs
			continue
		}
		for i := range first {
			if p.IDs[i] != other[i] {
				first = i
				break
			}
		}
	}
	return first
}

// mean turns moments into a table's entry.
func (t *Table) mean(a *moments) TableMean {
	out := TableMean{Mean: tensor.New(t.Layers, t.Width), SEM: tensor.New(t.Layers, t.Width), Count: a.n}
	for i := len(a.mean); i < len(out.Mean.Data); i++ {
		out.Mean.Data[i], out.SEM.Data[i] = float32(math.NaN()), float32(math.NaN())
	}
	for i, v := range a.mean {
		out.Mean.Data[i] = float32(v)
		if a.n > 1 {
			out.SEM.Data[i] = float32(math.Sqrt(a.m2[i]/float64(a.n-1)) / math.Sqrt(float64(a.n)))
		}
	}
	return out
}

// Own is the mean over the contexts of a group with this token at a position
// behind First. A token that no context has there is an error.
func (t *Table) Own(group string, pos, token int) (TableMean, error) {
	a, ok := t.own[tableKey{group, pos, token}]
	if !ok {
		return TableMean{}, fmt.Errorf("table of means: no context of group %q has token %d at position %d (means are there for positions %d..%d): take contexts that cover the prompts", group, token, pos, t.First+1, t.T-1)
	}
	return t.mean(a), nil
}

// Place is the mean over all contexts of a group at a position.
func (t *Table) Place(group string, pos int) (TableMean, error) {
	a, ok := t.places[placeKey{group, pos}]
	if !ok {
		return TableMean{}, fmt.Errorf("table of means: there are no contexts of group %q at position %d", group, pos)
	}
	return t.mean(a), nil
}

// Global is the mean over all contexts of a group and all positions, BOS
// included. It has no standard error.
func (t *Table) Global(group string) (TableMean, error) {
	sum := make([]float64, t.filled*t.Width)
	n := 0
	for pos := range t.T {
		a, ok := t.places[placeKey{group, pos}]
		if !ok {
			return TableMean{}, fmt.Errorf("table of means: there are no contexts of group %q", group)
		}
		n += a.n
		for i, v := range a.mean {
			sum[i] += v / float64(t.T) // every position has the same number of contexts
		}
	}
	return t.mean(&moments{n: n, mean: sum, m2: make([]float64, len(sum))}), nil
}

// Tokens lists the tokens that have a mean at a position, ascending.
func (t *Table) Tokens(group string, pos int) (tokens []int) {
	for k := range t.own {
		if k.group == group && k.pos == pos {
			tokens = append(tokens, k.token)
		}
	}
	slices.Sort(tokens)
	return tokens
}

// Uncertainty says how far the means behind a block are from those of infinitely
// many contexts: the root mean square of their standard errors over that of the
// means, both over all numbers of the means of more than one context, and the
// fewest contexts that a mean is over. It is NaN behind a block whose means are not
// there.
func (t *Table) Uncertainty(layer int) (relative float64, fewest int) {
	errors, squares := 0.0, 0.0
	fewest = math.MaxInt
	for _, a := range t.own {
		fewest = min(fewest, a.n)
		if a.n < 2 {
			continue
		}
		if layer >= t.filled {
			return math.NaN(), fewest
		}
		for i := layer * t.Width; i < (layer+1)*t.Width; i++ {
			errors += a.m2[i] / float64(a.n-1) / float64(a.n)
			squares += a.mean[i] * a.mean[i]
		}
	}
	if squares == 0 {
		return 0, fewest
	}
	return math.Sqrt(errors / squares), fewest
}
