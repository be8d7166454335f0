package analysis_test

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"orrery/server/analysis"
	"orrery/viz"
)

// TestEffectsAndKnockoutViews runs every view on a small set: nothing is left
// open, every number is one, parts and progress agree.
func TestEffectsAndKnockoutViews(t *testing.T) {
	m := mental(t)
	for _, test := range []struct {
		name string
		args analysis.Args
	}{
		{"effects", analysis.Args{"show": "layers"}},
		{"effects", analysis.Args{"show": "heads", "metric": "logit_diff", "frozen_norm": true}},
		{"effects", analysis.Args{"show": "layers", "metric": "prob", "frozen_norm": true}},
		{"effects", analysis.Args{"show": "neurons", "n": 2}},
		{"effects", analysis.Args{"show": "joint"}},
		{"effects", analysis.Args{"show": "joint", "joint": "mlps", "normalise": true}},
		{"effects", analysis.Args{"show": "shares"}},
		{"effects", analysis.Args{"show": "shares", "n": 1, "normalise": true}},
		{"knockout", analysis.Args{"show": "heads", "kind": "zero"}},
		{"knockout", analysis.Args{"show": "mlps", "kind": "mean", "metric": "kl"}},
		{"knockout", analysis.Args{"show": "attn", "kind": "resample", "metric": "accuracy"}},
		{"knockout", analysis.Args{"show": "stream", "metric": "rank"}},
		{"knockout", analysis.Args{"show": "curve"}},
		{"knockout", analysis.Args{"show": "curve", "metric": "loss", "n": 1}},
		{"knockout", analysis.Args{"show": "curve", "normalise": true}},
	} {
		t.Run(test.name+" "+test.args["show"].(string), func(t *testing.T) {
			test.args["m"], test.args["hi"] = m, 30
			if test.args["n"] == nil {
				test.args["n"] = 6
			}
			fig, s := run(t, test.name, test.args)
			if err := fig.Validate(); err != nil {
				t.Fatal(err)
			}
			for array, a := range fig.Arrays {
				for i := range a.Data {
					v, state := a.At(i)
					shown, shownState := s.shown.Arrays[array].At(i)
					blank := state == viz.Blank && test.args["show"] == "shares"
					if !blank && (state != viz.Done || v != v || shown != v || shownState != state) {
						t.Fatalf("%s[%d] is %g (%v), parts give %g (%v)", array, i, v, state, shown, shownState)
					}
				}
			}
			if last := s.progress[len(s.progress)-1]; last[0] != last[1] || last[0] != s.parts {
				t.Errorf("progress ends at %v after %d parts", last, s.parts)
			}
			for _, b := range fig.Badges {
				if !b.OK {
					t.Errorf("badge %q: %g", b.Text, b.Value)
				}
			}
			if fig.Provenance.Seed == nil || !strings.Contains(fig.Subtitle, "n = ") || !strings.Contains(fig.Caption, "equal to the bit") {
				t.Errorf("subtitle %q, caption %q", fig.Subtitle, fig.Caption)
			}
		})
	}
}

// TestEffectsOfTheWholeStream: behind the last block, the last token's stream is
// all there is, so that its effect is the whole change of the answer's logit.
func TestEffectsOfTheWholeStream(t *testing.T) {
	args := analysis.Args{"m": mental(t), "n": 5, "hi": 30, "metric": "prob"}
	fig, _ := run(t, "effects", args)
	a := fig.Arrays["resid_post_total"]
	v, _ := a.At(len(a.Data) - 1)
	if !(v > 0.8) { // the source's answer goes from next to nothing to what the source run gives it
		t.Errorf("the whole stream moves %g of the probability", v)
	}
	direct, _ := fig.Arrays["mlp_direct"].At(len(a.Data) - 1)
	total, _ := fig.Arrays["mlp_total"].At(len(a.Data) - 1)
	if !(math.Abs(float64(direct-total)) <= 1e-5) {
		t.Errorf("the last MLP does %g in all and %g directly", total, direct)
	}
}

// TestSharesEndAtOne: nothing lies behind the last MLP, so that all it does is
// direct.
func TestSharesEndAtOne(t *testing.T) {
	fig, _ := run(t, "effects", analysis.Args{"m": mental(t), "n": 8, "hi": 40, "show": "shares"})
	a := fig.Arrays["mlp_share"]
	v, state := a.At(len(a.Data) - 1)
	sem, _ := fig.Arrays["mlp_share_sem"].At(len(a.Data) - 1)
	if state != viz.Done || !(math.Abs(float64(v)-1) <= 1e-5) || !(sem >= 0 && sem <= 1e-4) {
		t.Errorf("the last MLP's share is %g ± %g (%v)", v, sem, state)
	}
}

// TestEffectsSayWhatHasToHold: direct effects add up where the norm is frozen and
// the metric linear, and where it is not the caption says so; what nothing lies
// behind has one effect.
func TestEffectsSayWhatHasToHold(t *testing.T) {
	for _, test := range []struct {
		args   analysis.Args
		badges []string
		words  string
	}{
		{analysis.Args{"show": "layers"}, []string{"last MLP: direct = total"}, ""},
		{analysis.Args{"show": "shares"}, []string{"last MLP: direct = total"}, ""},
		{analysis.Args{"show": "layers", "frozen_norm": true}, []string{"sum of directs = whole, norm frozen"}, ""},
		{analysis.Args{"show": "heads", "metric": "logit_diff", "frozen_norm": true}, []string{"sum of directs = whole, norm frozen"}, ""},
		{analysis.Args{"show": "layers", "metric": "prob", "frozen_norm": true}, nil, "need not add up"},
	} {
		test.args["m"], test.args["n"], test.args["hi"] = mental(t), 4, 30
		fig, _ := run(t, "effects", test.args)
		var got []string
		for _, b := range fig.Badges {
			if !b.OK || !(b.Value <= b.Bound) {
				t.Errorf("%v: badge %q is %g of %g", test.args, b.Text, b.Value, b.Bound)
			}
			if b.Text != "re-run = full pass" {
				got = append(got, b.Text)
			}
		}
		if !slices.Equal(got, test.badges) || !strings.Contains(fig.Caption, test.words) {
			t.Errorf("%v: badges %q and %q, want %q and %q", test.args, got, fig.Caption, test.badges, test.words)
		}
	}
}

// TestJointGuides: lines stand where the curve first reaches each share of what all do
// together, read off the curve itself.
func TestJointGuides(t *testing.T) {
	for _, of := range []string{"heads", "mlps"} {
		fig, _ := run(t, "effects", analysis.Args{"m": mental(t), "n": 12, "show": "joint", "joint": of})
		y := fig.Arrays["joint"].Data
		first, whole := float64(y[0]), float64(y[len(y)-1])-float64(y[0])
		want := map[string]float64{}
		for _, share := range []string{"70", "80", "90", "95", "99"} {
			s, err := strconv.ParseFloat(share, 64)
			if err != nil {
				t.Fatal(err)
			}
			k := slices.IndexFunc(y, func(v float32) bool { return (float64(v)-first)/whole >= s/100 })
			want[share] = float64(k)
		}
		got := map[string]float64{}
		for _, g := range fig.Lines.Guides {
			for _, share := range strings.Split(strings.TrimSuffix(g.Label, " %"), ", ") {
				got[share] = g.X
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: guides at %v, the curve reaches the shares at %v", of, got, want)
		}
	}
}
