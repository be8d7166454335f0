package ablate_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// partsOf lists all components of several kinds.
func partsOf(t *testing.T, m *models.Model, parts ...ablate.Part) (out []ablate.Node) {
	t.Helper()
	for _, p := range parts {
		nodes, err := ablate.Nodes(m, p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, nodes...)
	}
	return out
}

// TestEffectsGolden compares total and direct effects of every component, with
// the final norm computed anew and frozen, with the reference. Its logit
// difference is the base's answer against the source's, the opposite of ours.
func TestEffectsGolden(t *testing.T) {
	eachGolden(t, "04_effects.safetensors", func(t *testing.T, g golden) {
		nodes := partsOf(t, g.model, ablate.Parts[:]...)
		for _, test := range []struct {
			metric, key string
			sign        float32
		}{{"logit_change", "dlogit_src", 1}, {"logit_diff", "ld", -1}, {"accuracy", "argmax_is_src", 1}} {
			e, err := ablate.TotalAndDirect(context.Background(), g.model, g.pairs(t, "pairs5"), ablate.EffectOptions{Nodes: nodes, Metric: metric(t, test.metric)})
			if err != nil {
				t.Fatal(err)
			}
			if !(e.LastError <= plainBound) || e.Report.Different != 0 {
				t.Errorf("last MLP: total and direct differ by %g; report %+v", e.LastError, e.Report)
			}
			g.checkEffects(t, e, "te", test.key, test.sign, func(n ablate.NodeEffect) []float64 { return n.Total })
			g.checkEffects(t, e, "de", test.key, test.sign, func(n ablate.NodeEffect) []float64 { return n.Direct })
			g.checkEmbedding(t, test.key, test.sign, metric(t, test.metric))
			if test.key == "dlogit_src" {
				g.checkShares(t, e)
				modeltest.Close(t, "base", vector(g.answerLogits(t, false)), g.read(t, "base.logit_src"), plainBound, plainBound)
				modeltest.Close(t, "source", vector(g.answerLogits(t, true)), g.read(t, "source.logit_src"), plainBound, plainBound)
				g.checkEffects(t, e, "ie", "", 1, func(n ablate.NodeEffect) []float64 {
					ie := make([]float64, len(n.Direct)) // 0 of the stream, of which the reference has none
					for i := range ie {
						ie[i] = n.Total[i] - n.Direct[i]
					}
					return ie
				})
			}
			if test.key == "argmax_is_src" {
				continue
			}
			frozen, err := ablate.TotalAndDirect(context.Background(), g.model, g.pairs(t, "pairs5"), ablate.EffectOptions{Nodes: nodes, Metric: metric(t, test.metric), FrozenNorm: true})
			if err != nil {
				t.Fatal(err)
			}
			g.checkEffects(t, frozen, "de_frozen_norm", test.key, test.sign, func(n ablate.NodeEffect) []float64 { return n.Direct })
			if test.key == "dlogit_src" {
				g.checkSum(t, frozen)
			}
		}
	})
}

// answerLogits are the logits of the source's answer in the runs without edits.
func (g golden) answerLogits(t *testing.T, source bool) []float64 {
	t.Helper()
	e, err := ablate.TotalAndDirect(context.Background(), g.model, g.pairs(t, "pairs5"), ablate.EffectOptions{Nodes: partsOf(t, g.model, ablate.MLPPart), Metric: metric(t, "logit")})
	if err != nil {
		t.Fatal(err)
	}
	if source {
		return e.Source
	}
	return e.Base
}

// checkEmbedding compares the direct effect of the embedding at the last position,
// which is that of the same token in both runs: nothing.
func (g golden) checkEmbedding(t *testing.T, key string, sign float32, m ablate.Metric) {
	t.Helper()
	embedding := ablate.Place{Site: models.Site{Kind: models.ResidPre}, Head: -1, Position: -1}
	e := standIns(t, g.model, g.pairs(t, "pairs5"), []ablate.StandIn{{Name: "embedding", Puts: []ablate.Put{{Place: embedding, Path: ablate.DirectPath}}}}, m.Name)
	for _, kind := range []string{"de.embed.", "de_frozen_norm.embed."} {
		if _, ok := g.values.Info(kind + key); !ok {
			continue // the frozen norm's has no accuracy, the part in testdata not all
		}
		want := g.read(t, kind+key).Clone().Reshape(len(e.Pairs))
		for i := range want.Data {
			want.Data[i] *= sign
		}
		modeltest.Close(t, kind+key, vector(e.Values[0][0]), want, plainBound, plainBound)
	}
}

// checkEffects compares KIND.PART.KEY [pair,layer(,index)] where the reference
// has it.
func (g golden) checkEffects(t *testing.T, e *ablate.NodeEffects, kind, key string, sign float32, of func(ablate.NodeEffect) []float64) {
	t.Helper()
	for _, part := range ablate.Parts {
		name := strings.TrimSuffix(kind+"."+string(part)+"."+key, ".")
		if _, ok := g.values.Info(name); !ok {
			continue
		}
		want := g.read(t, name).Clone()
		got := tensor.New(want.Shape...)
		for i := range want.Data {
			want.Data[i] *= sign
		}
		for _, n := range e.Nodes {
			if n.Node.Part != part {
				continue
			}
			for i, v := range of(n) {
				at := []int{i, n.Node.Layer, n.Node.Index}
				got.Set(float32(v), at[:want.Rank()]...)
			}
		}
		modeltest.Close(t, name, got, want, plainBound, plainBound)
	}
}

