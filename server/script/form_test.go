package script_test

import (
	"fmt"
	"strings"
	"testing"

	"orrery/server/api"
	"orrery/server/script"
)

// formOf spells the calls of a cell: name(arg:kind=text, ...).
func formOf(t *testing.T, source string, types map[string]string) string {
	t.Helper()
	r, err := script.Form(source, types, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Source != source {
		t.Errorf("reading changed %q to %q", source, r.Source)
	}
	var calls []string
	for _, c := range r.Calls {
		var args []string
		for _, a := range c.Args {
			text := a.Text
			if a.Items != nil {
				text = fmt.Sprintf("%q", a.Items)
			}
			if a.Problem != "" {
				text += " (" + a.Problem + ")"
			}
			args = append(args, fmt.Sprintf("%s:%s=%s", a.Name, a.Kind, text))
		}
		into := ""
		if c.Into != "" {
			into = c.Into + " = "
		}
		if c.On != "" {
			into += c.On + "."
		}
		if c.In != nil {
			into = fmt.Sprintf("in %d %s: ", c.In.Call, c.In.Name)
		}
		calls = append(calls, fmt.Sprintf("%d %s%s(%s)", c.Line, into, c.Name, strings.Join(args, ", ")))
	}
	return strings.Join(calls, "; ")
}

func TestFormReads(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{`logit_lens(m, "34+57=", metric='rank', top_k=-3, mid=True)`, `1 logit_lens(m:code=m, prompt:string=34+57=, metric:string=rank, top_k:number=-3 (top_k: -3 is below 1; use 1 or more; left out, it is 10), mid:bool=True)`},
		{"# a comment\nx = 1\nfig = effects(m)\nx + 1\nknockout(m, n=4)", `3 fig = effects(m:code=m); 5 knockout(m:code=m, n:number=4)`},
		{`lens_trajectory(load("mental-2op"), "1+2=", tokens=["3", "é, ("])`, `1 lens_trajectory(m:code=load("mental-2op"), prompt:string=1+2=, tokens:list=["3" "é, ("])`},
		{`effects(m, p, show="heads")`, `1 effects(m:code=m, prompts:code=p, show:string=heads)`},
		{`effects(m, "heads")`, `1 effects(m:code=m, show:string=heads)`},
		{`causal_mediation(m, text, other)`, `1 causal_mediation(m:code=m, base:code=text, source:code=other)`},
		{`é = effects(m, prompts=q[:4], metric=lambda z, p: z.max())`, `1 é = effects(m:code=m, prompts:code=q[:4], metric:code=lambda z, p: z.max())`},
		{"def f():\n    return effects(m)\n[effects(m) for x in y]\neffects(*args)\neffects(m, nothing=1)\nx = [effects(m)]", ``},
		{"effects(\n    m,  # the model\n    n=40,\n)", `1 effects(m:code=m, n:number=40)`},
		{`helix(m, periods=[2, 5.5, -1], layer=None)`, `1 helix(m:code=m, periods:numbers=["2" "5.5" "-1"] (periods: -1 is below 2; use 2 or more; left out, it is [2, 5, 10, 100]), layer:none=None)`},
		{`logit_lens("mental-2op", prompt=7, metric="probs", top_k=0)`, `1 logit_lens(m:string=mental-2op (m: want a model, got the text "mental-2op"; open it: m=load("mental-2op")), prompt:number=7 (prompt: want a prompt, got int 7; a prompt is a text such as "34+57=", tokens(m, text) or a list of ids; several prompts are a set, made with prompts(...)), metric:string=probs (unknown metric "probs"; one of prob, rank, logit, entropy, kl, logprob_diff), top_k:number=0 (top_k: 0 is below 1; use 1 or more; left out, it is 10))`},
		{`p = prompts("{a}{op}{b}=", m, op=["+"], b=range(5, 20, 2), a=[3, 4], n=200)`, `1 p = prompts(template:string={a}{op}{b}=, m:code=m, op:list=["+"], b:range=["5" "20" "2"], a:numbers=["3" "4"], n:number=200)`},
		{`prompts("{a}+{b}=", a=range(-3, 4), b=range(9, 9), c=[1, 1])`, `1 prompts(template:string={a}+{b}=, a:range=["-3" "4" "1"] (a: -3 is negative; numbers are written without a sign: use 0 or more), b:range=["9" "9" "1"] (b: from 9 to below 9 there is no number; write b=range(0, 100)), c:numbers=["1" "1"] (c: 1 stands there twice; give each number once))`},
		{`q = p.pairs(change="b", control="result-fixed")`, `1 q = p.pairs(change:string=b, control:string=result-fixed)`},
		{`q = prompts("{a}+{b}=", a=range(9), b=range(9)).pairs("a")`, `1 prompts(template:string={a}+{b}=, a:range=["0" "9" "1"], b:range=["0" "9" "1"]); 1 q = pairs(change:string=a)`},
		{`text.pairs("a")`, ``},
		{`prompts_from(["1+2=", "3+4="], keep="all")`, `1 prompts_from(rows:list=["1+2=" "3+4="], keep:string=all)`},
		{`prompts_from([("1+2=", "3+2="), ("4+5=", "6+5=")])`, `1 prompts_from(rows:pairs=["1+2=" "3+2=" "4+5=" "6+5="])`},
		{`effects(m, prompts("{a}+{b}=", a=range(9), b=range(9)), n=3)`, `1 effects(m:code=m, prompts:calls=prompts("{a}+{b}=", a=range(9), b=range(9)), n:number=3); 1 in 0 prompts: prompts(template:string={a}+{b}=, a:range=["0" "9" "1"], b:range=["0" "9" "1"])`},
		{"patch_lens(m, '1+2=', patches=[\n    patch(\"resid_post\", at=1),  # one\n    [patch(\"z\")],\n])", "1 patch_lens(m:code=m, clean:string=1+2=, patches:code=[\n    patch(\"resid_post\", at=1),  # one\n    [patch(\"z\")],\n])"},
		{"patch_lens(m, '1+2=', patches=[\n    patch(\"resid_post\", at=1),  # one\n    patch('z', heads=[0, 2], run=\"zero\"),\n])", "1 patch_lens(m:code=m, clean:string=1+2=, patches:calls=[\n    patch(\"resid_post\", at=1),  # one\n    patch('z', heads=[0, 2], run=\"zero\"),\n]); 2 in 0 patches: patch(site:string=resid_post, at:number=1); 3 in 0 patches: patch(site:string=z, heads:numbers=[\"0\" \"2\"], run:string=zero)"},
		{`dla(m, "1+2=", edits=[{"site": "z", "heads": [1], "op": "set", "value": 0}])`, `1 dla(m:code=m, prompt:string=1+2=, edits:calls=[{"site": "z", "heads": [1], "op": "set", "value": 0}]); 1 in 0 edits: edit(site:string=z, heads:numbers=["1"], op:string=set, value:number=0)`},
		{`dla(m, "1+2=", edits=[{"sight": "z"}])`, `1 dla(m:code=m, prompt:string=1+2=, edits:code=[{"sight": "z"}])`},
	} {
		if got := formOf(t, c.source, map[string]string{"text": "string", "other": "string", "p": "pairs"}); got != c.want {
			t.Errorf("%s\n gives %s\n want  %s", c.source, got, c.want)
		}
	}
}

