package models

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
	"orrery/models/weights"
)

// store is where a model takes its weights from: memory, or an open checkpoint
// from which each is read when it is needed. It is safe for concurrent use and
// closes the file when nothing refers to it any more.
type store struct {
	cfg    Config
	file   *weights.File            // nil when all is in memory
	places *Params                  // of which those with a wish hold nil
	wishes map[**tensor.Dense]*wish // what belongs there
	order  []wish                   // the same as the family asked
}

// newStore checks that every weight of the config has its tensor.
func newStore(cfg Config, f *weights.File, places *Params, wishes []wish) (*store, error) {
	s := &store{cfg: cfg, file: f, places: places, order: wishes, wishes: make(map[**tensor.Dense]*wish, len(wishes))}
	pieces := 0
	for i := range wishes {
		w := &wishes[i]
		last := s.wishes[w.at]
		for last != nil && last.next != nil {
			last = last.next
		}
		switch {
		case last == nil:
			s.wishes[w.at] = w
		case w.below:
			last.next = w
			pieces++
		default:
			return nil, fmt.Errorf("params: %s and %s go to the same place", last.name, w.name)
		}
	}
	if len(places.Blocks) != cfg.Layers {
		return nil, fmt.Errorf("params: %d blocks for %d layers", len(places.Blocks), cfg.Layers)
	}
	var errs []error
	known := 0
	places.walk(func(layer int, name string, at **tensor.Dense) {
		have, want := *at != nil || s.wishes[at] != nil, cfg.weightShape(name) != nil
		if s.wishes[at] != nil {
			known++
		}
		if have != want {
			errs = append(errs, fmt.Errorf("params: this config has %s: %v, and the checkpoint's layout: %v", weightName(layer, name), want, have))
		}
	})
	if known += pieces; known != len(wishes) {
		errs = append(errs, fmt.Errorf("params: %d of %d tensors go to no place", len(wishes)-known, len(wishes)))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return s, nil
}

// fill makes m's weights from those of s: vectors at once, matrices when they
// are first needed.
func (s *store) fill(m *Model) error {
	var errs []error
	vector := func(layer int, name string, at **tensor.Dense) []float32 {
		x, err := s.dense(layer, name, at)
		errs = append(errs, err)
		return data(x)
	}
	norm := func(layer int, name string, n *NormParams) normWeights {
		return s.cfg.normWeights(name, vector(layer, name+".weight", &n.Weight), vector(layer, name+".bias", &n.Bias))
	}
	matrix := func(layer int, name string, at, bias **tensor.Dense) linearWeights {
		shape := s.cfg.weightShape(name + ".weight")
		if shape == nil {
			return linearWeights{}
		}
		later := newLazyMatrix(func() (*kernel.Packed, error) { return s.pack(layer, name+".weight", at) })
		return linearWeights{bias: vector(layer, name+".bias", bias), later: later, out: shape[0], in: shape[1]}
	}
	linear := func(layer int, name string, w *LinearParams) linearWeights {
		return matrix(layer, name, &w.Weight, &w.Bias)
	}
	p := s.places
	m.store, m.params, m.hash = s, sync.OnceValues(s.params), sync.OnceValue(m.sum)
	m.assemble(p, norm, linear)
	var tied *linearWeights
	if s.cfg.Tied {
		m.head = matrix(-1, "embed", &p.Embed, nil)
		m.head.bias = vector(-1, "unembed.bias", &p.Unembed.Bias)
		tied = &m.head
	}
	var err error
	m.embed, err = s.table("embed.weight", &p.Embed, tied)
	errs = append(errs, err)
	m.pos, err = s.table("pos_embed.weight", &p.PosEmbed, nil)
	return errors.Join(append(errs, err)...)
}

// finite looks at every number that the model may need.
func (s *store) finite() error {
	seen := make(map[string]bool)
	for i := range s.order {
		w := &s.order[i]
		if seen[w.name] {
			continue
		}
		seen[w.name] = true
		if err := s.check(w, 0, w.size()); err != nil {
			return err
		}
		s.file.Release(w.name)
	}
	return nil
}

// check refuses a number between the places lo and hi of a tensor that is not
// finite, by the name and index that it has in the file.
func (s *store) check(w *wish, lo, hi int) error {
	defer runtime.KeepAlive(s)
	i, v, found, err := s.file.NonFinitePart(w.name, lo, hi)
	if found {
		err = badWeight(NumericError{Site: w.name, Index: unravel(i, w.shape), Value: v})
	}
	return err
}

// dense is the weight at a place as float32, in memory of its own if it comes
// from a file; nil when there is none.
func (s *store) dense(layer int, name string, at **tensor.Dense) (*tensor.Dense, error) {
	if at == nil {
		return nil, nil
	}
	w := s.wishes[at]
	if w == nil {
		return *at, nil
	}
	y, err := s.made(w)
	for w := w.next; w != nil && err == nil; w = w.next {
		var more *tensor.Dense
		if more, err = s.made(w); err == nil {
			y = tensor.From(append(y.Data, more.Data...), len(y.Data)+len(more.Data))
		}
	}
	if err != nil {
		return nil, err
	}
	if want := s.cfg.weightShape(name); !tensor.SameShape(y.Shape, want) {
		return nil, fmt.Errorf("params: %s has shape %v as %s, want %v", w.name, y.Shape, weightName(layer, name), want)
	}
	return y, nil
}

// made is what a wish makes of its tensor.
func (s *store) made(w *wish) (*tensor.Dense, error) {
	if err := s.file.Unchanged(); err != nil {
		return nil, err
	}
	if err := s.check(w, 0, w.size()); err != nil {
		return nil, err
	}
	defer runtime.KeepAlive(s)
	defer s.file.Release(w.name)
	x, err := s.file.Float32(w.name)
	if err != nil {
		return nil, err
	}
	copied := (*tensor.Dense).Clone
	if w.make != nil {
		copied = w.make
	}
	var y *tensor.Dense
	if err := s.file.Guard(func() { y = copied(x) }); err != nil {
		return nil, err
	}
	return y, nil
}
