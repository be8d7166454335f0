package ablate_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/tensor"
)

// TestMoveAlongPathsGolden moves the corrupted run's output along a share of all paths
// into the clean run: the logit difference is the reference's, and the logit of the answer
// that of PathPatch to the bit. Outside of the cone nothing changes, and the run's own
// value changes nothing.
func TestMoveAlongPathsGolden(t *testing.T) {
	eachReference(t, "05_paths.safetensors", func(t *testing.T, g golden) {
		senders := g.sendersOf(t)
		list := g.ints(t, "receivers")
		var receivers []ablate.Receiver
		for i := 0; i < len(list); i += 3 {
			input := []ablate.Input{ablate.QueryInput, ablate.KeyInput, ablate.ValueInput, ablate.MLPInput}[list[i+2]]
			receivers = append(receivers, ablate.Receiver{Input: input, Layer: list[i], Index: list[i+1]})
		}
		for name, freeze := range map[string]ablate.Freeze{"heads_only": ablate.FreezeHeads, "heads_and_mlps": ablate.FreezeHeadsAndMLPs} {
			for tag, at := range map[string][]int{"end": {-1}, "all": nil} {
				opt := ablate.PathOptions{Senders: senders, Receivers: receivers, Freeze: freeze, Last: at != nil, Metric: metric(t, "logit")}
				e, err := ablate.PathPatch(context.Background(), g.model, g.pairs(t, "pairs5"), opt)
				if err != nil {
					t.Fatal(err)
				}
				opt.Receivers = nil
				straight, err := ablate.PathPatch(context.Background(), g.model, g.pairs(t, "pairs5"), opt)
				if err != nil {
					t.Fatal(err)
				}
				p := pathMoves{g: g, freeze: freeze, at: at}
				ends, between := g.read(t, "to_logits."+name+".sender_"+tag+".ld"), g.read(t, "to_receiver."+name+".sender_"+tag+".ld")
				for s, sender := range senders {
					p.check(t, sender, ablate.Receiver{Input: ablate.LogitsInput, Layer: g.model.Config.Layers}, straight.Values[s][0], ends, s)
					for r, receiver := range receivers {
						if (s+r)%3 == 0 && receiver.Behind(g.model, sender) {
							p.check(t, sender, receiver, e.Values[s][r], between, s, r)
						}
					}
				}
			}
		}
	})
}

// pathMoves are moves along the paths of one freeze and place.
type pathMoves struct {
	g      golden
	freeze ablate.Freeze
	at     []int
}

// check moves along one path in one of the pairs. logits is the answer's logit as
// PathPatch has it [pair], and want's entry at index [pair,..] the logit difference.
func (p pathMoves) check(t *testing.T, from ablate.Node, to ablate.Receiver, logits []float64, want *tensor.Dense, index ...int) {
	t.Helper()
	try := []ablate.Move{{Site: from.String() + " → " + to.String(), At: p.at, Freeze: p.freeze}}
	contrasts := p.g.contrasts(t, "pairs5")
	pair := index[0] % len(contrasts)
	c := contrasts[pair]
	v, err := ablate.StartMoved(context.Background(), p.g.model, c.Corrupted.IDs, c.Clean.IDs, ablate.MovedOptions{Tries: [][]ablate.Move{try}, Keep: streams(p.g.model)})
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Run(context.Background(), try)
	if err != nil {
		t.Fatal(err)
	}
	z := r.Logits.Sub(len(c.Clean.IDs) - 1).Data
	if got := float64(z[c.Clean.Answer]); math.Float64bits(got) != math.Float64bits(logits[pair]) {
		t.Errorf("%s: the answer's logit is %g, PathPatch has %g", try[0].Site, got, logits[pair])
	}
	w := float64(want.At(append([]int{pair}, index...)...))
	if d := float64(z[c.Clean.Answer]) - float64(z[c.Corrupted.Answer]); !(math.Abs(d-w) <= plainBound*(1+math.Abs(w))) {
		t.Errorf("%s: the logit difference is %g, want %g", try[0].Site, d, w)
	}
	if different, err := v.Rerun(context.Background(), try, r); err != nil || different != 0 {
		t.Errorf("%s: %d logits differ from an exact re-run (%v)", try[0].Site, different, err)
	}
	if own, err := v.Own(context.Background(), try); err != nil || own != 0 {
		t.Errorf("%s: own value back changes a logit by %g (%v)", try[0].Site, own, err)
	}
	edits, err := v.Edits(context.Background(), try)
	if err != nil {
		t.Fatal(err)
	}
	cone, err := ablate.Cone(p.g.model, edits, len(c.Clean.IDs), streams(p.g.model))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := ablate.Outside(r, v.Corrupted, cone, streams(p.g.model)); err != nil || n != 0 {
		t.Errorf("%s: %d values outside of the cone differ (%v)", try[0].Site, n, err)
	}
}

