package models

import (
	"fmt"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
)

// Stack holds parts of a residual stream side by side, N components of [B,T,D]
// each, with a label for each. It is what the functions that take a stream
// apart return: DecomposeResid, AccumulatedResid, StackHeadResults,
// StackNeuronResults and FullResidDecomposition.
//
// The results of heads and neurons are kept as what the head or neuron computed
// and the weights that write it: their N·B·T·D numbers exist only when Dense
// lays them out. Project and LogitAttrs do without, and cost N·B·T·K.
type Stack struct {
	Labels []string // [N]

	m       *Model
	b, t    int   // t counts the selected positions
	total   int   // rows of the run, B·T
	rows    []int // of these, in the order of the stack's; nil for all
	noBatch bool
	parts   []stackPart
	norm    *stackNorm // applied to every component; nil for none
}

// stackPart is n components, W[:, j·k:(j+1)·k]·acts[r, j·k:(j+1)·k] for each j;
// or, without W, one of width k = D, acts itself.
type stackPart struct {
	n, k int
	acts []float32 // [R,n·k]
	w    []float32 // [D,n·k]; nil for none
}

// stackNorm is a norm with frozen statistics, which is linear: a component is
// centred, when the norm does that, and divided by the scale of its row.
type stackNorm struct {
	center bool
	scale  []float32 // [R]
}

// size is R, the number of rows of a component.
func (s *Stack) size() int { return s.b * s.t }

// Shape is that of Dense: [N,B,T,D], T being the number of selected positions,
// or [N,T,D] when the cache had no batch axis.
func (s *Stack) Shape() []int { return s.shape(s.m.Config.Width) }

func (s *Stack) shape(last ...int) []int {
	shape := []int{len(s.Labels), s.b, s.t}
	if s.noBatch {
		shape = []int{len(s.Labels), s.t}
	}
	return append(shape, last...)
}

// Bytes is the memory that Dense takes.
func (s *Stack) Bytes() int64 {
	return 4 * int64(len(s.Labels)) * int64(s.size()) * int64(s.m.Config.Width)
}

// Dense lays all components out, in the shape of Shape.
func (s *Stack) Dense() *tensor.Dense {
	out := tensor.New(s.Shape()...)
	for i := range s.Labels {
		s.component(out.Sub(i).Data, i)
	}
	return out
}

// Component is the value of component i, 0 ≤ i < N, alone: [B,T,D].
func (s *Stack) Component(i int) *tensor.Dense {
	out := tensor.New(s.Shape()[1:]...)
	s.component(out.Data, i)
	return out
}

// component writes component i to x [R,D].
func (s *Stack) component(x []float32, i int) {
	d, rows := s.m.Config.Width, s.size()
	for p := range s.parts {
		if n := s.parts[p].n; i >= n {
			i -= n
			continue
		}
		s.parts[p].component(x, i, rows, d)
		break
	}
	s.norm.apply(x, d)
}

// component writes component j of the part to x [R,D].
func (p *stackPart) component(x []float32, j, rows, d int) {
	switch {
	case p.w == nil:
		copy(x, p.acts)
	case p.k == 1:
		for r := range rows {
			v := p.acts[r*p.n+j]
			for i := range d {
				x[r*d+i] = v * p.w[i*p.n+j]
			}
		}
	default:
		acts, w := make([]float32, rows*p.k), make([]float32, d*p.k)
		for i := range d {
			copy(w[i*p.k:(i+1)*p.k], p.w[(i*p.n+j)*p.k:])
		}
		for r := range rows {
			copy(acts[r*p.k:(r+1)*p.k], p.acts[(r*p.n+j)*p.k:])
		}
		kernel.MatMulNT(x, acts, w, rows, p.k, d, false)
	}
}

