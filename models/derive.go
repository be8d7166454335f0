package models

import (
	"context"
	"fmt"
	"slices"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
)

// Some values of a run follow from others that are recorded with them: scores
// from queries and keys, a norm's output from its quotient, the MLP's hidden
// values from those before the activation, and the stream behind a block is the
// one before the next. A cache of a run without hooks does not store these but
// computes them when they are asked for, by the code of the run and so to the
// bit. At 1,024 tokens of GPT-2 small that is 0.9 of 2.2 GB.

// derived is a value that a cache computes at each call.
type derived func(c *Cache) *tensor.Dense

// derivable gives what can be derived in a cache of the selected sites.
func (m *Model) derivable(in Batch, sel Selector) map[Site]derived {
	out := make(map[Site]derived)
	stored := func(s Site) bool { return m.has(s) && sel(s) }
	add := func(s Site, from []Site, fn derived) {
		if stored(s) && !slices.ContainsFunc(from, func(s Site) bool { return !stored(s) }) {
			out[s] = fn
		}
	}
	c := &m.Config
	for l := range c.Layers {
		if c.Positions == Rotary || c.ClipQKV == 0 && c.QKNorm == NoQKNorm { // else q and k change behind their sites
			q, k := Site{l, m.queryKind()}, Site{l, m.keyKind()}
			add(Site{l, AttnScores}, []Site{q, k}, func(c *Cache) *tensor.Dense { return m.scores(in, l, c.must(q), c.must(k)) })
		}
		if next := (Site{l + 1, ResidPre}); l+1 < c.Layers {
			add(Site{l, ResidPost}, []Site{next}, func(c *Cache) *tensor.Dense { return c.must(next) })
		}
		w := &m.blocks[l]
		for _, norm := range []struct {
			kind Kind
			w    *normWeights
		}{{LN1Normalized, &w.ln1}, {LN2Normalized, &w.ln2}} {
			from := Site{l, norm.kind}
			add(Site{l, norm.kind + 1}, []Site{from}, func(c *Cache) *tensor.Dense { return m.normed(c.must(from), norm.w) })
		}
		from := []Site{{l, Pre}}
		if c.Gated {
			from = append(from, Site{l, PreLinear})
		}
		add(Site{l, Post}, from, func(c *Cache) *tensor.Dense {
			t := blockTrace{pre: c.must(from[0]).Data}
			if len(from) > 1 {
				t.lin = c.must(from[1]).Data
			}
			return m.hidden(c.must(from[0]).Shape, &t)
		})
	}
	from := Site{-1, FinalNormalized}
	add(Site{-1, FinalOut}, []Site{from}, func(c *Cache) *tensor.Dense { return m.normed(c.must(from), &m.final) })
	return out
}

// must is a stored value.
func (c *Cache) must(s Site) *tensor.Dense { return c.values[s] }

// scratch is a pass for single stages of the model.
func (m *Model) scratch() *pass { return &pass{arena: m.arenas.Get().(*arena), m: m} }

// scores are those of block l of a run of in, given the queries and keys that
// meet.
func (m *Model) scores(in Batch, l int, q, k *tensor.Dense) *tensor.Dense {
	p, err := m.begin(context.Background(), in, nil)
	if err != nil {
		panic(fmt.Errorf("models: a run that was made is refused: %w", err))
	}
	defer p.end()
	p.positions()
	t := &blockTrace{in: p.all, out: p.all, q: q.Data, k: k.Data, v: k.Data}
	t.keys = p.ownKeys(t)
	h := p.heads(l, t)
	square := tensor.New(in.B, h.H, in.T, in.T)
	p.overSquares(h, square.Data, func(i, lo int, c []float32, spans []kernel.Span) { h.scores(c, t, i, lo, spans) })
	return square
}

// normed is what a norm makes of its quotient.
func (m *Model) normed(norm *tensor.Dense, w *normWeights) *tensor.Dense {
	p := m.scratch()
	defer p.end()
	return tensor.From(slices.Clone(p.affine(norm.Data, w)), norm.Shape...)
}

// hidden is what the MLP's activation makes of pre and lin of t.
func (m *Model) hidden(shape []int, t *blockTrace) *tensor.Dense {
	p := m.scratch()
	defer p.end()
	t.out = newRowSet(1, len(t.pre)/m.Config.MLPWidth, nil)
	p.activate(t)
	return tensor.From(slices.Clone(t.post), shape...)
}
