package probe_test

import (
	"context"
	"math"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/probe"
)

// pizzaModel is a published adder mod 59 as a model of the engine, and the edits
// that mix its attention with a constant: pattern ← α·pattern + 1 - α. The
// layout is that of the authors' repository.
func pizzaModel(t testing.TB, name string) (*models.Model, []models.Hook) {
	t.Helper()
	var meta struct {
		Config struct {
			C     int     `json:"C"`
			Coeff float64 `json:"attn_coeff"`
		} `json:"config"`
	}
	modeltest.ReadJSON(t, modeltest.Reference(t, "pizza", "model_"+name+".json"), &meta)
	g := golden{t: t, arrays: readSafetensors(t, modeltest.Reference(t, "pizza", "model_"+name+".safetensors"))}
	cfg := models.Config{
		Layers: 1, Width: 128, Heads: 4, KVHeads: 4, HeadWidth: 32, MLPWidth: 512, Vocab: g.array("embed.W_E").Shape[1], Context: 2,
		Norm: models.NoNorm, Positions: models.Learned, Activation: "relu", MLPBias: true,
	}
	const b = "blocks.0."
	turned := func(name string) *tensor.Dense {
		x := g.pattern32(name)
		y := tensor.New(x.Dim(1), x.Dim(0))
		for i := range x.Dim(0) {
			for j := range x.Dim(1) {
				y.Set(x.At(i, j), j, i)
			}
		}
		return y
	}
	heads := func(name string) models.LinearParams {
		return models.LinearParams{Weight: tensor.From(g.pattern32(name).Data, 128, 128)}
	}
	m, err := models.New(cfg, &models.Params{
		Embed: turned("embed.W_E"), PosEmbed: g.pattern32("pos_embed.W_pos"),
		Blocks: []models.BlockParams{{
			Q: heads(b + "attn.W_Q"), K: heads(b + "attn.W_K"), V: heads(b + "attn.W_V"), O: heads(b + "attn.W_O"),
			In:  models.LinearParams{Weight: g.pattern32(b + "mlp.W_in"), Bias: g.pattern32(b + "mlp.b_in")},
			Out: models.LinearParams{Weight: g.pattern32(b + "mlp.W_out"), Bias: g.pattern32(b + "mlp.b_out")},
		}},
		Unembed: models.LinearParams{Weight: turned("unembed.W_U")},
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Name = name
	var edits []models.Edit
	if c := float32(meta.Config.Coeff); c != 1 {
		edits = []models.Edit{
			{Site: "blocks.0.attn.hook_pattern", Op: models.Scale, Value: models.Number(c)},
			{Site: "blocks.0.attn.hook_pattern", Queries: []int{-1}, Op: models.Add, Value: models.Number(1 - c)},
		}
	}
	hooks, err := m.Edits(edits...)
	if err != nil {
		t.Fatal(err)
	}
	return m, hooks
}

// TestClockPizzaModels runs the published models through the engine, forward and
// backward, and compares with what NumPy and PyTorch found and, for the first,
// with what its paper's notebook printed.
func TestClockPizzaModels(t *testing.T) {
	for _, name := range []string{"p99zdpze5l", "2k4ohj6bhd", "l8k1hzciux"} {
		var want struct {
			Expect struct {
				Distance    float64 `json:"distance_irrelevance"`
				TopWrong    float64 `json:"distance_irrelevance_top_wrong"`
				Gradient    float64 `json:"gradient_symmetricity"`
				Circularity map[string]struct{ Value float64 }
				Norm        float64 `json:"l2_norm"`
			}
			Coeff     float64 `json:"attn_coeff"`
			DiffVocab bool    `json:"diff_vocab"`
			Published map[string]any
		}
		g := probesCase(t, "04-clock-pizza", name+"_clock", &want)
		var triples []probe.Triple
		for ids := g.ints("in.triples"); len(ids) > 0; ids = ids[3:] {
			triples = append(triples, probe.Triple{A: ids[0], B: ids[1], C: ids[2]})
		}
		m, hooks := pizzaModel(t, name)
		if _, total := probe.SquaredWeights(m.Params()); want.DiffVocab || want.Coeff < 1 != (len(hooks) > 0) {
			t.Fatalf("%s: α %g, %d edits", name, want.Coeff, len(hooks))
		} else {
			within(t, name+" norm of all weights", math.Sqrt(total), want.Expect.Norm, 1e-6, 0)
		}
		a, err := probe.FindModularAdder(m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := probe.MeasureClockPizza(context.Background(), m, a, triples, hooks...)
		if err != nil {
			t.Fatal(err)
		}
		const abs = 2e-5 // float32
		checkPublished(t, name, m, got, want.Published)
		within(t, name+" accuracy", got.Accuracy, 1, 0, 0)
		within(t, name+" distance irrelevance", got.Distance, want.Expect.Distance, abs, 0)
		within(t, name+" distance irrelevance, largest wrong logit", got.DistanceWrong, want.Expect.TopWrong, abs, 0)
		within(t, name+" gradient symmetricity", got.Symmetricity, want.Expect.Gradient, abs, 0)
		within(t, name+" circularity", got.Circularity, want.Expect.Circularity["W_E"].Value, abs, 0)
		drawn, err := probe.SampleTriples(a.P, 100, 1)
		if err != nil {
			t.Fatal(err)
		}
		other, err := probe.MeasureClockPizza(context.Background(), m, a, drawn, hooks...)
		if err != nil {
			t.Fatal(err)
		}
		within(t, name+" gradient symmetricity of other triples", other.Symmetricity, want.Expect.Gradient, 0.06, 0) // of 100, with a spread below 0.2
	}
}

// checkPublished compares what the engine measures of a published model with what
// its authors printed or put into their table, and Model A's triples with those
// behind the print.
func checkPublished(t *testing.T, name string, m *models.Model, got *probe.ClockPizza, published map[string]any) {
	t.Helper()
	_, total := probe.SquaredWeights(m.Params())
	ours := map[string]float64{
		"gradient_symmetricity": got.Symmetricity, "gradient_sim": got.Symmetricity, "circularity": got.Circularity,
		"l2_norm": math.Sqrt(total), "parameter_norm": math.Sqrt(total),
		"distance_irrelevance": got.Distance,
	}
	if name != "p99zdpze5l" { // the table has it of the largest wrong logit
		ours["distance_irrelevance"] = got.DistanceWrong
	}
	bound := map[string]float64{"l2_norm": 5e-4} // printed to three digits
	compared := 0
	for key, v := range published {
		want, ok := v.(float64)
		value, known := ours[key]
		if !ok || !known {
			continue
		}
		compared++
		within(t, name+" published "+key, value, want, max(2e-5, bound[key]), 0)
	}
	if len(published) > 0 && compared < 4 {
		t.Errorf("%s: %d published values are compared: %v", name, compared, published)
	}
}

// TestModelAPublished compares the notebook's print of Model A with ours, of the
// triples that it was made with.
func TestModelAPublished(t *testing.T) {
	var want struct {
		Norm      float64 `json:"l2_norm"`
		Distance  float64 `json:"distance_irrelevance"`
		Symmetric float64 `json:"gradient_symmetricity"`
		Circle    float64 `json:"circularity"`
		Checked   struct {
			Norm     float64 `json:"l2_norm"`
			Distance float64 `json:"distance_irrelevance"`
		} `json:"checked_here"`
	}
	modeltest.ReadJSON(t, modeltest.Reference(t, "pizza", "expected_notebook_ModelA_p99zdpze5l.json"), &want)
	var list [][3]int
	modeltest.ReadJSON(t, modeltest.Reference(t, "pizza", "gradsym_triples_seed42_C59.json"), &list)
	var triples []probe.Triple
	for _, x := range list {
		triples = append(triples, probe.Triple{A: x[0], B: x[1], C: x[2]})
	}
	m, hooks := pizzaModel(t, "p99zdpze5l")
	a, err := probe.FindModularAdder(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := probe.MeasureClockPizza(context.Background(), m, a, triples, hooks...)
	if err != nil {
		t.Fatal(err)
	}
	_, total := probe.SquaredWeights(m.Params())
	within(t, "norm", math.Sqrt(total), want.Norm, 5e-4, 0) // printed to three digits
	within(t, "norm again", math.Sqrt(total), want.Checked.Norm, 1e-6, 0)
	const abs = 2e-5 // float32
	within(t, "distance irrelevance", got.Distance, want.Distance, abs, 0)
	within(t, "distance irrelevance again", got.Distance, want.Checked.Distance, abs, 0)
	within(t, "gradient symmetricity", got.Symmetricity, want.Symmetric, abs, 0)
	within(t, "circularity", got.Circularity, want.Circle, abs, 0)
}

// TestTwoVocabulariesPublished compares the adder whose second operand has tokens of
// its own, b + 59, with its row of the authors' table. They took the gradients
// with the first operand's tokens in both places, which the model has never seen,
// and the circles over all 118 rows of the embedding.
func TestTwoVocabulariesPublished(t *testing.T) {
	const p, abs = 59, 2e-5 // float32
	m, hooks := pizzaModel(t, "18c9ev5v5p")
	a := probe.ModularAdder{P: p}
	var rows [][]int
	for n := range p {
		a.Numbers = append(a.Numbers, n)
		for b := range p {
			rows = append(rows, []int{n, p + b})
		}
	}
	in, err := models.Rows(rows)
	if err != nil {
		t.Fatal(err)
	}
	out, err := m.RunFor(context.Background(), in, models.Need{Last: true, Tokens: a.Numbers}, hooks...)
	if err != nil {
		t.Fatal(err)
	}
	logits := must(probe.Matrix(out.Logits.Reshape(p*p, p)))(t)
	within(t, "accuracy", must(probe.NewModularLogits(logits, p))(t).Accuracy(), 1, 0, 0)
	_, wrong, err := probe.CorrectLogits(logits, p)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "distance irrelevance, largest wrong logit", must(probe.DistanceIrrelevance(wrong, p))(t), 0.180793251, abs, 0)
	_, total := probe.SquaredWeights(m.Params())
	within(t, "norm", math.Sqrt(total), 23.96804346, 1e-6, 0)
	circle, _, err := probe.Circularity(must(probe.Matrix(m.Params().Embed))(t), p, 4)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "circularity", circle, 0.527588471, abs, 0)
	var list [][3]int
	modeltest.ReadJSON(t, modeltest.Reference(t, "pizza", "gradsym_triples_seed42_C59.json"), &list)
	var triples []probe.Triple
	for _, x := range list {
		triples = append(triples, probe.Triple{A: x[0], B: x[1], C: x[2]})
	}
	got, err := probe.MeasureClockPizza(context.Background(), m, a, triples, hooks...)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "gradient symmetricity", got.Symmetricity, 0.997397659, abs, 0)
}

// TestAddersAreRight: the two published models of which no measure is published add
// right all pairs, as all five do.
func TestAddersAreRight(t *testing.T) {
	for _, name := range []string{"q9rsl94xlv", "l8k1hzciux"} {
		m, hooks := pizzaModel(t, name)
		run, err := probe.RunModular(context.Background(), m, must(probe.FindModularAdder(m))(t), hooks...)
		if err != nil {
			t.Fatal(err)
		}
		within(t, name+" accuracy", must(probe.NewModularLogits(run.Logits, 59))(t).Accuracy(), 1, 0, 0)
	}
}

func TestSampleTriples(t *testing.T) {
	all, err := probe.SampleTriples(3, 27, 1)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[probe.Triple]bool{}
	for _, x := range all {
		seen[x] = true
	}
	if len(seen) != 27 {
		t.Errorf("%d different triples of 27", len(seen))
	}
	for _, n := range []int{0, 28} {
		if _, err := probe.SampleTriples(3, n, 1); err == nil {
			t.Errorf("%d triples of mod 3 pass", n)
		}
	}
}
