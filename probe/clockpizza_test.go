package probe_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"orrery/probe"
)

// gradients is ∂logit_c/∂E_a and ∂logit_c/∂E_b of one pair, backwards through
// the one layer by hand.
func (m *modular) gradients(a, b, c int) (ga, gb []float64) {
	x := [][]float64{m.at(a, 0), m.at(b, 1)}
	type head struct{ q, z, pattern, soft []float64 }
	var k, v [4][2][]float64
	mid := append([]float64(nil), x[1]...)
	heads := make([]head, 4)
	for h := range heads {
		var s []float64
		heads[h].q = apply(x[1], m.wq[h], m.bq[h])
		for i := range 2 {
			k[h][i], v[h][i] = apply(x[i], m.wk[h], m.bk[h]), apply(x[i], m.wv[h], m.bv[h])
			s = append(s, floats.Dot(heads[h].q, k[h][i])/math.Sqrt(32))
		}
		heads[h].pattern = m.pattern(s)
		for _, p := range heads[h].pattern {
			heads[h].soft = append(heads[h].soft, (p-1+m.coeff)/max(m.coeff, 1e-300))
		}
		heads[h].z = make([]float64, 32)
		for i := range 2 {
			floats.AddScaled(heads[h].z, heads[h].pattern[i], v[h][i])
		}
		floats.Add(mid, apply(heads[h].z, m.wo[h], m.bo))
	}
	hidden := apply(mid, m.win, m.bin)
	u := mat.Col(nil, c, m.unembed)
	back := func(d []float64, w *mat.Dense) []float64 {
		var y mat.VecDense
		y.MulVec(w, mat.NewVecDense(len(d), d))
		return y.RawVector().Data
	}
	dh := back(u, m.wout)
	for i, z := range hidden {
		if z <= 0 {
			dh[i] = 0
		}
	}
	dmid := floats.AddTo(make([]float64, 128), u, back(dh, m.win))
	dx := [][]float64{make([]float64, 128), append([]float64(nil), dmid...)}
	for h := range heads {
		dz := back(dmid, m.wo[h])
		var dp []float64
		mean := 0.0
		for i := range 2 {
			dp = append(dp, m.coeff*floats.Dot(v[h][i], dz))
			mean += heads[h].soft[i] * dp[i]
		}
		for i := range 2 {
			ds := heads[h].soft[i] * (dp[i] - mean) / math.Sqrt(32)
			dv := append([]float64(nil), dz...)
			floats.Scale(heads[h].pattern[i], dv)
			floats.Add(dx[i], back(dv, m.wv[h]))
			dk := append([]float64(nil), heads[h].q...)
			floats.Scale(ds, dk)
			floats.Add(dx[i], back(dk, m.wk[h]))
			dq := append([]float64(nil), k[h][i]...)
			floats.Scale(ds, dq)
			floats.Add(dx[1], back(dq, m.wq[h]))
		}
	}
	return dx[0], dx[1]
}

func TestClockPizzaGolden(t *testing.T) {
	const abs = 1e-6 // the reference's own
	for _, name := range []string{"p99zdpze5l", "2k4ohj6bhd", "l8k1hzciux"} {
		var want struct {
			Expect struct {
				Distance    float64 `json:"distance_irrelevance"`
				TopWrong    float64 `json:"distance_irrelevance_top_wrong"`
				Gradient    float64 `json:"gradient_symmetricity"`
				Circularity map[string]struct {
					Value float64
					Each  []float64 `json:"per_component"`
					Ratio []float64 `json:"explained_variance_ratio"`
				}
			}
			Published map[string]any
			MinMax    []float64 `json:"correct_logits_min_max"`
		}
		g := probesCase(t, "04-clock-pizza", name+"_clock", &want)
		m := readModular(t, name)
		m.run()
		correct, wrong, err := probe.CorrectLogits(m.logits, m.p)
		if err != nil {
			t.Fatal(err)
		}
		for array, values := range map[string][]float64{"correct_logit": correct, "top_wrong_logit": wrong} {
			grid, err := probe.BySumAndDifference(values, m.p)
			if err != nil {
				t.Fatal(err)
			}
			matrixWithin(t, name+" "+array, grid, g.matrix("out."+array+"_sum_by_difference"), abs, 0)
		}
		allWithin(t, name+" least and largest correct logit", []float64{slices.Min(correct), slices.Max(correct)}, want.MinMax, 1e-5, abs)
		distance, err := probe.DistanceIrrelevance(correct, m.p)
		if err != nil {
			t.Fatal(err)
		}
		within(t, name+" distance irrelevance", distance, want.Expect.Distance, abs, 0)
		top, err := probe.DistanceIrrelevance(wrong, m.p)
		if err != nil {
			t.Fatal(err)
		}
		within(t, name+" distance irrelevance, largest wrong logit", top, want.Expect.TopWrong, abs, 0)

		triples := g.ints("in.triples")
		ga, gb := mat.NewDense(len(triples)/3, 128, nil), mat.NewDense(len(triples)/3, 128, nil)
		for i := range len(triples) / 3 {
			x, y := m.gradients(triples[3*i], triples[3*i+1], triples[3*i+2])
			ga.SetRow(i, x)
			gb.SetRow(i, y)
		}
		symmetry, each, err := probe.GradientSymmetricity(ga, gb)
		if err != nil {
			t.Fatal(err)
		}
		within(t, name+" gradient symmetricity", symmetry, want.Expect.Gradient, abs, 0)
		allWithin(t, name+" cosines", each, g.vector("out.per_triple_cosine"), abs, 0)

		circle, parts, err := probe.Circularity(m.embed, m.p, 4)
		if err != nil {
			t.Fatal(err)
		}
		within(t, name+" circularity", circle, want.Expect.Circularity["W_E"].Value, abs, 0)
		allWithin(t, name+" circularity by component", parts, want.Expect.Circularity["W_E"].Each, abs, 0)
		principal, err := probe.FitPCA(m.embed, 4)
		if err != nil {
			t.Fatal(err)
		}
		allWithin(t, name+" shares of variance", principal.Ratio, want.Expect.Circularity["W_E"].Ratio, abs, 0)
		if name == "p99zdpze5l" { // the paper's notebook, Model A
			within(t, "published distance irrelevance", distance, want.Published["distance_irrelevance"].(float64), abs, 0)
			within(t, "published gradient symmetricity", symmetry, want.Published["gradient_symmetricity"].(float64), abs, 0)
			within(t, "published circularity", circle, want.Published["circularity"].(float64), abs, 0)
		}
	}
}

