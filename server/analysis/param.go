package analysis

import (
	"fmt"
	"sort"
	"strings"

	"orrery/models"
	"orrery/server/api"
)

// ParamType is what a parameter takes.
type ParamType string

// The types of parameters and the Go type that Run finds in Args.
const (
	TypeModel   ParamType = "model"   // *models.Model
	TypePrompt  ParamType = "prompt"  // Prompt; a string or a list of ids is taken, too
	TypeString  ParamType = "string"  // string
	TypeInt     ParamType = "int"     // int
	TypeFloat   ParamType = "float"   // float64
	TypeBool    ParamType = "bool"    // bool
	TypeStrings ParamType = "strings" // []string
	TypeChoice  ParamType = "choice"  // string, one of Choices
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
	Help    string
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
	for _, p := range a.Params {
		known[p.Name] = true
		v, given := args[p.Name]
		if !given || v == nil {
			if p.Required {
				return nil, &hintError{fmt.Sprintf("%s: %s is missing", a.Name, p.Name), "for example " + a.Example}
			}
			bound[p.Name] = p.Default
			continue
		}
		v, err := p.convert(v)
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
		return nil, &choiceError{what: a.Name + ": argument", value: unknown[0], choices: names}
	}
	return bound, nil
}

func (p Param) convert(v any) (any, error) {
	ok := false
	switch p.Type {
	case TypeModel:
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
	case TypeChoice:
		s, isString := v.(string)
		if !isString {
			break
		}
		return s, p.choose(s)
	}
	if !ok {
		return nil, fmt.Errorf("%s: want %s, got %T %v", p.Name, p.Type, v, v)
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

func (p Param) info() api.ParamInfo {
	info := api.ParamInfo{Name: p.Name, Type: string(p.Type), Required: p.Required, Choices: p.Choices, Help: p.Help}
	if !p.Required && p.Default != nil {
		if s, ok := p.Default.(string); ok {
			info.Default = fmt.Sprintf("%q", s)
		} else {
			info.Default = fmt.Sprint(p.Default)
		}
	}
	return info
}
