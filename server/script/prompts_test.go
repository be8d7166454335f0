package script_test

import (
	"context"
	"strings"
	"testing"

	"orrery/server/api"
	"orrery/server/script"
)

// TestPromptValues evaluates what cells do with prompts.
func TestPromptValues(t *testing.T) {
	const set = `m = load("mental-2op")
p = prompts("{a}+{b}=", m, a=range(0, 20), b=range(5, 9), n=12, seed=2)
`
	for _, c := range []struct{ source, want string }{
		{`len(p), p.n, p.seed, p.keep, p.template, p.model`, `(12, 12, 2, "correct", "{a}+{b}=", "mental-2op")`},
		{`p[0].answer == str(p[0].operands[0] + p[0].operands[1]), p[0].text.endswith("="), p[0].op`, `(True, True, "+")`},
		{`p[-1].text == p.texts[11], len(p[2:5]), len([x for x in p])`, `(True, 3, 12)`},
		{`p.roles`, `["bos", "operand a", "operator", "operand b", "equals"]`},
		{`prompts("{a}-{b}+{c}=", m, a=[9], b=[2, 3], c=[1], keep="all").roles`, `["bos", "operand a", "operator", "operand b", "operator 2", "operand c", "equals"]`},
		{`p.accuracy["before"], p.accuracy["after"], p.accuracy["asked"]`, `(1.0, 1.0, 12)`},
		{`p.report`, `"12 prompts of 12 tried, of 80 in all; the model's accuracy is 100.0 % before the filter (12 of 12 right) and 100 % after it"`},
		{`prompts("{a}-{b}=", m, a=range(5), b=range(5), keep="all").dropped`, `[{"count": 10, "example": "0-1=", "reason": "the answer is out of range"}]`},
		{`prompts("{a}+{b}=", m, a=[1, 7, 30], b=[2]).texts`, `["1+2=", "7+2=", "30+2="]`},
		{`prompts("{a}{op}{b}=", m, op="-", a=[7], b=[2], answers=range(0, 100)).answers`, `["5"]`},
		{`prompts("{a}+{b}=", m, a=[7], b=[2], answer="{a}*{b}", keep="all").answers`, `["14"]`},
		{`q = p.pairs(change="b")` + "\n" + `[x.clean.operands[0] == x.corrupted.operands[0] for x in q] == [True] * 12`, `True`},
		{`q = p.pairs(change="result")` + "\n" + `[x.clean.answer == x.corrupted.answer for x in q] == [True] * len(q), q.change`, `(True, "result")`},
		{`q = p.pairs(control="result-fixed", seed=9)` + "\n" + `q.change, q.seed, q.control.change, q.clean.texts == p.texts, type(q), len(q[:4])`, `("operand", 9, "result", True, "pairs", 4)`},
		{`q = p[:2].pairs(partner=["1+2=", "3+4="])` + "\n" + `[x.corrupted.text for x in q], q.control`, `(["1+2=", "3+4="], None)`},
		{`x = p.pairs()[0]` + "\n" + `x.answer == x.clean.answer_id, x.other == x.corrupted.answer_id, x.base`, `(True, True, None)`},
		{`prompts_from(p.csv(), m, keep="correct").texts == p.texts, prompts_from(p.jsonl(ids=False), m).answers == p.answers`, `(True, True)`},
		{`q = p.pairs()` + "\n" + `r = prompts_from(q.jsonl(), m)` + "\n" + `r.clean.texts == q.clean.texts, r.corrupted.answers == q.corrupted.answers, prompts_from(q.csv(), m).corrupted.texts == q.corrupted.texts`, `(True, True, True)`},
		{`prompts_from([("1+2=", {"text": "1+3=", "answer": "4"})], m)[0]`, `1+2= | 1+3= → 4`},
		{`prompts_from(["1+2=", p[0]], m).texts[1] == p[0].text`, `True`},
		{`tokens(m, p[0]).ids == p[0].ids, p[0].tokens.strings[2]`, `(True, "+")`},
		{`u = prompts("{a}+{b}=", a=range(3), b=range(3), n=4)` + "\n" + `u.n, u.pairs().on(m).change, len(u.on(m))`, `(4, "operand", 4)`},
		{`prompts("{a}+{b}=", a=range(3), b=[1, 5])`, `prompts "{a}+{b}=", a in 0..2, b in [1 5], seed=1, keep="correct"; they are made for the model of the analysis that they are given to, or by p.on(m)`},
		{`hasattr(p, "texts"), "pairs" in dir(p), "clean" in dir(p.pairs())`, `(True, True, True)`},
	} {
		if got := eval(t, set+c.source); got != c.want {
			t.Errorf("%s\n gives %s\n want  %s", c.source, got, c.want)
		}
	}
}

