package script_test

import (
	"fmt"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/zoo"
	"orrery/server/api"
	"orrery/viz"
)

const shipped = "m = load(\"mental-2op\")\n"

func TestTokens(t *testing.T) {
	h, _, err := run(t, shipped+`tokens(m, "34+57=")`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range h.outputs[0].Tokens {
		got = append(got, fmt.Sprintf("%s/%s/%v", k.Text, k.Role, k.Special))
	}
	if s := strings.Join(got, " "); s != "<bos>/bos/true 34/a/false +/op/false 57/b/false =/eq/false" || h.outputs[0].Kind != api.OutputTokens {
		t.Errorf("chips are %s", s)
	}
	for _, c := range []struct{ expr, want string }{
		{`t = tokens(m, "34+57=")
len(t), t[-1] == t.ids[4], t.strings, [i for i in t] == t.ids, t.model`, `(5, True, ["<bos>", "34", "+", "57", "="], True, "mental-2op")`},
		{`t = tokens(m, "34+57=")
tokens(m, t) == t, tokens(m, t.ids).ids == t.ids, t[1:3].strings`, `(True, True, ["34", "+"])`},
		{`m.to_str_tokens("34+57=")`, `["<bos>", "34", "+", "57", "="]`},
		{`m.to_string(m.to_tokens("34+57=")[1:])`, `"34 + 57 ="`},
		{`tokens(m, "34+570=")`, `error: encode "34+570=": "570" at byte 3 is not in the vocabulary`},
		{`tokens(m, "34 plus 57")`, `error: encode "34 plus 57": "plus" at byte 3`},
		{`tokens(m, [1, 500])`, `error: token id 500 at position 1 is outside of the vocabulary | ids are 0 to 202`},
		{`tokens(m, [])`, `error: the prompt is empty | write a prompt`},
		{`tokens(m, 3)`, `error: int is no prompt | give text such as`},
		{`tokens(m, ["a"])`, `error: element 0 of the ids is "a": want an int`},
		{`tokens(load("toy"), tokens(m, "1+1="))`, `error: these tokens are of model mental-2op, not of toy-llama`},
		{`tokens(load("toy"), "1+1=")`, `error: this model has no tokenizer: give token ids instead of text`},
	} {
		if got := eval(t, shipped+c.expr); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s gives %s, want %s", c.expr, got, c.want)
		}
	}
}

func TestModelValue(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		{"m.name, m.layers, m.width, m.heads, m.vocab, m.norm, len(m.hash)", `("mental-2op", 4, 128, 4, 203, "rmsnorm", 64)`},
		{`m.cfg["head_width"], m.cfg["rotary"]["dim"], m.gated`, "(32, 32, True)"},
		{`m.cfg["x"] = 1`, "error: cannot insert into frozen hash table"},
		{`len(m.sites()) > 100, "blocks.3.attn.hook_pattern" in m.sites()`, "(True, True)"},
		{"m.n_layers", "error: model has no .n_layers | write m.layers"},
		{"m.layrs", "error: model has no .layrs field or method (did you mean .layers?)"},
		{"m", "model mental-2op: 4 layers, width 128"},
		{`load("mental-4op")`, `error: no model "mental-4op"`},
	} {
		if got := eval(t, shipped+c.expr); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s gives %s, want %s", c.expr, got, c.want)
		}
	}
}

