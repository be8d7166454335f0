package script_test

import (
	"strings"
	"testing"
)

// TestTransformerLensHabits holds that what users of TransformerLens and
// PyTorch write from memory gets an answer that says what to write here.
func TestTransformerLensHabits(t *testing.T) {
	const run = shipped + "logits, cache = run_with_cache(m, \"34+57=\")\n"
	for _, c := range []struct{ expr, want string }{
		{`m.run_with_cache("34+57=")`, `error: model has no .run_with_cache | write run_with_cache(m, prompt)`},
		{`m("34+57=")`, `error: a model is not called by itself | write logits, cache = run_with_cache(m, prompt)`},
		{`m.run_with_hooks("34+57=", fwd_hooks=[])`, `error: model has no .run_with_hooks | write run_with_cache(m, prompt, edits=[{"site"`},
		{`m.cfg.n_layers`, `error: dict has no .n_layers field or method | of a model write m.layers`},
		{`m.cfg.heads`, `error: dict has no .heads field or method | write d["heads"]`},
		{`m.cfg["heads"]`, `4`},
		{`m.W_E`, `error: model has no .W_E | weights are no values`},
		{`m.blocks[0].attn.W_Q`, `error: model has no .blocks | weights are no values`},
		{`m.eval()`, `error: model has no .eval | leave it out`},
		{`m.hook_dict`, `error: model has no .hook_dict | write m.sites()`},
		{`m.reset_hooks()`, `error: model has no .reset_hooks | no run leaves anything behind`},
		{`m.to_tokens("34+57=", prepend_bos=False)`, `error: model.to_tokens: unexpected keyword argument "prepend_bos" | BOS is there where the model's own tokenizer puts it`},
		{`m.to_tokens("34+57=").ids[1:]`, `[38, 1, 61, 3]`},
		{`m.to_tokens("91").ids[-1], m.to_string(95)`, `(95, "91")`},
		{`logits.softmax(dim=-1)`, `error: tensor.softmax: unexpected keyword argument "dim" | write axis=`},
		{`cache[get_act_name("z", 1)]`, `error: get_act_name is not defined | short names are taken everywhere`},
		{`utils.get_act_name("z", 1)`, `error: utils is not defined | short names are taken everywhere`},
		{`patching.get_act_patch_resid_pre(m)`, `error: patching is not defined | write activation_patching(`},
		{`logits(0)`, `error: invalid call of non-function (tensor) | take a part with [ ]`},
		{`logit_lens("34+57=")`, `error: logit_lens: m: want a model, got the text "34+57=" | give the model first`},
		{`logit_lens("mental-2op", "34+57=")`, `error: logit_lens: m: want a model, got the text "mental-2op" | open it: m=load("mental-2op")`},
		{`logit_lens(m, ["34+57=", "1+2="])`, `error: logit_lens: prompt: want a prompt, got the list ["34+57=" "1+2="] | a prompt is a text`},
		{`logit_lens(m, tokens="34+57=")`, `error: logit_lens: prompt is missing`},
		{`logit_lens(m, "34+57=", layer=3)`, `error: logit_lens has no argument "layer" | one of `},
		{`causal_mediation(m, clean="34+57=", corrupted="12+57=")`, `error: causal_mediation has no argument "clean" | here it is called source=`},
		{`causal_mediation(m, source="34+57=", corrupted="12+57=")`, `error: causal_mediation has no argument "corrupted" | here it is called base=`},
		{`cama(m, wait=2)`, `error: wait=2 is given without transfer: they go together | give both`},
		{`cama(m, transfer=2)`, `error: transfer=2 is given without wait: they go together | give both`},
	} {
		if got := eval(t, run+c.expr); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s gives %s, want %s", c.expr, got, c.want)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, c := range []struct {
		source string
		want   []string
	}{
		{`help(logit_lens)`, []string{"Logit lens: ", "logit_lens(m, prompt, metric=", "for example logit_lens(", "\nmetric: ", "; of prob, logit"}},
		{`help(load)`, []string{"load(name)\nopens a model"}},
		{`help(sorted)`, []string{"sorted(xs, key=None, reverse=False)\n"}},
		{"def f(x, k=2, *more):\n    \"\"\"Twice x.\"\"\"\n    return k * x\nhelp(f)", []string{"f(x, k=2, *more)\nTwice x.\n"}},
		{shipped + `help(m)`, []string{"model mental-2op: 4 layers", "It has activation, ", "to_tokens"}},
		{`help(3)`, []string{"3\n"}},
		{`help()`, []string{"help(logit_lens)"}},
	} {
		h, _, err := run(t, c.source)
		if err != nil {
			t.Fatalf("%s: %v", c.source, err)
		}
		for _, want := range c.want {
			if !strings.Contains(h.text, want) {
				t.Errorf("%s prints %q, without %q", c.source, h.text, want)
			}
		}
	}
}
