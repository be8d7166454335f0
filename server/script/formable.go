package script

import (
	"math"
	"regexp"
	"slices"

	"go.starlark.net/syntax"

	"orrery/ablate"
	"orrery/models"
	"orrery/server/analysis"
	"orrery/server/api"
)

// formable is what a form can show: an analysis, or a maker, which is a function
// that makes what analyses take. Run and Example of a maker are none.
type formable struct {
	analysis.Analysis
	// positional are the parameters that arguments without a name are for.
	positional []string
	// operands are those of a template.
	operands []string
	// dict says that the arguments are the entries of a dictionary.
	dict bool
}

// param is a parameter by name; empty where there is none.
func (f formable) param(name string) analysis.Param {
	if i := slices.IndexFunc(f.Params, func(p analysis.Param) bool { return p.Name == name }); i >= 0 {
		return f.Params[i]
	}
	return analysis.Param{}
}

// named writes an argument.
func (f formable) named(name, text string) string {
	if f.dict {
		return `"` + name + `": ` + text
	}
	return name + "=" + text
}

// formableOf is the function of that name as a form has it, its parameters as the
// call's template says.
func formableOf(name string, call *syntax.CallExpr) (formable, bool) {
	switch name {
	case "prompts":
		return promptsForm(call), true
	case "prompts_from":
		return inOrder(promptsFromForm()), true
	case "patch":
		return inOrder(patchForm()), true
	}
	a, err := analysis.Find(name)
	return inOrder(a), err == nil
}

// inOrder is a function all of whose parameters may be given without a name.
func inOrder(a analysis.Analysis) formable {
	f := formable{Analysis: a}
	for _, p := range a.Params {
		f.positional = append(f.positional, p.Name)
	}
	return f
}

// Makers describes the functions that make what analyses take, for the page.
func Makers() []api.AnalysisInfo {
	example := func(a analysis.Analysis, text string) api.AnalysisInfo {
		a.Example = text
		return a.Info()
	}
	add, _ := options().ParseExpr("example", `prompts("{a}+{b}=")`, 0)
	return []api.AnalysisInfo{
		example(promptsForm(add.(*syntax.CallExpr)).Analysis, `prompts("{a}+{b}=", load("mental-2op"), a=range(0, 100), b=range(0, 100), n=200)`),
		example(pairsForm([]string{"a", "b"}).Analysis, `p.pairs(change="a")`),
		example(promptsFromForm(), `prompts_from(["34+57=", "12+9="], load("mental-2op"))`),
	}
}

func atLeast(x float64) *analysis.Bounds { return &analysis.Bounds{Min: x, Max: math.Inf(1)} }

// braces are the names of a template.
var braces = regexp.MustCompile(`\{(\w+)\}`)

// operator matches the names of operators.
var operator = regexp.MustCompile(`^op\d*$`)

// ownOfPrompts are the arguments of prompts but its operands, in their order.
var ownOfPrompts = []string{"template", "m", "op", "answer", "answers", "n", "seed", "keep"}

