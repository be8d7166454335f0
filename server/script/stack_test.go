package script_test

import (
	"strings"
	"testing"

	"orrery/server/script"
)

// TestCacheMethods calls TransformerLens' methods as a cell does; what they
// compute is held to its values in package models.
func TestCacheMethods(t *testing.T) {
	const start = shipped + "logits, cache = run_with_cache(m, \"34+57=\")\ns = cache.decompose_resid()\n"
	for _, c := range []struct{ expr, want string }{
		{"s.shape, s.axes, s.labels[:3], len(s)", `((9, 1, 5, 128), ("component", "batch", "pos", "d_model"), ["embed", "0_attn_out", "0_mlp_out"], 9)`},
		{"s", "stack of 9 components [9 component, 1 batch, 5 pos, 128 d_model]: embed, 0_attn_out, 0_mlp_out, 1_attn_out, …, 3_mlp_out"},
		{`s["embed"] == cache["embed"], s[0] == s["embed"] and s[-1] == s["3_mlp_out"], s.values[1] == cache["attn_out", 0], s["1:3"].shape`, "(True, True, True, (2, 1, 5, 128))"},
		{`(s.sum(axis="component") - cache["resid_post", 3]).abs().max() < 1e-5`, "True"},
		{`(2 * s - s - s.values).abs().max()`, "0.0"},
		{`cache.decompose_resid(layer=1, mlp_input=True, mode="attn", return_labels=True)[1]`, `["embed", "0_attn_out", "1_attn_out"]`},
		{`cache.decompose_resid(mode="mlp", incl_embeds=False, pos_slice=-1).shape`, "(4, 1, 128)"},
		{`cache.decompose_resid(pos_slice="1:3").axes, cache.decompose_resid(pos_slice=[0, -1]).shape`, `(("component", "batch", "pos", "d_model"), (9, 1, 2, 128))`},
		{`cache.accumulated_resid(incl_mid=True).labels[-2:], cache.accumulated_resid(layer=2).labels`, `(["3_mid", "final_post"], ["0_pre", "1_pre", "2_pre"])`},
		{`h, names = cache.stack_head_results(incl_remainder=True, return_labels=True)
names[5], names[-1], h["L1H1"].shape`, `("L1H1", "remainder", (1, 5, 128))`},
		{`(cache.stack_head_results(layer=2)["L1H1"] - cache["result", 1].sel(head=1)).abs().max() < 1e-5`, "True"},
		{`cache.stack_neuron_results(neuron_slice=[0, -1], layer=1).labels`, `["L0N0", "L0N335"]`},
		{`cache.stack_neuron_results(project_output_onto=cache["embed"][0, 0]).axes`, `("component", "batch", "pos")`},
		{`cache.get_full_resid_decomposition(expand_neurons=False).labels[-6:]`, `["0_mlp_out", "1_mlp_out", "2_mlp_out", "3_mlp_out", "embed", "bias"]`},
		{`(cache.apply_ln_to_stack(s).sum(axis=0) - cache["normalized"]).abs().max() < 1e-5`, "True"},
		{`cache.apply_ln_to_stack(cache.accumulated_resid(), recompute_ln=True)[-1] == cache["ln_final.hook_out"]`, "True"},
		{`a, rest = cache.logit_attrs(s, "91", return_constant=True)
a.axes, abs((a.sum(axis=0) + rest)[0, -1] - logits[0, -1, m.to_tokens("91")[-1]]) < 1e-4`, `(("component", "batch", "pos"), True)`},
		{`h = cache.stack_head_results(pos_slice=-1)
cache.logit_attrs(h, "91", "92", pos_slice=-1).shape, cache.logit_attrs(h, ["91"], incorrect_tokens=m.to_tokens("92")[-1]) == cache.logit_attrs(h, "91", "92")`, "((16, 1), True)"},
		{`cache.logit_attrs(s.values[0:9], "91") == cache.logit_attrs(s, "91"), [x.shape for x in s][8]`, "(True, (1, 5, 128))"},
		{`cache.logit_attrs(s.values, "91") == cache.logit_attrs(s, "91"), cache.logit_attrs(s[[1, 2]], [1, 2, 3, 4, 5]).shape`, "(True, (2, 1, 5))"},
		{`f = run_with_cache(m, "34+57=", remove_batch_dim=True)[1]
f["z", 0].axes, f.decompose_resid().shape, f.logit_attrs(f.stack_head_results(pos_slice=-1), "91").axes, cache.remove_batch_dim()["z", 1] == f["z", 1]`,
			`(("pos", "head", "d_head"), (9, 5, 128), ("component",), True)`},
		{`"decompose_resid" in dir(cache), "labels" in dir(s), cache.basis`, `(True, True, "raw")`},
		// Errors.
		{`s["L0H0"]`, `error: no component "L0H0" | components are embed, 0_attn_out`},
		{`s[9]`, "error: component 9 is out of range of 9 | indices are -9 to 8"},
		{`s.nothing`, `error: stack has no .nothing`},
		{`cache.decompose_resid(mode="both")`, `error: no mode "both" | modes are`},
		{`cache.decompose_resid(layer=7)`, "error: decompose_resid: layer 7 is outside 0..4"},
		{`cache.decompose_resid(pos_slice=9)`, "error: pos_slice: index 9 is out of range"},
		{`cache.decompose_resid(layre=1)`, `error: cache.decompose_resid: unexpected keyword argument "layre"`},
		{`run_with_cache(m, "34+57=", names_filter="*hook_z")[1].decompose_resid()`, "error: decompose_resid: hook_embed was not recorded"},
		{`cache.logit_attrs(s, "x+y")`, "error: "},
		{`cache.logit_attrs(s, 203)`, "error: logit_attrs: token 203 is outside the vocabulary 0..202"},
		{`cache.logit_attrs(s, 3.5)`, "error: tokens: want a token's text or id, got float"},
		{`cache.logit_attrs(3, "91")`, "error: residual_stack: want a stack, got int"},
		{`cache.logit_attrs(cache.decompose_resid(pos_slice=1), "91", pos_slice=-1)`, "error: pos_slice: the stack is of other positions"},
		{`cache.logit_attrs(cache.decompose_resid(apply_ln=True), "91")`, "error: logit_attrs: the stack is normed already"},
		{`cache.stack_neuron_results(project_output_onto=cache["embed"])`, "error: project_output_onto: want a tensor [128]"},
		{`cache.apply_ln_to_stack(s, layer=1, recompute_ln=True)`, "error: recompute_ln is about the final norm"},
	} {
		got := eval(t, start+c.expr)
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s gives %s, want %s", c.expr, got, c.want)
		}
	}
}

