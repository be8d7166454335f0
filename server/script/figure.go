package script

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"orrery/models"
	"orrery/models/tensor"
	"orrery/server/analysis"
	"orrery/server/api"
	"orrery/viz"
)

// Figure is what an analysis returns. It is immutable.
type Figure struct {
	figure *viz.Figure
}

// analyse runs an analysis as a call of its builtin. The figure goes to the
// host as soon as it has axes, numbers follow in parts, and the finished one
// replaces it under the same id.
func (c call) analyse(a analysis.Analysis) (starlark.Value, error) {
	args := analysis.Args{}
	if len(c.args) > len(a.Params) {
		return nil, &hinted{fmt.Sprintf("%s takes %d arguments, %d are given", a.Name, len(a.Params), len(c.args)), "for example " + a.Example}
	}
	for i, v := range c.args {
		args[a.Params[i].Name] = goValue(v)
	}
	for _, kv := range c.kwargs {
		name := string(kv[0].(starlark.String))
		if _, twice := args[name]; twice {
			return nil, fmt.Errorf("%s: %s is given twice", a.Name, name)
		}
		args[name] = goValue(kv[1])
	}
	for _, p := range a.Params {
		if u, unknown := args[p.Name].(unknownValue); unknown {
			return nil, fmt.Errorf("%s: %s: want %s, got %s", a.Name, p.Name, p.Type, string(u))
		}
	}
	bound, err := a.Bind(args)
	if err != nil {
		return nil, err
	}
	id := outputID()
	label := strings.ToLower(a.Title)
	figure, err := a.Run(c.ctx, bound, analysis.Emit{
		Progress: func(done, total int, unit string) { c.outlet.progress(label, done, total, unit) },
		Figure: func(f *viz.Figure) {
			c.outlet.output(api.Output{ID: id, Kind: api.OutputFigure, Figure: f})
		},
		Part: func(p viz.Part) { c.outlet.part(id, p) },
	})
	if err != nil {
		if errors.Is(err, context.Canceled) && c.ctx.Err() != nil {
			return nil, c.ctx.Err()
		}
		return nil, err
	}
	c.shown[figure] = true
	for _, v := range bound {
		if m, ok := v.(*models.Model); ok {
			for _, ids := range figure.Provenance.PromptIDs {
				c.warn(m.Warnings(models.Prompt(ids...)))
			}
		}
	}
	return &Figure{figure}, nil
}

// warn prints what a reader of the numbers must know.
func (c call) warn(warnings []string) {
	for _, w := range warnings {
		c.outlet.print("warning: " + w + "\n")
	}
}

// outputID returns an id for an output that is filled after it was made.
func outputID() string {
	var raw [6]byte
	if _, err := rand.Read(raw[:]); err != nil {
		panic(fmt.Sprintf("script: no random bytes: %v", err))
	}
	return hex.EncodeToString(raw[:])
}

// goValue turns an argument into what analysis.Bind takes, or into an
// unknownValue.
func goValue(v starlark.Value) any {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil
	case *Model:
		return v.model
	case *Tokens:
		return analysis.Prompt{IDs: v.ids}
	case starlark.String:
		return string(v)
	case starlark.Bool:
		return bool(v)
	case starlark.Int:
		if i, ok := v.Int64(); ok {
			return int(i)
		}
	case starlark.Float:
		return float64(v)
	case *starlark.List, starlark.Tuple, *Tensor:
		if ids, err := idList(v); err == nil && len(ids) > 0 {
			return ids
		}
		if names, err := stringList(v); err == nil {
			return names
		}
	}
	return unknownValue(v.Type())
}

// unknownValue names the type of an argument that no analysis takes.
type unknownValue string

// String names the figure and its numbers.
func (f *Figure) String() string {
	return fmt.Sprintf("figure %q with values %s", f.figure.Title, strings.Join(f.names(), ", "))
}

// Type is "figure".
func (f *Figure) Type() string { return "figure" }

// Freeze does nothing: a figure never changes.
func (f *Figure) Freeze() {}

// Truth is true.
func (f *Figure) Truth() starlark.Bool { return true }

// Hash refuses: a figure is no key.
func (f *Figure) Hash() (uint32, error) { return 0, errors.New("unhashable: figure") }

func (f *Figure) names() []string { return slices.Sorted(maps.Keys(f.figure.Arrays)) }

// Attr gives title, caption, names of the arrays, and values(name).
func (f *Figure) Attr(name string) (starlark.Value, error) {
	switch name {
	case "title":
		return starlark.String(f.figure.Title), nil
	case "caption":
		return starlark.String(f.figure.Caption), nil
	case "names":
		var list []starlark.Value
		for _, n := range f.names() {
			list = append(list, starlark.String(n))
		}
		return starlark.NewList(list), nil
	case "values":
		return newMethod("figure.values", f.values), nil
	}
	return nil, nil
}

// AttrNames lists the attributes.
func (f *Figure) AttrNames() []string { return []string{"caption", "names", "title", "values"} }

// values is an array of the figure as a tensor; numbers that are not there are NaN.
func (f *Figure) values(c call) (starlark.Value, error) {
	var name string
	if err := c.unpack("name", &name); err != nil {
		return nil, err
	}
	a := f.figure.Arrays[name]
	if a == nil {
		return nil, &hinted{fmt.Sprintf("the figure has no values %q", name), "it has " + strings.Join(f.names(), ", ")}
	}
	data := slices.Clone(a.Data)
	for i := range data {
		if _, state := a.At(i); state != viz.Done {
			data[i] = float32(math.NaN())
		}
	}
	return newTensor(tensor.From(data, a.Shape...), a.Axes, "float32"), nil
}
