package script

import (
	"strings"
	"unicode/utf8"

	"go.starlark.net/syntax"

	"orrery/server/analysis"
	"orrery/server/api"
)

// Form reads the calls of a cell that forms can show: at its top, and in their
// arguments. Where edit is not nil one argument of one of them is changed first:
// the edit replaces, adds or takes out the text of that argument alone, so that
// comments, layout and all else stay. types are the types of variables by name
// (see api.FormRequest).
func Form(source string, types map[string]string, edit *api.FormEdit) (*api.FormResponse, error) {
	f, err := readForm(source, types)
	if err != nil {
		return nil, err
	}
	if edit != nil {
		if source, err = f.apply(*edit); err != nil {
			return nil, err
		}
		if f, err = readForm(source, types); err != nil {
			return nil, err
		}
	}
	out := &api.FormResponse{Source: f.source, Calls: []api.FormCall{}}
	for _, c := range f.calls {
		out.Calls = append(out.Calls, c.wire(f))
	}
	return out, nil
}

// form is a cell's text with its calls.
type form struct {
	source string
	code   string // the source with comments and strings blanked, byte for byte
	bytes  []int  // where each letter begins, and the end
	lines  []int  // the first letter of each line
	types  map[string]string
	calls  []formCall
	// sets are the parameters of calls of prompts by the name that they are
	// assigned to, for what pairs of them can change.
	sets map[string]formable
}

// formCall is one call.
type formCall struct {
	formable
	call        syntax.Expr
	into        syntax.Expr // what it is assigned to; nil for nothing
	on          syntax.Expr // what a method is called of
	in          *api.FormPlace
	open, close int // bytes of its brackets
	args        []formArg
}

// formArg is one argument.
type formArg struct {
	param    analysis.Param
	named    bool
	value    syntax.Expr
	from, to int // bytes of the whole argument, its name included
	at       int // where the value begins
	calls    bool
}

// readForm parses a cell.
func readForm(source string, types map[string]string) (*form, error) {
	if len(source) > maxSource {
		return nil, &api.Error{Code: api.TooLarge, Line: 1, Message: "the cell is too long for a form"}
	}
	source = unixLines(source)
	m := mask(source)
	if m.depth > maxBrackets {
		return nil, tooDeep(1)
	}
	file, err := options().Parse("cell", m.text, 0)
	if err != nil {
		return nil, syntaxError(m, err)
	}
	f := &form{source: source, lines: []int{0}, types: types, sets: map[string]formable{}}
	for i, r := range source {
		f.bytes = append(f.bytes, i)
		if r == '\n' {
			f.lines = append(f.lines, len(f.bytes))
		}
	}
	f.bytes = append(f.bytes, len(source))
	f.code = blank(source, m)
	for _, s := range file.Stmts {
		switch s := s.(type) {
		case *syntax.ExprStmt:
			f.collect(s.X, nil, nil)
		case *syntax.AssignStmt:
			if s.Op == syntax.EQ {
				f.collect(s.RHS, s.LHS, nil)
			}
		}
	}
	return f, nil
}

// blank is the source with comments, and what strings hold, as spaces: a comma
// that is found in it parts arguments. It has the source's bytes, place by place.
func blank(source string, m masked) string {
	var b strings.Builder
	shown := strings.Join(m.lines, "\n")
	for i := 0; i < len(source); {
		// What is no UTF-8 is one byte here and U+FFFD there.
		_, size := utf8.DecodeRuneInString(source[i:])
		r, masked := utf8.DecodeRuneInString(shown)
		letter := source[i : i+size]
		if []rune(letter)[0] != r {
			letter = strings.Repeat(" ", size)
		}
		b.WriteString(letter)
		i, shown = i+size, shown[masked:]
	}
	return b.String()
}

// collect adds a call, if the expression is one that a form can show, behind the
// one that it is a method of and before those in its arguments. It reports
// whether it is one.
func (f *form) collect(x, into syntax.Expr, in *api.FormPlace) bool {
	c := formCall{call: x, into: into, in: in}
	var list []syntax.Expr
	switch x := x.(type) {
	case *syntax.DictExpr:
		if in == nil || in.Name != "edits" {
			return false
		}
		c.formable = editForm()
		c.open, c.close, list = f.offset(x.Lbrace), f.offset(x.Rbrace), x.List
	case *syntax.CallExpr:
		if len(x.Args) > maxArguments {
			return false
		}
		c.open, c.close, list = f.offset(x.Lparen), f.offset(x.Rparen), x.Args
		switch fn := x.Fn.(type) {
		case *syntax.Ident:
			var ok bool
			if c.formable, ok = formableOf(fn.Name, x); !ok {
				return false
			}
		case *syntax.DotExpr:
			if fn.Name.Name != "pairs" || !holdsPrompts(fn.X, f.types) {
				return false
			}
			c.on = fn.X
			c.formable = pairsForm(f.operands(fn.X))
		default:
			return false
		}
	default:
		return false
	}
	if !c.read(f, list) {
		return false
	}
	if c.on != nil && f.collect(c.on, nil, in) {
		c.on = nil // it has a form of its own
	}
	if name, ok := into.(*syntax.Ident); ok {
		f.sets[name.Name] = c.formable
	}
	at := len(f.calls)
	f.calls = append(f.calls, c)
	for i, a := range c.args {
		place := &api.FormPlace{Call: at, Name: a.param.Name}
		f.calls[at].args[i].calls = f.collectIn(a.value, place)
	}
	return true
}

