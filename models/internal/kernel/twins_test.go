package kernel_test

import (
	"fmt"
	"slices"
	"testing"

	"orrery/models/internal/kernel"
)

// TestTwins holds that the two vector paths give the same bits everywhere: in
// products, in reductions and in each element.
func TestTwins(t *testing.T) {
	type result struct {
		name string
		y    []float32
	}
	all := func() (out []result) {
		keep := func(name string, y ...[]float32) { out = append(out, result{name, slices.Concat(y...)}) }
		for n := 1; n < 200; n++ {
			r := random(uint64(n))
			x, w, v := r.slice(n), r.slice(n), r.slice(n)
			for i := range x {
				x[i] *= 4
			}
			y, z, s := make([]float32, n), make([]float32, n), make([]float32, 1)
			keep("dot", []float32{kernel.Dot(x, w)})
			kernel.Exp(y, x)
			keep("exp", y)
			kernel.Softmax(y, x)
			keep("softmax", y)
			kernel.SoftmaxBackward(z, w, y)
			keep("softmax backward", z)
			kernel.LayerNorm(y, s, x, 1, n, eps)
			copy(z, v)
			kernel.LayerNormBackward(z, w, y, s, 1, n)
			keep("layer norm", y, z, s)
			kernel.RMSNorm(y, s, x, 1, n, eps)
			kernel.RMSNormBackward(z, w, y, s, 1, n)
			keep("rms norm", y, z, s)
			kernel.Affine(y, x, w, v, 1, n)
			kernel.Axpy(y, 0.3, w)
			kernel.Add(y, v)
			kernel.Mul(y, y, w)
			kernel.AffineBackward(z, y, nil, w, x, v, 1, n)
			keep("elements", y, z)
			kernel.SoftCap(y, x, 2)
			kernel.SoftCapBackward(z, w, x, 2)
			keep("soft cap", y, z)
			for _, act := range acts {
				kernel.Activate(y, x, act.act)
				kernel.ActivateBackward(z, w, x, act.act)
				keep(act.act.String(), y, z)
			}
		}
		for _, p := range append(sizes, struct{ m, k, n int }{120, 300, 260}) {
			r := random(8)
			a, dy := r.slice(p.m*p.k), r.slice(p.m*p.n)
			c, dx := make([]float32, p.m*p.n), make([]float32, p.m*p.k)
			for _, d := range stores(r, p.n, p.k) {
				d.w.MatMul(c, a, p.m, false)
				d.w.MatMulNN(dx, dy, p.m, false)
				keep(fmt.Sprintf("%s product %v", d.name, p), c, dx)
			}
			scores, spans := make([]float32, p.m*p.n), []kernel.Span(nil)
			for i := range p.m {
				spans = append(spans, kernel.Span{Lo: i % p.n / 2, Hi: min(i+1, p.n)})
			}
			q, keys := kernel.Rows{Data: a, Stride: p.k}, kernel.Rows{Data: r.slice(p.n * p.k), Stride: p.k}
			kernel.Scores(scores, p.n, q, keys, spans, p.n, p.k, 0.3)
			keep(fmt.Sprintf("scores %v", p), scores)
			kernel.Mix(q, dy, p.n, keys, spans, p.n, p.k)
			kernel.MixBackward(keys, dy, p.n, q, spans, p.n, p.k)
			keep(fmt.Sprintf("mix %v", p), slices.Clone(q.Data), keys.Data)
			dw := make([]float32, p.n*p.k)
			kernel.MatMulTN(dw, dy, a, p.n, p.m, p.k, false)
			keep(fmt.Sprintf("tn %v", p), dw)
		}
		return out
	}
	var first []result
	kernel.EachPath(t, func(t *testing.T) {
		if kernel.Path() == "go" {
			return
		}
		got := all()
		if first == nil {
			first = got
			return
		}
		for i, r := range got {
			sameBits(t, fmt.Sprintf("%s (%d)", r.name, i), r.y, first[i].y)
		}
	})
}

// TestSetting holds what the environment variable may say.
func TestSetting(t *testing.T) {
	for _, path := range []string{"", "go", "avx2", "avx512"} {
		if got, err := kernel.Choose(path); err != nil || got != path && path != "" && path < got {
			t.Errorf("%q gives path %s, error %v", path, got, err)
		}
	}
	if got, err := kernel.Choose("sse"); err == nil || got == "go" && kernel.Path() != "go" {
		t.Errorf("an unknown path gives %s, error %v", got, err)
	}
}
