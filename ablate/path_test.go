package ablate_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// sendersOf reads a list of (layer, head), where the head behind the last stands
// for the MLP.
func (g golden) sendersOf(t *testing.T) (nodes []ablate.Node) {
	t.Helper()
	list := g.ints(t, "senders")
	for i := 0; i < len(list); i += 2 {
		if list[i+1] == g.model.Config.Heads {
			nodes = append(nodes, ablate.Node{Part: ablate.MLPPart, Layer: list[i]})
		} else {
			nodes = append(nodes, ablate.Node{Part: ablate.HeadPart, Layer: list[i], Index: list[i+1]})
		}
	}
	return nodes
}

// checkPaths compares KEY [pair,sender(,receiver)].
func (g golden) checkPaths(t *testing.T, e *ablate.PathEffects, key string, used func(sender, receiver int) bool) {
	t.Helper()
	want := g.read(t, key)
	got := tensor.New(want.Shape...)
	for s := range e.Values {
		for r := range e.Values[s] {
			for i, v := range e.Values[s][r] {
				at := []int{i, s, r}[:want.Rank()]
				if got.Set(float32(v), at...); !used(s, r) {
					got.Set(want.At(at...), at...) // the reference leaves it out
				}
			}
		}
	}
	modeltest.Close(t, key, got, want, plainBound, plainBound)
}

// TestPathGolden compares paths to the logits and to queries, keys, values and
// MLPs, with both freezes, from the last and from all positions.
func TestPathGolden(t *testing.T) {
	eachReference(t, "05_paths.safetensors", func(t *testing.T, g golden) {
		senders := g.sendersOf(t)
		var receivers []ablate.Receiver
		list := g.ints(t, "receivers")
		for i := 0; i < len(list); i += 3 {
			input := []ablate.Input{ablate.QueryInput, ablate.KeyInput, ablate.ValueInput, ablate.MLPInput}[list[i+2]]
			receivers = append(receivers, ablate.Receiver{Input: input, Layer: list[i], Index: list[i+1]})
		}
		all := func(int, int) bool { return true }
		for name, freeze := range map[string]ablate.Freeze{"heads_only": ablate.FreezeHeads, "heads_and_mlps": ablate.FreezeHeadsAndMLPs} {
			for tag, last := range map[string]bool{"end": true, "all": false} {
				for measure, m := range map[string]ablate.Metric{"logit_answer": metric(t, "logit"), "ld": metric(t, "logit_diff")} {
					opt := ablate.PathOptions{Senders: senders, Freeze: freeze, Last: last, Metric: m}
					e, err := ablate.PathPatch(context.Background(), g.model, g.pairs(t, "pairs5"), opt)
					if err != nil {
						t.Fatal(err)
					}
					key := "to_logits." + name + ".sender_" + tag
					g.checkPaths(t, e, key+"."+measure, all)
					modeltest.Close(t, "reference "+measure, vector(e.Base), g.read(t, "reference."+measure), plainBound, plainBound)
					if measure == "logit_answer" {
						relative, want := tensor.New(len(senders)), g.read(t, key+".relative")
						for s := range senders {
							for i, v := range e.Values[s][0] {
								one := &ablate.PathEffects{Base: e.Base[i : i+1]}
								r, err := one.Relative([]float64{v})
								if w := float64(want.At(i, s)); err != nil || !(math.Abs(r.Mean-w) <= ratioBound*(1+math.Abs(w))) {
									t.Errorf("%s of pair %d: %g, %v, want %g", senders[s], i, r.Mean, err, w)
								}
							}
							r, err := e.Relative(e.Values[s][0])
							if err != nil {
								t.Fatal(err)
							}
							relative.Data[s] = float32(r.Mean)
						}
						modeltest.Close(t, key+".relative_mean", relative, g.read(t, key+".relative_mean"), ratioBound, ratioBound)
					}
					opt.Receivers = receivers
					if e, err = ablate.PathPatch(context.Background(), g.model, g.pairs(t, "pairs5"), opt); err != nil {
						t.Fatal(err)
					}
					g.checkPaths(t, e, "to_receiver."+name+".sender_"+tag+"."+measure, all)
				}
			}
		}
	})
}

