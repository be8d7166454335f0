package models_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// TestEditsReachTheLogits moves every site of the toys at random and expects
// the logits of its position to move.
func TestEditsReachTheLogits(t *testing.T) {
	for _, m := range []*models.Model{modeltest.GPT2(2), modeltest.Llama(2)} {
		in := models.Prompt(4, 1, 7, 2)
		plain := run(t, m, in)
		for _, site := range m.Sites() {
			rng := rand.New(rand.NewPCG(1, 2))
			noise := models.Hook{Sites: models.Sites(site), Fn: func(_ models.Site, x *tensor.Dense) error {
				for i := range x.Data {
					x.Data[i] += float32(0.3 * rng.NormFloat64())
				}
				return nil
			}}
			got := run(t, m, in, noise)
			for p := 1; p < in.T; p++ {
				if got.Sub(0, p).EqualBits(plain.Sub(0, p)) {
					t.Errorf("%s: moving %s left the logits at position %d", m.Name, site, p)
				}
			}
		}
	}
}

// TestHooksMayShowAQueryTheFuture edits masked entries: a pattern there mixes in
// its value, and a score there takes part in the softmax.
func TestHooksMayShowAQueryTheFuture(t *testing.T) {
	m := modeltest.Llama(1) // 4 heads of 6 over 2 key-value heads
	in := models.Prompt(1, 5, 2, 7)
	values := func(edits ...models.Edit) (z, v *tensor.Dense) {
		hooks, err := m.Edits(edits...)
		if err != nil {
			t.Fatal(err)
		}
		cache := models.NewCache()
		run(t, m, in, append(hooks, models.Record(cache, models.All))...)
		z, _ = cache.Get(models.Site{Layer: 1, Kind: models.Z})
		v, _ = cache.Get(models.Site{Layer: 1, Kind: models.V})
		return z, v
	}
	for name, edit := range map[string]models.Edit{
		"pattern": {Site: "pattern1", Heads: []int{3}, Queries: []int{0}, Keys: []int{0, 2}, Op: models.Set, Value: models.List(0.25, 0.75)},
		// Scores of 0 and ln 3 are weights of 1/4 and 3/4.
		"scores": {Site: "attn_scores1", Heads: []int{3}, Queries: []int{0}, Keys: []int{0, 2}, Op: models.Set, Value: models.List(0, 1.0986123)},
	} {
		z, v := values(edit)
		want := tensor.New(6)
		for i := range want.Data {
			want.Data[i] = 0.25*v.At(0, 0, 1, i) + 0.75*v.At(0, 2, 1, i)
		}
		modeltest.Close(t, name, z.Sub(0, 0, 3), want, 1e-6, 1e-6)
	}
	// A query from which every key is cut mixes nothing.
	z, _ := values(models.Edit{Site: "attn_scores1", Queries: []int{2}, Op: models.Mask})
	modeltest.Close(t, "all cut", z.Sub(0, 2), tensor.New(4, 6), 0, 0)
}

