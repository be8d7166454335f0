package probe_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"orrery/models/modeltest"
)

// modular is a trained one-layer modular adder of the reference folder, run in
// float64: the layouts of two published repositories, one of which no model
// family of this project has (attention not masked and mixed with a constant).
// It only feeds the analyses; what is expected of them comes from the goldens.
type modular struct {
	p, positions           int
	coeff                  float64
	embed, pos, unembed    *mat.Dense // [V,D], [T,D], [D,V]
	wq, wk, wv             []*mat.Dense
	wo                     []*mat.Dense // [K,D] a head
	bq, bk, bv             [][]float64
	bo, bin, bout, bu      []float64
	win, wout              *mat.Dense // [D,F], [F,D]
	separator              int
	logits, neurons, score *mat.Dense // [p²,V], [p²,F], [p²·heads, T]
}

func transposed(m *mat.Dense) *mat.Dense { return mat.DenseCopyOf(m.T()) }

// slabs cuts [heads·r, c] into a matrix a head.
func slabs(m *mat.Dense, heads int, transpose bool) []*mat.Dense {
	rows, c := m.Dims()
	r := rows / heads
	var out []*mat.Dense
	for h := range heads {
		s := mat.DenseCopyOf(m.Slice(h*r, (h+1)*r, 0, c))
		if transpose {
			s = transposed(s)
		}
		out = append(out, s)
	}
	return out
}

func readModular(t testing.TB, name string) *modular {
	t.Helper()
	const heads, width, hidden = 4, 128, 512
	m := &modular{coeff: 1}
	file := modeltest.Reference(t, "modadd113-rib", "modadd113_seed0.safetensors")
	if name != "rib" {
		file = modeltest.Reference(t, "pizza", "model_"+name+".safetensors")
	}
	g := golden{t: t, arrays: readSafetensors(t, file)}
	const b = "blocks.0."
	head := width / heads
	zeros := func(n int) []float64 { return make([]float64, n) }
	if name == "rib" {
		m.p, m.positions, m.separator = 113, 3, 113
		m.embed, m.pos, m.unembed = g.matrix("embed.W_E"), g.matrix("pos_embed.W_pos"), g.matrix("unembed.W_U")
		m.wq, m.wk, m.wv = slabs(g.matrix(b+"attn.W_Q"), heads, false), slabs(g.matrix(b+"attn.W_K"), heads, false), slabs(g.matrix(b+"attn.W_V"), heads, false)
		m.wo = slabs(g.matrix(b+"attn.W_O"), heads, false)
		rows := func(x *mat.Dense) (out [][]float64) {
			for h := range heads {
				out = append(out, x.RawRowView(h))
			}
			return out
		}
		m.bq, m.bk, m.bv = rows(g.matrix(b+"attn.b_Q")), rows(g.matrix(b+"attn.b_K")), rows(g.matrix(b+"attn.b_V"))
		m.bo, m.bu = g.vector(b+"attn.b_O"), g.vector("unembed.b_U")
		m.win, m.wout = g.matrix(b+"mlp.W_in"), g.matrix(b+"mlp.W_out")
	} else {
		var meta struct {
			Config struct {
				C     int     `json:"C"`
				Coeff float64 `json:"attn_coeff"`
			} `json:"config"`
		}
		modeltest.ReadJSON(t, modeltest.Reference(t, "pizza", "model_"+name+".json"), &meta)
		m.p, m.positions, m.coeff, m.separator = meta.Config.C, 2, meta.Config.Coeff, -1
		m.embed, m.pos, m.unembed = transposed(g.matrix("embed.W_E")), g.matrix("pos_embed.W_pos"), g.matrix("unembed.W_U")
		m.wq, m.wk, m.wv = slabs(g.matrix(b+"attn.W_Q"), heads, true), slabs(g.matrix(b+"attn.W_K"), heads, true), slabs(g.matrix(b+"attn.W_V"), heads, true)
		m.wo = slabs(transposed(g.matrix(b+"attn.W_O")), heads, false)
		for range heads {
			m.bq, m.bk, m.bv = append(m.bq, zeros(head)), append(m.bk, zeros(head)), append(m.bv, zeros(head))
		}
		_, vocab := m.unembed.Dims()
		m.bo, m.bu = zeros(width), zeros(vocab)
		m.win, m.wout = transposed(g.matrix(b+"mlp.W_in")), transposed(g.matrix(b+"mlp.W_out"))
	}
	m.bin, m.bout = g.vector(b+"mlp.b_in"), g.vector(b+"mlp.b_out")
	return m
}

