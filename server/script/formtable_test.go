package script_test

import (
	"slices"
	"strings"
	"testing"

	"orrery/server/analysis"
	"orrery/server/api"
	"orrery/server/script"
)

// functions are all that forms are made of, the example of each behind what it needs.
func functions() []api.AnalysisInfo { return append(analysis.Info(), script.Makers()...) }

// bare is a call with as few arguments as its parameters allow.
func bare(f api.AnalysisInfo) string {
	switch f.Name {
	case "pairs":
		return "p.pairs()"
	case "prompts":
		return `prompts("{a}+{b}=")`
	}
	return f.Name + "()"
}

// TestFormOfEverything opens the form of every function's example: each argument
// is one that a control shows, nothing is wrong with it, and writing each argument
// as it stands changes nothing.
func TestFormOfEverything(t *testing.T) {
	for _, f := range functions() {
		r, err := script.Form(f.Example, nil, nil)
		if err != nil || len(r.Calls) == 0 {
			t.Errorf("%s has no form: %v", f.Example, err)
			continue
		}
		for i, c := range r.Calls {
			if c.In == nil && (c.Name != f.Name || c.Title != f.Title || c.Summary == "") {
				t.Errorf("%s: the form is of %s, %q, %q", f.Name, c.Name, c.Title, c.Summary)
			}
			for _, p := range c.Params {
				if p.Help == "" || p.Type == api.ParamChoice && len(p.Choices) == 0 || p.Required != (p.Default == "") {
					t.Errorf("%s: %+v lacks help, choices or a default", c.Name, p)
				}
			}
			for _, a := range c.Args {
				if a.Problem != "" {
					t.Errorf("%s: %s: %s", f.Example, a.Name, a.Problem)
				}
				text := a.Text
				if a.Kind == api.ArgString {
					text = `"` + text + `"`
				}
				next, err := script.Form(f.Example, nil, &api.FormEdit{Call: i, Name: a.Name, Text: text})
				if err != nil || next.Source != f.Example {
					t.Errorf("%s with %s=%s: %+v, %v", f.Example, a.Name, text, next, err)
				}
			}
		}
	}
}

// TestFormWritesEveryParameter gives each parameter of every function its default
// by hand: it is taken, read back as such, and taken out again without a trace.
func TestFormWritesEveryParameter(t *testing.T) {
	for _, f := range functions() {
		base := bare(f)
		for _, p := range f.Params {
			if p.Name == "template" && f.Name == "prompts" {
				continue // the other parameters follow from it
			}
			text := p.Default
			if p.Required || text == "" {
				text = map[api.ParamType]string{api.ParamModel: "m", api.ParamPrompt: `"34+57="`, api.ParamString: `"{a}+{b}="`, api.ParamRows: `["1+2="]`, api.ParamRange: "range(0, 9)"}[p.Type]
			}
			with, err := script.Form(base, nil, &api.FormEdit{Name: p.Name, Text: text})
			if err != nil {
				t.Errorf("%s: %s=%s: %v", f.Name, p.Name, text, err)
				continue
			}
			args := with.Calls[0].Args
			arg := args[len(args)-1]
			if arg.Name != p.Name || arg.Problem != "" {
				t.Errorf("%s: %s=%s is read as %+v", f.Name, p.Name, text, arg)
			}
			without, err := script.Form(with.Source, nil, &api.FormEdit{Name: p.Name})
			if err != nil || without.Source != base {
				t.Errorf("%s: %s=%s taken out leaves %+v, %v", f.Name, p.Name, text, without, err)
			}
		}
	}
}

// TestFormNamesBadValues gives every parameter a value of no suitable kind.
func TestFormNamesBadValues(t *testing.T) {
	for _, f := range functions() {
		for _, p := range f.Params {
			bad := `-1.5`
			switch p.Type {
			case api.ParamFloat, api.ParamBool, api.ParamChoice, api.ParamMetric, api.ParamModel:
				bad = `"no such value"`
			case api.ParamRows:
				continue // read when it runs
			}
			r, err := script.Form(bare(f), nil, &api.FormEdit{Name: p.Name, Text: bad})
			if err == nil || !strings.Contains(err.Error(), strings.Trim(bad, `"`)) {
				t.Errorf("%s: %s=%s: %+v, %v", f.Name, p.Name, bad, r, err)
			}
		}
	}
}

// TestMakers compares what forms say of prompts, prompts_from, patch and pairs
// with the functions themselves.
func TestMakers(t *testing.T) {
	calls := map[string]string{"prompts": `prompts("{a}", a=range(9))`, "prompts_from": "prompts_from([])", "patch": `patch_lens(m, "1", patches=[patch("z")])`}
	for _, b := range script.Builtins() {
		source, ok := calls[b.Name]
		if !ok {
			continue
		}
		r, err := script.Form(source, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := r.Calls[len(r.Calls)-1]
		signature := strings.TrimSuffix(strings.TrimPrefix(b.Signature, b.Name+"("), ")")
		for _, part := range strings.Split(strings.ReplaceAll(signature, `["+", "-"]`, `["+"; "-"]`), ", ") {
			name, standard, optional := strings.Cut(strings.ReplaceAll(part, "; ", ", "), "=")
			if strings.HasPrefix(name, "**") {
				continue
			}
			i := slices.IndexFunc(c.Params, func(p api.ParamInfo) bool { return p.Name == name })
			if i < 0 || c.Params[i].Required == optional || c.Params[i].Default != standard {
				t.Errorf("%s: %s in the form is %+v", b.Name, part, c.Params)
			}
		}
	}
	for _, m := range script.Makers() {
		source := `m = load("mental-2op")` + "\n" + `p = prompts("{a}+{b}=", m, a=range(9), b=range(9), n=4)` + "\n" + m.Example
		if _, _, err := run(t, source); err != nil {
			t.Errorf("%s: %v", m.Example, err)
		}
	}
}