// TestRunWithCache compares what a cell sees with the engine's own answer.
func TestRunWithCache(t *testing.T) {
	m, err := zoo.Open("mental-2op")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := m.Encode("34+57=")
	if err != nil {
		t.Fatal(err)
	}
	cache := models.NewCache()
	out, err := m.Run(t.Context(), models.Prompt(ids...), models.Record(cache, models.All))
	if err != nil {
		t.Fatal(err)
	}
	site, err := m.Site("blocks.2.attn.hook_z")
	if err != nil {
		t.Fatal(err)
	}
	z, _ := cache.Get(site)
	const start = shipped + "logits, cache = run_with_cache(m, \"34+57=\")\n"
	for _, c := range []struct{ expr, want string }{
		{"logits[0, -1, 91]", fmt.Sprint(float64(out.Logits.At(0, 4, 91)))},
		{`cache["blocks.2.attn.hook_z"][0, 3, 1, 7]`, fmt.Sprint(float64(z.At(0, 3, 1, 7)))},
		{`cache["z", 2] == cache["blocks.2.attn.hook_z"], cache["z", -2] == cache["z", 2], cache["z2"] == cache["z", 2]`, "(True, True, True)"},
		{`cache["pattern", 1].axes, cache["pattern", 1].shape`, `(("batch", "head", "query", "key"), (1, 4, 5, 5))`},
		{`len(cache.keys()) == len(m.sites()), [k for k in cache] == m.sites(), cache.model`, `(True, True, "mental-2op")`},
		{`m.to_string(logits[0, -1].argmax())`, `"91"`},
		{`cache["blocks.2.attn.hook_zz"]`, `error: no site "blocks.2.attn.hook_zz" in this model | nearest: blocks.2.attn.hook_z [`},
		{`cache["z", 9]`, `error: no site "z,9" in this model`},
		{`cache[3]`, `error: a cache has no key of type int | write cache["blocks.0.attn.hook_z"] or cache["z", 0]`},
		{`c = run_with_cache(m, "34+57=", names_filter="*hook_z")[1]
[len(c.keys()), c["z", 1].shape]`, "[4, (1, 5, 4, 32)]"},
		{`c = run_with_cache(m, "34+57=", names_filter=["z0", "*hook_pattern"])[1]
c.keys()[:2]`, `["blocks.0.attn.hook_pattern", "blocks.0.attn.hook_z"]`},
		{`run_with_cache(m, "34+57=", names_filter="*hook_z")[1]["pattern", 1]`, `error: blocks.1.attn.hook_pattern was not recorded | names_filter left it out`},
		{`run_with_cache(m, "34+57=", names_filter="*hook_zz")`, `error: no site "*hook_zz" in this model | nearest: `},
		{`run_with_cache(m, "34+57=", names_filter=lambda name: name.endswith("hook_z"))[1].keys()[1:3]`, `["blocks.1.attn.hook_z", "blocks.2.attn.hook_z"]`},
		{`run_with_cache(m, "34+57=", names_filter=lambda name: False)`, `error: names_filter: the function keeps no site`},
		{`run_with_cache(m, "34+57=", 3)`, "error: names_filter: want a string or a list of strings, got int"},
		{`l2, c2 = run_with_cache(m, "34+57=", edits=[{"site": "z1", "heads": [2], "op": "set", "value": 0}])
c2["z", 1][0, 4, 2].norm(), c2["z", 1][0, 4, 1] == cache["z", 1][0, 4, 1], l2 == logits`, "(0.0, True, False)"},
		{`l2, c2 = run_with_cache(m, "34+57=", edits=[{"site": "resid_post3", "op": "set", "value": run_with_cache(m, "12+57=")[1]["resid_post", 3]}])
l2 == run_with_cache(m, "12+57=")[0]`, "True"},
		{`run_with_cache(m, "34+57=", edits=[{"site": "z1", "op": "set", "value": 0, "haeds": [1]}])`, `error: edits: unknown key "haeds"; known are site, rows, positions, heads, neurons, queries, keys, op, value, basis | an edit looks like`},
		{`run_with_cache(m, "34+57=", edits=[{"site": "zz1", "op": "set", "value": 0}])`, `error: no site "zz1" in this model`},
		{`run_with_cache(m, "34+57=", edits=[{"site": "z1", "heads": [7], "op": "set", "value": 0}])`, `error: `},
		{`run_with_cache(m, "34+57=", edits=[3])`, `error: edits: `},
		{`run_with_cache(m, "34+57=", edits=[{3: 4}])`, `error: edits: key 3 is no string`},
		{`run_with_cache(m, [999])`, `error: token id 999 at position 0`},
		{`run_with_cache(m, list(range(9)))[0].shape`, `(1, 9, 203)`},
		{"cache", "cache of "},
	} {
		if got := eval(t, start+c.expr); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s gives %s, want %s", c.expr, got, c.want)
		}
	}
}