// TestEdgePathGolden compares the paths between heads and MLPs at the last
// position.
func TestEdgePathGolden(t *testing.T) {
	eachReference(t, "05_paths.safetensors", func(t *testing.T, g golden) {
		senders := g.sendersOf(t)
		var receivers []ablate.Receiver
		for _, n := range senders {
			r := ablate.Receiver{Input: ablate.HeadInput, Layer: n.Layer, Index: n.Index}
			if n.Part == ablate.MLPPart {
				r.Input = ablate.MLPInput
			}
			receivers = append(receivers, r)
		}
		valid := g.ints(t, "edges_4_4.valid")
		used := func(s, r int) bool { return valid[s*len(receivers)+r] == 1 }
		change := ablate.Metric{Name: "change of logit(r′)", Of: func(r ablate.Readout) float64 { return float64(r.Run[r.Other]) - float64(r.Base[r.Other]) }}
		for key, m := range map[string]ablate.Metric{"edges_4_4.dlogit_src": change, "edges_4_4.ld": metric(t, "logit_diff")} {
			e, err := ablate.PathPatch(context.Background(), g.model, g.pairs(t, "pairs5"), ablate.PathOptions{Senders: senders, Receivers: receivers, Freeze: ablate.FreezeOutputs, Last: true, Metric: m})
			if err != nil {
				t.Fatal(err)
			}
			g.checkPaths(t, e, key, used)
			for s := range senders {
				for r := range receivers {
					for i, v := range e.Values[s][r] {
						if !used(s, r) && senders[s] != senders[r] && v != e.Base[i] {
							t.Errorf("%s to %s, which lies not behind it, changes pair %d from %g to %g", senders[s], senders[r], i, e.Base[i], v)
						}
					}
				}
			}
		}
	})
}

// TestPathOfThePlantedHead: in the circuit, the head's path to the logits is
// direct, and its path to anything else carries nothing.
func TestPathOfThePlantedHead(t *testing.T) {
	m := modeltest.Copy()
	var pairs []ablate.Pair
	for _, c := range copyContrasts() {
		p, err := c.Pair(ablate.Noise)
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, p)
	}
	opt := ablate.PathOptions{Senders: partsOf(t, m, ablate.HeadPart, ablate.MLPPart), Freeze: ablate.FreezeHeadsAndMLPs, Last: true, Metric: metric(t, "logit_diff")}
	run := func() *ablate.PathEffects {
		e, err := ablate.PathPatch(context.Background(), m, pairs, opt)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := run()
	for s, n := range opt.Senders {
		changed := e.Values[s][0][0] != e.Base[0]
		if planted := n == (ablate.Node{Part: ablate.HeadPart, Layer: 1}); changed != planted {
			t.Errorf("%s changes the logits: %t", n, changed)
		}
	}
	opt.Receivers = []ablate.Receiver{{Input: ablate.QueryInput, Layer: 1}, {Input: ablate.MLPInput, Layer: 1}}
	e = run()
	for s, n := range opt.Senders {
		for r := range opt.Receivers {
			if e.Values[s][r][0] != e.Base[0] {
				t.Errorf("%s changes receiver %d by %g", n, r, e.Values[s][r][0]-e.Base[0])
			}
		}
	}
}

func TestPathRefuses(t *testing.T) {
	m := modeltest.Copy()
	pairs := []ablate.Pair{{Base: []int{1, 2}, Source: []int{2, 2}, BaseAnswer: 1, SourceAnswer: 2}}
	head := []ablate.Node{{Part: ablate.HeadPart}}
	for _, test := range []struct {
		opt  ablate.PathOptions
		want string
	}{
		{ablate.PathOptions{Freeze: ablate.FreezeHeads}, "no components"},
		{ablate.PathOptions{Senders: []ablate.Node{{Part: ablate.NeuronPart}}, Freeze: ablate.FreezeHeads}, "cannot send"},
		{ablate.PathOptions{Senders: head}, `freeze is ""`},
		{ablate.PathOptions{Senders: head, Freeze: ablate.FreezeOutputs}, "set Last"},
		{ablate.PathOptions{Senders: head, Freeze: ablate.FreezeHeads, Receivers: []ablate.Receiver{}}, "is empty"},
		{ablate.PathOptions{Senders: head, Freeze: ablate.FreezeHeads, Receivers: []ablate.Receiver{{Input: "resid"}}}, `"resid"`},
		{ablate.PathOptions{Senders: head, Freeze: ablate.FreezeHeads, Receivers: []ablate.Receiver{{Input: ablate.KeyInput, Index: 2}}}, "indices 0..1"},
	} {
		test.opt.Metric = metric(t, "logit_diff")
		if _, err := ablate.PathPatch(context.Background(), m, pairs, test.opt); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v does not say %q", err, test.want)
		}
	}
	zero := &ablate.PathEffects{Base: []float64{0}}
	if v, err := zero.Relative([]float64{1}); err == nil {
		t.Errorf("a relative effect of a base of 0 is %+v", v)
	}
}