// TestPromptsRefused checks what a reader is told.
func TestPromptsRefused(t *testing.T) {
	const m = "m = load('mental-2op')\n"
	for _, c := range []struct{ source, want string }{
		{`len(prompts("{a}+{b}=", a=range(3), b=range(3)))`, "no model has read these prompts yet | write prompts(..., m=m), or p.on(m)"},
		{`prompts("{a}+{b}=", a=range(3), b=range(3))[0]`, "no model has read"},
		{`prompts("{a}+{b}=", a=range(3), b=range(3)).report`, ".report is not known"},
		{`prompts("{a}+{b}=", a=range(3), c=range(3))`, "c is no argument"},
		{`prompts("{a}+{b}=", a=range(3))`, "{b} is neither an operand"},
		{`prompts("{a}+{b}=", a=range(3), b=range(3), keep="right")`, `keep is "right" | write keep="correct"`},
		{`prompts("{a}+{b}=", a=range(-3, 3), b=range(3))`, "-3 is negative"},
		{`prompts("{a}+{b}=", a=range(0), b=range(3))`, "there are no values"},
		{`prompts("{a}+{b}=", a="0..9", b=range(3))`, "want numbers, got string"},
		{`prompts("{a}+{b}=", a=[1, 4294967296], b=range(3))`, "a: 4294967296 is too large: numbers below 2^31 are taken | write a=range(0, 100)"},
		{`prompts_from('{"text":"1+2=","text":"1+3="}', m)`, `line 1: the key "text" stands there twice`},
		{`prompts("{a}+{b}=", m, a=range(300, 310), b=range(300, 310))`, "can be encoded"},
		{`prompts("{a}-{b}-99=", m, a=range(9), b=range(9))`, "the answer is out of range"},
		{`prompts("{a}+{b}=", "mental-2op", a=range(3), b=range(3))`, "want a model, got string"},
		{`prompts("{a}+{b}=", m, a=range(9), b=range(9)).pairs(change="c")`, `change is "c" | one of the operands a, b, or operand`},
		{`prompts("{a}+{b}=", m, a=range(9), b=range(9)).pairs(change="op")`, "has no {op} to change"},
		{`prompts("{a}+{b}=", m, a=range(9), b=range(9), n=3).pairs(partner=["1+2="])`, "1 partners are given for 3 prompts"},
		{`prompts("{a}+{b}=", m, a=range(9), b=range(9), n=3).pairs(control="fixed")`, `write control="result-fixed"`},
		{`prompts_from([("1+2=", "1+2")], m)`, "unequal length"},
		{`prompts_from(["1+2=", "x"], m, keep="correct")`, "no answer that the model could get right"},
		{`prompts_from([])`, "there are no rows"},
		{`prompts_from([{"text": "1+2=", "answer": 3}])`, "row 0: answer is 3: want text"},
		{`prompts_from(["1+2=", ("1+2=", "1+3=")])`, "row 1: prompts and pairs stand in one list"},
		{"prompts_from('text,answr\\n1+2=,3')", "line 1: column"},
		{`effects(m, prompts("{a}+{b}=", a=range(9), b=range(9)), n=4)`, "prompts and n both say"},
		{`knockout(m, prompts("{a}+{b}=", a=range(9), b=range(9)).pairs())`, "single prompts are wanted"},
	} {
		if got := eval(t, m+c.source); !strings.Contains(got, c.want) {
			t.Errorf("%s\n gives %s\n which does not say %s", c.source, got, c.want)
		}
	}
}

// TestPromptsInAnalyses gives sets and pairs to analyses, bound and not, as the
// second argument and by name; a call without one keeps its places.
func TestPromptsInAnalyses(t *testing.T) {
	const head = `m = load("mental-2op")
u = prompts("{a}+{b}=", a=range(0, 30), b=range(0, 30), n=5)
p = u.on(m)
`
	for _, c := range []string{
		`causal_mediation(m, p.pairs(change="a"), components=["mlp"])`,
		`causal_mediation(m, u.pairs(control="result-fixed"), metric="changed", control=True)`,
		`activation_patching(m, u, change="any", sweep="resid_pre")`,
		`effects(m, prompts=p.pairs())`,
		`knockout(m, u)`,
		`cama(m.process(), p, show="edges")`,
		`knockout(m, "mlps", n=4)`,
		`causal_mediation(m, "34+57=", "12+57=")`,
		`logit_lens(m, p[0])`,
	} {
		h, _, err := run(t, head+c)
		if err != nil {
			t.Errorf("%s: %v", c, err)
			continue
		}
		f := h.outputs[len(h.outputs)-1].Figure
		if f == nil {
			t.Errorf("%s shows no figure", c)
		}
	}
}

