package kernel

import (
	"math"

	"orrery/models/tensor"
)

// Span is the range of keys, Lo to Hi-1, that a query sees.
type Span struct{ Lo, Hi int }

// Rows are rows of one head in a larger tensor: row i has width values from
// Data[i*Stride] on, so that q, k and v need not be split by heads.
type Rows struct {
	Data   []float32
	Stride int
}

// Scores computes the attention scores of one head: for query i and the keys s
// of spans[i], c[i,s] = scale·(q_i·k_s), and -Inf for the other s < keys. Row i
// of c starts at i*ldc. The inner product is one chain over ascending width as
// in MatMulNT, rounded before the scale: a score's bits depend on its query row
// and its key row alone. It runs on the caller's thread. With scale 1 it is the
// gradient by the pattern as well, from dz for q and v for k.
//
// Vaswani et al.: Attention Is All You Need, 2017, arXiv:1706.03762, equation 1.
// The loop that it must equal:
//
//	for i < len(spans), s < keys:
//		c[i,s] = -Inf
//		if s is in spans[i]: c[i,s] = (Σj q[i,j]*k[s,j]) * scale
func Scores(c []float32, ldc int, q, k Rows, spans []Span, keys, width int, scale float32) {
	checkSpans("kernel: scores", c, ldc, q, k, spans, keys, width)
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	all := bounds(spans)
	first := all.Lo
	for j := first; j < all.Hi; j += blockPanels * panelCols {
		cols := min(blockPanels*panelCols, all.Hi-j)
		for at := 0; at < width; at += blockK {
			depth := min(blockK, width-at)
			packPanelsT(s.b[:], k.Data[j*k.Stride+at:], cols, depth, k.Stride)
			for i := 0; i < len(spans); i += queryBlock {
				rows := min(queryBlock, len(spans)-i)
				seen := bounds(spans[i : i+rows])
				lo := max(0, seen.Lo-j) / panelCols * panelCols
				hi := min(cols, seen.Hi-j)
				if lo >= hi {
					continue
				}
				tiles{c: c[i*ldc+j+lo:], ldc: ldc, left: q.Data[i*q.Stride+at:], lda: q.Stride, rows: rows, cols: hi - lo, k: depth,
					right: side{data: s.b[lo*depth:], group: depth * panelCols, step: panelCols}, load: at > 0}.run(&s.edge)
			}
		}
	}
	for i, span := range spans {
		row := c[i*ldc : i*ldc+keys]
		if span.Lo >= span.Hi {
			span = Span{}
		}
		if seen := row[span.Lo:span.Hi]; scale != 1 {
			Scale(seen, seen, scale)
		}
		empty(row[:span.Lo])
		empty(row[span.Hi:])
	}
}

// Mix adds the values of one head under a pattern: z_i += p[i,s]·v_s over the
// keys s of spans[i]; other entries of p are not read. Every element is one
// chain over ascending keys, of those in the span alone, that goes on from z.
// It runs on the caller's thread. With k for v it is the gradient by q of the
// scores, from theirs. The loop that it must equal:
//
//	for i < len(spans), s in spans[i], j < width:
//		z[i,j] += p[i,s]*v[s,j]
func Mix(z Rows, p []float32, ldp int, v Rows, spans []Span, keys, width int) {
	checkSpans("kernel: mix", p, ldp, z, v, spans, keys, width)
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	all := bounds(spans)
	// Keys in order; of those that a block of queries sees in common a product,
	// of those before and after it sums by query.
	for j := all.Lo; j < all.Hi; j += blockK {
		jEnd := min(j+blockK, all.Hi)
		for at := 0; at < width; at += blockPanels * panelCols {
			cols := min(blockPanels*panelCols, width-at)
			right := side{data: v.Data[j*v.Stride+at:], group: panelCols, step: v.Stride}
			ready := len(spans) < queryBlock/2 && cols%panelCols == 0 // to be read where it lies
			for i := 0; i < len(spans); i += queryBlock {
				block := spans[i:min(i+queryBlock, len(spans))]
				lo, hi := common(block, j, jEnd)
				single := func(n int, from, to int) {
					for r := max(from, block[n].Lo); r < min(to, block[n].Hi); r++ {
						Axpy(z.Data[(i+n)*z.Stride+at:][:cols], p[(i+n)*ldp+r], v.Data[r*v.Stride+at:][:cols])
					}
				}
				for n := range block {
					single(n, j, lo)
				}
				if lo < hi {
					if !ready {
						packPanels(s.b[:], v.Data[j*v.Stride+at:], cols, jEnd-j, v.Stride)
						right, ready = side{data: s.b[:], group: (jEnd - j) * panelCols, step: panelCols}, true
					}
					r := right
					r.data = r.data[(lo-j)*r.step:]
					tiles{c: z.Data[i*z.Stride+at:], ldc: z.Stride, left: p[i*ldp+lo:], lda: ldp, rows: len(block), cols: cols, k: hi - lo,
						right: r, load: true}.run(&s.edge)
				}
				for n := range block {
					single(n, max(lo, hi), jEnd)
				}
			}
		}
	}
}