// TestClockPizzaPlanted: logits by the sum alone and by the difference alone
// are the ends of distance irrelevance, circles have circularity 1, noise lies
// well below.
func TestClockPizzaPlanted(t *testing.T) {
	const p = 13
	bySum, byDifference := make([]float64, p*p), make([]float64, p*p)
	circle := mat.NewDense(p, 4, nil)
	for i := range p * p {
		a, b := i/p, i%p
		bySum[i] = math.Sin(float64((a + b) % p))
		byDifference[i] = math.Sin(float64((a - b + p) % p))
		if b == 0 {
			for j, k := range []float64{2, 5} {
				circle.Set(a, 2*j, float64(3-j)*math.Cos(2*math.Pi*k*float64(a)/p))
				circle.Set(a, 2*j+1, float64(3-j)*math.Sin(2*math.Pi*k*float64(a)/p))
			}
		}
	}
	high, err := probe.DistanceIrrelevance(bySum, p)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "logits by the sum alone", high, 1, 1e-12, 0)
	low, err := probe.DistanceIrrelevance(byDifference, p)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "logits by the difference alone", low, 0, 1e-12, 0)
	round, _, err := probe.Circularity(circle, p, 4)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "circularity of two circles", round, 1, 1e-10, 0)
	noise, _, err := probe.Circularity(gaussian(59, 100, 1, 3), 59, 4)
	if err != nil {
		t.Fatal(err)
	}
	if !(noise < 0.3) {
		t.Errorf("circularity of noise %.2f", noise)
	}
	g := gaussian(20, 50, 1, 1)
	same, _, _ := probe.GradientSymmetricity(g, g)
	within(t, "gradients of one direction", same, 1, 1e-12, 0)
	other, _, _ := probe.GradientSymmetricity(g, gaussian(20, 50, 1, 2))
	if !(math.Abs(other) < 0.1) {
		t.Errorf("symmetricity of unrelated gradients %.2f", other)
	}
}

func TestClockPizzaRefuses(t *testing.T) {
	if _, err := probe.DistanceIrrelevance(make([]float64, 36), 6); err == nil || !strings.Contains(err.Error(), "odd") {
		t.Errorf("an even modulus: %v", err)
	}
	if _, err := probe.DistanceIrrelevance(make([]float64, 25), 5); err == nil || !strings.Contains(err.Error(), "no spread") {
		t.Errorf("constant values: %v", err)
	}
	if _, _, err := probe.GradientSymmetricity(gaussian(2, 3, 1, 1), mat.NewDense(2, 3, nil)); err == nil || !strings.Contains(err.Error(), "no direction") {
		t.Errorf("a gradient of zero: %v", err)
	}
	if _, _, err := probe.GradientSymmetricity(gaussian(2, 3, 1, 1), gaussian(2, 4, 1, 1)); err == nil {
		t.Error("gradients of two widths pass")
	}
	if _, _, err := probe.Circularity(product(gaussian(10, 1, 1, 1), gaussian(1, 8, 1, 1)), 10, 4); err == nil || !strings.Contains(err.Error(), "has 1") {
		t.Errorf("a line: %v", err)
	}
	if _, _, err := probe.CorrectLogits(gaussian(9, 2, 1, 1), 3); err == nil {
		t.Error("two classes for mod 3 pass")
	}
}