func TestFigures(t *testing.T) {
	h, _, err := run(t, shipped+"print('before')\nlens = logit_lens(m, \"34+57=\", metric=\"rank\")\nprint('after')\nlens")
	if err != nil {
		t.Fatal(err)
	}
	// The figure comes first, then numbers and progress, then the finished
	// figure under the same id; as the last value it does not come again.
	events := strings.Join(h.events, "\n")
	id := h.outputs[0].ID
	if id == "" || len(h.outputs) != 2 || h.outputs[1].ID != id {
		t.Fatalf("outputs %v", h.events)
	}
	want := "print\nfigure ID\nprogress logit lens 0/5 layers\n"
	for i := 1; i <= 5; i++ {
		want += fmt.Sprintf("part ID\nprogress logit lens %d/5 layers\n", i)
	}
	if want += "figure ID\nprint"; strings.ReplaceAll(events, id, "ID") != want {
		t.Errorf("events are\n%s\nwant\n%s", events, want)
	}
	f := h.outputs[1].Figure
	if err := f.Validate(); err != nil || f.Caption == "" || f.Tokens.Show != "rank" || f.Arrays["rank"].State != nil && f.Arrays["rank"].State[0] != viz.Done {
		t.Errorf("the finished figure: %v, %+v", err, f.Tokens)
	}
	const lens = shipped + "f = logit_lens(m, tokens(m, \"34+57=\"))\n"
	for _, c := range []struct{ expr, want string }{
		{`f.title, f.caption != "", "prob" in f.names`, `("Logit lens", True, True)`},
		{`f.values("prob").shape, f.values("prob").axes, f.values("prob")[-1, -1] > 0.5`, `((5, 5), ("layer", "pos"), True)`},
		{`f.values("probs")`, `error: the figure has no values "probs" | it has entropy, kl, `},
		{`logit_lens(m, "34+57=", metric="probb")`, `error: logit_lens: unknown metric "probb" | one of prob, `},
		{`logit_lens(m, "34+57=", "prob", metric="rank")`, `error: logit_lens: metric is given twice`},
		{`logit_lens(m, "34+57=", metrik="rank")`, `error: logit_lens has no argument "metrik" | one of metric, `},
		{`logit_lens(m)`, `error: logit_lens: prompt is missing | for example logit_lens(`},
		{`logit_lens(3, "34+57=")`, `error: logit_lens: m: want model, got`},
		{`logit_lens(m, {})`, `error: logit_lens: prompt: want prompt, got dict`},
		{`logit_lens(m, "34+570=")`, `error: encode "34+570="`},
		{`logit_lens(m, "34+57=", top_k=0)`, `error: logit_lens: top_k: 0 is below 1`},
		{`logit_lens(m, "34+57=", "prob", "", False, 10, "resid", "frozen", [], 0, 2)`, `error: logit_lens takes 10 arguments, 11 are given`},
		{`[a for a in causal_mediation(m, base="34+57=", source="12+57=", components=["mlp"]).names]`, `[`},
	} {
		if got := eval(t, lens+c.expr); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s gives %s, want %s", c.expr, got, c.want)
		}
	}
	// A figure of another cell is shown by the cell that names it.
	h, _, err = cells(t, lens, "f")
	if err != nil || len(h.outputs) != 1 || h.outputs[0].Figure == nil {
		t.Errorf("another cell's figure: %d outputs (%v)", len(h.outputs), err)
	}
}
