package probe

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/models/tensor"
)

// HeadWeights are one head's matrices, without biases and with no norm folded
// in: the circuits below are of the raw weights, and leave rotary positions out.
type HeadWeights struct {
	Layer, Head int
	// Q, K and V are [D, K] (the key-value head that the head shares with its
	// group, where there are groups); O is [K, D].
	Q, K, V, O *mat.Dense
}

// ReadHeads copies the matrices of every head, layer by layer.
func ReadHeads(m *models.Model) ([]HeadWeights, error) {
	var out []HeadWeights
	for l := range m.Config.Layers {
		b, err := m.Block(l)
		if err != nil {
			return nil, fmt.Errorf("head weights: %w", err)
		}
		heads, err := headsOf(m.Config, b, l)
		if err != nil {
			return nil, fmt.Errorf("head weights: %w", err)
		}
		out = append(out, heads...)
	}
	return out, nil
}

// headsOf copies the matrices of the heads of block l.
func headsOf(cfg models.Config, b *models.BlockParams, l int) (out []HeadWeights, err error) {
	var w [4]*mat.Dense // [H·K, D], [G·K, D] twice, [D, H·K]
	for i, x := range []*tensor.Dense{b.Q.Weight, b.K.Weight, b.V.Weight, b.O.Weight} {
		if w[i], err = Matrix(x); err != nil {
			return nil, fmt.Errorf("layer %d: %w", l, err)
		}
	}
	k := cfg.HeadWidth
	rows := func(x *mat.Dense, h int) *mat.Dense {
		return mat.DenseCopyOf(x.Slice(h*k, (h+1)*k, 0, cfg.Width).T())
	}
	for h := range cfg.Heads {
		group := h * cfg.KVHeads / cfg.Heads
		out = append(out, HeadWeights{
			Layer: l, Head: h, Q: rows(w[0], h), K: rows(w[1], group), V: rows(w[2], group),
			O: mat.DenseCopyOf(w[3].Slice(0, cfg.Width, h*k, (h+1)*k).T()),
		})
	}
	return out, nil
}

// factored is a product a·b, [D, K]·[K, D], kept as its factors: what is asked
// of it costs D·K², not D²·K.
type factored struct{ a, b *mat.Dense }

func (h HeadWeights) ov() factored { return factored{h.V, h.O} }
func (h HeadWeights) qk() factored { return factored{h.Q, mat.DenseCopyOf(h.K.T())} }

func (f factored) transposed() factored {
	return factored{mat.DenseCopyOf(f.b.T()), mat.DenseCopyOf(f.a.T())}
}

// norm is the Frobenius norm: |ab|² = tr(aᵀa · bbᵀ).
func (f factored) norm() float64 {
	m := product(product(f.a.T(), f.a), product(f.b, f.b.T()))
	return math.Sqrt(math.Max(mat.Trace(m), 0))
}

// singularValues are those of a·b, largest first, at most K of them.
func (f factored) singularValues() ([]float64, error) {
	_, ra := thinQR(f.a)
	_, rb := thinQR(mat.DenseCopyOf(f.b.T()))
	var svd mat.SVD
	if !svd.Factorize(product(ra, rb.T()), mat.SVDNone) {
		return nil, fmt.Errorf("the singular values of a head do not converge")
	}
	return svd.Values(nil), nil
}

// OVSingularValues are those of W_V·W_O, at most K, largest first: what a head
// can copy. Elhage et al., "A Mathematical Framework for Transformer Circuits",
// 2021.
func (h HeadWeights) OVSingularValues() ([]float64, error) { return h.ov().singularValues() }

// QKSingularValues are those of W_Q·W_Kᵀ: what a head can match.
func (h HeadWeights) QKSingularValues() ([]float64, error) { return h.qk().singularValues() }

// Composition names the input of a later head that an earlier one writes to.
type Composition string

// The three inputs of a head.
const (
	QComposition Composition = "Q"
	KComposition Composition = "K"
	VComposition Composition = "V"
)

// reads is what a head's input is read by; false for one that a head lacks.
func (h HeadWeights) reads(c Composition) (factored, bool) {
	switch c {
	case QComposition:
		return h.qk(), true
	case KComposition:
		return h.qk().transposed(), true
	case VComposition:
		return h.ov(), true
	}
	return factored{}, false
}