// TestMetricFunction measures with functions of a cell.
func TestMetricFunction(t *testing.T) {
	const head = `m = load("mental-2op")
p = prompts("{a}+{b}=", m, a=range(0, 30), b=range(0, 30), n=4)
def mine(logits, pair):
    return logits[pair.answer] - logits[pair.other]
def single(logits, pair):
    return logits[pair.answer] + 0 * pair.base[0]
`
	for _, c := range []struct{ source, want string }{
		{`a = activation_patching(m, p.pairs(), metric=mine)
b = activation_patching(m, p.pairs(), metric="logit_diff")
a.values("resid_pre") == b.values("resid_pre"), a.values("resid_pre_each").shape`, `(True, (4, 5, 4))`},
		{`knockout(m, p, metric=single).values("heads") == knockout(m, p, metric="logit").values("heads")`, `True`},
		{`effects(m, p, metric=lambda z, pair: z.max()).title`, `"Total and direct effects"`},
		{`q = p.pairs()
causal_mediation(m, q, metric=mine, normalise=True).values("mlp") == causal_mediation(m, q, metric="logit_diff", normalise=True).values("mlp")`, `True`},
		{`a = causal_trace(m, p, metric=single, draws=2)
a.values("resid_post") == causal_trace(m, p, metric="logit", draws=2).values("resid_post")`, `True`},
		{`edge_patching(m, p.pairs(), metric=mine, receivers="logits").values("edge") == edge_patching(m, p.pairs(), metric="logit_diff", receivers="logits").values("edge")`, `True`},
		{`a = patch_lens(m, clean="4+7=", corrupted="2+7=", patches=[patch("resid_post1", at=-1)], measure=mine)
b = patch_lens(m, clean="4+7=", corrupted="2+7=", patches=[patch("resid_post1", at=-1)])
a.values("try_restored") == b.values("try_restored")`, `True`},
	} {
		if got := eval(t, head+c.source); got != c.want {
			t.Errorf("%s gives %s, want %s", c.source, got, c.want)
		}
	}
	for _, c := range []struct {
		source, want string
		line         int
	}{
		{"def bad(z, pair):\n    return z[pair.answer] / 0\nknockout(m, p, metric=bad)", "division by zero", 8},
		{"def bad(z, pair):\n    return (z * 0).log().max() - (z * 0).log().max()\nknockout(m, p, metric=bad)", "the metric bad gives nan for", 9},
		{"def bad(z, pair):\n    pass\nknockout(m, p, metric=bad)", "gives a NoneType", 9},
		{"def bad(z):\n    return 1\nknockout(m, p, metric=bad)", "accepts", 7},
		{"knockout(m, p, show=mine)", "show", 7},
		{"effects(m, p, metric='lgit')", "lgit", 7},
	} {
		_, _, err := run(t, head+c.source)
		if err == nil {
			t.Errorf("%s is taken", c.source)
			continue
		}
		e := asError(t, err)
		if !strings.Contains(e.Message, c.want) || e.Line != c.line || e.Code != api.Invalid {
			t.Errorf("%s: %q at line %d (%s), want %q at line %d", c.source, e.Message, e.Line, e.Code, c.want, c.line)
		}
	}
}

// TestMetricFails checks that a sweep ends with the first failure, and that no
// number of it is shown.
func TestMetricFails(t *testing.T) {
	h, _, err := run(t, `m = load("mental-2op")
count = []
def bad(z, pair):
    count.append(1)
    if len(count) > 20:
        fail("enough", len(count))
    return z[pair.answer]
knockout(m, n=4, metric=bad)`)
	if e := asError(t, err); !strings.Contains(e.Message, "enough 21") || e.Line != 6 {
		t.Errorf("error %q at line %d", e.Message, e.Line)
	}
	parts := 0
	for _, event := range h.events {
		if strings.HasPrefix(event, "part ") {
			parts++
		}
	}
	if parts != 4 { // 4 calls without edits, then cells of 4 prompts: the fifth fails
		t.Errorf("%d cells were shown, want those of 16 calls", parts)
	}
}

// TestPromptTable checks what the page gets of a set.
func TestPromptTable(t *testing.T) {
	h, exports, err := run(t, `m = load("mental-2op")
p = prompts("{a}+{b}=", m, a=range(0, 30), b=range(0, 30), n=250).pairs()
p`)
	if err != nil {
		t.Fatal(err)
	}
	o := h.outputs[0]
	if o.Kind != api.OutputPrompts || o.Prompts == nil || len(o.Prompts.Rows) != 200 || o.Prompts.Total != 250 || !o.Prompts.Pairs {
		t.Fatalf("output %+v", o)
	}
	row := o.Prompts.Rows[0]
	if len(row.Tokens) != 5 || len(row.Partner) != 5 || row.Answer == "" || row.Answer == row.PartnerAnswer || row.Tokens[1].Role != "a" || row.Partner[3].Role != "b" || !row.Tokens[0].Special {
		t.Errorf("row %+v", row)
	}
	if !strings.HasPrefix(o.Prompts.CSV, "clean_text,") || strings.Count(o.Prompts.JSONL, "\n") != 250 || !strings.Contains(o.Prompts.Report, "one operand changed") {
		t.Errorf("files %.40q, %.40q, report %q", o.Prompts.CSV, o.Prompts.JSONL, o.Prompts.Report)
	}
	_, _, err = runIn(t, context.Background(), "len(p), p[0].clean.answer", script.Limits{}, exports)
	if err != nil {
		t.Error(err)
	}
}
