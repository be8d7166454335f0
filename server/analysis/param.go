package analysis

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/server/api"
)

// ParamType is what a parameter takes.
type ParamType = api.ParamType

// The types of parameters and the Go type that Run finds in Args.
const (
	TypeModel   = api.ParamModel   // *models.Model
	TypePrompt  = api.ParamPrompt  // Prompt; a string or a list of ids is taken, too
	TypeString  = api.ParamString  // string
	TypeInt     = api.ParamInt     // int
	TypeFloat   = api.ParamFloat   // float64
	TypeBool    = api.ParamBool    // bool
	TypeStrings = api.ParamStrings // []string
	TypeChoice  = api.ParamChoice  // string, one of Choices
	TypeInts    = api.ParamInts    // []int; an int is taken, too
	TypePatches = api.ParamPatches // [][]ablate.Move, a list a try
	TypeFloats  = api.ParamFloats  // []float64
	TypePrompts = api.ParamPrompts // Prompts or *BoundPrompts
	TypeMetric  = api.ParamMetric  // string, one of Choices, or a MetricFunc
	TypeEdits   = api.ParamEdits   // []models.Edit
)

// Chooses says what a parameter chooses that a value of prompts= may hold.
type Chooses int

// What is chosen.
const (
	ChoosesNothing Chooses = iota
	ChoosesPrompts         // prompts= holds them always
	ChoosesPairs           // prompts= holds them when it has pairs
)

// Param declares one keyword argument.
type Param struct {
	Name     string
	Type     ParamType
	Required bool
	// Default is the value when it is left out; of the type's Go type.
	Default any
	// Choices are the values of a choice, or of the elements of strings.
	Choices []string
	// Bounds limit a number, or each of a list; nil for none.
	Bounds *Bounds
	// Unit is what a number counts, in the plural; empty where it counts nothing.
	Unit string
	// Index is what a number, or each of a list, is the place of in a model: "layers",
	// "heads"; empty for nothing of which a model says how many it has.
	Index string
	Help  string
	// Chooses says that the parameter cannot stand beside a prompts= that holds
	// what it chooses. It is not among the bound arguments then.
	Chooses Chooses
}

// Args holds values by parameter name.
type Args map[string]any

// Prompt is a prompt as text or as ids; ids win.
type Prompt struct {
	Text string
	IDs  []int
}

// encode returns the prompt's ids under a model, its template's tokens
// (BOS) included when it was given as text.
func (p Prompt) encode(m *models.Model) ([]int, error) {
	if p.IDs != nil {
		return p.IDs, nil
	}
	if strings.TrimSpace(p.Text) == "" {
		return nil, &hintError{"the prompt is empty", "write a prompt of at least one token, such as \"34+57=\""}
	}
	return m.Encode(p.Text)
}