// promptsForm is prompts(...): its parameters are those of makePrompts, with one
// for each operand that the template has or the call gives.
func promptsForm(call *syntax.CallExpr) formable {
	own := ownOfPrompts
	f := formable{positional: own}
	template, known, operators := templateOf(call)
	for _, name := range braces.FindAllStringSubmatch(template, -1) {
		switch {
		case operator.MatchString(name[1]):
			operators = true
		case !slices.Contains(f.operands, name[1]) && !slices.Contains(own, name[1]):
			f.operands = append(f.operands, name[1])
		}
	}
	inTemplate := len(f.operands)
	for _, x := range call.Args {
		if b, ok := x.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
			if name := b.X.(*syntax.Ident).Name; !slices.Contains(own, name) && !slices.Contains(f.operands, name) {
				f.operands = append(f.operands, name)
			}
		}
	}
	f.Analysis = analysis.Analysis{Name: "prompts", Title: "Prompts", Summary: "makes a set of prompts of one length with single-token answers, and reports what was dropped and why; show the set to see it"}
	params := []analysis.Param{
		{Name: "template", Type: analysis.TypeString, Required: true, Help: "text with a name in braces for each operand, {a} and {b}, and {op}, {op1}, {op2} for operators that vary"},
		modelParam(),
	}
	for i, name := range f.operands {
		help := "the values of {" + name + "}"
		if i >= inTemplate && known {
			help = "the template has no {" + name + "}: write it there, or leave this out"
		}
		params = append(params, analysis.Param{Name: name, Type: api.ParamRange, Required: i < inTemplate, Help: help})
	}
	op := analysis.Param{Name: "op", Type: analysis.TypeStrings, Default: []string{"+", "-"}, Help: "what stands for {op}"}
	if operators || !known {
		params = append(params, op)
	}
	params = append(params,
		analysis.Param{Name: "n", Type: analysis.TypeInt, Default: 0, Bounds: atLeast(0), Unit: "prompts", Help: "how many prompts to take; 0 for all that there are"},
		seedParam(1, "of the order in which they are tried"),
		keepParam("correct"),
		analysis.Param{Name: "answer", Type: analysis.TypeString, Default: "", Help: `the right answer as an expression, "{a}-{b}"; left out, the text before its last "="`},
		analysis.Param{Name: "answers", Type: api.ParamRange, Help: "answers must be among these; left out, 0 and above"},
	)
	if !slices.ContainsFunc(params, func(p analysis.Param) bool { return p.Name == "op" }) {
		params = append(params, op)
	}
	f.Params = params
	return f
}

// templateOf is the template of a call, where it is a text; operators says whether
// the call gives some.
func templateOf(call *syntax.CallExpr) (text string, known, operators bool) {
	for i, x := range call.Args {
		name := ""
		if b, ok := x.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
			name, x = b.X.(*syntax.Ident).Name, b.Y
		} else if i < len(ownOfPrompts) {
			name = ownOfPrompts[i]
		}
		operators = operators || name == "op"
		if l, ok := x.(*syntax.Literal); ok && name == "template" && l.Token == syntax.STRING {
			text, known = l.Value.(string), true
		}
	}
	return text, known, operators
}

func modelParam() analysis.Param {
	return analysis.Param{Name: "m", Type: analysis.TypeModel, Help: "the model that reads the prompts, and is asked which it gets right; left out, each analysis reads them with its own"}
}

func keepParam(standard string) analysis.Param {
	return analysis.Param{Name: "keep", Type: analysis.TypeChoice, Default: standard, Choices: []string{string(ablate.KeepCorrect), string(ablate.KeepAll)}, Help: "correct keeps the prompts that the model gets right"}
}

func seedParam(standard any, help string) analysis.Param {
	return analysis.Param{Name: "seed", Type: analysis.TypeInt, Default: standard, Bounds: atLeast(0), Help: help}
}

// pairsForm is p.pairs(...) of prompts with these operands; nil where they are not
// known.
func pairsForm(operands []string) formable {
	var changes []string
	for _, c := range ablate.Changes {
		changes = append(changes, string(c))
	}
	if operands == nil {
		operands = []string{"a", "b", "c"}
	}
	return inOrder(analysis.Analysis{
		Name: "pairs", Title: "Pairs", Summary: "gives each prompt, as the clean one, a corrupted partner; what finds none is dropped, and reported with the reason",
		Params: []analysis.Param{
			{Name: "change", Type: analysis.TypeChoice, Default: string(ablate.ChangeOperand), Choices: append(changes, operands...),
				Help: "how the partner differs: operand, one of them; both, one and the operator; result, other operands with the same result; or a certain operand by name"},
			{Name: "partner", Type: api.ParamRows, Help: "the partners, one a prompt, in place of drawn ones"},
			{Name: "control", Type: analysis.TypeChoice, Choices: []string{"result-fixed"}, Help: "result-fixed adds partners of other operands with the same result, as q.control"},
			seedParam(nil, "of the draw of partners; left out, the prompts' own"),
		},
	})
}