// sum adds the sum of the part's components to x [R,D].
func (p *stackPart) sum(x []float32, rows, d int) {
	if p.w == nil {
		kernel.Add(x, p.acts)
		return
	}
	kernel.MatMulNT(x, p.acts, p.w, rows, p.n*p.k, d, true)
}

// apply norms x [R,D] in place.
func (n *stackNorm) apply(x []float32, d int) {
	if n == nil {
		return
	}
	for r, scale := range n.scale {
		row, mean := x[r*d:(r+1)*d], 0.0
		if n.center {
			mean = meanOf(row)
		}
		for i, v := range row {
			row[i] = float32((float64(v) - mean) / float64(scale))
		}
	}
}

// Project gives the components' coordinates along directions [M,D], in the
// shape of Shape with M in the place of D, without laying the components out.
func (s *Stack) Project(directions *tensor.Dense) (*tensor.Dense, error) {
	d := s.m.Config.Width
	if directions.Rank() != 2 || directions.Dim(1) != d || directions.Dim(0) < 1 {
		return nil, fmt.Errorf("project: directions have shape %v, want [any,%d]", directions.Shape, d)
	}
	n := directions.Dim(0)
	out := tensor.New(s.shape(n)...)
	s.along(out.Data, directions.Data, n, nil)
	return out, nil
}

// along fills out with the components' coordinates along directions dirs [n,D]:
// out is [N,R,n], or with pick, which names one direction for each row, [N,R]. A
// norm is applied to the directions: what is centred along d is what it was
// along d centred.
func (s *Stack) along(out, dirs []float32, n int, pick []int) {
	d := s.m.Config.Width
	if s.norm != nil && s.norm.center {
		centred := make([]float32, len(dirs))
		for i := range n {
			row := dirs[i*d : (i+1)*d]
			mean := meanOf(row)
			for j, v := range row {
				centred[i*d+j] = float32(float64(v) - mean)
			}
		}
		dirs = centred
	}
	each := n // coordinates of a component's row
	if pick != nil {
		each = 1
	}
	first := make([]int, len(s.parts)) // component of each part
	for i := 1; i < len(first); i++ {
		first[i] = first[i-1] + s.parts[i-1].n
	}
	kernel.Do(len(s.parts), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			p := &s.parts[i]
			p.along(out[first[i]*s.size()*each:], p.read(dirs, n, d), each, pick, s.norm)
		}
	})
}

// read is what reads a row of the part's acts along each direction of dirs
// [n,D]: Wᵀ·direction, [n, n·k].
func (p *stackPart) read(dirs []float32, n, d int) []float32 {
	if p.w == nil {
		return dirs
	}
	width := p.n * p.k
	read := make([]float32, n*width)
	for j := range d { // each row of W once, for all directions
		row := p.w[j*width : (j+1)*width]
		for i := range n {
			kernel.Axpy(read[i*width:(i+1)*width], dirs[i*d+j], row)
		}
	}
	return read
}

// along is Stack.along for one part. Components are taken in blocks, so that
// acts and out are both walked along their rows.
func (p *stackPart) along(out, read []float32, each int, pick []int, norm *stackNorm) {
	const block = 64
	width := p.n * p.k
	rows := len(p.acts) / width
	for from := 0; from < p.n; from += block {
		for r := range rows {
			acts, scale := p.acts[r*width:(r+1)*width], float32(1)
			if norm != nil {
				scale = norm.scale[r]
			}
			for i := range each {
				dir := i
				if pick != nil {
					dir = pick[r]
				}
				u := read[dir*width : (dir+1)*width]
				for j := from; j < min(from+block, p.n); j++ {
					v := acts[j] * u[j]
					if p.k > 1 {
						v = kernel.Dot(acts[j*p.k:(j+1)*p.k], u[j*p.k:(j+1)*p.k])
					}
					out[(j*rows+r)*each+i] = v / scale
				}
			}
		}
	}
}

// meanOf is the mean of x, summed in float64.
func meanOf(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	return sum / float64(len(x))
}
