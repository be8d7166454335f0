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

	"orrery/ablate"
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
	ctx, fail := context.WithCancelCause(c.ctx)
	defer fail(nil)
	functions := map[string]starlark.Callable{}
	set := func(p string, v starlark.Value) {
		if f, ok := v.(starlark.Callable); ok {
			functions[p] = f
		}
		args[p] = goValue(v)
	}
	at := 0
	for _, v := range c.args {
		if at < len(a.Params) && a.Params[at].Type == analysis.TypePrompts && !isPrompts(v) {
			at++ // a call without a set goes on with what stands behind it
		}
		if at == len(a.Params) {
			return nil, &hinted{fmt.Sprintf("%s: argument %d has no place", a.Name, len(c.args)), "give arguments by name, for example " + a.Example}
		}
		set(a.Params[at].Name, v)
		at++
	}
	for _, kv := range c.kwargs {
		name := string(kv[0].(starlark.String))
		if _, twice := args[name]; twice {
			return nil, fmt.Errorf("%s: %s is given twice", a.Name, name)
		}
		set(name, kv[1])
	}
	for _, p := range a.Params {
		if f := functions[p.Name]; f != nil && p.Type == analysis.TypeMetric {
			m, _ := args["m"].(*models.Model)
			args[p.Name] = c.metricOf(ctx, fail, m, f)
		}
	}
	for _, p := range a.Params {
		if u, unknown := args[p.Name].(unknownValue); unknown {
			return nil, fmt.Errorf("%s: %s: want %s, got %s", a.Name, p.Name, p.Type, string(u))
		}
		if err, bad := args[p.Name].(error); bad {
			return nil, fmt.Errorf("%s: %s: %w", a.Name, p.Name, err)
		}
	}
	bound, err := a.Bind(args)
	if err != nil {
		return nil, err
	}
	figure, err := c.recallOr(a, bound, func(from ablate.Unfinished) (*viz.Figure, error) { return c.compute(ctx, a, bound, from) })
	if failed := metricError(ctx); failed != nil {
		return nil, failed
	}
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

// compute runs an analysis, from what it left unfinished where from is not nil.
func (c call) compute(ctx context.Context, a analysis.Analysis, bound analysis.Args, from ablate.Unfinished) (*viz.Figure, error) {
	id := outputID()
	label := strings.ToLower(a.Title)
	progress := func(done, total int, unit string) { c.outlet.progress(label, done, total, unit) }
	emit := analysis.Emit{
		Progress: progress,
		Figure: func(f *viz.Figure) {
			if ctx.Err() == nil || c.ctx.Err() != nil {
				c.outlet.output(api.Output{ID: id, Kind: api.OutputFigure, Figure: f})
			}
		},
		Part: func(p viz.Part) {
			if ctx.Err() == nil || c.ctx.Err() != nil {
				c.outlet.part(id, p)
			}
		},
	}
	run := a.Run
	if from != nil {
		run = func(ctx context.Context, bound analysis.Args, emit analysis.Emit) (*viz.Figure, error) {
			return a.Resume(ctx, bound, emit, from)
		}
	}
	figure, err := run(ablate.WithProgress(ctx, progress), bound, emit)
	if err == nil { // one that was stopped may not know it
		err = ctx.Err()
	}
	return figure, err
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
// unknownValue, or into the error of edits that cannot be read.
func goValue(v starlark.Value) any {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil
	case *Model:
		return v.model
	case *Tokens:
		return analysis.Prompt{IDs: v.ids}
	case *Prompt:
		return analysis.Prompt{IDs: v.prompt.IDs}
	case *Prompts:
		return v.recipe
	case *PromptSet:
		return v.bound
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
	case *Patch:
		return [][]ablate.Move{{v.move}}
	case *starlark.Dict:
		if v.Len() > 0 {
			return editsOf(v)
		}
	case *starlark.List, starlark.Tuple, *Tensor:
		if tries, ok := patchList(v); ok {
			return tries
		}
		if ids, err := idList(v); err == nil && len(ids) > 0 {
			return ids
		}
		if seq, ok := v.(starlark.Indexable); ok && seq.Len() > 0 {
			if _, ok := seq.Index(0).(*starlark.Dict); ok {
				return editsOf(v)
			}
		}
		if names, err := stringList(v); err == nil {
			return names
		}
		if list, ok := floatList(v); ok {
			return list
		}
	}
	return unknownValue(v.Type())
}

// floatList is a list of numbers, not all of them whole.
func floatList(v starlark.Value) ([]float64, bool) {
	var out []float64
	for x := range starlark.Elements(v.(starlark.Iterable)) {
		f, ok := starlark.AsFloat(x)
		if !ok || len(out) >= 1<<20 {
			return nil, false
		}
		out = append(out, f)
	}
	return out, true
}

// isPrompts reports whether a value is what prompts= takes, or an empty part of
// it.
func isPrompts(v starlark.Value) bool {
	switch v := v.(type) {
	case *Prompts, *PromptSet:
		return true
	case *starlark.List:
		return v.Len() == 0
	}
	return false
}

// editsOf reads edits; what cannot be read becomes the error.
func editsOf(v starlark.Value) any {
	edits, err := readEdits(v)
	if err != nil {
		return err
	}
	return edits
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
