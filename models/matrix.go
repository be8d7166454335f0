package models

import (
	"context"
	"sync"
	"sync/atomic"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
)

// linearWeights are a matrix [out,in], packed for products or still to be
// packed, and a bias [out], nil when there is none.
type linearWeights struct {
	bias    []float32
	packed  *kernel.Packed
	later   *lazyMatrix // in place of packed
	out, in int
}

// packLinear packs weights that are in memory.
func packLinear(w LinearParams) linearWeights {
	if w.Weight == nil {
		return linearWeights{}
	}
	out, in := w.Weight.Dim(0), w.Weight.Dim(1)
	return linearWeights{bias: data(w.Bias), packed: kernel.PackNT(w.Weight.Data, out, in), out: out, in: in}
}

// matrix is the packed matrix of w, which is packed now if it never was. It is
// nil when the run has ended, for example because it cannot be read.
func (p *pass) matrix(w *linearWeights) *kernel.Packed {
	if p.stopped() {
		return nil
	}
	packed, err := w.get(p.ctx)
	if err != nil && p.err == nil {
		p.err = err
	}
	return packed
}

// get is the packed matrix of w, which is packed now if it never was.
func (w *linearWeights) get(ctx context.Context) (*kernel.Packed, error) {
	if w.later == nil {
		return w.packed, nil
	}
	return w.later.get(ctx)
}

// ready is the packed matrix of w if it needs no reading, else nil.
func (w *linearWeights) ready() *kernel.Packed {
	if w.later == nil {
		return w.packed
	}
	return w.later.packed.Load()
}

// lazyMatrix packs a matrix when it is first needed, once for all runs.
type lazyMatrix struct {
	packed atomic.Pointer[kernel.Packed]
	once   sync.Once
	pack   func() (*kernel.Packed, error) // nil when it has been called
	done   chan struct{}                  // closed behind pack
	err    error                          // of pack
}

func newLazyMatrix(pack func() (*kernel.Packed, error)) *lazyMatrix {
	return &lazyMatrix{pack: pack, done: make(chan struct{})}
}

// get returns the matrix, or why there is none. Who is cancelled does not wait
// for the packing, which goes on for the next who asks.
func (z *lazyMatrix) get(ctx context.Context) (*kernel.Packed, error) {
	if p := z.packed.Load(); p != nil {
		return p, nil
	}
	z.once.Do(func() {
		go func() {
			defer close(z.done)
			var p *kernel.Packed
			p, z.err = z.pack()
			z.packed.Store(p)
			z.pack = nil
		}()
	})
	select {
	case <-z.done:
		return z.packed.Load(), z.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// table is a matrix [n,D] that is read row by row: an embedding.
type table struct {
	plain []float32 // in memory; or
	from  *store    // a file
	wish  *wish
	tied  *linearWeights // of the same rows, nil when there are none
	width int
}

// rows copies rows at(0), at(1), ... to dst, as many as fit.
func (t *table) rows(dst []float32, at func(i int) int) error {
	d := t.width
	var packed *kernel.Packed
	if t.tied != nil {
		packed = t.tied.ready()
	}
	if t.plain == nil && packed == nil {
		if err := t.from.file.Unchanged(); err != nil {
			return err
		}
	}
	for i := range len(dst) / d {
		row, j := dst[i*d:(i+1)*d], at(i)
		switch {
		case t.plain != nil:
			copy(row, t.plain[j*d:(j+1)*d])
		case packed != nil:
			packed.Row(row, j)
		default:
			if err := t.from.row(row, t.wish, j); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookUp fills x with rows of t, row r with the one at(r).
func (p *pass) lookUp(x []float32, t *table, at func(r int) int) {
	if err := t.rows(x, at); err != nil && p.err == nil {
		p.err = err
	}
}

// row reads row j of a tensor that is as the model needs it.
func (s *store) row(dst []float32, w *wish, j int) error {
	if err := s.file.Read(dst, w.name, j*len(dst)); err != nil {
		return err
	}
	for i, v := range dst {
		if v-v != 0 {
			return badWeight(NumericError{Site: w.name, Index: []int{j, i}, Value: v})
		}
	}
	return nil
}

// table makes the embedding at a place. Rows of a tensor that lies in the file
// as it is needed are read there; another is made at once.
func (s *store) table(name string, at **tensor.Dense, tied *linearWeights) (table, error) {
	shape := s.cfg.weightShape(name)
	if shape == nil {
		return table{}, nil
	}
	if w := s.wishes[at]; w != nil && w.make == nil && tensor.SameShape(w.shape, shape) {
		return table{from: s, wish: w, tied: tied, width: shape[1]}, nil
	}
	x, err := s.dense(-1, name, at)
	return table{plain: data(x), width: shape[1]}, err
}
