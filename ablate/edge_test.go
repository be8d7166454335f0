package ablate_test

import (
	"context"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// eachEdgeReference is eachReference with the model that is linear in every edge,
// which is in testdata.
func eachEdgeReference(t *testing.T, test func(t *testing.T, g golden, linear bool)) {
	file := "06_eap.safetensors"
	t.Run("m4-linear", func(t *testing.T) {
		test(t, readGolden(t, "m4-linear", filepath.Join("testdata", "m4-linear"), file), true)
	})
	eachReference(t, file, func(t *testing.T, g golden) { test(t, g, false) })
}

// dense lays values by edge and pair out as the reference has them, [pair,source,
// destination], zeros where there is no edge.
func dense(g *ablate.EdgeGraph, pairs int, value func(edge, pair int) float64) *tensor.Dense {
	x := tensor.New(pairs, len(g.Sources), len(g.Destinations))
	for i, e := range g.Edges {
		for p := range pairs {
			x.Set(float32(value(i, p)), p, e.Source, e.Destination)
		}
	}
	return x
}

// TestEdgeAttributionGolden compares which edges there are and all scores, and on
// the linear model what patching single edges gives.
func TestEdgeAttributionGolden(t *testing.T) {
	eachEdgeReference(t, func(t *testing.T, g golden, linear bool) {
		contrasts := g.contrasts(t, "pairs5")
		for _, test := range []struct {
			key    string
			method ablate.EdgeMethod
			steps  int
			kind   ablate.Ablation
		}{
			{"eap", ablate.EdgeGradient, 0, ""},
			{"clean_corrupted", ablate.EdgeEnds, 0, ablate.Resample},
			{"eap_ig_inputs_S5", ablate.EdgeIntegrated, 5, ""},
			{"eap_ig_inputs_S30", ablate.EdgeIntegrated, 30, ""},
			{"eap_zero_ablation", ablate.EdgeGradient, 0, ablate.Zero},
			{"eap_mean_ablation", ablate.EdgeGradient, 0, ablate.MeanByPos},
		} {
			if _, ok := g.values.Info("eap." + test.key); !ok && linear {
				continue // it has no prompts for means
			}
			opt := ablate.EdgeOptions{Metric: metric(t, "logit_diff"), Kind: test.kind}
			if test.kind == ablate.MeanByPos {
				opt.Reference = g.reference(t)
			}
			s, err := ablate.AttributeEdges(context.Background(), g.model, contrasts[:g.read(t, "eap.ld_clean").Len()], test.method, test.steps, opt)
			if err != nil {
				t.Fatal(err)
			}
			modeltest.Close(t, "clean", vector(s.Base), g.read(t, "eap.ld_clean"), plainBound, plainBound)
			modeltest.Close(t, "corrupted", vector(s.Source), g.read(t, "eap.ld_corrupted"), plainBound, plainBound)
			modeltest.Close(t, test.key, dense(s.Graph, len(s.Base), func(e, p int) float64 { return s.Values[e][p] }), g.read(t, "eap."+test.key), plainBound, plainBound)
			means := dense(s.Graph, 1, func(e, _ int) float64 { return ablate.Summarise(s.Values[e]).Mean })
			modeltest.Close(t, test.key+" mean", means.Sub(0), g.read(t, "eap."+test.key+".mean"), plainBound, plainBound)
			edges := dense(s.Graph, 1, func(int, int) float64 { return 1 })
			for i, valid := range g.ints(t, "eap.valid") {
				if int(edges.Data[i]) != valid {
					t.Fatalf("source %d, destination %d: %g, want %d", i/len(s.Graph.Destinations), i%len(s.Graph.Destinations), edges.Data[i], valid)
				}
			}
		}
	})
}

// TestEdgePatchGolden compares the exact effect of every edge, which the linear
// model's scores are.
func TestEdgePatchGolden(t *testing.T) {
	eachEdgeReference(t, func(t *testing.T, g golden, linear bool) {
		contrasts, opt := g.contrasts(t, "pairs5"), ablate.EdgeOptions{Metric: metric(t, "logit_diff")}
		want := g.read(t, "eap.exact")
		contrasts = contrasts[:want.Dim(0)]
		e, err := ablate.PatchEdges(context.Background(), g.model, contrasts, nil, opt)
		if err != nil {
			t.Fatal(err)
		}
		if e.Report.Checked == 0 || e.Report.Different != 0 {
			t.Errorf("report %+v", e.Report)
		}
		exact := dense(e.Graph, len(contrasts), func(i, p int) float64 { return e.Values[i][p] - e.Base[p] })
		modeltest.Close(t, "exact", exact, want, plainBound, plainBound)
		if !linear {
			return
		}
		s, err := ablate.AttributeEdges(context.Background(), g.model, contrasts, ablate.EdgeGradient, 0, opt)
		if err != nil {
			t.Fatal(err)
		}
		scores := dense(s.Graph, len(contrasts), func(i, p int) float64 { return s.Values[i][p] })
		modeltest.Close(t, "a linear model's scores are its effects", scores, exact, plainBound, plainBound)
	})
}

// TestDirectPathGolden compares head-to-head paths through frozen norms with
// TransformerLens' linearised function on folded weights, which is a mean over
// pairs.
func TestDirectPathGolden(t *testing.T) {
	eachReference(t, "05_paths.safetensors", func(t *testing.T, g golden) {
		graph, err := ablate.NewEdgeGraph(g.model)
		if err != nil {
			t.Fatal(err)
		}
		var edges []ablate.Edge
		for _, e := range graph.Edges {
			if to := graph.Destinations[e.Destination].Input; graph.Sources[e.Source].Part == ablate.HeadPart && to != ablate.MLPInput && to != ablate.LogitsInput {
				edges = append(edges, e)
			}
		}
		e, err := ablate.PatchEdges(context.Background(), g.model, g.contrasts(t, "pairs5"), edges, ablate.EdgeOptions{Direction: ablate.Denoise, Metric: metric(t, "logit_diff"), FrozenNorm: true})
		if err != nil {
			t.Fatal(err)
		}
		if e.Report.Checked == 0 || e.Report.Different != 0 {
			t.Errorf("report %+v", e.Report)
		}
		H := g.model.Config.Heads
		want := map[ablate.Input]*tensor.Dense{}
		for _, input := range []ablate.Input{ablate.QueryInput, ablate.KeyInput, ablate.ValueInput} {
			want[input] = g.read(t, "tl_direct_path.folded."+string(input)+".mean_ld")
		}
		for i, edge := range edges {
			from, to := graph.Sources[edge.Source], graph.Destinations[edge.Destination]
			if w := float64(want[to.Input].At(from.Layer*H+from.Index, to.Layer, to.Index)); !(math.Abs(ablate.Summarise(e.Values[i]).Mean-w) <= plainBound*(1+math.Abs(w))) {
				t.Errorf("%s gives %g, want %g", graph.Name(edge), ablate.Summarise(e.Values[i]).Mean, w)
			}
		}
	})
}

// TestEdgeCircuitsGolden compares circuits of the reference's ranking, their
// faithfulness and its areas, and our ranking by score.
func TestEdgeCircuitsGolden(t *testing.T) {
	eachEdgeReference(t, func(t *testing.T, g golden, _ bool) {
		contrasts, opt := g.contrasts(t, "pairs5"), ablate.EdgeOptions{Metric: metric(t, "logit_diff")}
		contrasts = contrasts[:g.read(t, "eap.ld_clean").Len()]
		s, err := ablate.AttributeEdges(context.Background(), g.model, contrasts, ablate.EdgeIntegrated, 5, opt)
		if err != nil {
			t.Fatal(err)
		}
		score := map[ablate.Edge]float64{}
		for i, e := range s.Graph.Edges {
			score[e] = ablate.Summarise(s.Values[i]).Mean
		}
		modeltest.Close(t, "fractions", vector(ablate.CircuitFractions[:]), g.read(t, "mib.k"), 1e-7, 0)
		for _, by := range []ablate.Ranking{ablate.ByMagnitude, ablate.BySupport} {
			key := "mib." + string(by) + "."
			ours, err := s.Rank(by)
			if err != nil {
				t.Fatal(err)
			}
			var order []ablate.Edge
			for i, flat := range g.ints(t, key+"order") {
				e := ablate.Edge{Source: flat / len(s.Graph.Destinations), Destination: flat % len(s.Graph.Destinations)}
				order = append(order, e)
				a, b := score[e], score[ours[i]] // near ties may change places
				if by == ablate.ByMagnitude {
					a, b = math.Abs(a), math.Abs(b)
				}
				if !(math.Abs(a-b) <= plainBound*(1+math.Abs(a))) {
					t.Errorf("%s: place %d has the score %g, want %g", by, i, b, a)
				}
			}
			var circuits [][]ablate.Edge
			for _, k := range ablate.CircuitFractions {
				circuits = append(circuits, order[:int(k*float64(len(order)))])
			}
			c, err := ablate.EdgeCircuits(context.Background(), g.model, contrasts, circuits, opt)
			if err != nil {
				t.Fatal(err)
			}
			modeltest.Close(t, "none", vector(c.Empty), g.read(t, "eap.ld_corrupted"), plainBound, plainBound)
			want := g.read(t, key+"ld")
			got, faithful := tensor.New(want.Shape...), []float64{}
			for k, values := range c.Values {
				for p, v := range values {
					got.Set(float32(v), p, k)
				}
				f, err := c.Faithfulness(values)
				if err != nil {
					t.Fatal(err)
				}
				faithful = append(faithful, f)
			}
			modeltest.Close(t, key+"ld", got, want, plainBound, plainBound)
			modeltest.Close(t, key+"faithfulness", vector(faithful), g.read(t, key+"faithfulness"), ratioBound, ratioBound)
			if last := c.Values[len(c.Values)-1]; !equal(last, c.Full) {
				t.Errorf("with every edge the metric is %v, in the clean runs %v", last, c.Full)
			}
			cpr, cmd, err := ablate.CircuitAreas(ablate.CircuitFractions[:], faithful)
			if err != nil {
				t.Fatal(err)
			}
			modeltest.Close(t, key+"areas", vector([]float64{cpr, cmd}), vector([]float64{float64(g.read(t, key+"cpr").Data[0]), float64(g.read(t, key+"cmd").Data[0])}), ratioBound, ratioBound)
		}
	})
}

func equal(a, b []float64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// edges: every edge kept is the clean run to the bit, none the corrupted one
// within 2e-5·(1+|want|) for sums in another order, which also bounds the rest: an
// edge is measured alike by itself and as the one that a circuit lacks, and those
// into the logits add up where the norm is frozen. An edge whose source says the
// same in both runs does nothing.
func (v invariants) edges(t *testing.T) {
	opt := ablate.EdgeOptions{Metric: metric(t, "logit_diff")}
	graph, err := ablate.NewEdgeGraph(v.m)
	if v.m.Config.Placement != models.PreNorm {
		if err == nil || !strings.Contains(err.Error(), "norm stands behind") {
			t.Errorf("a norm behind the halves: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	some := graph.Edges[len(graph.Edges)/2]
	var rest []ablate.Edge
	for _, e := range graph.Edges {
		if e != some {
			rest = append(rest, e)
		}
	}
	contrasts := []ablate.Contrast{v.c, v.same()}
	c, err := ablate.EdgeCircuits(context.Background(), v.m, contrasts, [][]ablate.Edge{graph.Edges, rest}, opt)
	if err != nil {
		t.Fatal(err)
	}
	if !equal(c.Values[0], c.Full) {
		t.Errorf("with every edge %v, want %v", c.Values[0], c.Full)
	}
	one, err := ablate.PatchEdges(context.Background(), v.m, contrasts, []ablate.Edge{some}, opt)
	if err != nil {
		t.Fatal(err)
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) <= 2e-5*(1+math.Abs(want))) {
			t.Errorf("%s: %g, want %g", what, got, want)
		}
	}
	near("no edge", c.Empty[0], one.Source[0])
	near("one edge less", c.Values[1][0], one.Values[0][0])
	if one.Report.Different != 0 || one.Values[0][1] != one.Base[1] {
		t.Errorf("an edge that says what it said changes the metric by %g; %+v", one.Values[0][1]-one.Base[1], one.Report)
	}
	if v.m.Config.Norm != models.NoNorm && v.m.Config.LogitCap == 0 {
		var last []ablate.Edge
		for _, e := range graph.Edges {
			if graph.Destinations[e.Destination].Input == ablate.LogitsInput {
				last = append(last, e)
			}
		}
		frozen := opt
		frozen.FrozenNorm = true
		f, err := ablate.PatchEdges(context.Background(), v.m, contrasts[:1], last, frozen)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i := range last {
			sum += f.Change(i).Mean
		}
		pair, err := v.c.Pair(ablate.Noise)
		if err != nil {
			t.Fatal(err)
		}
		near("all edges to the logits through the frozen norm", sum, -v.frozenChange(t, pair)) // of r′ against r
	}
	s, err := ablate.AttributeEdges(context.Background(), v.m, contrasts, ablate.EdgeGradient, 0, opt)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range s.Graph.Edges {
		if s.Values[i][1] != 0 {
			t.Errorf("%s: a score of %g between a run and itself", graph.Name(e), s.Values[i][1])
		}
	}
}

// TestEdgesOfThePlantedHead: the planted head's edge to the logits carries all,
// and edges of heads that do nothing score nothing.
func TestEdgesOfThePlantedHead(t *testing.T) {
	m := modeltest.Copy()
	var contrasts []ablate.Contrast
	for i := range 4 {
		contrasts = append(contrasts, ablate.Contrast{
			Clean:     ablate.Prompt{IDs: []int{i, 1, 2, 3}, Answer: i, Other: i + 1},
			Corrupted: ablate.Prompt{IDs: []int{i + 1, 1, 2, 3}, Answer: i + 1, Other: i},
		})
	}
	opt := ablate.EdgeOptions{Metric: metric(t, "logit_diff")}
	s, err := ablate.AttributeEdges(context.Background(), m, contrasts, ablate.EdgeEnds, 0, opt)
	if err != nil {
		t.Fatal(err)
	}
	order, err := s.Rank(ablate.BySupport)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range order {
		names = append(names, s.Graph.Name(e))
	}
	if names[0] != "head 1.0 → logits" || names[1] != "embed → v 1.0" {
		t.Errorf("the edges that support the answer most are %v, want the planted head's way from the embedding to the logits", names[:4])
	}
	for i, e := range s.Graph.Edges {
		if n := s.Graph.Sources[e.Source]; n.Part == ablate.HeadPart && (n.Layer != 1 || n.Index != 0) && ablate.Summarise(s.Values[i]).Mean != 0 {
			t.Errorf("%s has the score %g", s.Graph.Name(e), ablate.Summarise(s.Values[i]).Mean)
		}
	}
}

func TestEdgesRefuse(t *testing.T) {
	g := toy(t)
	c := g.contrasts(t, "pairs5")
	ld := ablate.EdgeOptions{Metric: metric(t, "logit_diff")}
	attribute := func(method ablate.EdgeMethod, steps int, opt ablate.EdgeOptions) error {
		_, err := ablate.AttributeEdges(context.Background(), g.model, c, method, steps, opt)
		return err
	}
	patch := func(edges ...ablate.Edge) error {
		_, err := ablate.PatchEdges(context.Background(), g.model, c, edges, ld)
		return err
	}
	denoise := ld
	denoise.Direction = ablate.Denoise
	_, backwards := ablate.EdgeCircuits(context.Background(), g.model, c, [][]ablate.Edge{nil}, denoise)
	circuits := func(sets ...[]ablate.Edge) error {
		_, err := ablate.EdgeCircuits(context.Background(), g.model, c, sets, ld)
		return err
	}
	areas := func(a, b []float64) error {
		_, _, err := ablate.CircuitAreas(a, b)
		return err
	}
	last := 3*(3*3+1) + 1 // behind the logits
	for i, test := range []struct {
		err  error
		want string
	}{
		{attribute("ig", 0, ld), `method is "ig"`},
		{attribute(ablate.EdgeIntegrated, 0, ld), "0 steps"},
		{attribute(ablate.EdgeGradient, 0, ablate.EdgeOptions{Metric: metric(t, "rank")}), `metric is "rank"`},
		{attribute(ablate.EdgeGradient, 0, ablate.EdgeOptions{Metric: metric(t, "logit"), Kind: ablate.MeanByPos}), "no reference prompts"},
		{attribute(ablate.EdgeGradient, 0, ablate.EdgeOptions{Metric: metric(t, "logit"), Kind: "noise"}), `"noise"`},
		{patch(ablate.Edge{Source: 0, Destination: last}), "outside"},
		{patch(ablate.Edge{Source: 5, Destination: 0}), "head 1.0 → q 0.0 does not exist"},
		{patch(ablate.Edge{Source: 0, Destination: 0}, ablate.Edge{Source: 0, Destination: 0}), "embed → q 0.0 is listed twice"},
		{circuits(), "no circuits"},
		{backwards, "single edges"},
		{attribute(ablate.EdgeGradient, 0, ablate.EdgeOptions{Metric: metric(t, "logit"), Direction: "up"}), `direction is "up"`},
		{circuits([]ablate.Edge{{Source: 1, Destination: 1}}), "does not exist"},
		{areas([]float64{1}, []float64{1}), "two or more"},
		{areas([]float64{.5, .5}, []float64{1, 1}), "ascend"},
	} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
				t.Errorf("error %v does not say %q", test.err, test.want)
			}
		})
	}
}