// Bind checks arguments against the declaration, turns them into the types
// that Run expects and fills in defaults.
func (a Analysis) Bind(args Args) (Args, error) {
	bound := Args{}
	known := map[string]bool{}
	holds := held(args)
	for _, p := range a.Params {
		known[p.Name] = true
		v, given := args[p.Name]
		if p.Chooses != ChoosesNothing && p.Chooses <= holds {
			if given && v != nil {
				return nil, &hintError{fmt.Sprintf("%s: prompts and %s both say which prompts to take", a.Name, p.Name), fmt.Sprintf("leave %s out: the set was made with its own", p.Name)}
			}
			continue
		}
		if !given || v == nil {
			if p.Required {
				return nil, &hintError{fmt.Sprintf("%s: %s is missing", a.Name, p.Name), "for example " + a.Example}
			}
			bound[p.Name] = p.Default
			continue
		}
		v, err := p.Take(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		bound[p.Name] = v
	}
	var unknown []string
	for name := range args {
		if !known[name] {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		sort.Strings(unknown)
		var names []string
		for _, p := range a.Params {
			names = append(names, p.Name)
		}
		return nil, &argumentError{choiceError{what: a.Name, value: unknown[0], choices: names}}
	}
	return bound, nil
}

// held says what the value of prompts= holds.
func held(args Args) Chooses {
	switch p := args["prompts"].(type) {
	case Prompts:
		if p.Pairs != nil {
			return ChoosesPairs
		}
		return ChoosesPrompts
	case *BoundPrompts:
		if p.Pairs != nil {
			return ChoosesPairs
		}
		return ChoosesPrompts
	}
	return ChoosesNothing
}

// Take turns a value into the type that Run expects, and refuses what is of
// another kind, none of the choices or out of bounds; the error names the value.
func (p Param) Take(v any) (any, error) {
	v, err := p.convert(v)
	if err != nil {
		return nil, err
	}
	return v, p.check(v)
}

// spelled says what a value is that is none of what was wanted.
func spelled(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case int, float64, bool, string:
		return fmt.Sprintf("%T %v", v, v)
	case []string:
		return fmt.Sprintf("the list %q", v)
	case []int, []float64:
		return fmt.Sprintf("the list %v", v)
	case Prompts, *BoundPrompts:
		return "a set of prompts"
	case *models.Model:
		return "model " + v.Name
	case []models.Edit:
		return "edits"
	}
	return "another kind of value"
}

func (p Param) convert(v any) (any, error) {
	ok := false
	switch p.Type {
	case TypeModel:
		if name, isName := v.(string); isName {
			hint := fmt.Sprintf("open it: %s=load(%q)", p.Name, name)
			if strings.ContainsAny(name, "+=") { // no name of a model, but a prompt
				hint = `give the model first: m = load("mental-2op")`
			}
			return nil, &hintError{fmt.Sprintf("%s: want a model, got the text %q", p.Name, name), hint}
		}
		_, ok = v.(*models.Model)
	case TypePrompt:
		switch v := v.(type) {
		case Prompt:
			return v, nil
		case string:
			return Prompt{Text: v}, nil
		case []int:
			return Prompt{IDs: v}, nil
		}
	case TypeString:
		_, ok = v.(string)
	case TypeInt:
		_, ok = v.(int)
	case TypeFloat:
		if i, isInt := v.(int); isInt {
			return float64(i), nil
		}
		_, ok = v.(float64)
	case TypeBool:
		_, ok = v.(bool)
	case TypeStrings:
		list, isList := v.([]string)
		if s, isString := v.(string); isString {
			list, isList = []string{s}, true
		}
		if !isList {
			break
		}
		for _, s := range list {
			if err := p.choose(s); err != nil {
				return nil, err
			}
		}
		return list, nil
	case TypeInts:
		if list, empty := v.([]string); empty && len(list) == 0 {
			return []int{}, nil
		}
		if i, isInt := v.(int); isInt {
			return []int{i}, nil
		}
		_, ok = v.([]int)
	case TypePatches:
		if list, isList := v.([]string); isList && len(list) == 0 {
			return [][]ablate.Move{}, nil
		}
		if _, ok = v.([][]ablate.Move); !ok {
			return nil, &hintError{fmt.Sprintf("%s: want a list of patches, got %T %v", p.Name, v, v), `write patches=[patch("blocks.1.hook_resid_post", at=1)]`}
		}
	case TypeFloats:
		switch v := v.(type) {
		case []string:
			if len(v) == 0 { // an empty list has no type of its own
				return []float64{}, nil
			}
		case []float64:
			return v, nil
		case []int:
			list := make([]float64, len(v))
			for i, x := range v {
				list[i] = float64(x)
			}
			return list, nil
		}
	case TypePrompts:
		switch v := v.(type) {
		case Prompts, *BoundPrompts:
			return v, nil
		}
		if list, isList := v.([]string); isList && len(list) == 0 {
			return nil, &hintError{p.Name + ": the list is empty: there is no prompt to run", "take a longer part of the set"}
		}
		return nil, &hintError{fmt.Sprintf("%s: want prompts or pairs, got %s", p.Name, spelled(v)), `make them with prompts("{a}+{b}=", a=range(0, 100), b=range(0, 100), n=40)`}
	case TypeMetric:
		if f, isFunc := v.(MetricFunc); isFunc {
			return f, nil
		}
		s, isString := v.(string)
		if !isString {
			break
		}
		return s, p.choose(s)
	case TypeEdits:
		if list, empty := v.([]string); empty && len(list) == 0 {
			return []models.Edit(nil), nil
		}
		_, ok = v.([]models.Edit)
	case TypeChoice:
		s, isString := v.(string)
		if !isString {
			break
		}
		return s, p.choose(s)
	}
	if !ok && p.Type == TypePrompt {
		return nil, &hintError{fmt.Sprintf("%s: want a prompt, got %s", p.Name, spelled(v)), `a prompt is a text such as "34+57=", tokens(m, text) or a list of ids; several prompts are a set, made with prompts(...)`}
	}
	if !ok {
		return nil, fmt.Errorf("%s: want %s, got %s", p.Name, p.Type, spelled(v))
	}
	return v, nil
}

func (p Param) choose(s string) error {
	if len(p.Choices) == 0 {
		return nil
	}
	for _, c := range p.Choices {
		if s == c {
			return nil
		}
	}
	return &choiceError{what: p.Name, value: s, choices: p.Choices}
}

// Info describes the parameter for the page.
func (p Param) Info() api.ParamInfo {
	info := api.ParamInfo{Name: p.Name, Type: p.Type, Required: p.Required, Choices: p.Choices, Unit: p.Unit, Index: p.Index, Help: p.Help}
	if b := p.Bounds; b != nil {
		info.Above, info.Most = b.Above, b.Most
		if !math.IsInf(b.Min, 0) {
			info.Min = &b.Min
		}
		if !math.IsInf(b.Max, 0) {
			info.Max = &b.Max
		}
	}
	if !p.Required {
		info.Default = p.Literal()
	}
	info.Chooses = map[Chooses]string{ChoosesPrompts: "prompts", ChoosesPairs: "pairs"}[p.Chooses]
	return info
}

// Literal spells the default as a cell would.
func (p Param) Literal() string {
	switch v := p.Default.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case string:
		return strconv.Quote(v)
	case Prompt:
		return strconv.Quote(v.Text)
	case []int:
		text := make([]string, len(v))
		for i, x := range v {
			text[i] = strconv.Itoa(x)
		}
		return "[" + strings.Join(text, ", ") + "]"
	case []float64:
		text := make([]string, len(v))
		for i, x := range v {
			text[i] = strconv.FormatFloat(x, 'g', -1, 64)
		}
		return "[" + strings.Join(text, ", ") + "]"
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = strconv.Quote(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	return fmt.Sprint(p.Default)
}