func TestProcess(t *testing.T) {
	const start = shipped + "p = m.process()\n"
	for _, c := range []struct{ expr, want string }{
		{`p.basis, m.basis, p.name == m.name, p.hash != m.hash`, `("fold_ln+center_unembed+fold_value_biases", "raw", True, True)`},
		{`p`, "model mental-2op: 4 layers, width 128, 4 heads of 32, MLP 336, vocabulary 203, context 8, weights processed: fold_ln+center_unembed"},
		{`t = tokens(m, "34+57=")
a, b = run_with_cache(m, t)[0].log_softmax(), run_with_cache(p, t)[0].log_softmax()
(a - b).abs().max() < 1e-4`, "True"},
		{`m.process(fold_ln=True, center_unembed=False, fold_value_biases=False).basis`, `"fold_ln"`},
		{`m.process(fold_ln=False, center_unembed=False, fold_value_biases=False).hash == m.hash`, "True"},
		{`m.process(center_writing_weights=True)`, `error: process: center_writing_weights: norm is "rmsnorm"`},
		{`p.process(fold_ln=True)`, "error: process: the weights are processed already"},
		{`c = run_with_cache(p, "34+57=")[1]
c.basis, c.logit_attrs(c.decompose_resid(), "91").shape`, `("fold_ln+center_unembed+fold_value_biases", (9, 1, 5))`},
	} {
		if got := eval(t, start+c.expr); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s gives %s, want %s", c.expr, got, c.want)
		}
	}
	// Figures say which weights they are of.
	h, _, err := run(t, start+"logit_lens(p, \"34+57=\")")
	if err != nil {
		t.Fatal(err)
	}
	if f := h.outputs[len(h.outputs)-1].Figure; f == nil || f.Provenance.Basis != "fold_ln+center_unembed+fold_value_biases" {
		t.Errorf("the figure's provenance: %+v", f)
	}
}

func TestCachesHaveABudget(t *testing.T) {
	_, _, err := runIn(t, t.Context(), "m = load(\"mental-2op\")\nrun_with_cache(m, [1] * 2000)", script.Limits{Bytes: 200 << 20})
	e := asError(t, err)
	for _, part := range []string{"117 sites of 1×2000 tokens", "the budget is", "blocks.*.attn.hook_pattern", "record fewer sites"} {
		if !strings.Contains(e.Message, part) {
			t.Errorf("error %q does not say %q", e.Message, part)
		}
	}
	if !strings.Contains(e.Hint, "names_filter") {
		t.Errorf("hint %q", e.Hint)
	}
}
