package script

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"go.starlark.net/starlark"

	"orrery/models"
)

// Model is a network as a value. It is immutable.
type Model struct {
	model *models.Model
}

// loadModel is the builtin load.
func loadModel(c call) (starlark.Value, error) {
	var name string
	if err := c.unpack("name", &name); err != nil {
		return nil, err
	}
	m, err := c.outlet.model(name)
	if err != nil {
		return nil, err
	}
	return &Model{m}, nil
}

// asModel reads the argument of a builtin that wants a model.
func asModel(where string, v starlark.Value) (*models.Model, error) {
	if m, ok := v.(*Model); ok {
		return m.model, nil
	}
	return nil, &hinted{fmt.Sprintf("%s: want a model, got %s", where, v.Type()), `open one with load("mental-2op")`}
}

// String names the model and its sizes.
func (m *Model) String() string {
	c, basis := m.model.Config, ""
	if m.model.Basis() != models.RawBasis {
		basis = ", weights processed: " + m.model.Basis()
	}
	return fmt.Sprintf("model %s: %d layers, width %d, %d heads of %d, MLP %d, vocabulary %d, context %d%s",
		m.model.Name, c.Layers, c.Width, c.Heads, c.HeadWidth, c.MLPWidth, c.Vocab, c.Context, basis)
}

// Type is "model".
func (m *Model) Type() string { return "model" }

// Freeze does nothing: a model never changes.
func (m *Model) Freeze() {}

// Truth is true.
func (m *Model) Truth() starlark.Bool { return true }

// Hash refuses: a model is no key.
func (m *Model) Hash() (uint32, error) { return 0, errors.New("unhashable: model") }

// Attr gives attributes, methods and the fields of the config.
func (m *Model) Attr(name string) (starlark.Value, error) {
	switch name {
	case "name":
		return starlark.String(m.model.Name), nil
	case "hash":
		return starlark.String(m.model.Hash()), nil
	case "basis":
		return starlark.String(m.model.Basis()), nil
	case "cfg":
		return m.config()
	}
	if fn := m.methods()[name]; fn != nil {
		return newMethod("model."+name, fn), nil
	}
	cfg, err := m.config()
	if err != nil {
		return nil, err
	}
	if v, found, err := cfg.Get(starlark.String(name)); found || err != nil {
		return v, err
	}
	if hint := foreignModel(name); hint != "" {
		return nil, noAttribute("model", name, hint)
	}
	if slices.Contains([]string{"run", "run_with_cache", "run_with_hooks", "forward", "hook_dict", "generate"}, name) {
		return nil, &hinted{fmt.Sprintf("model has no .%s", name), "write logits, cache = run_with_cache(m, \"34+57=\"), with edits=[...] to change the run"}
	}
	return nil, nil
}

// AttrNames lists attributes, methods and the fields of the config.
func (m *Model) AttrNames() []string {
	names := []string{"name", "hash", "basis", "cfg"}
	for name := range m.methods() {
		names = append(names, name)
	}
	if cfg, err := m.config(); err == nil {
		for _, k := range cfg.Keys() {
			names = append(names, string(k.(starlark.String)))
		}
	}
	sort.Strings(names)
	return names
}

func (m *Model) methods() map[string]func(call) (starlark.Value, error) {
	return map[string]func(call) (starlark.Value, error){
		"process": m.process,
		"sites": func(c call) (starlark.Value, error) {
			var list []starlark.Value
			for _, s := range m.model.Sites() {
				list = append(list, starlark.String(s.String()))
			}
			return starlark.NewList(list), c.unpack()
		},
		"to_tokens": func(c call) (starlark.Value, error) {
			var prompt starlark.Value
			if err := c.unpack("prompt", &prompt); err != nil {
				return nil, err
			}
			return newTokens(m.model, prompt)
		},
		"to_str_tokens": func(c call) (starlark.Value, error) {
			var prompt starlark.Value
			if err := c.unpack("prompt", &prompt); err != nil {
				return nil, err
			}
			t, err := newTokens(m.model, prompt)
			if err != nil {
				return nil, err
			}
			return t.strings(), nil
		},
		"to_string": func(c call) (starlark.Value, error) {
			var v starlark.Value
			if err := c.unpack("ids", &v); err != nil {
				return nil, err
			}
			if i, ok := v.(starlark.Int); ok {
				v = starlark.Tuple{i}
			}
			ids, err := idList(v)
			if err != nil {
				return nil, err
			}
			if m.model.Tokenizer == nil {
				return nil, models.ErrNoTokenizer
			}
			s, err := m.model.Tokenizer.Decode(ids, false)
			return starlark.String(s), err
		},
	}
}

// config is the model's config as a frozen dictionary.
func (m *Model) config() (*starlark.Dict, error) {
	raw, err := json.Marshal(m.model.Config)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, err
	}
	d := starlarkDict(fields)
	d.Freeze()
	return d, nil
}

// starlarkDict turns decoded JSON into a dictionary, keys sorted; whole numbers
// become ints.
func starlarkDict(fields map[string]any) *starlark.Dict {
	keys := make([]string, 0, len(fields))
	for k := range fields {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	d := starlark.NewDict(len(keys))
	for _, k := range keys {
		var v starlark.Value = starlark.None
		switch x := fields[k].(type) {
		case float64:
			v = starlark.Float(x)
			if x == float64(int(x)) {
				v = starlark.MakeInt(int(x))
			}
		case string:
			v = starlark.String(x)
		case bool:
			v = starlark.Bool(x)
		case map[string]any:
			v = starlarkDict(x)
		}
		if err := d.SetKey(starlark.String(k), v); err != nil {
			panic(fmt.Sprintf("script: a string is no key: %v", err))
		}
	}
	return d
}

// siteHint lists the sites that fit best, for an error.
func siteHint(err error) error {
	var unknown models.UnknownSiteError
	if !errors.As(err, &unknown) || len(unknown.Nearest) == 0 {
		return err
	}
	near := unknown.Nearest
	unknown.Nearest = nil
	return &hinted{unknown.Error(), "nearest: " + strings.Join(near, ", ") + "; m.sites() lists all"}
}
