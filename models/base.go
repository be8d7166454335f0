package models

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
)

// Base is a recorded run, from which Rerun computes variants. It is immutable
// and safe for concurrent use.
type Base struct {
	m     *Model
	in    Batch
	edits []Edit
	hooks []Hook            // the edits
	now   map[int][]*placed // and by stage
	cache *Cache            // the streams, sublayer outputs, queries, keys and values
}

// NewBase runs in under edits, which hold for every variant as well, and keeps
// what variants are computed from: per layer and row 4·D + (H+2·G)·K numbers.
func (m *Model) NewBase(ctx context.Context, in Batch, edits ...Edit) (*Base, error) {
	hooks, err := m.Edits(edits...)
	if err != nil {
		return nil, fmt.Errorf("base: %w", err)
	}
	if err := in.check(m.Config); err != nil {
		return nil, err
	}
	own, err := m.placeAll(edits, in.B, in.T)
	if err != nil {
		return nil, fmt.Errorf("base: %w", err)
	}
	b := &Base{m: m, in: in, edits: edits, hooks: hooks, now: map[int][]*placed{}, cache: NewCache()}
	for _, e := range own {
		b.now[m.stage(e.site)] = append(b.now[m.stage(e.site)], e)
	}
	keep := Record(b.cache, func(s Site) bool {
		switch s.Kind {
		case ResidPre, m.queryKind(), m.keyKind(), V, AttnOut, ResidMid, MLPOut:
			return true
		case ResidPost:
			return s.Layer == m.Config.Layers-1
		}
		return false
	})
	p, err := m.begin(ctx, in, append(append([]Hook(nil), hooks...), keep))
	if err != nil {
		return nil, err
	}
	defer p.end()
	p.share()
	p.stack(m.Config.Layers) // logits come with the variants
	if p.stopped() {
		return nil, p.err
	}
	b.finish()
	return b, nil
}

// finish makes what variants are compared with of values that are no sites: q, k
// and v within their range, and the stream behind the attention of parallel
// blocks.
func (b *Base) finish() {
	cfg := &b.m.Config
	for l := range cfg.Layers {
		if cfg.ClipQKV != 0 {
			clamp(b.values(l, V), float32(cfg.ClipQKV))
		}
		if cfg.ClipQKV != 0 && cfg.Positions != Rotary {
			clamp(b.values(l, Q), float32(cfg.ClipQKV))
			clamp(b.values(l, K), float32(cfg.ClipQKV))
		}
		if !cfg.Parallel {
			continue
		}
		x := tensor.From(slices.Clone(b.values(l, ResidPre)), b.m.Shape(Site{l, ResidPre}, b.in.B, b.in.T)...)
		kernel.Add(x.Data, b.values(l, AttnOut))
		b.cache.Put(Site{l, ResidMid}, x)
	}
}

// Batch is the input of the run. The caller must not change it.
func (b *Base) Batch() Batch { return b.in }

// Bytes is the memory of what was kept.
func (b *Base) Bytes() int64 { return b.cache.Bytes() }

// queryKind and keyKind are the sites of the queries and keys that meet.
func (m *Model) queryKind() Kind {
	if m.Config.Positions == Rotary {
		return RotQ
	}
	return Q
}

func (m *Model) keyKind() Kind {
	if m.Config.Positions == Rotary {
		return RotK
	}
	return K
}

// values are the recorded numbers at a site, a row for each place of the batch.
func (b *Base) values(layer int, kind Kind) []float32 {
	x, ok := b.cache.Get(Site{layer, kind})
	if !ok {
		panic(fmt.Sprintf("models: a base lacks %s", Site{layer, kind}))
	}
	return x.Data
}

// entering is the stream before block l, that behind the last one for l = L.
func (b *Base) entering(l int) []float32 {
	if l == b.m.Config.Layers {
		return b.values(l-1, ResidPost)
	}
	return b.values(l, ResidPre)
}

// Logits are the base run's own, in the shape of RunFor.
func (b *Base) Logits(ctx context.Context, need Need) (*Output, error) {
	p, err := b.m.begin(ctx, b.in, b.hooks)
	if err != nil {
		return nil, err
	}
	defer p.end()
	if err := p.narrow(need); err != nil {
		return nil, err
	}
	s := p.stream(p.all)
	copy(s.x, b.entering(b.m.Config.Layers))
	p.unembed(s)
	return p.output()
}

// ErrHooksStay says that a variant with free functions cannot be sent elsewhere.
var ErrHooksStay = errors.New("a variant with hooks is no value: only edits can be written down")