func TestFormEdits(t *testing.T) {
	for _, c := range []struct{ source, name, text, want string }{
		{`effects(m)`, "n", "40", `effects(m, n=40)`},
		{`effects(m, n=4)`, "n", "40", `effects(m, n=40)`},
		{`effects(m, n=4, seed=2)`, "n", "", `effects(m, seed=2)`},
		{`effects(m, n=4, seed=2)`, "seed", "", `effects(m, n=4)`},
		{`effects(m, n=4, seed=2,)`, "seed", "", `effects(m, n=4,)`},
		{`logit_lens(m, "1+2=")`, "prompt", `"é+1="`, `logit_lens(m, "é+1=")`},
		{`é = logit_lens(load("mental-2op"), "é", mid=True)  # load`, "mid", "False", `é = logit_lens(load("mental-2op"), "é", mid=False)  # load`},
		{"effects(\n    m,  # a, b\n    n=40,  # c, d\n)", "seed", "3", "effects(\n    m,  # a, b\n    n=40,  # c, d\n    seed=3,\n)"},
		{"effects(\n    m,  # a, b\n    n=40,  # c, d\n    seed=3,\n)", "n", "", "effects(\n    m,  # a, b\n    # c, d\n    seed=3,\n)"},
		{"effects(\n    m,\n    n=40,\n    seed=3,\n)", "n", "", "effects(\n    m,\n    seed=3,\n)"},
		{"effects(\n    m,\n    n=40  # c\n)", "seed", "3", "effects(\n    m,\n    n=40,\n    seed=3  # c\n)"},
		{"effects(\n    m,  # a\n    n=40,\n)", "n", "", "effects(\n    m,  # a\n)"},
		{"effects(\n    m,  # a\n    n=40)", "n", "", "effects(\n    m,  # a\n)"},
		{"effects(\n    m,\n    n=40,  # c\n)", "n", "", "effects(\n    m,  # c\n)"},
		{"effects(\n    m,\n    n=40\n)", "n", "", "effects(\n    m\n)"},
		{"effects(m=m)", "m", "", "effects()"},
		{`effects(m, n=4)`, "seed", "", `effects(m, n=4)`},
		{"helix(\n    m,\n    periods=[2, 5],  # two\n)", "periods", "[2, 5, 10]", "helix(\n    m,\n    periods=[2, 5, 10],  # two\n)"},
		{`p = prompts("{a}+{b}=", m, a=range(9), b=range(9))  # small`, "a", "range(0, 100)", `p = prompts("{a}+{b}=", m, a=range(0, 100), b=range(9))  # small`},
		{`p = prompts("{a}+{b}=", m, a=range(9))`, "b", "[1, 3]", `p = prompts("{a}+{b}=", m, a=range(9), b=[1, 3])`},
		{`patch_lens(m, "1", patches=[])`, "patches", "[\n    patch(\"z\"),  # c\n]", "patch_lens(m, \"1\", patches=[\n    patch(\"z\"),  # c\n])"},
		{`effects(m)`, "prompts", `prompts("{a}+{b}=", a=range(9), b=range(9))`, `effects(m, prompts=prompts("{a}+{b}=", a=range(9), b=range(9)))`},
	} {
		r, err := script.Form(c.source, nil, &api.FormEdit{Name: c.name, Text: c.text})
		if err != nil {
			t.Errorf("%s, %s=%s: %v", c.source, c.name, c.text, err)
			continue
		}
		if r.Source != c.want {
			t.Errorf("%s with %s=%s\n gives %q\n want  %q", c.source, c.name, c.text, r.Source, c.want)
		}
		if _, err := script.Compile("c", r.Source); err != nil {
			t.Errorf("%q does not compile: %v", r.Source, err)
		}
	}
}