// TestEditedElements shows what each operation and form of value writes.
func TestEditedElements(t *testing.T) {
	m := modeltest.GPT2(1) // 3 heads of 4
	tests := []struct {
		name, edit string
		at         []int // an element of the site in a run of 1 row, 3 positions
		want       func(was float32) float32
		same       []int // an element that must stay
	}{
		{"a number everywhere", `{"site":"z0","op":"set","value":2}`, []int{0, 1, 2, 3}, func(float32) float32 { return 2 }, nil},
		{"one head", `{"site":"z0","heads":[-1],"op":"scale","value":-1}`, []int{0, 0, 2, 1}, func(x float32) float32 { return -x }, []int{0, 0, 1, 1}},
		{"one position", `{"site":"z0","positions":[-2],"op":"add","value":0.5}`, []int{0, 1, 0, 0}, func(x float32) float32 { return x + 0.5 }, []int{0, 2, 0, 0}},
		{"neurons", `{"site":"mlp_out1","neurons":[5,2],"op":"set","value":[7,8]}`, []int{0, 0, 2}, func(float32) float32 { return 8 }, []int{0, 0, 3}},
		{"a list along the last axis", `{"site":"z0","op":"set","value":[1,2,3,4]}`, []int{0, 2, 1, 2}, func(float32) float32 { return 3 }, nil},
		{"a list of every element", `{"site":"z0","positions":[0,1],"heads":[2],"neurons":[0],"op":"set","value":[5,6]}`, []int{0, 1, 2, 0}, func(float32) float32 { return 6 }, []int{0, 2, 2, 0}},
		{"a shape", `{"site":"z0","positions":[0,2],"heads":[0,1,2],"op":"set","value":{"shape":[2,1,1],"data":[5,6]}}`, []int{0, 2, 1, 3}, func(float32) float32 { return 6 }, []int{0, 1, 1, 3}},
		{"edges of the pattern", `{"site":"pattern1","heads":[1],"queries":[2],"keys":[0],"op":"set","value":0}`, []int{0, 1, 2, 0}, func(float32) float32 { return 0 }, []int{0, 1, 2, 1}},
		{"masked scores", `{"site":"attn_scores1","op":"scale","value":-1}`, []int{0, 0, 0, 2}, func(x float32) float32 { return x }, nil},
		{"rows", `{"site":"hook_embed","rows":[0],"op":"set","value":1}`, []int{0, 1, 1}, func(float32) float32 { return 1 }, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			edits, err := models.ParseEdits(strings.NewReader("[" + test.edit + "]"))
			if err != nil {
				t.Fatal(err)
			}
			hooks, err := m.Edits(edits...)
			if err != nil {
				t.Fatal(err)
			}
			site, err := m.Site(edits[0].Site)
			if err != nil {
				t.Fatal(err)
			}
			was, is := models.NewCache(), models.NewCache()
			one := models.Sites(site)
			run(t, m, models.Prompt(3, 1, 4), append(append([]models.Hook{models.Record(was, one)}, hooks...), models.Record(is, one))...)
			before, _ := was.Get(site)
			after, _ := is.Get(site)
			if got, want := after.At(test.at...), test.want(before.At(test.at...)); got != want {
				t.Errorf("%s%v is %g, want %g", site, test.at, got, want)
			}
			if test.same != nil && after.At(test.same...) != before.At(test.same...) {
				t.Errorf("%s%v changed as well", site, test.same)
			}
		})
	}
}

func TestImpossibleEditsAreRefused(t *testing.T) {
	m := modeltest.GPT2(1) // 2 layers, 3 heads of 4, V 11
	tests := []struct {
		name, edits string
		says        []string
	}{
		{"no JSON", `[{`, []string{"edits"}},
		{"an unknown key", `[{"site":"z0","op":"set","value":0,"layer":3}]`, []string{"layer"}},
		{"more behind the list", `[] []`, []string{"more follows"}},
		{"an unknown site", `[{"site":"blocks.0.hook_zz","op":"set","value":0}]`, []string{"edit 0", "blocks.0.attn.hook_z"}},
		{"an unknown op", `[{"site":"z0","op":"zero"}]`, []string{`"zero"`, `"set"`}},
		{"no value", `[{"site":"z0","op":"set"}]`, []string{"needs a value"}},
		{"null as value", `[{"site":"z0","op":"set","value":null}]`, []string{"needs a value"}},
		{"a string as value", `[{"site":"z0","op":"set","value":"0"}]`, []string{"want a number"}},
		{"an empty list as value", `[{"site":"z0","op":"set","value":[]}]`, []string{"empty"}},
		{"a list of lists", `[{"site":"z0","op":"set","value":[[1,2],[3,4]]}]`, []string{"want a number of float32, not a list", `{"shape":[2,3],"data":[...]}`}},
		{"a number beyond float32", `[{"site":"z0","op":"set","value":1e300}]`, []string{"1e300", "float32", "3.4"}},
		{"a list with one beyond", `[{"site":"z0","op":"set","value":[1,-1e39]}]`, []string{"-1e39", "float32"}},
		{"an op twice", `[{"site":"z0","op":"set","Op":"add","value":1}]`, []string{`key "Op"`, "twice"}},
		{"no list", `{"site":"z0"}`, []string{"want a list, not an object"}},
		{"null", `null`, []string{"want a list, not null"}},
		{"a shape that wraps around", `[{"site":"z0","op":"set","value":{"shape":[7,7905747460161236407],"data":[1]}}]`, []string{"impossible shape", "7905747460161236407"}},
		{"a shape that does not hold", `[{"site":"z0","op":"set","value":{"shape":[2,2],"data":[1]}}]`, []string{"[2 2]", "1 numbers"}},
		{"a head too far", `[{"site":"z0","op":"set","value":0},{"site":"z1","heads":[3],"op":"set","value":0}]`, []string{"edit 1", "heads", "3", "0..2"}},
		{"a head twice", `[{"site":"z0","heads":[2,-1],"op":"add","value":1}]`, []string{"-1", "twice"}},
		{"a neuron too far", `[{"site":"z0","neurons":[4],"op":"set","value":0}]`, []string{"neurons", "0..3"}},
		{"heads of the stream", `[{"site":"resid_pre0","heads":[0],"op":"set","value":0}]`, []string{`"heads"`, "d_model"}},
		{"positions of a pattern", `[{"site":"pattern0","positions":[0],"op":"set","value":0}]`, []string{`"positions"`, "query"}},
		{"a mask elsewhere", `[{"site":"pattern0","op":"mask"}]`, []string{"blocks.0.attn.hook_attn_scores"}},
		{"a mask with a value", `[{"site":"attn_scores0","op":"mask","value":1}]`, []string{"no value"}},
		{"an empty list of indices", `[{"site":"z0","heads":[],"op":"set","value":0}]`, []string{"heads", "empty"}},
		// Known when the run is there.
		{"a position too far", `[{"site":"z0","positions":[3],"op":"set","value":0}]`, []string{"blocks.0.attn.hook_z", "positions", "3", "0..2"}},
		{"a row too far", `[{"site":"z0","rows":[1],"op":"set","value":0}]`, []string{"rows", "0..0"}},
		{"a list of another length", `[{"site":"z0","op":"set","value":[1,2,3]}]`, []string{"3 numbers", "want 1, 4 or 36"}},
		{"a shape that does not fit", `[{"site":"z0","op":"set","value":{"shape":[2,4],"data":[1,2,3,4,5,6,7,8]}}]`, []string{"[2 4]", "[1 3 3 4]"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			edits, err := models.ParseEdits(strings.NewReader(test.edits))
			if err == nil {
				var hooks []models.Hook
				if hooks, err = m.Edits(edits...); err == nil {
					_, err = m.Run(context.Background(), models.Prompt(1, 2, 3), hooks...)
				}
			}
			mustSay(t, err, test.says...)
		})
	}
}