// TestMoveAlongPathsRefuse: what is no path of the model is refused by name, and so is
// what a path does not have.
func TestMoveAlongPathsRefuse(t *testing.T) {
	g := toy(t)
	edge := ablate.Move{Site: "head 0.0 → q 1.0"}
	for _, c := range []struct {
		try  []ablate.Move
		want string
	}{
		{[]ablate.Move{{Site: "head 0.9 → logits", Freeze: ablate.FreezeHeads}}, `no path begins at "head 0.9"`},
		{[]ablate.Move{{Site: "head 0.0 → q 1", Freeze: ablate.FreezeHeads}}, `no path ends at "q 1"`},
		{[]ablate.Move{{Site: "mlp 1 → mlp 0", Freeze: ablate.FreezeHeads}}, "not computed behind its beginning"},
		{[]ablate.Move{{Site: "z0", Freeze: ablate.FreezeHeads}}, "write its two ends"},
		{[]ablate.Move{{Site: edge.Site, Freeze: "all"}}, `freeze is "all", want one of`},
		{[]ablate.Move{{Site: edge.Site, Freeze: ablate.FreezeHeads, Heads: []int{0}}}, "give at and freeze alone"},
		{[]ablate.Move{{Site: edge.Site, Freeze: ablate.FreezeHeads, Run: ablate.FromZero}}, "the clean run's value"},
		{[]ablate.Move{{Site: edge.Site, Freeze: ablate.FreezeHeads, At: []int{1}}}, "at the last token (at=-1) or at all of them, not at [1]"},
		{[]ablate.Move{{Site: edge.Site, Freeze: ablate.FreezeOutputs}}, "give at=-1"},
	} {
		_, err := ablate.StartMoved(context.Background(), g.model, []int{50, 1, 51, 3, 53}, []int{50, 2, 51, 3, 53}, ablate.MovedOptions{Tries: [][]ablate.Move{c.try}, Keep: []models.Site{}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v does not say %q", c.try, err, c.want)
		}
	}
}

// TestEdgesBesidePaths: both in one set of tries are refused where heads share keys
// and values, since they count those differently.
func TestEdgesBesidePaths(t *testing.T) {
	eachReference(t, "05_paths.safetensors", func(t *testing.T, g golden) {
		tries := [][]ablate.Move{{{Site: "head 0.0 → k 1.0"}}, {{Site: "head 0.0 → k 1.0", Freeze: ablate.FreezeHeads}}}
		_, err := ablate.StartMoved(context.Background(), g.model, []int{50, 1, 51, 3, 53}, []int{50, 2, 51, 3, 53}, ablate.MovedOptions{Tries: tries, Keep: []models.Site{}})
		if shared := g.model.Config.KVHeads < g.model.Config.Heads; (err != nil) != shared || shared && !strings.Contains(err.Error(), "in two calls") {
			t.Errorf("%v", err)
		}
	})
}
