package ablate_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
)

func standIns(t *testing.T, m *models.Model, pairs []ablate.Pair, list []ablate.StandIn, metrics ...string) *ablate.StandInEffects {
	t.Helper()
	opt := ablate.StandInOptions{Budget: ablate.Budget{Check: len(list) * len(pairs)}}
	for _, name := range metrics {
		opt.Metrics = append(opt.Metrics, metric(t, name))
	}
	seen := map[int]bool{}
	e, err := ablate.StandIns(context.Background(), m, pairs, list, opt, func(i int) error {
		seen[i] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != len(list) || e.Report.Different != 0 || e.Report.Checked == 0 {
		t.Fatalf("%d of %d stand-ins were emitted; %+v", len(seen), len(list), e.Report)
	}
	if e.OwnError != 0 || e.SourceError != 0 {
		t.Errorf("own value changes a logit by %g, the whole stream differs from the source by %g", e.OwnError, e.SourceError)
	}
	return e
}

// TestStandInsOfNeurons: single neurons, and all of a layer's.
func TestStandInsOfNeurons(t *testing.T) {
	g := toy(t)
	pairs := g.pairs(t, "pairs5")
	last := g.model.Config.Layers - 1
	post := at(last, models.Post, -1, -1)
	var list []ablate.StandIn
	var nodes []ablate.Node
	for i := range 6 {
		place := post
		place.Neurons = []int{i}
		list = append(list, ablate.StandIn{Name: "neuron", Puts: []ablate.Put{{Place: place}}})
		nodes = append(nodes, ablate.Node{Part: ablate.NeuronPart, Layer: last, Index: i})
	}
	all := post
	for i := range g.model.Config.MLPWidth {
		all.Neurons = append(all.Neurons, i)
	}
	list = append(list, ablate.StandIn{Name: "all", Puts: []ablate.Put{{Place: all}}}, ablate.StandIn{Name: "whole", Puts: []ablate.Put{{Place: post}}})
	want, err := ablate.TotalAndDirect(context.Background(), g.model, pairs, ablate.EffectOptions{Nodes: nodes, Metric: metric(t, "logit_diff")})
	if err != nil {
		t.Fatal(err)
	}
	got := standIns(t, g.model, pairs, list, "logit_diff")
	for row := range pairs {
		for i, n := range want.Nodes {
			if v := got.Values[i][0][row]; v != n.Total[row] {
				t.Errorf("%s: %g, its total effect is %g", n.Node, v, n.Total[row])
			}
		}
		if x, y := got.Values[6][0][row], got.Values[7][0][row]; x != y {
			t.Errorf("all neurons give %g, the site %g", x, y)
		}
	}
}

func at(layer int, kind models.Kind, head, position int) ablate.Place {
	return ablate.Place{Site: models.Site{Layer: layer, Kind: kind}, Head: head, Position: position}
}

// TestStandInsOfTheSource: the source's own activations give the values of the
// total and the direct effects, which were compared with another implementation,
// on every family; in the last MLP no other path is left.
func TestStandInsOfTheSource(t *testing.T) {
	eachGolden(t, "04_effects.safetensors", func(t *testing.T, g golden) {
		pairs := g.pairs(t, "pairs5")
		nodes := partsOf(t, g.model, ablate.HeadPart, ablate.MLPPart, ablate.AttentionPart)
		want, err := ablate.TotalAndDirect(context.Background(), g.model, pairs, ablate.EffectOptions{Nodes: nodes, Metric: metric(t, "logit_diff")})
		if err != nil {
			t.Fatal(err)
		}
		var list []ablate.StandIn
		for _, n := range nodes {
			whole := at(n.Layer, models.Z, n.Index, -1)
			part := whole
			switch n.Part {
			case ablate.MLPPart:
				whole = at(n.Layer, models.MLPOut, -1, -1)
				part = whole
			case ablate.AttentionPart:
				whole, part = at(n.Layer, models.Z, -1, -1), at(n.Layer, models.AttnOut, -1, -1)
			}
			for _, p := range []ablate.Put{{Place: whole}, {Place: part, Path: ablate.DirectPath}, {Place: part, Path: ablate.IndirectPath}} {
				list = append(list, ablate.StandIn{Name: n.String(), Puts: []ablate.Put{p}})
			}
		}
		got := standIns(t, g.model, pairs, list, "logit_diff", "accuracy")
		for i, n := range want.Nodes {
			for row := range pairs {
				if total := got.Values[3*i][0][row]; total != n.Total[row] {
					t.Errorf("%s pair %d: %g, its total effect is %g", n.Node, row, total, n.Total[row])
				}
				if d := got.Values[3*i+1][0][row] - n.Direct[row]; !(math.Abs(d) <= 2e-5) {
					t.Errorf("%s pair %d: the direct path is %g off", n.Node, row, d)
				}
				if d := got.Values[3*i+2][0][row] - want.Base[row]; n.Node == (ablate.Node{Part: ablate.MLPPart, Layer: g.model.Config.Layers - 1}) && !(math.Abs(d) <= 2e-5) {
					t.Errorf("%s pair %d: %g is left beside the only path", n.Node, row, d)
				}
			}
		}
	})
}

// TestStandInsOfTheSourceStream are Patch's cells.
func TestStandInsOfTheSourceStream(t *testing.T) {
	g := toy(t)
	pairs := g.pairs(t, "pairs5")
	var contrasts []ablate.Contrast
	for _, p := range pairs {
		contrasts = append(contrasts, ablate.Contrast{
			Clean:     ablate.Prompt{IDs: p.Base, Answer: p.BaseAnswer, Other: -1},
			Corrupted: ablate.Prompt{IDs: p.Source, Answer: p.SourceAnswer, Other: -1},
		})
	}
	sweeps, err := ablate.PatchSweepsByName("resid_pre")
	if err != nil {
		t.Fatal(err)
	}
	want, err := ablate.Patch(context.Background(), g.model, contrasts, ablate.PatchOptions{Sweeps: sweeps, Direction: ablate.Noise, Metric: metric(t, "logit_diff")}, func(ablate.PatchCell) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	var list []ablate.StandIn
	for l := range want.Grids[0].Shape[0] {
		for p := range want.Grids[0].Shape[1] {
			list = append(list, ablate.StandIn{Name: "stream", Puts: []ablate.Put{{Place: at(l, models.ResidPre, -1, p)}}})
		}
	}
	got := standIns(t, g.model, pairs, list, "logit_diff")
	for c := range list {
		for row := range pairs {
			// Patch measures the clean answer against the corrupted one.
			if v := got.Values[c][0][row]; v != -want.Grids[0].Values[row][c] {
				t.Errorf("cell %d pair %d: %g, patching gives %g", c, row, v, -want.Grids[0].Values[row][c])
			}
		}
	}
}

// TestStandInsFindThePlantedHead: what head 0 of layer 1 says is the answer, and a
// stand-in of the right form, though no run ever held it, is read like the source.
func TestStandInsFindThePlantedHead(t *testing.T) {
	m, prompts, _ := copyTask(t)
	var pairs []ablate.Pair
	one := make([][]float32, 0, len(prompts))
	for i, p := range prompts {
		q := prompts[(i+2)%len(prompts)]
		pairs = append(pairs, ablate.Pair{Base: p.IDs, Source: q.IDs, BaseAnswer: p.Answer, SourceAnswer: q.Answer})
		value := make([]float32, m.Config.HeadWidth)
		value[q.Answer] = 2
		one = append(one, value)
	}
	put := func(values [][]float32, path ablate.Path, place ablate.Place) ablate.StandIn {
		return ablate.StandIn{Name: "head", Puts: []ablate.Put{{Place: place, Values: values, Path: path}}}
	}
	head := at(1, models.Z, 0, -1)
	e := standIns(t, m, pairs, []ablate.StandIn{
		put(nil, "", head), put(one, "", head), put(one, ablate.DirectPath, head), put(one, ablate.IndirectPath, head),
		put(nil, "", at(1, models.Z, 1, -1)), put(nil, "", at(1, models.ResidPre, -1, 0)), put(nil, "", at(1, models.ResidPre, -1, -1)),
		{Name: "head cut and led around", Puts: []ablate.Put{{Place: head, Path: ablate.IndirectPath}, {Place: at(1, models.AttnOut, -1, -1), Path: ablate.DirectPath}}},
	}, "accuracy", "logit_change", "below_top")
	for i, want := range []float64{1, 1, 1, 0, 0, 1, 0, 1} {
		if got := ablate.Summarise(e.Values[i][0]).Mean; got != want {
			t.Errorf("stand-in %d: accuracy %g, want %g", i, got, want)
		}
		if top := ablate.Summarise(e.Values[i][2]).Mean; (top == 0) != (want == 1) || top > 0 {
			t.Errorf("stand-in %d: the answer is %g below the top", i, top)
		}
		if change := e.Change(i, 1); (change.Mean > 1) != (want == 1) || change.N != len(pairs) {
			t.Errorf("stand-in %d: the logit changes by %+v", i, change)
		}
	}
}

// TestDirectPathsAddUp: the direct paths of the embedding and of every attention
// block and MLP together are the source's stream, and give its logits. The last
// tokens differ, so that the embedding has a part in it.
func TestDirectPathsAddUp(t *testing.T) {
	for _, name := range []string{"m1-gpt2", "m2-llama", "m3-gptj"} {
		t.Run(name, func(t *testing.T) {
			g := readGolden(t, name, modeltest.Reference(t, "causal", name), "04_effects.safetensors")
			pairs := []ablate.Pair{{Base: []int{50, 3, 51, 4}, Source: []int{50, 3, 51, 9}, BaseAnswer: 7, SourceAnswer: 12}}
			all := ablate.StandIn{Name: "all", Puts: []ablate.Put{{Place: at(0, models.ResidPre, -1, -1), Path: ablate.DirectPath}}}
			for l := range g.model.Config.Layers {
				for _, kind := range []models.Kind{models.AttnOut, models.MLPOut} {
					all.Puts = append(all.Puts, ablate.Put{Place: at(l, kind, -1, -1), Path: ablate.DirectPath})
				}
			}
			without := ablate.StandIn{Name: "all but the embedding", Puts: all.Puts[1:]}
			e := standIns(t, g.model, pairs, []ablate.StandIn{all, without}, "logit", "kl")
			if got, want := e.Values[0][0][0], e.Source[0][0]; !(math.Abs(got-want) <= plainBound*(1+math.Abs(want))) {
				t.Errorf("the direct paths give %g, the source has %g", got, want)
			}
			if !(math.Abs(e.Values[1][0][0]-e.Source[0][0]) > 1e-3) {
				t.Error("without the embedding they give the same: it has no part in this")
			}
		})
	}
}

func TestStandInsRefuse(t *testing.T) {
	m := modeltest.Copy()
	pairs := []ablate.Pair{{Base: []int{1, 2, 3}, Source: []int{2, 2, 3}, BaseAnswer: 1, SourceAnswer: 2}}
	for _, test := range []struct {
		name, want string
		put        ablate.Put
	}{
		{"a site that is not there", "blocks.7", ablate.Put{Place: at(7, models.ResidPre, -1, 0)}},
		{"a site without positions", "vector at each position", ablate.Put{Place: at(0, models.Pattern, 0, 0)}},
		{"a head of the stream", "has no heads", ablate.Put{Place: at(0, models.ResidPre, 1, 0)}},
		{"a head that is not there", "head 5 is outside 0..1", ablate.Put{Place: at(0, models.Z, 5, 0)}},
		{"a position that is not there", "position 3 is outside 0..2", ablate.Put{Place: at(0, models.Z, 0, 3)}},
		{"another width", "3 numbers, and 6 stand there", ablate.Put{Place: at(0, models.Z, 0, 0), Values: [][]float32{{1, 2, 3}}}},
		{"another number of values", "2 values for 1 pairs", ablate.Put{Place: at(0, models.Z, 0, 0), Values: [][]float32{{1}, {2}}}},
		{"NaN", "NaN", ablate.Put{Place: at(0, models.Z, 0, 0), Values: [][]float32{{1, 2, float32(math.NaN()), 4, 5, 6}}}},
		{"a path before the end", "only the last position", ablate.Put{Place: at(0, models.Z, 0, 0), Path: ablate.DirectPath}},
		{"a path of the stream", "no component that adds to the stream", ablate.Put{Place: at(1, models.ResidPre, -1, -1), Path: ablate.DirectPath}},
		{"a neuron that is not there", "neuron 4 is outside 0..3", ablate.Put{Place: ablate.Place{Site: models.Site{Kind: models.Post}, Head: -1, Neurons: []int{4}}}},
		{"a neuron twice", "comes twice", ablate.Put{Place: ablate.Place{Site: models.Site{Kind: models.Post}, Head: -1, Neurons: []int{1, 1}}}},
		{"no neurons", "0 neurons", ablate.Put{Place: ablate.Place{Site: models.Site{Kind: models.Post}, Head: -1, Neurons: []int{}}}},
		{"neurons of heads", "2 neurons", ablate.Put{Place: ablate.Place{Site: models.Site{Kind: models.Z}, Head: -1, Neurons: []int{0, 1}}}},
		{"a path of neurons", "no direct path here", ablate.Put{Place: ablate.Place{Site: models.Site{Kind: models.MLPOut}, Head: -1, Position: -1, Neurons: []int{0}}, Path: ablate.DirectPath}},
		{"another path", `path is "around"`, ablate.Put{Place: at(0, models.Z, 0, -1), Path: "around"}},
	} {
		_, err := ablate.StandIns(context.Background(), m, pairs, []ablate.StandIn{{Name: "it", Puts: []ablate.Put{test.put}}}, ablate.StandInOptions{Metrics: []ablate.Metric{metric(t, "logit")}}, func(int) error { return nil })
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	if _, err := ablate.StandIns(context.Background(), m, nil, []ablate.StandIn{{}}, ablate.StandInOptions{Metrics: []ablate.Metric{metric(t, "logit")}}, nil); err == nil {
		t.Error("no pairs pass")
	}
}
