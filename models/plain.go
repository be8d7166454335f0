package models

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"unsafe"

	"orrery/models/tensor"
)

// params reads every weight as float32.
func (s *store) params() (*Params, error) {
	if len(s.wishes) == 0 {
		return s.places, nil
	}
	p := &Params{Blocks: make([]BlockParams, s.cfg.Layers)}
	return p, s.read(p, func(int) bool { return true })
}

// Block gives the weights of block l as float32, which the caller must not
// change: those of a loaded model are read from its file and not kept. The error
// is that of a file that cannot be read. It panics unless 0 ≤ l < Config.Layers.
func (m *Model) Block(l int) (*BlockParams, error) {
	if len(m.store.wishes) == 0 {
		return &m.store.places.Blocks[l], nil
	}
	p := &Params{Blocks: make([]BlockParams, m.Config.Layers)}
	if err := m.store.read(p, func(layer int) bool { return layer == l }); err != nil {
		return nil, err
	}
	return &p.Blocks[l], nil
}

// copied is params in memory of its own, which the caller may change.
func (s *store) copied() (*Params, error) {
	if len(s.wishes) == 0 {
		return s.places.Clone(), nil
	}
	return s.params()
}

// read reads the weights of some layers into p, -1 for those outside of blocks.
func (s *store) read(p *Params, want func(layer int) bool) error {
	var places []**tensor.Dense
	p.walk(func(_ int, _ string, at **tensor.Dense) { places = append(places, at) })
	return s.each(func(i, layer int, name string, at **tensor.Dense) (err error) {
		if want(layer) {
			*places[i], err = s.dense(layer, name, at)
		}
		return err
	})
}

// each calls fn with every weight that there is until it returns an error: with
// its number among the places of any model, and as walk does.
func (s *store) each(fn func(i, layer int, name string, at **tensor.Dense) error) error {
	var err error
	i := -1
	s.places.walk(func(layer int, name string, at **tensor.Dense) {
		i++
		if err == nil && s.cfg.weightShape(name) != nil {
			err = fn(i, layer, name, at)
		}
	})
	return err
}

// partLen is the number of floats that numbers reads at a time.
const partLen = 1 << 18

// numbers calls fn with the float32 values of a weight, part by part in order.
// It takes little memory where the tensor lies in the file as it is needed.
func (s *store) numbers(layer int, name string, at **tensor.Dense, fn func(part []float32) error) error {
	w := s.wishes[at]
	if w == nil || w.make != nil || w.next != nil {
		x, err := s.dense(layer, name, at)
		if err != nil {
			return err
		}
		return fn(x.Data)
	}
	if err := s.file.Unchanged(); err != nil {
		return err
	}
	defer s.file.Release(w.name)
	n := w.size()
	buffer := make([]float32, min(n, partLen))
	for lo := 0; lo < n; lo += partLen {
		part := buffer[:min(partLen, n-lo)]
		if err := s.file.Read(part, w.name, lo); err != nil {
			return err
		}
		s.file.ReleasePart(w.name, lo, lo+len(part))
		if err := fn(part); err != nil {
			return err
		}
	}
	return nil
}

// Hash is the sha256 (hex) of config and weights: of everything that a run's
// numbers depend on, by name and as float32, so that the same model hashes the
// same in every file layout and type. The first call reads all weights, about
// 2 s for each 10⁹ of them. It is empty for models made by With, and where the
// file cannot be read any more.
func (m *Model) Hash() string { return m.hash() }

// sum computes Hash.
func (m *Model) sum() string {
	h := sha256.New()
	cfg, err := json.Marshal(m.Config)
	if err != nil {
		panic(fmt.Sprintf("models: a valid config does not marshal: %v", err)) // no NaN passes Validate
	}
	h.Write(cfg)
	err = m.store.each(func(_, layer int, name string, at **tensor.Dense) error {
		fmt.Fprintf(h, "\n%s %v\n", weightName(layer, name), m.Config.weightShape(name))
		return m.store.numbers(layer, name, at, func(part []float32) error {
			h.Write(bits(part))
			return nil
		})
	})
	if err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// bits is the memory of x.
func bits(x []float32) []byte {
	if len(x) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*len(x))
}