// CompositionScores is, for every pair of heads, how much of what the earlier
// one writes the later one reads (Elhage et al. 2021, "Q-, K- and V-composition"):
//
//	|W_OV¹ · W_x| / (|W_OV¹|·|W_x|), W_x = W_QK, W_QKᵀ or W_OV of the later head
//
// The result is [heads, heads], rows the earlier one, in the order given; 0
// unless its layer is lower. Random heads score about 1/√D. The cost is
// heads²·D·K².
func CompositionScores(heads []HeadWeights, c Composition) (*mat.Dense, error) {
	if len(heads) == 0 {
		return nil, fmt.Errorf("composition scores: no heads")
	}
	d, _ := heads[0].V.Dims()
	read := make([]factored, len(heads))
	norms := make([][2]float64, len(heads)) // of OV, of what is read
	for i, h := range heads {
		var ok bool
		if read[i], ok = h.reads(c); !ok {
			return nil, fmt.Errorf("composition scores: unknown composition %q: there are Q, K and V", c)
		}
		if w, _ := h.V.Dims(); w != d {
			return nil, fmt.Errorf("composition scores: head %d.%d has width %d, the first %d", h.Layer, h.Head, w, d)
		}
		norms[i] = [2]float64{h.ov().norm(), read[i].norm()}
		if norms[i][0] == 0 || norms[i][1] == 0 {
			return nil, fmt.Errorf("composition scores: head %d.%d has a circuit of zeros: its share is not defined", h.Layer, h.Head)
		}
	}
	out := mat.NewDense(len(heads), len(heads), nil)
	for i, first := range heads {
		for j, second := range heads {
			if first.Layer < second.Layer {
				both := factored{product(first.V, product(first.O, read[j].a)), read[j].b}
				out.Set(i, j, both.norm()/norms[i][0]/norms[j][1])
			}
		}
	}
	return out, nil
}

// CopyingScore says whether a head makes tokens that it attends to likelier
// (near 1) or less likely (near -1): Re Σλ / Σ|λ| over the eigenvalues λ of
// W_E W_V W_O W_U, for embed [V, D] and unembed [D, V]; of W_V W_O alone when
// both are nil (Elhage et al. 2021, "Summarizing OV/QK matrices"). The
// eigenvalues come from a [K, K] matrix with the same nonzero ones; the cost is
// V·D·K. A head of zeros is refused.
func (h HeadWeights) CopyingScore(embed, unembed *mat.Dense) (float64, error) {
	small := h.O
	if embed != nil || unembed != nil {
		if embed == nil || unembed == nil {
			return 0, fmt.Errorf("copying score: give both the embedding and the unembedding, or neither")
		}
		d, _ := h.V.Dims()
		v, de := embed.Dims()
		du, vu := unembed.Dims()
		if de != d || du != d || v != vu {
			return 0, fmt.Errorf("copying score: embedding [%d,%d] and unembedding [%d,%d] for a head of width %d", v, de, du, vu, d)
		}
		small = product(product(h.O, unembed), embed)
	}
	var eig mat.Eigen
	if !eig.Factorize(product(small, h.V), mat.EigenNone) {
		return 0, fmt.Errorf("copying score: the eigenvalues of head %d.%d do not converge", h.Layer, h.Head)
	}
	sum, size := 0.0, 0.0
	for _, v := range eig.Values(nil) {
		sum += real(v)
		size += math.Hypot(real(v), imag(v))
	}
	if size == 0 {
		return 0, fmt.Errorf("copying score: head %d.%d has no eigenvalue but 0: its sign is not defined", h.Layer, h.Head)
	}
	return sum / size, nil
}

// ValueWeightedPattern is a_ij·|v_j·W_O|, [H, T, T], for the pattern [H, T, T]
// and values v [T, H, K] of one layer, heads its H heads: attention to a token
// whose value is small moves little (Kobayashi et al., "Attention is Not Only a
// Weight: Analyzing Transformers with Vector Norms", 2020). With groups give v
// repeated for each head. The cost is H·T·(K·D + T).
func ValueWeightedPattern(pattern, v *tensor.Dense, heads []HeadWeights) (*tensor.Dense, error) {
	n, t, err := checkPattern("value-weighted pattern", pattern)
	if err != nil {
		return nil, err
	}
	if len(heads) != n {
		return nil, fmt.Errorf("value-weighted pattern: %d heads for a pattern of %d", len(heads), n)
	}
	k, _ := heads[0].O.Dims()
	if !tensor.SameShape(v.Shape, []int{t, n, k}) {
		return nil, fmt.Errorf("value-weighted pattern: values of shape %v, [%d,%d,%d] are needed", v.Shape, t, n, k)
	}
	out := pattern.Clone()
	for h := range n {
		values := mat.NewDense(t, k, nil)
		for j := range t {
			for c, x := range v.Sub(j, h).Data {
				values.Set(j, c, float64(x))
			}
		}
		size := rowNorms(product(values, heads[h].O))
		for i := range t {
			row := out.Sub(h, i).Data
			for j := range row {
				row[j] = float32(float64(row[j]) * size[j])
			}
		}
	}
	return out, nil
}
