package script_test

import (
	"strings"
	"testing"

	"orrery/viz"
)

// TestBadCausalInput tries, as a cell would, what the causal analyses refuse: the
// message names the value, its bounds or what is right, and what to do. No figure
// with a number in it is left behind.
func TestBadCausalInput(t *testing.T) {
	const head = `m = load("mental-2op")
digits = load("add-5digit")
p = prompts("{a}+{b}=", m, a=range(0, 30), b=range(0, 30), n=4)
`
	mask := func(more string) string {
		return `[{"site": "blocks.1.attn.hook_attn_scores", "op": "mask"` + more + `}]`
	}
	for _, c := range []struct {
		call string
		want []string // in the message or its hint
	}{
		// Prompts of unequal length.
		{`activation_patching(m, clean="1+2=", corrupted="1+2")`, []string{"clean has 5 tokens, corrupted has 4", "equal length"}},
		{`causal_mediation(m, base="1+2=", source="1+2")`, []string{"base has 5 tokens, source has 4", "equal length"}},
		{`patch_lens(m, clean="1+2=", corrupted="1+2")`, []string{"clean has 5 tokens, corrupted has 4", "equal length"}},
		{`prompts_from([("1+2=", "1+2")], m)`, []string{"unequal length", `"1+2= | 1+2"`}},
		// Operands or answers that are not one token.
		{`prompts("{a}+{b}=", digits, a=range(0, 30), b=range(0, 30), n=5)`, []string{"not one token", `such as "`, "tokens as most have", "take other ranges"}},
		{`effects(digits, n=4, hi=30)`, []string{"is left", "not one token", "take other ranges"}},
		{`cama(digits, n=4, hi=30)`, []string{"is left", "not one token", "take other ranges"}},
		{`prompts("{a}+{b}=", m, a=range(950, 960), b=range(0, 100), n=5)`, []string{`"95`, "0 to 198"}},
		// Nothing is left.
		{`prompts("{a}+{b}=", m, a=range(150, 260), b=range(0, 100), n=5)`, []string{"is left", "dropped: its answer cannot be encoded", "the model gets it wrong", `keep="all"`}},
		{`effects(m, p[:0])`, []string{"prompts: the list is empty", "longer part"}},
		{`knockout(m, prompts=p[4:])`, []string{"prompts: the list is empty", "longer part"}},
		{`prompts_from(["1+2", "2+3"], m, keep="correct")`, []string{"is left", "no answer that the model could get right"}},
		// Windows and layers beyond the model.
		{`cama(m, p, show="heads", wait=3, transfer=2)`, []string{"blocks 0..3 wait and 2 transfer", "4 blocks", "at most 4"}},
		{`activation_patching(m, p, window=9)`, []string{"window of 9 layers", "model's 4"}},
		{`activation_patching(m, p, window=0)`, []string{"window: 0", "1 or more"}},
		{`causal_mediation(m, p, components=["coordinate"], layer=7)`, []string{"7 is outside 0..3", "-4..-1"}},
		{`patch_lens(m, clean="3+5=", corrupted="1+5=", patches=[patch("blocks.9.hook_resid_post", at=1)])`, []string{"layer 9 is outside 0..3"}},
		// Heads that do not exist.
		{`patch_lens(m, clean="3+5=", corrupted="1+5=", patches=[patch("z2", heads=[9])])`, []string{"index 9 is outside 0..3"}},
		{`run_with_cache(m, "1+2=", edits=[{"site": "blocks.1.attn.hook_z", "heads": [4], "op": "set", "value": 0}])`, []string{"index 4 is outside 0..3"}},
		{`attention(m, "1+2=", layer=0, head=-5)`, []string{"-5 is outside 0..3"}},
		// A metric that is the same in both runs.
		{`activation_patching(m, clean="1+2=", corrupted="1+2=", metric="prob")`, []string{"same prompt", "change one token"}},
		{`activation_patching(m, clean="1+2=", corrupted="2+1=")`, []string{"both are token", `"prob"`}},
		{`activation_patching(m, clean="1+2=", corrupted="2+1=", metric="accuracy")`, []string{"is 1 on average in the base runs and 1 in the source runs", "below 0.001", "normalise=False"}},
		{`causal_mediation(m, base="1+2=", source="2+1=", metric="ie")`, []string{"have the answer 3", `"ie" compares an answer with itself`, `metric="changed"`}},
		{`causal_mediation(m, base="1+2=", source="1+2=", metric="prob")`, []string{"same prompt", "change one token"}},
		{`effects(m, p, metric=lambda z, q: 1.0, normalise=True)`, []string{"below 0.001", "normalise=False"}},
		{`knockout(m, p, metric=lambda z, q: 1.0, normalise=True)`, []string{"below 0.001", "normalise=False"}},
		{`patch_lens(m, clean="1+2=", corrupted="1+2=")`, []string{"same prompt", "change one token"}},
		// Queries that are left nothing to read.
		{`run_with_cache(m, "1+2=", edits=` + mask("") + `)`, []string{"query 0 of head 0", "keys 0..0", "hook_z to 0"}},
		{`run_with_cache(m, "1+2=", edits=` + mask(`, "heads": [2], "queries": [4]`) + `)`, []string{"query 4 of head 2", "keys 0..4", "leave it one"}},
		{`logit_lens(m, "1+2=", edits=` + mask(`, "queries": [1], "keys": [0, 1]`) + `)`, []string{"query 1 of head 0", "keys 0..1"}},
		{`dla(m, "1+2=", edits=` + mask(`, "queries": [4]`) + `)`, []string{"query 4 of head 0"}},
		{`attention(m, "1+2=", edits=` + mask(`, "queries": [4]`) + `)`, []string{"query 4 of head 0"}},
		{`lens_trajectory(m, "1+2=", tokens=["3"], edits=` + mask(`, "queries": [4]`) + `)`, []string{"query 4 of head 0"}},
		{`logit_lens(m, "1+2=", edits=[{"site": "blocks.1.attn.hook_attn_scores", "op": "set", "value": -float("inf")}])`, []string{"-inf is no finite number", `"op": "mask"`}},
		{`logit_lens(m, "1+2=", edits=[{"site": "blocks.1.hook_mlp_out", "op": "set", "value": float("nan")}])`, []string{"nan is no finite number"}},
	} {
		t.Run(c.call, func(t *testing.T) {
			h, _, err := run(t, head+c.call)
			if err == nil {
				t.Fatal("it is taken")
			}
			e := asError(t, err)
			for _, w := range c.want {
				if !strings.Contains(e.Message+" / "+e.Hint, w) {
					t.Errorf("%q with hint %q does not say %q", e.Message, e.Hint, w)
				}
			}
			for _, o := range h.outputs {
				if o.Figure == nil {
					continue
				}
				for name, a := range o.Figure.Arrays {
					for i := range a.Data {
						if v, state := a.At(i); state == viz.Done && v != v {
							t.Errorf("%s[%d] is NaN", name, i)
						}
					}
				}
			}
		})
	}
	// A mask that leaves a key is taken.
	for _, call := range []string{
		`run_with_cache(m, "1+2=", edits=` + mask(`, "queries": [4], "keys": [1, 2, 3]`) + `)`,
		`logit_lens(m, "1+2=", edits=` + mask(`, "queries": [-1], "keys": [0, 1, 2, 3]`) + `)`,
	} {
		if _, _, err := run(t, head+call); err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
}