// promptsFromForm is prompts_from(...).
func promptsFromForm() analysis.Analysis {
	return analysis.Analysis{
		Name: "prompts_from", Title: "Prompts from a list or a file", Summary: "takes prompts, or pairs, that are given, and reports what was dropped and why",
		Params: []analysis.Param{
			{Name: "rows", Type: api.ParamRows, Required: true, Help: "a prompt a line; of pairs clean | corrupted; or the text of a CSV or JSON lines file"},
			modelParam(),
			keepParam("all"),
			seedParam(1, "of what analyses draw"),
		},
	}
}

// patchForm is patch(...).
func patchForm() analysis.Analysis {
	var givers []string
	for _, g := range ablate.Givers {
		givers = append(givers, string(g))
	}
	var freezes []string
	for _, f := range ablate.Freezes {
		freezes = append(freezes, string(f))
	}
	list := func(name, help string) analysis.Param {
		return analysis.Param{Name: name, Type: analysis.TypeInts, Help: help + "; left out, all; negative counts from the end"}
	}
	return analysis.Analysis{
		Name: "patch", Title: "Patch", Summary: "puts a value of one run into another",
		Params: []analysis.Param{
			{Name: "site", Type: analysis.TypeString, Required: true, Help: "where the value is read, blocks.1.hook_resid_post; or an edge, head 0.1 → q 1.2, whose end alone reads it, with freeze a path between such ends"},
			list("at", "the positions that are read"),
			{Name: "heads", Type: analysis.TypeInts, Index: "heads", Help: "of which heads; left out, all; negative counts from the end"},
			list("neurons", "of which neurons"),
			list("queries", "of which rows of a pattern"),
			list("keys", "of which columns of a pattern"),
			{Name: "into", Type: analysis.TypeString, Help: "where the value is put, if elsewhere; of the same shape"},
			{Name: "to", Type: analysis.TypeInts, Help: "the positions that are written, if others; as many as at"},
			{Name: "run", Type: analysis.TypeChoice, Default: string(ablate.FromClean), Choices: givers, Help: "what gives the value: the clean run, the corrupted one, or a stand-in"},
			{Name: "freeze", Type: analysis.TypeChoice, Choices: freezes, Help: "of a path, what keeps the run's own values while the change travels, as in path_patching: the end alone takes what then arrives"},
		},
	}
}

// editForm is a dictionary that edits a run, as models.Edit has it.
func editForm() formable {
	list := func(name, help string) analysis.Param {
		return analysis.Param{Name: name, Type: analysis.TypeInts, Help: help + "; left out, all; negative counts from the end"}
	}
	f := inOrder(analysis.Analysis{
		Name: "edit", Title: "Edit", Summary: "changes the elements of one site in the run",
		Params: []analysis.Param{
			{Name: "site", Type: analysis.TypeString, Required: true, Help: "what is changed, blocks.1.attn.hook_z"},
			{Name: "op", Type: analysis.TypeChoice, Required: true, Choices: editOps(), Help: "set, add and scale take a value; mask cuts attention; project_out and keep take a basis"},
			{Name: "value", Type: api.ParamValue, Help: "a number, or a list of one for each element"},
			{Name: "heads", Type: analysis.TypeInts, Index: "heads", Help: "of which heads; left out, all; negative counts from the end"},
			list("positions", "at which positions"),
			list("neurons", "of which neurons"),
			list("queries", "of which rows of a pattern"),
			list("keys", "of which columns of a pattern"),
			list("rows", "of which rows of the batch"),
			{Name: "basis", Type: api.ParamData, Help: "the subspace of project_out and keep"},
		},
	})
	f.dict, f.positional = true, nil
	return f
}

func editOps() (names []string) {
	for _, op := range []models.Op{models.Set, models.Add, models.Scale, models.Mask, models.ProjectOut, models.Keep} {
		names = append(names, string(op))
	}
	return names
}
