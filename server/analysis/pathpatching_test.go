package analysis_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/server/analysis"
	"orrery/viz"
)

// TestPathPatchingIsTheLibrarys compares every cell with ablate.PathPatch, which the
// reference's values bind, for both views, all freezes, and the relative effect.
func TestPathPatchingIsTheLibrarys(t *testing.T) {
	m := mental(t)
	pairs := boundPairs(t, m, 3)
	var both []ablate.Pair
	for _, c := range pairs.Contrasts.Contrasts {
		p, err := c.Pair(ablate.Noise)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, p)
	}
	logit, err := ablate.MetricByName("logit")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		freeze, positions string
		relative          bool
		receivers         []ablate.Receiver // nil for the logits
		names             []string
	}{
		{"heads", "last", false, nil, nil},
		{"heads", "all", true, nil, nil},
		{"heads_and_mlps", "last", true, nil, nil},
		{"outputs", "last", false, nil, nil},
		{"heads", "all", false, []ablate.Receiver{{Input: ablate.ValueInput, Layer: 2, Index: 1}, {Input: ablate.MLPInput, Layer: 3}, {Input: ablate.HeadInput, Layer: 3}}, []string{"v 2.1", "mlp 3", "head 3.0"}},
	} {
		args := analysis.Args{"m": m, "prompts": pairs, "freeze": test.freeze, "positions": test.positions, "relative": test.relative}
		if test.names != nil {
			args["receivers"] = test.names
		}
		fig := streamed(t, "path_patching", args)
		senders := append(nodesOf(t, ablate.HeadPart), nodesOf(t, ablate.MLPPart)...)
		e, err := ablate.PathPatch(context.Background(), m, both, ablate.PathOptions{Senders: senders, Receivers: test.receivers, Freeze: ablate.Freeze(test.freeze), Last: test.positions == "last", Metric: logit})
		if err != nil {
			t.Fatal(err)
		}
		compared := 0
		for s, n := range senders {
			for r, values := range e.Values[s] {
				array, at := string(n.Part), n.Layer
				if n.Part == ablate.HeadPart {
					at = n.Layer*m.Config.Heads + n.Index
				}
				if test.receivers != nil {
					if array, at = "path", slices.Index(fig.Heatmap.Panels[0].Rows.Labels, n.String())*len(test.receivers)+r; at < 0 {
						continue // reaches none
					}
				}
				want := e.Base
				change := make([]float64, len(values))
				for i, v := range values {
					if change[i] = v - want[i]; test.relative {
						change[i] *= 100 / want[i]
					}
				}
				got, state := fig.Arrays[array].At(at)
				behind := test.receivers == nil || test.receivers[r].Behind(m, n)
				if (state == viz.Done) != behind {
					t.Fatalf("%s: %s to receiver %d is there: %v, want %t", test.freeze, n, r, state, behind)
				}
				if w := ablate.Summarise(change).Mean; behind && !(math.Abs(float64(got)-w) <= 1e-5*(1+math.Abs(w))) {
					t.Errorf("%s: %s to receiver %d is %g, want %g", test.freeze, n, r, got, w)
				}
				compared++
			}
		}
		if compared < 16 {
			t.Errorf("%s: %d paths were compared", test.freeze, compared)
		}
		if fig.Heatmap.Panels[0].Open == nil {
			t.Errorf("%s: nothing opens", test.freeze)
		}
	}
}

// TestPathRunsOpen: cells open the path that they are of, in words too.
func TestPathRunsOpen(t *testing.T) {
	m := mental(t)
	pairs := boundPairs(t, m, 2)
	for _, c := range []struct {
		args      analysis.Args
		row, cell int
		want      ablate.Move
		words     string
	}{
		{analysis.Args{}, 0, 2, ablate.Move{Site: "head 0.2 → logits", At: []int{-1}, Freeze: ablate.FreezeHeads}, "Letting the clean run's output of head 0.2 at = travel to the logits (every other head frozen, MLPs computed anew)"},
		{analysis.Args{"senders": []string{"mlp 1"}, "freeze": "heads_and_mlps", "positions": "all"}, 1, 0, ablate.Move{Site: "mlp 1 → logits", Freeze: ablate.FreezeHeadsAndMLPs}, "Letting the clean run's output of mlp 1 at all positions travel to the logits (every other head and MLP frozen)"},
		{analysis.Args{"senders": []string{"head 0.2"}, "receivers": []string{"mlp 0", "head 2.1"}, "freeze": "outputs"}, 0, 1, ablate.Move{Site: "head 0.2 → head 2.1", At: []int{-1}, Freeze: ablate.FreezeOutputs}, "Letting head 2.1 alone take what the clean run's output of head 0.2 at = brings there (attention"},
	} {
		c.args["m"], c.args["prompts"] = m, pairs
		fig := streamed(t, "path_patching", c.args)
		source := fig.Heatmap.Panels[0].Open.Source("m", "p", 0, c.row, c.cell)
		if !strings.HasSuffix(source, "patches=["+analysis.PatchSource(c.want)+"])") {
			t.Errorf("opens %s, want %s", source, analysis.PatchSource(c.want))
		}
		pair := pairs.Contrasts.Contrasts[0]
		opened, _ := run(t, "patch_lens", analysis.Args{"m": m, "clean": pair.Corrupted.Text, "corrupted": pair.Clean.Text, "patches": moved(c.want)})
		if !strings.HasPrefix(opened.Caption, c.words) {
			t.Errorf("caption %q, want %q", opened.Caption, c.words)
		}
		for _, b := range opened.Badges {
			if !b.OK {
				t.Errorf("%s: badge %+v", c.want.Site, b)
			}
		}
	}
}

func TestPathPatchingRefuses(t *testing.T) {
	for _, c := range []struct {
		args analysis.Args
		want string
	}{
		{analysis.Args{"senders": []string{"head 0.9"}}, `senders: there is no "head 0.9"`},
		{analysis.Args{"receivers": []string{"q 1.2", "q 1.2"}}, `"q 1.2" is listed twice`},
		{analysis.Args{"senders": []string{"mlp 3"}, "receivers": []string{"mlp 1"}}, "no path leads"},
		{analysis.Args{"freeze": "outputs", "positions": "all"}, "at the last token alone"},
		{analysis.Args{"relative": true, "normalise": true}, "two ways to divide"},
		{analysis.Args{"relative": true, "metric": "kl"}, "nothing to divide by"},
	} {
		if _, said := try(t, "path_patching", with(t, "path_patching", c.args)); !strings.Contains(said, c.want) {
			t.Errorf("%v: %q does not say %q", c.args, said, c.want)
		}
	}
}

// TestKeyHeads: relative effects ring the heads beyond the threshold, and list them.
func TestKeyHeads(t *testing.T) {
	fig := streamed(t, "path_patching", analysis.Args{"m": mental(t), "n": 6, "hi": 30, "relative": true, "threshold": 1.0})
	heads, ring := fig.Arrays["head"], fig.Heatmap.Panels[0].Ring
	for i, v := range heads.Data {
		if (v < -1) != slices.Contains(ring, i) {
			t.Errorf("head %d changes the logit by %g %%, rings are %v", i, v, ring)
		}
	}
	if !strings.Contains(fig.Caption, "Key heads") && !strings.Contains(fig.Caption, "No head") {
		t.Errorf("caption %q", fig.Caption)
	}
}
