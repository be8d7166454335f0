package models

import (
	"fmt"
	"slices"

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
//
// Components are what the recorded values make: of a run in which an edit wrote
// to hook_result or hook_attn_out, heads are still z·W_O, and a remainder holds
// the rest. Rows of padding hold no meaning.
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

// stackPart is n components, W[:, i·k:(i+1)·k]·acts[r, i·k:(i+1)·k] for i =
// which[j]; or, without W, one of width k = D, acts itself.
type stackPart struct {
	n, k  int
	which []int          // [n]; nil for 0..n-1
	acts  []float32      // [R,width]
	w     *kernel.Packed // [D,width]; nil for none
	post  *stackNorm     // what W makes passes this norm; nil for none
}

// at is the place of component j among those of acts and W.
func (p *stackPart) at(j int) int {
	if p.which == nil {
		return j
	}
	return p.which[j]
}

// width is the length of a row of acts.
func (p *stackPart) width() int {
	if p.w == nil {
		return p.k
	}
	_, width := p.w.Size()
	return width
}

// stackNorm is a norm with frozen statistics, which is linear: a component is
// centred, when the norm does that, divided by the scale of its row, and
// multiplied by the gain.
type stackNorm struct {
	center bool
	scale  []float32 // [R]; nil for 1
	gain   []float32 // [D]; nil for 1
}

// at is the scale of row r.
func (n *stackNorm) at(r int) float32 {
	if n == nil || n.scale == nil {
		return 1
	}
	return n.scale[r]
}

// apply norms x [R,D] in place.
func (n *stackNorm) apply(x []float32, d int) {
	if n == nil {
		return
	}
	for r := range len(x) / d {
		row, mean, scale := x[r*d:(r+1)*d], 0.0, float64(n.at(r))
		if n.center {
			mean = meanOf(row)
		}
		for i, v := range row {
			row[i] = float32((float64(v) - mean) / scale)
			if n.gain != nil {
				row[i] *= n.gain[i]
			}
		}
	}
}

// before gives the directions [n,D] along which a value, but for the scale, has
// the coordinates that it has along dirs once it is normed.
func (n *stackNorm) before(dirs []float32, d int) []float32 {
	if n == nil || !n.center && n.gain == nil {
		return dirs
	}
	out := slices.Clone(dirs)
	for r := range len(out) / d {
		row := out[r*d : (r+1)*d]
		if n.gain != nil {
			kernel.Mul(row, row, n.gain)
		}
		if n.center {
			mean := meanOf(row)
			for i, v := range row {
				row[i] = float32(float64(v) - mean)
			}
		}
	}
	return out
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
	if p.w == nil {
		copy(x, p.acts)
		return
	}
	lo := p.at(j) * p.k
	p.w.Part(0, d, lo, lo+p.k).MatMul(x, d, p.acts[lo:], p.width(), rows, false)
	p.post.apply(x, d)
}

// sum adds the sum of the part's components to x [R,D].
func (p *stackPart) sum(x []float32, rows, d int) {
	part := make([]float32, rows*d)
	if p.w != nil && p.n*p.k == p.width() {
		p.w.MatMul(part, p.acts, rows, false)
		p.post.apply(part, d)
		kernel.Add(x, part)
		return
	}
	for j := range p.n {
		p.component(part, j, rows, d)
		kernel.Add(x, part)
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
	dirs = s.norm.before(dirs, d)
	each := n // coordinates of a component's row
	if pick != nil {
		each = 1
	}
	first := make([]int, len(s.parts)) // component of each part
	for i := 1; i < len(first); i++ {
		first[i] = first[i-1] + s.parts[i-1].n
	}
	for i := range s.parts {
		p := &s.parts[i]
		read := dirs // what reads a row of acts along each direction, Wᵀ·direction [n,width]
		if p.w != nil {
			read = make([]float32, n*p.width())
			p.w.MatMulNN(read, p.post.before(dirs, d), n, false)
		}
		p.along(out[first[i]*s.size()*each:], read, each, pick, s.norm)
	}
}

// along is Stack.along for one part. Components are taken in blocks, so that
// acts and out are both walked along their rows.
func (p *stackPart) along(out, read []float32, each int, pick []int, norm *stackNorm) {
	const block = 64
	width, k := p.width(), p.k
	rows := len(p.acts) / width
	kernel.Do((p.n+block-1)/block, 1+grainWork/(rows*each*block*k), func(lo, hi int) {
		for from := lo * block; from < hi*block; from += block {
			for r := range rows {
				acts, scale := p.acts[r*width:(r+1)*width], norm.at(r)*p.post.at(r)
				for i := range each {
					dir := i
					if pick != nil {
						dir = pick[r]
					}
					u := read[dir*width : (dir+1)*width]
					for j := from; j < min(from+block, p.n); j++ {
						at := p.at(j) * k
						v := acts[at] * u[at]
						if k > 1 {
							v = kernel.Dot(acts[at:at+k], u[at:at+k])
						}
						out[(j*rows+r)*each+i] = v / scale
					}
				}
			}
		}
	})
}

// meanOf is the mean of x, summed in float64.
func meanOf(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	return sum / float64(len(x))
}