// collectIn adds the calls that an argument is: one, or each of a list. Where not
// all of a list can be shown, none is.
func (f *form) collectIn(x syntax.Expr, in *api.FormPlace) bool {
	list, ok := x.(*syntax.ListExpr)
	if !ok {
		return f.collect(x, nil, in)
	}
	before := len(f.calls)
	for _, e := range list.List {
		if !f.collect(e, nil, in) {
			f.calls = f.calls[:before]
			return false
		}
	}
	return len(list.List) > 0
}

// operands are the names of the operands of a set of prompts, nil where the cell
// does not say.
func (f *form) operands(x syntax.Expr) []string {
	switch x := x.(type) {
	case *syntax.Ident:
		return f.sets[x.Name].operands
	case *syntax.CallExpr:
		if fn, ok := x.Fn.(*syntax.Ident); ok {
			made, _ := formableOf(fn.Name, x)
			return made.operands
		}
	}
	return nil
}

// read assigns arguments to parameters; false where that cannot be told from the
// text: *args, **kwargs, unknown or repeated names.
func (c *formCall) read(f *form, list []syntax.Expr) bool {
	at := 0
	seen := map[string]bool{}
	for _, x := range list {
		arg := formArg{value: x}
		if unary, star := x.(*syntax.UnaryExpr); star && (unary.Op == syntax.STAR || unary.Op == syntax.STARSTAR) {
			return false
		}
		name := ""
		switch b := x.(type) {
		case *syntax.DictEntry:
			key, ok := b.Key.(*syntax.Literal)
			if !ok || key.Token != syntax.STRING {
				return false
			}
			arg.named, arg.value, name = true, b.Value, key.Value.(string)
		case *syntax.BinaryExpr:
			if b.Op == syntax.EQ {
				arg.named, arg.value, name = true, b.Y, b.X.(*syntax.Ident).Name
			}
		}
		if !arg.named {
			if at < len(c.positional) && c.param(c.positional[at]).Type == analysis.TypePrompts && !holdsPrompts(x, f.types) {
				at++
			}
			if at >= len(c.positional) {
				return false
			}
			name = c.positional[at]
			at++
		}
		if arg.param = c.param(name); arg.param.Name == "" || seen[name] {
			return false
		}
		seen[name] = true
		from, _ := x.Span()
		start, _ := arg.value.Span()
		arg.from, arg.at = f.offset(from), f.offset(start)
		c.args = append(c.args, arg)
	}
	for i := range c.args {
		limit := c.close
		if i+1 < len(c.args) {
			limit = c.args[i+1].from
		}
		// The parser's own ends leave out closing brackets of some expressions.
		a := &c.args[i]
		a.to = a.at + len(strings.TrimRight(strings.TrimSuffix(strings.TrimRight(f.code[a.at:limit], space), ","), space))
	}
	return true
}

const space = " \t\r\n"

// maxArguments is what Starlark takes in one call.
const maxArguments = 255

// holdsPrompts guesses whether an expression is a set of prompts: by the type of
// its variable, and where that is not known, whatever is no literal.
func holdsPrompts(x syntax.Expr, types map[string]string) bool {
	switch x := x.(type) {
	case *syntax.Ident:
		t, known := types[x.Name]
		return x.Name != "None" && (!known || t == "prompts" || t == "pairs")
	case *syntax.CallExpr, *syntax.DotExpr, *syntax.SliceExpr:
		return true
	}
	return false
}

// offset is the byte of a position.
func (f *form) offset(p syntax.Position) int {
	letter := f.lines[min(int(p.Line), len(f.lines))-1] + int(p.Col) - 1
	return f.bytes[min(letter, len(f.bytes)-1)]
}

// text is the source of an expression that ends with its span.
func (f *form) text(x syntax.Expr) string {
	from, to := x.Span()
	return f.source[f.offset(from):f.offset(to)]
}

// wire is a call as the page shows it.
func (c formCall) wire(f *form) api.FormCall {
	start, _ := c.call.Span()
	out := api.FormCall{Name: c.Name, Line: int(start.Line), Title: c.Title, Summary: c.Summary, In: c.in, Params: []api.ParamInfo{}, Args: []api.FormArg{}}
	for _, p := range c.Params {
		out.Params = append(out.Params, p.Info())
	}
	if c.into != nil {
		out.Into = f.text(c.into)
	}
	if c.on != nil {
		from, _ := c.on.Span()
		out.On = strings.TrimRight(f.source[f.offset(from):strings.LastIndexByte(f.code[:c.open], '.')], space)
	}
	for _, a := range c.args {
		out.Args = append(out.Args, a.wire(f.source[a.at:a.to]))
	}
	return out
}
