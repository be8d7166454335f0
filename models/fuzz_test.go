package models_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"orrery/models"
	"orrery/models/modeltest"
)

// FuzzConfig feeds config.json: whatever it says, loading ends with a model or
// an error.
func FuzzConfig(f *testing.F) {
	weights := make(map[string][]byte)
	for _, family := range []string{"gpt2", "llama3", "gemma3", "gemma3-nested", "phi3-longrope", "falcon-new", "stablelm-parallel", "mpt", "llama-yarn"} {
		dir := filepath.Join("testdata", "architectures", family)
		config, err := os.ReadFile(filepath.Join(dir, "config.json"))
		if err != nil {
			f.Fatal(err)
		}
		if weights[family], err = os.ReadFile(filepath.Join(dir, "model.safetensors")); err != nil {
			f.Fatal(err)
		}
		f.Add(config)
	}
	for _, kind := range knownTypes(f) { // the sizes are gpt2's, under every spelling
		f.Add([]byte(`{"model_type":"` + kind + `","hidden_size":24,"n_embd":24,"d_model":24,"num_hidden_layers":2,"n_layer":2,"n_layers":2,"num_layers":2,` +
			`"num_attention_heads":3,"n_head":3,"n_heads":3,"num_heads":3,"vocab_size":101,"max_position_embeddings":32,"n_positions":32,"max_seq_len":32,` +
			`"intermediate_size":48,"ffn_dim":48,"rms_norm_eps":1e-5,"layer_norm_epsilon":1e-5,"rope_scaling":{"type":"yarn","factor":2}}`))
	}
	f.Add([]byte(`{"model_type":"orrery","layers":1,"width":2}`))
	f.Add([]byte(`{"model_type":"llama","rope_scaling":{"type":"linear"}}`))
	f.Add([]byte(`{"model_type":"gpt_neo","attention_types":[[["global","local"],1e9]]}`))
	f.Add([]byte(`{"block_size":4,"n_embd":2,"dropout":0}`))
	f.Add([]byte(`{"d_model":2,"d_head":1,"n_layers":1,"act_fn":"relu","attn_types":["local"]}`))
	f.Fuzz(func(t *testing.T, config []byte) {
		for _, file := range weights {
			m, err := models.LoadFS(fstest.MapFS{
				"m/config.json":       {Data: config},
				"m/model.safetensors": {Data: file},
			}, "m")
			if err != nil {
				continue
			}
			if err := m.Config.Validate(); err != nil {
				t.Errorf("a model was loaded whose config is not valid: %v", err)
			}
			m.Params() // each tensor becomes a weight of the right shape
		}
	})
}

// knownTypes lists what model_type may be, as the error of an unknown one does.
func knownTypes(tb testing.TB) []string {
	_, err := models.LoadFS(fstest.MapFS{"m/config.json": {Data: []byte(`{"model_type":"none"}`)}}, "m")
	_, list, ok := strings.Cut(fmt.Sprint(err), "known are ")
	kinds := strings.Split(list, ", ")
	if !ok || len(kinds) < 3 {
		tb.Fatalf("no list of types in %v", err)
	}
	return kinds
}

// FuzzEdits feeds JSON edits to a run.
func FuzzEdits(f *testing.F) {
	f.Add(`[{"site":"z0","heads":[-1],"op":"set","value":[1,2,3,4]}]`)
	f.Add(`[{"site":"blocks.1.attn.hook_attn_scores","queries":[-1],"keys":[0],"op":"mask"}]`)
	f.Add(`[{"site":"embed","op":"add","value":{"shape":[1,12],"data":[0]}}]`)
	f.Add(`[{"site":"scale1ln2","positions":[2,0],"op":"scale","value":0}]`)
	m := modeltest.GPT2(1)
	f.Fuzz(func(t *testing.T, text string) {
		edits, err := models.ParseEdits(strings.NewReader(text))
		if err != nil {
			return
		}
		hooks, err := m.Edits(edits...)
		if err != nil {
			return
		}
		in := models.Prompt(1, 2, 3)
		if out, err := m.Run(context.Background(), in, hooks...); err == nil && out.Logits.Len() != 33 {
			t.Errorf("logits %v", out.Logits)
		}
	})
}

// FuzzNames feeds site names, globs and objectives.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"z3", `("scale", 2, "ln1")`, "blocks.-1.*", "logit[0,-1,3]-2*logprob[1,0,2]", "z1[0,1,2,3]-pattern0[0,0,1,1]", "*,?", "ln1"} {
		f.Add(seed)
	}
	m := modeltest.Llama(1)
	f.Fuzz(func(t *testing.T, text string) {
		if site, err := m.Site(text); err == nil {
			if again, err := m.Site(site.String()); err != nil || again != site {
				t.Errorf("%q is %s, which is %v, %v", text, site, again, err)
			}
		}
		if sel, err := m.Match(text); err == nil {
			chosen := false
			for _, s := range m.Sites() {
				chosen = chosen || sel(s)
			}
			if !chosen {
				t.Errorf("%q matches nothing, and that is no error", text)
			}
		}
		if obj, err := models.ParseScalar(m, text); err == nil {
			if g, err := m.GradientOf(context.Background(), models.Prompt(1, 2), obj, models.Want{Sites: models.Sites(models.Site{Layer: -1, Kind: models.Embed})}); err == nil {
				if x, ok := g.Sites.Get(models.Site{Layer: -1, Kind: models.Embed}); !ok || x.Len() != 2*m.Config.Width {
					t.Errorf("%q has a derivative %v by the embedding", text, x)
				}
			}
		}
	})
}

// FuzzCaches reads files that may be caches: an error or a cache whose values
// have the shapes of their sites, never a panic.
func FuzzCaches(f *testing.F) {
	m := modeltest.GPT2(1)
	_, c, err := m.RunWithCache(context.Background(), models.Prompt(1, 2), models.CacheOptions{})
	if err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(f.TempDir(), "cache.safetensors")
	if err := c.Save(path); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	for _, header := range []string{
		`{"__metadata__":{"ids":"[[1,2]]","start":"[1]"},"hook_embed":{"dtype":"F32","shape":[1,2,12],"data_offsets":[0,96]}}`,
		`{"__metadata__":{"ids":"[]","batch_axis":"false"},"hook_embed":{"dtype":"F32","shape":[2,12],"data_offsets":[0,96]}}`,
		`{"__metadata__":{"ids":"[[1],[2]]","end":"null","batch_axis":"false"},"logits":{"dtype":"F32","shape":[2,11],"data_offsets":[0,88]}}`,
		`{"blocks.-1.hook_out":{"dtype":"F16","shape":[1,2,12],"data_offsets":[0,48]}}`,
	} {
		f.Add(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), append([]byte(header), make([]byte, 96)...)...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "cache.safetensors")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := m.LoadCache(path)
		if err != nil {
			return
		}
		for _, s := range c.Sites() {
			x, _ := c.Get(s)
			axes := m.Axes(s)
			if !c.Batched() {
				axes = axes[1:]
			}
			if x.Rank() != len(axes) || x.Len() == 0 {
				t.Errorf("%s has shape %v", s, x.Shape)
			}
		}
		if s, err := models.DecomposeResid(m, c, -1, models.StackOptions{Pos: []int{-1}}); err == nil {
			s.Dense()
		}
	})
}
