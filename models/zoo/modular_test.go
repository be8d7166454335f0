package zoo_test

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/models/tensor"
	"orrery/models/train"
	"orrery/models/zoo"
	"orrery/probe"
)

// adder is a model of addition mod p, run on every pair.
type adder struct {
	m      *models.Model
	p      int
	logits *mat.Dense // [p²,p], row a·p + b
}

func runAdder(t *testing.T, m *models.Model, p int) adder {
	t.Helper()
	rows := make([][]int, p*p)
	for i := range rows {
		rows[i] = []int{i / p, i % p}
		if m.Config.Vocab > p {
			rows[i] = append(rows[i], p) // "="
		}
	}
	in, err := models.Rows(rows)
	if err != nil {
		t.Fatal(err)
	}
	out, err := m.RunFor(t.Context(), in, models.Need{Last: true})
	if err != nil {
		t.Fatal(err)
	}
	a := adder{m: m, p: p, logits: mat.NewDense(p*p, p, nil)}
	for i := range rows {
		for c, v := range out.Logits.Sub(i, 0).Data[:p] {
			a.logits.Set(i, c, float64(v))
		}
	}
	return a
}

// embedding is the rows of the numbers, [p,D].
func (a adder) embedding() *mat.Dense {
	table, d := a.m.Params().Embed, a.m.Config.Width
	w := mat.NewDense(a.p, d, nil)
	for i := range a.p {
		for j := range d {
			w.Set(i, j, float64(table.Data[i*d+j]))
		}
	}
	return w
}

// keys are the frequencies of the embedding above a quarter of the strongest,
// the definition of TransformerLens' demonstration.
func (a adder) keys(t *testing.T) []int {
	t.Helper()
	basis, err := probe.DFT(a.p)
	if err != nil {
		t.Fatal(err)
	}
	s, err := probe.EmbeddingSpectrum(basis, a.embedding())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := s.KeysByFrequency(0.25)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// story is what tells a clock from a pizza: gradient symmetricity over 100 drawn
// triples, distance irrelevance of the right logits, circularity.
func (a adder) story(t *testing.T) (symmetricity, irrelevance, circularity float64) {
	t.Helper()
	correct, _, err := probe.CorrectLogits(a.logits, a.p)
	if err != nil {
		t.Fatal(err)
	}
	if irrelevance, err = probe.DistanceIrrelevance(correct, a.p); err != nil {
		t.Fatal(err)
	}
	if circularity, _, err = probe.Circularity(a.embedding(), a.p, 4); err != nil {
		t.Fatal(err)
	}
	const n = 100
	rng := rand.New(rand.NewPCG(42, 0))
	var rows [][]int
	var classes []int
	for range n {
		rows = append(rows, []int{rng.IntN(a.p), rng.IntN(a.p)})
		classes = append(classes, rng.IntN(a.p))
	}
	in, err := models.Rows(rows)
	if err != nil {
		t.Fatal(err)
	}
	at := models.Site{Layer: -1, Kind: models.Embed}
	g, err := a.m.Gradient(t.Context(), in, func(logits *tensor.Dense) (float64, *tensor.Dense, error) {
		d := tensor.New(logits.Shape...)
		for i, c := range classes {
			d.Sub(i, 1).Data[c] = 1
		}
		return 0, d, nil
	}, models.Want{Sites: models.Sites(at)})
	if err != nil {
		t.Fatal(err)
	}
	x, _ := g.Sites.Get(at)
	ga, gb := mat.NewDense(n, a.m.Config.Width, nil), mat.NewDense(n, a.m.Config.Width, nil)
	for i := range n {
		for j := range a.m.Config.Width {
			ga.Set(i, j, float64(x.Sub(i, 0).Data[j]))
			gb.Set(i, j, float64(x.Sub(i, 1).Data[j]))
		}
	}
	if symmetricity, _, err = probe.GradientSymmetricity(ga, gb); err != nil {
		t.Fatal(err)
	}
	return symmetricity, irrelevance, circularity
}

// The pizza's gradients by both operands agree and its logits depend on their
// distance; the figures of the paper's Model A are 0.994, 0.172 and 0.998.
func TestPizzaIsAPizza(t *testing.T) {
	a := openAdder(t, "modadd-59-pizza", 59)
	s, d, c := a.story(t)
	if !(s > 0.95) || !(d < 0.35) || !(c > 0.9) {
		t.Errorf("gradient symmetricity %.3f, distance irrelevance %.3f, circularity %.3f: want above 0.95, below 0.35 and above 0.9", s, d, c)
	}
	if keys := a.keys(t); len(keys) < 3 || len(keys) > 8 {
		t.Errorf("frequencies %v, want a few", keys)
	}
}

// The clock is on the other side of both.
func TestClockIsAClock(t *testing.T) {
	a := openAdder(t, "modadd-59-clock", 59)
	s, d, c := a.story(t)
	if !(s < 0.5) || !(d > 0.7) || !(c > 0.9) {
		t.Errorf("gradient symmetricity %.3f, distance irrelevance %.3f, circularity %.3f: want below 0.5, above 0.7 and above 0.9", s, d, c)
	}
	if keys := a.keys(t); len(keys) < 3 || len(keys) > 8 {
		t.Errorf("frequencies %v, want a few", keys)
	}
}

// The model of Nanda et al. 2023 memorises, then groks: 16 checkpoints or more
// show it, and what is left are 3 to 6 key frequencies.
func TestModaddGroks(t *testing.T) {
	a := openAdder(t, "modadd-113", 113)
	if keys := a.keys(t); len(keys) < 3 || len(keys) > 6 {
		t.Errorf("key frequencies %v, want 3 to 6", keys)
	}
	card, err := zoo.CardOf("modadd-113")
	if err != nil || !(card.HeldOut.Loss < 1e-4) {
		t.Errorf("loss on the pairs held out %g (%v), want below 1e-4", card.HeldOut.Loss, err)
	}
	steps, err := zoo.Checkpoints("modadd-113")
	if err != nil || len(steps) < 16 || steps[0] != 0 {
		t.Fatalf("checkpoints of steps %v (%v), want 16 or more, from the first weights on", steps, err)
	}
	recipe, err := train.Find("modadd-113")
	if err != nil {
		t.Fatal(err)
	}
	task, err := train.FindTask(recipe.Task)
	if err != nil {
		t.Fatal(err)
	}
	learn, held := task.Held(recipe.HeldOut, recipe.Seed)
	for _, c := range []struct {
		step                 int
		learned, generalised bool
	}{{0, false, false}, {1000, true, false}, {9500, true, true}} {
		m, err := zoo.OpenCheckpoint("modadd-113", c.step)
		if err != nil {
			t.Fatal(err)
		}
		known, errA := train.Measure(t.Context(), m, train.Spread(learn, 1000))
		fresh, errB := train.Measure(t.Context(), m, train.Spread(held, 1000))
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if (known.Accuracy > 0.99) != c.learned || (fresh.Accuracy > 0.9) != c.generalised || !c.generalised && fresh.Accuracy > 0.1 {
			t.Errorf("behind step %d: %g of the pairs learned from right and %g of those held out", c.step, known.Accuracy, fresh.Accuracy)
		}
	}
}

func openAdder(t *testing.T, name string, p int) adder {
	t.Helper()
	m, err := zoo.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	a := runAdder(t, m, p)
	l, err := probe.NewModularLogits(a.logits, p)
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Accuracy(); got != 1 {
		t.Errorf("%s answers a share of %g of all pairs", name, got)
	}
	return a
}
