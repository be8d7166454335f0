package probe

import (
	"context"
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/models/tensor"
)

// Triple is a pair of numbers and a class whose logit is looked at.
type Triple struct{ A, B, C int }

// SampleTriples draws n different triples below p. The published runs take the
// first 100 of all of them in a random order.
func SampleTriples(p, n int, seed uint64) ([]Triple, error) {
	if p < 3 || n < 1 || n > p*p*p {
		return nil, fmt.Errorf("triples: %d of the %d of mod %d", n, p*p*p, p)
	}
	rng := rand.New(rand.NewPCG(seed, 5))
	seen := map[int]bool{}
	var out []Triple
	for len(out) < n {
		if i := rng.IntN(p * p * p); !seen[i] {
			seen[i] = true
			out = append(out, Triple{i / p / p, i / p % p, i % p})
		}
	}
	return out, nil
}

// ClockPizza is what tells a clock from a pizza, of one model.
type ClockPizza struct {
	Accuracy float64
	// Symmetricity is GradientSymmetricity over the triples, Cosines each one's.
	Symmetricity float64
	Cosines      []float64
	// Distance is DistanceIrrelevance of the correct logit, DistanceWrong that of
	// the largest wrong one: see CorrectLogits for who publishes which.
	Distance, DistanceWrong float64
	// Circularity is that of the embedding, Components of its first four components.
	Circularity float64
	Components  []float64
	// Correct is the correct logit [P, P] by a+b and a-b.
	Correct *mat.Dense
}

// circularComponents is how many components circularity is over in the paper.
const circularComponents = 4

// MeasureClockPizza measures a modular adder under hooks, such as edits. The cost
// is RunModular's, and a backward pass for the triples.
func MeasureClockPizza(ctx context.Context, m *models.Model, a ModularAdder, triples []Triple, hooks ...models.Hook) (*ClockPizza, error) {
	run, err := RunModular(ctx, m, a, hooks...)
	if err != nil {
		return nil, err
	}
	logits, err := NewModularLogits(run.Logits, a.P)
	if err != nil {
		return nil, err
	}
	c := &ClockPizza{Accuracy: logits.Accuracy()}
	correct, wrong, err := CorrectLogits(run.Logits, a.P)
	if err != nil {
		return nil, err
	}
	if c.Distance, err = DistanceIrrelevance(correct, a.P); err != nil {
		return nil, err
	}
	if c.DistanceWrong, err = DistanceIrrelevance(wrong, a.P); err != nil {
		return nil, err
	}
	if c.Correct, err = BySumAndDifference(correct, a.P); err != nil {
		return nil, err
	}
	ga, gb, err := embeddingGradients(ctx, m, a, triples, hooks)
	if err != nil {
		return nil, err
	}
	if c.Symmetricity, c.Cosines, err = GradientSymmetricity(ga, gb); err != nil {
		return nil, err
	}
	w, err := a.Embedding(m)
	if err != nil {
		return nil, err
	}
	c.Circularity, c.Components, err = Circularity(w, a.P, circularComponents)
	return c, err
}

// embeddingGradients are those of logit c at (a, b) by the embeddings of a and b,
// [N, D] each.
func embeddingGradients(ctx context.Context, m *models.Model, a ModularAdder, triples []Triple, hooks []models.Hook) (ga, gb *mat.Dense, err error) {
	var rows [][]int
	for _, t := range triples {
		if min(t.A, t.B, t.C) < 0 || max(t.A, t.B, t.C) >= a.P {
			return nil, nil, fmt.Errorf("gradient symmetricity: triple %v: numbers are 0..%d", t, a.P-1)
		}
		rows = append(rows, a.Prompt(t.A, t.B))
	}
	in, err := models.Rows(rows)
	if err != nil {
		return nil, nil, err
	}
	embed := models.Site{Layer: -1, Kind: models.Embed}
	sum := func(logits *tensor.Dense) (float64, *tensor.Dense, error) {
		total, d := 0.0, tensor.New(logits.Shape...)
		for i, t := range triples {
			total += float64(logits.At(i, 0, t.C))
			d.Set(1, i, 0, t.C)
		}
		return total, d, nil
	}
	g, err := m.Gradient(ctx, in, sum, models.Want{Sites: models.Sites(embed), Need: models.Need{Last: true, Tokens: a.Numbers}}, hooks...)
	if err != nil {
		return nil, nil, fmt.Errorf("gradient symmetricity: %w", err)
	}
	x, ok := g.Sites.Get(embed)
	if !ok {
		return nil, nil, fmt.Errorf("gradient symmetricity: no gradient at %s", embed)
	}
	ga, gb = mat.NewDense(len(triples), m.Config.Width, nil), mat.NewDense(len(triples), m.Config.Width, nil)
	for i := range triples {
		widen(ga.RawRowView(i), x.Sub(i, 0).Data)
		widen(gb.RawRowView(i), x.Sub(i, 1).Data)
	}
	return ga, gb, nil
}
