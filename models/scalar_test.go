package models_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// TestGradientsOfActivations differentiates values at every site by the sites
// before them, and holds that against finite differences.
func TestGradientsOfActivations(t *testing.T) {
	for _, m := range []*models.Model{modeltest.GPT2(3), modeltest.Llama(3)} {
		in := models.Prompt(1, 5, 2, 7)
		for _, from := range m.Sites() {
			if from.Layer == 0 || from.Kind == models.Logits {
				continue // few are enough
			}
			shape := m.Shape(from, in.B, in.T)
			index := make([]string, len(shape))
			for a, n := range shape {
				index[a] = fmt.Sprint(min(2, n-1))
			}
			index[0] = "0"
			if from.Kind == models.AttnScores || from.Kind == models.Pattern {
				index[3] = "1" // an edge that is there
			}
			of, err := models.ParseScalar(m, fmt.Sprintf("2*%s[%s]", from, strings.Join(index, ",")))
			if err != nil {
				t.Fatal(err)
			}
			if from.Kind == models.PosEmbed || from.Kind == models.Embed {
				continue
			}
			early := models.Site{Layer: 0, Kind: models.ResidMid}
			g := gradientOf(t, m, in, of, models.Want{Sites: models.Sites(early, from)})
			x, ok := g.Sites.Get(early)
			if !ok {
				t.Fatalf("%s has no gradient by %s", from, early)
			}
			checkDirection(t, m, in, of, early, x, nil)
			own, _ := g.Sites.Get(from)
			sum := float32(0)
			for _, v := range own.Data {
				sum += v
			}
			if sum != 2 {
				t.Errorf("the derivative of 2·%s by itself adds up to %g", from, sum)
			}
		}
	}
}

// TestScalarsOfSeveralSites mixes logits and activations, whose shares meet on
// the way back.
func TestScalarsOfSeveralSites(t *testing.T) {
	m := modeltest.Llama(3)
	in, err := models.Pad([][]int{{1, 5, 2, 7}}, models.Left, 0)
	if err != nil {
		t.Fatal(err)
	}
	of, err := models.ParseScalar(m, "logit[0,-1,3] - 2*z1[0,-1,2,1] + q_input0[0,2,1,3] + resid_post0[0,1,4] + logprob[0,0,2] + 3*scale1ln1[0,2,0]")
	if err != nil {
		t.Fatal(err)
	}
	for _, wide := range []bool{false, true} {
		sites := models.Sites(models.Site{Layer: 0, Kind: models.ResidPre}, models.Site{Layer: 1, Kind: models.ResidPre}, models.Site{Layer: -1, Kind: models.Embed})
		if wide {
			sites = models.All
		}
		g := gradientOf(t, m, in, of, models.Want{Sites: sites})
		for _, s := range g.Sites.Sites() {
			x, _ := g.Sites.Get(s)
			checkDirection(t, m, in, of, s, x, nil)
		}
	}
}

// Recomputing blocks changes no bit of any gradient.
func TestRecomputingChangesNoBit(t *testing.T) {
	for name, m := range subjects(t) {
		rows := [][]int{{1, 5, 2, 7}, {3, 4}}
		in, err := models.Pad(rows, models.Left, 0)
		if err != nil {
			t.Fatal(err)
		}
		of, err := models.ParseScalar(m, "logit[0,-1,3] - 0.5*logit[1,-1,2] + resid_post0[0,-1,2]")
		if err != nil {
			t.Fatal(err)
		}
		edits, err := m.Edits(models.Edit{Site: "blocks.0.attn.hook_z", Heads: []int{0}, Op: models.Scale, Value: models.Number(0.5)})
		if err != nil {
			t.Fatal(err)
		}
		for _, sites := range []models.Selector{nil, models.All} {
			want := gradientOf(t, m, in, of, models.Want{Sites: sites, Params: true}, edits...)
			got := gradientOf(t, m, in, of, models.Want{Sites: sites, Params: true, Recompute: true}, edits...)
			sameBits(t, name, got, want)
		}
		last := func(l *tensor.Dense) (float64, *tensor.Dense, error) {
			g := tensor.New(l.Shape...)
			g.Data[1] = 1
			return float64(l.Data[1]), g, nil
		}
		need := models.Need{Last: true}
		want := gradient(t, m, in, last, models.Want{Params: true, Need: need})
		sameBits(t, name+", last position", gradient(t, m, in, last, models.Want{Params: true, Need: need, Recompute: true}), want)
	}
}

func sameBits(t *testing.T, name string, got, want *models.Gradients) {
	t.Helper()
	if got.Value != want.Value {
		t.Errorf("%s: value %g, want %g", name, got.Value, want.Value)
	}
	got.Params.Each(func(weight string, x *tensor.Dense) {
		if y, _ := want.Params.Get(weight); !x.EqualBits(y) {
			t.Errorf("%s: the gradient of %s changes by %g when blocks are computed again", name, weight, x.MaxDifference(y))
		}
	})
	for _, s := range want.Sites.Sites() {
		x, ok := got.Sites.Get(s)
		if y, _ := want.Sites.Get(s); !ok || !x.EqualBits(y) {
			t.Errorf("%s: the gradient at %s changes when blocks are computed again", name, s)
		}
	}
}

func TestScalarsRefuse(t *testing.T) {
	m := modeltest.GPT2(1)
	for _, test := range []struct{ expr, says string }{
		{"z1[0,0,0]", "3 indices, want 4: [batch,pos,head,d_head]"},
		{"z9[0,0,0,0]", "layer 9"},
		{"z1[0,0,9,0]", "head 9 is outside"},
		{"resid_pre0[0,0,-99]", "d_model -99 is outside"},
	} {
		_, err := models.ParseScalar(m, test.expr)
		mustSay(t, err, test.says)
	}
	in := models.Prompt(1, 2)
	bad := models.Scalar{Sites: models.All, Fn: func(*models.Cache) (float64, *models.Cache, error) {
		c := models.NewCache()
		c.Put(models.Site{Layer: 0, Kind: models.Z}, tensor.New(1))
		return 0, c, nil
	}}
	_, err := m.GradientOf(context.Background(), in, bad, models.Want{})
	mustSay(t, err, "blocks.0.attn.hook_z", "shape [1]")
	_, err = m.GradientOf(context.Background(), in, models.Scalar{}, models.Want{})
	mustSay(t, err, "lacks its sites")
	_, err = m.GradientOf(context.Background(), in, models.Scalar{Sites: func(models.Site) bool { return false }, Fn: bad.Fn}, models.Want{})
	mustSay(t, err, "none of this model's")
	_, err = m.GradientOf(context.Background(), in, bad, models.Want{Need: models.Need{Last: true}})
	mustSay(t, err, "a need is given")
}
