package models_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// readJSON decodes a reference file.
func readJSON(t *testing.T, v any, path ...string) {
	t.Helper()
	modeltest.ReadJSON(t, modeltest.Reference(t, path...), v)
}

// openNanosort reads minGPT's layout: nn.Linear [out,in] with q, k and v one
// above the other, and no config.json.
func openNanosort(t *testing.T) *models.Model {
	t.Helper()
	f := openFile(t, modeltest.Reference(t, "nanosort", "model.safetensors"))
	cfg := models.Config{
		Layers: 3, Width: 48, Heads: 3, KVHeads: 3, HeadWidth: 16, MLPWidth: 192, Vocab: 3, Context: 11,
		Norm: models.LayerNorm, NormEps: 1e-5, Positions: models.Learned, Activation: "gelu_tanh",
		AttnBias: true, OutBias: true, MLPBias: true, NormBias: true,
	}
	p := models.NewParams(cfg)
	pair := func(w, b **tensor.Dense, name string) {
		*w, *b = floats(t, f, name+".weight").Clone(), floats(t, f, name+".bias").Clone()
	}
	p.Embed, p.PosEmbed = floats(t, f, "transformer.wte.weight").Clone(), floats(t, f, "transformer.wpe.weight").Clone()
	for l := range p.Blocks {
		b, name := &p.Blocks[l], "transformer.h."+string(rune('0'+l))+"."
		pair(&b.LN1.Weight, &b.LN1.Bias, name+"ln_1")
		var w, bias *tensor.Dense
		pair(&w, &bias, name+"attn.c_attn")
		for i, to := range []*models.LinearParams{&b.Q, &b.K, &b.V} {
			to.Weight, to.Bias = w.Slice0(48*i, 48*i+48), bias.Slice0(48*i, 48*i+48)
		}
		pair(&b.O.Weight, &b.O.Bias, name+"attn.c_proj")
		pair(&b.LN2.Weight, &b.LN2.Bias, name+"ln_2")
		pair(&b.In.Weight, &b.In.Bias, name+"mlp.c_fc")
		pair(&b.Out.Weight, &b.Out.Bias, name+"mlp.c_proj")
	}
	pair(&p.Final.Weight, &p.Final.Bias, "transformer.ln_f")
	p.Unembed.Weight = floats(t, f, "lm_head.weight").Clone()
	m, err := models.New(cfg, p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestNanosortPartials(t *testing.T) {
	m := openNanosort(t)
	f := openFile(t, modeltest.Reference(t, "nanosort", "partials.safetensors"))
	idx := floats(t, f, "idx")
	in := models.Batch{B: idx.Dim(0), T: idx.Dim(1)}
	for _, id := range idx.Data {
		in.IDs = append(in.IDs, int(id))
	}
	cache := models.NewCache()
	logits := run(t, m, in, models.Record(cache, models.All))
	modeltest.Close(t, "lm_head", logits, floats(t, f, "lm_head"), 5e-6, 5e-6)
	site := func(name string) *tensor.Dense {
		s, err := m.Site(name)
		if err != nil {
			t.Fatal(err)
		}
		x, _ := cache.Get(s)
		return x
	}
	for partial, name := range map[string]string{
		"probs": "logits", "qkv": "blocks.0.attn.hook_q",
		"tok_emb": "hook_embed", "x": "blocks.0.hook_resid_pre",
		"q": "blocks.0.attn.hook_q", "k": "blocks.0.attn.hook_k", "v": "blocks.0.attn.hook_v",
		"att": "blocks.0.attn.hook_attn_scores", "attSm": "blocks.0.attn.hook_pattern", "y": "blocks.0.attn.hook_z",
		"yProj": "blocks.0.hook_attn_out", "attnResid": "blocks.0.hook_resid_mid",
		"fc": "blocks.0.mlp.hook_pre", "gelu": "blocks.0.mlp.hook_post", "mlp": "blocks.0.hook_mlp_out",
		"mlpResid": "blocks.0.hook_resid_post", "block0": "blocks.0.hook_resid_post",
		"block1": "blocks.1.hook_resid_post", "block2": "blocks.2.hook_resid_post",
	} {
		got, want := site(name), floats(t, f, partial)
		switch partial {
		case "q", "k", "v": // [B,H,T,K] there
			got = headsFirst(got)
		case "qkv": // one above the other there, each [B,T,D]
			k, v := site("blocks.0.attn.hook_k"), site("blocks.0.attn.hook_v")
			all := tensor.New(want.Shape...)
			for i, x := range []*tensor.Dense{got, k, v} {
				for row := range in.B * in.T {
					copy(all.Data[row*144+48*i:], x.Data[row*48:row*48+48])
				}
			}
			got = all
		case "probs":
			got = tensor.New(want.Shape...)
			for row := range in.B * in.T {
				for id, p := range models.LogProbs(logits.Data[3*row : 3*row+3]) {
					got.Data[3*row+id] = float32(math.Exp(p))
				}
			}
		case "y": // [B,T,D] there
			got = got.Reshape(in.B, in.T, -1)
		}
		modeltest.Close(t, partial, got, want, 5e-6, 5e-6)
	}
	pos := floats(t, f, "pos_emb")
	modeltest.Close(t, "pos_emb", site("hook_pos_embed").Slice0(0, 1), pos, 5e-6, 5e-6)
	for partial, norm := range map[string]models.NormParams{
		"ln1": m.Params().Blocks[0].LN1, "ln2": m.Params().Blocks[0].LN2, "ln_f": m.Params().Final,
	} { // behind gain and bias there
		name := map[string]string{"ln1": "blocks.0.ln1", "ln2": "blocks.0.ln2", "ln_f": "ln_final"}[partial]
		got := site(name + ".hook_normalized").Clone()
		for i := range got.Data {
			got.Data[i] = got.Data[i]*norm.Weight.Data[i%48] + norm.Bias.Data[i%48]
		}
		modeltest.Close(t, partial, got, floats(t, f, partial), 5e-6, 5e-6)
		modeltest.Close(t, partial, site(name+".hook_out"), floats(t, f, partial), 5e-6, 5e-6)
	}
	modeltest.Suite(t, m)
}

// headsFirst turns [B,T,H,K] into [B,H,T,K].
func headsFirst(x *tensor.Dense) *tensor.Dense {
	B, T, H, K := x.Dim(0), x.Dim(1), x.Dim(2), x.Dim(3)
	y := tensor.New(B, H, T, K)
	for b := range B {
		for p := range T {
			for h := range H {
				copy(y.Sub(b, h, p).Data, x.Sub(b, p, h).Data)
			}
		}
	}
	return y
}

func TestNanosortSorts(t *testing.T) {
	m := openNanosort(t)
	var prompts [][]int
	for n := range 729 {
		ids := make([]int, 6)
		for i := range ids {
			ids[i], n = n%3, n/3
		}
		prompts = append(prompts, ids)
	}
	sorted := 0
	for _, prompt := range prompts {
		got, err := generate(m, prompt, 6)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Clone(prompt)
		slices.Sort(want)
		if slices.Equal(got, want) {
			sorted++
		}
	}
	if sorted != len(prompts) {
		t.Errorf("%d of %d prompts were sorted", sorted, len(prompts))
	}
}

func TestTinyRandomGPT2(t *testing.T) {
	var ref struct {
		Expected struct {
			InputIDs [][]int   `json:"input_ids"`
			Greedy   [][]int   `json:"greedy_to_len10"`
			Logits   []float32 `json:"logits_sampled_every_200"`
		}
	}
	readJSON(t, &ref, "tiny-random-gpt2", "model.json")
	dir := t.TempDir()
	b, err := os.ReadFile(modeltest.Reference(t, "tiny-random-gpt2", "model.safetensors"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "model.safetensors"), b, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"model_type":"gpt2","n_layer":5,"n_head":4,"n_embd":32,
			"vocab_size":1000,"n_positions":512,"activation_function":"gelu_new","layer_norm_epsilon":1e-5}`), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := models.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	in, err := models.Rows(ref.Expected.InputIDs)
	if err != nil {
		t.Fatal(err)
	}
	logits := run(t, m, in)
	var sampled []float32
	for i := 0; i < logits.Len(); i += 200 {
		sampled = append(sampled, logits.Data[i])
	}
	n := len(ref.Expected.Logits)
	modeltest.Close(t, "logits", tensor.From(sampled, len(sampled)), tensor.From(ref.Expected.Logits, n), 1e-6, 0)
	for i, ids := range ref.Expected.InputIDs {
		got, err := generate(m, ids, 10-len(ids))
		if want := ref.Expected.Greedy[i][len(ids):]; err != nil || !slices.Equal(got, want) {
			t.Errorf("generated %v, %v, want %v", got, err, want)
		}
	}
}

func TestStories260K(t *testing.T) {
	m, err := models.Load(modeltest.Reference(t, "stories260k", "hf"))
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		Greedy struct{ IDs []int }
		Prompt struct {
			Text       string
			IDs        []int
			LogitsLast []float64   `json:"logits_last"`
			First8     [][]float64 `json:"logits_every_position_first_8"`
			Next       []float64   `json:"logprob_next"`
			Top5       struct {
				IDs    []int
				Logits []float64
			} `json:"top5_last"`
		}
		Hidden struct {
			Positions []int
			States    map[string][][]float64
			Attn      map[string][][]float64 `json:"attn_out"`
			MLP       map[string][][]float64 `json:"mlp_out"`
		}
		Attention map[string][][]float64 `json:"attention_last_row"`
	}
	readJSON(t, &ref, "stories260k", "hf", "golden.json")

	ids, err := m.Encode(ref.Prompt.Text)
	if err != nil || !slices.Equal(ids, ref.Prompt.IDs) {
		t.Fatalf("encoded as %v, %v, want %v", ids, err, ref.Prompt.IDs)
	}
	cache := models.NewCache()
	logits := run(t, m, models.Prompt(ids...), models.Record(cache, models.All))
	modeltest.Close(t, "logits", logits.Sub(0, len(ids)-1), single(ref.Prompt.LogitsLast), 5e-5, 0)
	compared := 0
	for state, rows := range ref.Hidden.States {
		site, err := m.Site(strings.Replace(state, ".", "", 1)) // resid_mid.3 is resid_mid3 with us
		if err != nil {
			t.Fatalf("hidden state %q: %v", state, err)
		}
		x, _ := cache.Get(site)
		for i, p := range ref.Hidden.Positions {
			modeltest.Close(t, state, x.Sub(0, p), single(rows[i]), 5e-5, 0)
			compared++
		}
	}
	for name, layers := range map[string]map[string][][]float64{"hook_attn_out": ref.Hidden.Attn, "hook_mlp_out": ref.Hidden.MLP} {
		for l, rows := range layers {
			x := recorded(t, m, cache, "blocks."+l+"."+name)
			for i, p := range ref.Hidden.Positions {
				modeltest.Close(t, l+" "+name, x.Sub(0, p), single(rows[i]), 5e-5, 0)
				compared++
			}
		}
	}
	last := len(ids) - 1
	for l, heads := range ref.Attention {
		for h, row := range heads {
			modeltest.Close(t, fmt.Sprint("pattern of head ", l, ".", h), recorded(t, m, cache, "blocks."+l+".attn.hook_pattern").Sub(0, h, last), single(row), 5e-5, 0)
			compared++
		}
	}
	for p, row := range ref.Prompt.First8 {
		modeltest.Close(t, "first logits", tensor.From(logits.Sub(0, p).Data[:8], 8), single(row), 5e-5, 0)
	}
	for p, want := range ref.Prompt.Next {
		if got := models.LogProbs(logits.Sub(0, p).Data)[ids[p+1]]; !(math.Abs(got-want) <= 5e-5) {
			t.Errorf("log P of token %d behind position %d is %g, want %g", ids[p+1], p, got, want)
		}
	}
	left := slices.Clone(logits.Sub(0, last).Data)
	for k, id := range ref.Prompt.Top5.IDs {
		best := models.Argmax(left)
		if got, want := float64(left[best]), ref.Prompt.Top5.Logits[k]; best != id || !(math.Abs(got-want) <= 5e-5) {
			t.Errorf("place %d is token %d with logit %g, want %d with %g", k, best, got, id, want)
		}
		left[best] = float32(math.Inf(-1))
	}
	if compared < 10*m.Config.Layers {
		t.Errorf("%d hidden states compared", compared)
	}

	story, err := os.ReadFile(modeltest.Reference(t, "stories260k", "expected-greedy-200.txt"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := generate(m, ref.Greedy.IDs[:1], 200)
	if err != nil || !slices.Equal(got, ref.Greedy.IDs[1:]) {
		t.Errorf("generated %v, %v, want %v", got, err, ref.Greedy.IDs[1:])
	}
	text, err := m.Tokenizer.Decode(append(ref.Greedy.IDs[:1:1], got...), true)
	if err != nil || text != string(story) {
		t.Errorf("the story is %q, %v, want %q", text, err, story)
	}
	modeltest.Suite(t, m)
}

// recorded is a site's value in a cache.
func recorded(t *testing.T, m *models.Model, c *models.Cache, name string) *tensor.Dense {
	t.Helper()
	site, err := m.Site(name)
	if err != nil {
		t.Fatal(err)
	}
	x, ok := c.Get(site)
	if !ok {
		t.Fatalf("%s was not recorded", site)
	}
	return x
}

// single is a row of float64 in single precision.
func single(row []float64) *tensor.Dense {
	x := tensor.New(len(row))
	for i, v := range row {
		x.Data[i] = float32(v)
	}
	return x
}
