package models

import (
	"errors"
	"fmt"
	"math"
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
	for i, w := range wishes {
		if s.wishes[w.at] != nil {
			return nil, fmt.Errorf("params: %s and %s go to the same place", s.wishes[w.at].name, w.name)
		}
		s.wishes[w.at] = &wishes[i]
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
	if known != len(wishes) {
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
		return normWeights{vector(layer, name+".weight", &n.Weight), vector(layer, name+".bias", &n.Bias)}
	}
	linear := func(layer int, name string, at, bias **tensor.Dense) linearWeights {
		shape := s.cfg.weightShape(name + ".weight")
		if shape == nil {
			return linearWeights{}
		}
		later := newLazyMatrix(func() (*kernel.Packed, error) { return s.pack(layer, name+".weight", at) })
		return linearWeights{bias: vector(layer, name+".bias", bias), later: later, out: shape[0], in: shape[1]}
	}
	m.store, m.params, m.hash = s, sync.OnceValues(s.params), sync.OnceValue(m.sum)
	m.blocks = make([]blockWeights, s.cfg.Layers)
	for l := range m.blocks {
		b := &s.places.Blocks[l]
		of := func(name string, w *LinearParams) linearWeights { return linear(l, name, &w.Weight, &w.Bias) }
		m.blocks[l] = blockWeights{
			ln1: norm(l, "ln1", &b.LN1), ln2: norm(l, "ln2", &b.LN2),
			q: of("attn.q", &b.Q), k: of("attn.k", &b.K), v: of("attn.v", &b.V), o: of("attn.o", &b.O),
			gate: of("mlp.gate", &b.Gate), in: of("mlp.in", &b.In), out: of("mlp.out", &b.Out),
		}
	}
	p := s.places
	m.final = norm(-1, "ln_final", &p.Final)
	var tied *linearWeights
	if m.head = linear(-1, "unembed", &p.Unembed.Weight, &p.Unembed.Bias); s.cfg.Tied {
		m.head = linear(-1, "embed", &p.Embed, nil)
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
		if err := s.check(w); err != nil {
			return err
		}
	}
	return nil
}

// check refuses a tensor with a number that is not finite, by the name and
// index that it has in the file.
func (s *store) check(w *wish) error {
	defer runtime.KeepAlive(s)
	i, v, found, err := s.file.NonFinite(w.name)
	if found {
		err = NumericError{Site: w.name, Index: unravel(i, w.shape), Value: v}
	}
	return err
}

// open reports whether the tensor can be read: nobody changed the file, and its
// numbers are finite.
func (s *store) open(w *wish) error {
	if err := s.file.Unchanged(); err != nil {
		return err
	}
	return s.check(w)
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
	if err := s.open(w); err != nil {
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
	if want := s.cfg.weightShape(name); !tensor.SameShape(y.Shape, want) {
		return nil, fmt.Errorf("params: %s has shape %v as %s, want %v", w.name, y.Shape, weightName(layer, name), want)
	}
	return y, nil
}

// pack lays the matrix at a place out for the kernels, in the file's type if it
// has 16 bits and they say all.
func (s *store) pack(layer int, name string, at **tensor.Dense) (*kernel.Packed, error) {
	defer runtime.KeepAlive(s)
	shape := s.cfg.weightShape(name)
	w := s.wishes[at]
	if w == nil {
		return kernel.PackNT((*at).Data, shape[0], shape[1]), nil
	}
	info, _ := s.file.Info(w.name)
	kind := map[weights.DType]kernel.Half{weights.BF16: kernel.BF16, weights.F16: kernel.F16}[info.DType]
	if w.make == nil && tensor.SameShape(w.shape, shape) {
		if err := s.open(w); err != nil {
			return nil, err
		}
		defer s.file.Release(w.name)
		if bits, ok := s.file.Halves(w.name); ok {
			return kernel.PackHalf(bits, kind, shape[0], shape[1]), nil
		}
		x, err := s.file.Float32(w.name)
		if err != nil {
			return nil, err
		}
		return kernel.PackNT(x.Data, shape[0], shape[1]), nil
	}
	x, err := s.dense(layer, name, at)
	if err != nil {
		return nil, err
	}
	if kind != 0 {
		if bits, ok := narrow(x.Data, kind); ok {
			return kernel.PackHalf(bits, kind, shape[0], shape[1]), nil
		}
	}
	return kernel.PackNT(x.Data, shape[0], shape[1]), nil
}

// narrow returns the numbers in 16 bits, and false if one does not fit exactly.
func narrow(x []float32, kind kernel.Half) ([]uint16, bool) {
	bits := make([]uint16, len(x))
	for i, v := range x {
		h, ok := uint16(0), false
		if u := math.Float32bits(v); kind == kernel.BF16 {
			h, ok = uint16(u>>16), u<<16 == 0
		} else {
			h, ok = narrowF16(u)
		}
		if !ok {
			return nil, false
		}
		bits[i] = h
	}
	return bits, true
}

// narrowF16 returns the binary16 of the finite float32 with bits u, and false
// if it has none of the same value.
func narrowF16(u uint32) (uint16, bool) {
	sign, exponent, fraction := uint16(u>>16&0x8000), int(u>>23&0xff)-112, u&0x7fffff
	switch {
	case u<<1 == 0:
		return sign, true
	case exponent > 30 || exponent < -9:
		return 0, false
	case exponent > 0:
		return sign | uint16(exponent)<<10 | uint16(fraction>>13), fraction&0x1fff == 0
	}
	fraction |= 1 << 23 // subnormal: in units of 2^-24
	shift := 14 - exponent
	return sign | uint16(fraction>>shift), fraction&(1<<shift-1) == 0
}