func TestValuesKeepTheirForm(t *testing.T) {
	for _, form := range []string{`3`, `[1,2]`, `{"shape":[1,2],"data":[1,2]}`, `{"shape":[1],"data":[1]}`} {
		var v models.Value
		if err := json.Unmarshal([]byte(form), &v); err != nil {
			t.Fatal(err)
		}
		if b, err := json.Marshal(v); err != nil || string(b) != form {
			t.Errorf("%s became %s, %v", form, b, err)
		}
	}
}

func TestObjectives(t *testing.T) {
	m := modeltest.GPT2(1)
	in := models.Batch{IDs: []int{1, 2, 3, 4}, B: 2, T: 2}
	logits := run(t, m, in)
	logit := func(b, p, id int) float64 { return float64(logits.At(b, p, id)) }
	tests := []struct {
		expr string
		want float64
		says string // of an error
	}{
		{expr: "logit[0,-1,10]-logit[0,-1,4]", want: logit(0, 1, 10) - logit(0, 1, 4)},
		{expr: " -2 * logit[1,0,3] + 0.5*logit[-1,0,3]", want: -1.5 * logit(1, 0, 3)},
		{expr: "logprob[1,1,7]", want: models.LogProbs(logits.Sub(1, 1).Data)[7]},
		{expr: "", says: "want a term"},
		{expr: "logit[0,0,1] logit[0,0,2]", says: "want + or -"},
		{expr: "prob[0,0,1]", says: `no site "prob"`},
		{expr: "logit[0,1]", says: "2 indices, want 3: [batch,pos,d_vocab]"},
		{expr: "logit[0,0,x]", says: `"x"`},
		{expr: "NaN*logit[0,0,1]", says: `"NaN"`},
		{expr: "logit[0,0,11]", says: "id 11 is outside the vocabulary 0..10"},
		{expr: "logit[2,0,1]", says: "row 2 is outside 0..1"},
		{expr: "logit[0,-3,1]", says: "position -3 is outside 0..1"},
	}
	for _, test := range tests {
		t.Run(test.expr, func(t *testing.T) {
			obj, err := models.ParseScalar(m, test.expr)
			var got float64
			if err == nil {
				var g *models.Gradients
				if g, err = m.GradientOf(context.Background(), in, obj, models.Want{}); err == nil {
					got = g.Value
				}
			}
			if test.says != "" {
				mustSay(t, err, test.says)
				return
			}
			if diff := got - test.want; err != nil || !(diff < 1e-6 && diff > -1e-6) {
				t.Errorf("%g, %v, want %g", got, err, test.want)
			}
		})
	}
}