// at is the embedding of a token at a position.
func (m *modular) at(token, position int) []float64 {
	return floats.AddTo(make([]float64, 128), m.embed.RawRowView(token), m.pos.RawRowView(position))
}

// apply is x·w + b.
func apply(x []float64, w *mat.Dense, b []float64) []float64 {
	var y mat.VecDense
	y.MulVec(w.T(), mat.NewVecDense(len(x), x))
	return floats.AddTo(make([]float64, len(b)), y.RawVector().Data, b)
}

// inputs is the tokens of a pair.
func (m *modular) inputs(a, b int) []int {
	if m.separator >= 0 {
		return []int{a, b, m.separator}
	}
	return []int{a, b}
}

// run computes every pair at the last position.
func (m *modular) run() {
	p, heads := m.p, len(m.wq)
	_, vocab := m.unembed.Dims()
	cache := map[[3]int][]float64{} // matrix and head, token, position
	project := func(which, h, token, position int) []float64 {
		key := [3]int{which*heads + h, token, position}
		if v, ok := cache[key]; ok {
			return v
		}
		w := [][]*mat.Dense{m.wq, m.wk, m.wv}[which][h]
		b := [][][]float64{m.bq, m.bk, m.bv}[which][h]
		v := apply(m.at(token, position), w, b)
		cache[key] = v
		return v
	}
	z := make([]*mat.Dense, heads)
	for h := range z {
		z[h] = mat.NewDense(p*p, 32, nil)
	}
	mid := mat.NewDense(p*p, 128, nil)
	m.score = mat.NewDense(p*p*heads, m.positions, nil)
	for i := range p * p {
		tokens := m.inputs(i/p, i%p)
		last := m.positions - 1
		copy(mid.RawRowView(i), m.at(tokens[last], last))
		for h := range heads {
			s := m.score.RawRowView(i*heads + h)
			for k, token := range tokens {
				s[k] = floats.Dot(project(0, h, tokens[last], last), project(1, h, token, k)) / math.Sqrt(32)
			}
			for k, a := range m.pattern(s) {
				floats.AddScaled(z[h].RawRowView(i), a, project(2, h, tokens[k], k))
			}
		}
	}
	for h := range heads {
		mid.Add(mid, product(z[h], m.wo[h]))
	}
	addRow(mid, m.bo)
	m.neurons = product(mid, m.win)
	addRow(m.neurons, m.bin)
	for i, v := range m.neurons.RawMatrix().Data {
		m.neurons.RawMatrix().Data[i] = math.Max(v, 0)
	}
	final := product(m.neurons, m.wout)
	final.Add(final, mid)
	addRow(final, m.bout)
	all := product(final, m.unembed)
	addRow(all, m.bu)
	m.logits = mat.DenseCopyOf(all.Slice(0, p*p, 0, min(p, vocab)))
}

// pattern is the softmax of a row of scores, mixed with 1 by the coefficient.
func (m *modular) pattern(s []float64) []float64 {
	out := make([]float64, len(s))
	sum := 0.0
	for i, v := range s {
		out[i] = math.Exp(v - floats.Max(s))
		sum += out[i]
	}
	for i := range out {
		out[i] = out[i]/sum*m.coeff + 1 - m.coeff
	}
	return out
}

func addRow(m *mat.Dense, b []float64) {
	n, _ := m.Dims()
	for i := range n {
		floats.Add(m.RawRowView(i), b)
	}
}