// TestFormRefuses checks that an edit can change nothing but its argument.
func TestFormRefuses(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
		call             int
	}{
		{"n", "4, seed=2", "", 0},
		{"n", "4, 5", "more than one value", 0},
		{"n", "4) + effects(m", "", 0},
		{"n", "4 # five", "comment", 0},
		{"n", "(", "", 0},
		{"n", "x = 3", "", 0},
		{"number", "4", `no argument "number"`, 0},
		{"n", "4", "there is no call 1", 1},
		{"m", "", "before other arguments", 0},
		{"n", "-4", "n: -4 is below 1", 0},
		{"n", `"x"`, "n: want int, got string x", 0},
		{"change", `"operands?"`, `unknown change "operands?"`, 0},
	} {
		if r, err := script.Form(`effects(m, q, n=1)`, nil, &api.FormEdit{Call: c.call, Name: c.name, Text: c.text}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s=%s: %v, %v, want an error with %q", c.name, c.text, r, err, c.want)
		}
	}
	if _, err := script.Form("effects(m", nil, nil); err == nil {
		t.Error("a cell that does not parse has a form")
	}
}

// TestFormEditsInside checks edits of calls that are arguments, and of entries of
// a dictionary.
func TestFormEditsInside(t *testing.T) {
	const source = "dla(m, \"1\", edits=[\n    {\"site\": \"z\", \"op\": \"set\"},  # off\n])\nq = prompts(\"{a}+{b}=\", a=range(9), b=range(9)).pairs()"
	for _, c := range []struct {
		call             int
		name, text, want string
	}{
		{1, "heads", "[1]", `{"site": "z", "op": "set", "heads": [1]},  # off`},
		{1, "op", `"scale"`, `{"site": "z", "op": "scale"},  # off`},
		{1, "op", "", `{"site": "z"},  # off`},
		{2, "n", "40", `b=range(9), n=40).pairs()`},
		{3, "change", `"b"`, `b=range(9)).pairs(change="b")`},
	} {
		r, err := script.Form(source, nil, &api.FormEdit{Call: c.call, Name: c.name, Text: c.text})
		if err != nil {
			t.Errorf("%d %s=%s: %v", c.call, c.name, c.text, err)
		} else if !strings.Contains(r.Source, c.want) {
			t.Errorf("%d %s=%s gives\n%s\nwant %s", c.call, c.name, c.text, r.Source, c.want)
		}
	}
}