// MixBackward adds the gradient of Mix by the values: dv_s += p[i,s]·dz_i for
// the keys s of spans[i], over queries i in ascending order. It runs on the
// caller's thread. With q for dz and the gradient of the scores for p it is the
// gradient by k of the scores. The loop that it must equal:
//
//	for i < len(spans), s in spans[i], j < width:
//		dv[s,j] += p[i,s]*dz[i,j]
func MixBackward(dv Rows, p []float32, ldp int, dz Rows, spans []Span, keys, width int) {
	checkSpans("kernel: mix backward", p, ldp, dz, dv, spans, keys, width)
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	for i := 0; i < len(spans); i += queryBlock {
		block := spans[i:min(i+queryBlock, len(spans))]
		lo, hi := common(block, 0, keys)
		for n, span := range block {
			for r := span.Lo; r < span.Hi; r++ {
				if r < lo || r >= hi {
					Axpy(dv.Data[r*dv.Stride:][:width], p[(i+n)*ldp+r], dz.Data[(i+n)*dz.Stride:][:width])
				}
			}
		}
		for at := 0; at < width && lo < hi; at += blockPanels * panelCols {
			cols := min(blockPanels*panelCols, width-at)
			packPanels(s.b[:], dz.Data[i*dz.Stride+at:], cols, len(block), dz.Stride)
			for j := lo; j < hi; j += blockRows {
				rows := min(blockRows, hi-j)
				turn(s.a[:], len(block), p[i*ldp+j:], ldp, len(block), rows)
				tiles{c: dv.Data[j*dv.Stride+at:], ldc: dv.Stride, left: s.a[:], lda: len(block), rows: rows, cols: cols, k: len(block),
					right: side{data: s.b[:], group: len(block) * panelCols, step: panelCols}, load: true}.run(&s.edge)
			}
		}
	}
}

// queryBlock is the number of queries that are computed together: some tiles.
const queryBlock = 24

// bounds returns the least span that holds those that are not empty.
func bounds(spans []Span) Span {
	all := Span{Lo: math.MaxInt}
	for _, s := range spans {
		if s.Lo < s.Hi {
			all = Span{min(all.Lo, s.Lo), max(all.Hi, s.Hi)}
		}
	}
	return all
}

// fewKeys is the number of shared keys that are not worth a product.
const fewKeys = 8

// common returns the keys lo to hi-1, between from and to, that all spans share;
// lo and hi are to when those are few.
func common(spans []Span, from, to int) (lo, hi int) {
	lo, hi = from, to
	for _, s := range spans {
		lo, hi = max(lo, s.Lo), min(hi, s.Hi)
	}
	if hi-lo < fewKeys {
		return to, to
	}
	return lo, hi
}

// empty fills x with -Inf.
func empty(x []float32) {
	if len(x) == 0 {
		return
	}
	x[0] = float32(math.Inf(-1))
	for n := 1; n < len(x); n *= 2 {
		copy(x[n:], x[:n])
	}
}

// checkSpans panics unless square holds a row for each span and a and b those
// rows that the spans name.
func checkSpans(op string, square []float32, ld int, a, b Rows, spans []Span, keys, width int) {
	m := len(spans)
	ok := keys >= 0 && width >= 0 && (m == 0 || ld >= keys && a.Stride >= width && len(square) >= (m-1)*ld+keys && len(a.Data) >= (m-1)*a.Stride+width)
	for _, s := range spans {
		if s.Lo < s.Hi {
			ok = ok && s.Lo >= 0 && s.Hi <= keys && b.Stride >= width && len(b.Data) >= (s.Hi-1)*b.Stride+width
		}
	}
	if !ok {
		panic(tensor.ShapeError{Op: op + ": queries, keys, width, and lengths of the square, of rows by query and by key",
			Got: []int{m, keys, width, len(square), len(a.Data), len(b.Data)}, Want: []int{m, keys, width, m * ld, m * a.Stride, keys * b.Stride}})
	}
}