// checkSum checks that with the norm frozen the direct effects of all attention
// blocks and MLPs, and the embedding's, are the whole change.
func (g golden) checkSum(t *testing.T, e *ablate.NodeEffects) {
	t.Helper()
	sum := g.read(t, "de_frozen_norm.embed.dlogit_src").Clone().Reshape(len(e.Pairs))
	heads := tensor.New(len(e.Pairs))
	for _, n := range e.Nodes {
		for i := range e.Pairs {
			switch n.Node.Part {
			case ablate.AttentionPart:
				sum.Data[i] += float32(n.Direct[i])
				heads.Data[i] -= float32(n.Direct[i])
			case ablate.MLPPart:
				sum.Data[i] += float32(n.Direct[i])
			case ablate.HeadPart:
				heads.Data[i] += float32(n.Direct[i])
			}
		}
	}
	modeltest.Close(t, "sum of direct effects", sum, g.read(t, "frozen_norm.source_resid.dlogit_src"), plainBound, plainBound)
	modeltest.Close(t, "heads against attention blocks", heads, tensor.New(len(e.Pairs)), plainBound, 0)
}

// checkShares compares DE/TE of means.
func (g golden) checkShares(t *testing.T, e *ablate.NodeEffects) {
	t.Helper()
	for _, n := range e.Nodes {
		if n.Node.Part != ablate.AttentionPart && n.Node.Part != ablate.MLPPart && n.Node.Part != ablate.HeadPart {
			continue
		}
		want := g.read(t, "de_over_te_of_means."+string(n.Node.Part))
		got, err := e.DirectShare(n)
		w := float64(want.At([]int{n.Node.Layer, n.Node.Index}[:want.Rank()]...))
		if w == 0 { // the reference's mark of a total effect of 0, as that of a parallel first block's MLP
			if err == nil {
				t.Errorf("DE/TE of %s is %g, want a refusal", n.Node, got)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if !(math.Abs(got-w) <= ratioBound*(1+math.Abs(w))) {
			t.Errorf("DE/TE of %s is %g, want %g", n.Node, got, w)
		}
	}
}

// TestJointGolden compares joint patching of the first k heads in the
// reference's order, which is that of our total effects, too.
func TestJointGolden(t *testing.T) {
	eachGolden(t, "04_effects.safetensors", func(t *testing.T, g golden) {
		heads := g.model.Config.Heads
		var order []ablate.Node
		for _, i := range g.ints(t, "joint_heads.order") {
			order = append(order, ablate.Node{Part: ablate.HeadPart, Layer: i / heads, Index: i % heads})
		}
		e, err := ablate.TotalAndDirect(context.Background(), g.model, g.pairs(t, "pairs5"), ablate.EffectOptions{Nodes: partsOf(t, g.model, ablate.HeadPart), Metric: metric(t, "logit_change")})
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range e.ByEffect() {
			if n != order[i] {
				t.Errorf("place %d is %s, want %s", i, n, order[i])
			}
		}
		c, report, err := ablate.Joint(context.Background(), g.model, g.pairs(t, "pairs5"), order, metric(t, "logit_change"), ablate.Budget{})
		if err != nil {
			t.Fatal(err)
		}
		want := g.read(t, "joint_heads.dlogit_src")
		got := tensor.New(want.Shape...)
		for k, values := range c.Values[1:] {
			for i, v := range values {
				got.Set(float32(v), i, k)
			}
		}
		modeltest.Close(t, "joint", got, want, plainBound, plainBound)
		if c.Means()[0].Mean != 0 || report.Different != 0 {
			t.Errorf("without a head the change is %g; report %+v", c.Means()[0].Mean, report)
		}
	})
}

// TestDirectEffectOfThePlantedHead: in the circuit, head 0 of layer 1 writes what
// the unembedding alone reads, so that its effect is direct, and all there is.
func TestDirectEffectOfThePlantedHead(t *testing.T) {
	m := modeltest.Copy()
	var pairs []ablate.Pair
	for _, c := range copyContrasts() {
		p, err := c.Pair(ablate.Denoise)
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, p)
	}
	e, err := ablate.TotalAndDirect(context.Background(), m, pairs, ablate.EffectOptions{Nodes: partsOf(t, m, ablate.HeadPart), Metric: metric(t, "logit_diff")})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range e.Nodes {
		share, err := e.DirectShare(n)
		if n.Node == (ablate.Node{Part: ablate.HeadPart, Layer: 1}) {
			if err != nil || !(math.Abs(share-1) <= 1e-5) {
				t.Errorf("%s: DE/TE = %g, %v, want 1", n.Node, share, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), "nothing to divide by") {
			t.Errorf("%s: DE/TE = %g, %v, want a refusal", n.Node, share, err)
		}
	}
	c, _, err := ablate.Joint(context.Background(), m, pairs, e.ByEffect(), metric(t, "logit_diff"), ablate.Budget{})
	if err != nil {
		t.Fatal(err)
	}
	if k, err := c.Shares(0.7, 0.99); err != nil || k[0] != 1 || k[1] != 1 {
		t.Errorf("%v components give 70 and 99 %% (%v), want 1", k, err)
	}
}

// agreement is 1 where the answer is that of the run without edits, a function of
// the user's.
var agreement = ablate.Metric{Name: "agreement", Of: func(r ablate.Readout) float64 {
	base := r
	base.Run = r.Base
	if r.Top() == base.Top() {
		return 1
	}
	return 0
}}

// TestKnockoutCurveGolden compares the knocked-out heads in the reference's order,
// and checks that random ones cost less than the planted head.
func TestKnockoutCurveGolden(t *testing.T) {
	eachGolden(t, "07_knockouts.safetensors", func(t *testing.T, g golden) {
		heads, all := g.model.Config.Heads, partsOf(t, g.model, ablate.HeadPart)
		orders := g.ints(t, "topk_heads.orders")
		for i := range 6 {
			var order []ablate.Node
			for _, at := range orders[i*len(all) : (i+1)*len(all)] {
				order = append(order, ablate.Node{Part: ablate.HeadPart, Layer: at / heads, Index: at % heads})
			}
			for key, m := range map[string]ablate.Metric{"ld": metric(t, "logit_diff"), "p_answer": metric(t, "prob"), "argmax_number_equals_base": agreement} {
				if !g.has(t, "topk_heads."+key) {
					continue
				}
				c, err := ablate.KnockoutCurve(context.Background(), g.model, g.cleanPrompts(t, "pairs5"), ablate.KnockoutCurveOptions{Order: order, Kind: ablate.MeanByPos, Metric: m, Among: numbers(), Reference: g.reference(t)})
				if err != nil {
					t.Fatal(err)
				}
				want := g.read(t, "topk_heads."+key).Sub(i)
				got := tensor.New(want.Shape...)
				for k, values := range c.Ranked.Values {
					for row, v := range values {
						got.Set(float32(v), row, k)
					}
				}
				modeltest.Close(t, "topk "+key, got, want, plainBound, plainBound)
				if len(c.Random) != 5 || len(c.Random[0].Order) != len(order) {
					t.Fatalf("%d random orders of %d", len(c.Random), len(c.Random[0].Order))
				}
			}
		}
	})
}

func TestNodesRefuse(t *testing.T) {
	m := modeltest.Copy()
	pairs := []ablate.Pair{{Base: []int{1}, Source: []int{2}, BaseAnswer: 1, SourceAnswer: 2}}
	for _, test := range []struct {
		nodes []ablate.Node
		want  string
	}{
		{nil, "no components"},
		{[]ablate.Node{{Part: ablate.HeadPart, Layer: 1, Index: 2}}, "head 1.2: the model's layers have 2 of them"},
		{[]ablate.Node{{Part: ablate.MLPPart, Layer: 2}}, "layer 2 is outside 0..1"},
		{[]ablate.Node{{Part: "heads"}}, `"heads"`},
		{[]ablate.Node{{Part: ablate.MLPPart}, {Part: ablate.MLPPart}}, "twice"},
	} {
		_, err := ablate.TotalAndDirect(context.Background(), m, pairs, ablate.EffectOptions{Nodes: test.nodes, Metric: metric(t, "logit_diff")})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: error %v does not say %q", test.nodes, err, test.want)
		}
	}
	_, err := ablate.KnockoutCurve(context.Background(), m, []ablate.Prompt{{IDs: []int{1}}}, ablate.KnockoutCurveOptions{Order: []ablate.Node{{Part: ablate.MLPPart}}, Draws: 4})
	if err == nil || !strings.Contains(err.Error(), "4 random draws") {
		t.Errorf("a band of 4 draws: %v", err)
	}
}

// TestEffectsNull exchanges prompts with themselves: no component has an effect,
// total or direct, to the bit, and a share of nothing is refused.
func TestEffectsNull(t *testing.T) {
	g := toy(t)
	var pairs []ablate.Pair
	for _, p := range g.pairs(t, "pairs5") {
		p.Source = p.Base
		pairs = append(pairs, p)
	}
	e, err := ablate.TotalAndDirect(context.Background(), g.model, pairs, ablate.EffectOptions{Nodes: partsOf(t, g.model, ablate.Parts[:]...), Metric: metric(t, "logit_diff")})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range e.Nodes {
		for i := range pairs {
			if n.Total[i] != e.Base[i] || n.Direct != nil && n.Direct[i] != e.Base[i] {
				t.Errorf("%s of pair %d: total %g, direct %v, base %g", n.Node, i, n.Total[i], n.Direct, e.Base[i])
			}
		}
		if share, err := e.DirectShare(n); err == nil {
			t.Errorf("%s: DE/TE of nothing is %g", n.Node, share)
		}
	}
}