// TestFormOfTemplate checks that the parameters of prompts follow its template.
func TestFormOfTemplate(t *testing.T) {
	for source, want := range map[string]string{
		`prompts("{a}+{b}=", a=range(9))`:           "template* m a* b* n seed keep answer answers op",
		`prompts("{x}{op1}{y}{op}{z}=")`:            "template* m x* y* z* op n seed keep answer answers",
		`prompts("{a}=", b=range(9), op=["-"])`:     "template* m a* b op n seed keep answer answers",
		`prompts(text, b=range(9))`:                 "template* m b op n seed keep answer answers",
		`prompts("{n}+{a}=")`:                       "template* m a* n seed keep answer answers op",
		`prompts("{a}", a=range(2)).pairs()`:        "template* m a* n seed keep answer answers op",
		`prompts("{a}{", m, ["+"], "{a}", a=[1])`:   "template* m a* op n seed keep answer answers",
		`prompts(template="{a}{a}", seed=1, a=[1])`: "template* m a* n seed keep answer answers op",
	} {
		r, err := script.Form(source, nil, nil)
		if err != nil || len(r.Calls) == 0 {
			t.Errorf("%s: %v, %v", source, r, err)
			continue
		}
		var got []string
		for _, p := range r.Calls[0].Params {
			name := p.Name
			if p.Required {
				name += "*"
			}
			got = append(got, name)
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s has %s, want %s", source, text, want)
		}
	}
}

// TestFormOfManyArguments checks that a call which no run can make has no form, and
// that places far to the right are found.
func TestFormOfManyArguments(t *testing.T) {
	var many strings.Builder
	for i := range 300 {
		fmt.Fprintf(&many, ", a%d=1", i)
	}
	r, err := script.Form(`é = 1; prompts("x"`+many.String()+`); "é"; x = effects(m, n=2)`, nil, &api.FormEdit{Name: "n", Text: "3"})
	if err != nil || len(r.Calls) != 1 || !strings.HasSuffix(r.Source, `); "é"; x = effects(m, n=3)`) {
		t.Errorf("%+v, %v", r, err)
	}
}

// FuzzForm edits any text: what comes back parses, and the other calls are as
// they were.
func FuzzForm(f *testing.F) {
	f.Add(`effects(m, n=4, seed=2)`, "n", "3")
	f.Add("x = logit_lens(\n  m, # é\n  '1+2=',\n)\neffects(m)", "mid", "True")
	f.Add(`lens_trajectory(load("a"), "1", tokens=["#,"])`, "tokens", `["é"]`)
	f.Add(`q = prompts("{a}+{b}=", a=range(9)).pairs("a")`, "b", "[1]")
	f.Add("dla(m, \"1\", # a\r\n tokens=[\"2\"\r]\r)", "n", "[1\r]")
	f.Add("q = prompts(\"\xfb\xfb\xfb\", a=[1]).pairs(\"a\")", "b", "[1]")
	f.Add("patch_lens(m, '1', patches=[patch('z', at=1), patch('q')])", "patches", "[]")
	f.Add(`dla(m, "1", edits=[{"site": "z", "op": "set"}])`, "n", "[{}]")
	f.Add("p = prompts(t, q=[1])\np.pairs(change=\"q\")", "q", "")
	f.Fuzz(func(t *testing.T, source, name, text string) {
		before, err := script.Form(source, nil, nil)
		if err != nil {
			return
		}
		after, err := script.Form(source, nil, &api.FormEdit{Name: name, Text: text})
		if err != nil {
			return
		}
		// Calls that are in the first one come and go with its arguments, and what is
		// wrong with those of pairs follows from the operands that its prompts have.
		apart := func(r *api.FormResponse) (calls []string) {
			for i, c := range r.Calls {
				if i == 0 || c.In != nil {
					continue
				}
				for i := range c.Args {
					c.Args[i].Problem = ""
				}
				calls = append(calls, fmt.Sprint(c.Name, c.Into, c.Args))
			}
			return calls
		}
		if len(before.Calls) > 0 && len(after.Calls) == 0 || fmt.Sprint(apart(before)) != fmt.Sprint(apart(after)) {
			t.Fatalf("%q became %q: another call changed", source, after.Source)
		}
	})
}
