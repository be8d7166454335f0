package train

import (
	"math"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
)

// AdamW is Adam with decoupled weight decay.
//
// Ilya Loshchilov and Frank Hutter, "Decoupled Weight Decay Regularization",
// ICLR 2019, arXiv:1711.05101, algorithm 2, with PyTorch's convention that the
// decay is multiplied by the learning rate:
//
//	m ← β₁·m + (1−β₁)·g        v ← β₂·v + (1−β₂)·g²
//	θ ← θ − η·λ·θ − η·(m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε)
//
// Only matrices decay: embeddings, projections and the unembedding. Vectors
// (norm gains and biases) do not, because a gain shrunk towards 0 changes what
// the model computes and not how simply it does so.
type AdamW struct {
	Beta1, Beta2 float64
	Eps          float64
	Decay        float64 // λ
	Step         int     // t, the updates made so far

	params []*tensor.Dense
	m, v   []*tensor.Dense // of each parameter, its shape
}

// NewAdamW returns an optimiser for params with moments of zero. Update writes to params.
func NewAdamW(params []*tensor.Dense, beta1, beta2, eps, decay float64) *AdamW {
	a := &AdamW{Beta1: beta1, Beta2: beta2, Eps: eps, Decay: decay, params: params}
	for _, p := range params {
		a.m = append(a.m, tensor.New(p.Shape...))
		a.v = append(a.v, tensor.New(p.Shape...))
	}
	return a
}

// Decays says whether a parameter is subject to weight decay.
func Decays(p *tensor.Dense) bool { return p.Rank() >= 2 }

// Update makes one step with learning rate lr. grads are in the order of the
// parameters and of their shapes; another shape panics with a tensor.ShapeError.
func (a *AdamW) Update(grads []*tensor.Dense, lr float64) {
	a.Step++
	b1, b2 := float32(a.Beta1), float32(a.Beta2)
	c1, c2 := float32(1-a.Beta1), float32(1-a.Beta2)
	rate := float32(lr / (1 - math.Pow(a.Beta1, float64(a.Step))))
	root := float32(1 / math.Sqrt(1-math.Pow(a.Beta2, float64(a.Step))))
	eps := float32(a.Eps)
	for i, p := range a.params {
		if !tensor.SameShape(grads[i].Shape, p.Shape) {
			panic(tensor.ShapeError{Op: "adamw", Got: grads[i].Shape, Want: p.Shape})
		}
		keep := float32(1)
		if Decays(p) {
			keep = float32(1 - lr*a.Decay)
		}
		theta, g, m, v := p.Data, grads[i].Data, a.m[i].Data, a.v[i].Data
		kernel.Do(len(theta), 4096, func(lo, hi int) {
			for j := lo; j < hi; j++ {
				m[j] = float32(b1*m[j]) + float32(c1*g[j])
				v[j] = float32(b2*v[j]) + float32(c2*g[j]*g[j])
				down := float32(math.Sqrt(float64(v[j])))*root + eps
				theta[j] = float32(keep*theta[j]) - rate*m[j]/down
			}
		})
	}
}

// ClipNorm scales the gradients down together so that their joint Euclidean
// norm is at most limit, and returns the norm that they had. The norm is summed
// in float64 in the order given. A limit of 0 or less only measures.
func ClipNorm(grads []*tensor.Dense, limit float64) float64 {
	sum := 0.0
	for _, g := range grads {
		for _, x := range g.Data {
			sum += float64(x) * float64(x)
		}
	}
	norm := math.Sqrt(sum)
	if limit > 0 && norm > limit {
		s := float32(limit / norm)
		for _, g := range grads {
			for i := range g.Data {
				g.Data[i] *= s
			}
		}
	}
	return norm
}
