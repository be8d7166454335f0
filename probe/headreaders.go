package probe

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/models/tensor"
)

// MLPComposition is the input of an MLP that an earlier head writes to, beside the
// three of a head.
const MLPComposition Composition = "MLP"

// HeadReader is an input behind a head, and how much of what the head writes it
// reads.
type HeadReader struct {
	Layer int
	Head  int // -1 for the layer's MLP
	Input Composition
	Score float64
}

// ReadersOf scores every input behind a head, the largest first: query, key and
// value of each head of a later layer by their composition scores (see
// CompositionScores), and each MLP that stands behind the head by the same
// measure,
//
//	|W_OV · W_in| / (|W_OV|·|W_in|), W_in with the gate's beside it where there is one
//
// (Elhage et al. 2021 define it for heads; that of MLPs is its plain extension).
// It is of the raw weights, the same in every run: norms and their gains are left
// out, and positions too. Inputs at random score about 1/√D. A head or an input of
// zeros has no score and is left out. The cost is K·D of all weights that are
// read, one layer in memory at a time.
func ReadersOf(m *models.Model, layer, head int) ([]HeadReader, error) {
	cfg := m.Config
	switch {
	case layer < 0 || layer >= cfg.Layers:
		return nil, fmt.Errorf("readers: layer %d is outside 0..%d", layer, cfg.Layers-1)
	case head < 0 || head >= cfg.Heads:
		return nil, fmt.Errorf("readers: head %d is outside 0..%d", head, cfg.Heads-1)
	}
	var writes *mat.Dense // [K, D], with the singular values of W_OV
	var norm float64
	var out []HeadReader
	add := func(at HeadReader, read, size float64) {
		if at.Score = read / (norm * size); norm > 0 && size > 0 {
			out = append(out, at)
		}
	}
	for l := layer; l < cfg.Layers; l++ {
		block, err := m.Block(l)
		if err != nil {
			return nil, fmt.Errorf("readers: %w", err)
		}
		heads, err := headsOf(cfg, block, l)
		if err != nil {
			return nil, fmt.Errorf("readers: %w", err)
		}
		if l == layer {
			_, r := thinQR(heads[head].V)
			writes = product(r, heads[head].O)
			norm = mat.Norm(writes, 2)
		} else {
			for _, h := range heads {
				for _, c := range []Composition{QComposition, KComposition, VComposition} {
					x, _ := h.reads(c)
					add(HeadReader{Layer: l, Head: h.Head, Input: c}, factored{product(writes, x.a), x.b}.norm(), x.norm())
				}
			}
		}
		if cfg.AttnOnly || l == layer && cfg.Parallel {
			continue
		}
		var read, size float64
		for _, w := range []*tensor.Dense{block.In.Weight, block.Gate.Weight} {
			if w == nil {
				continue
			}
			x, err := Matrix(w)
			if err != nil {
				return nil, fmt.Errorf("readers: MLP of layer %d: %w", l, err)
			}
			read, size = math.Hypot(read, mat.Norm(product(writes, x.T()), 2)), math.Hypot(size, mat.Norm(x, 2))
		}
		add(HeadReader{Layer: l, Head: -1, Input: MLPComposition}, read, size)
	}
	slices.SortStableFunc(out, func(a, b HeadReader) int { return cmp.Compare(b.Score, a.Score) })
	return out, nil
}
