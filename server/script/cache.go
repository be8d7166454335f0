package script

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"orrery/models"
	"orrery/server/analysis"
)

// Cache is the activations of one run by site. It is immutable.
type Cache struct {
	model *models.Model
	cache *models.Cache
}

// runWithCache is the builtin run_with_cache.
func runWithCache(c call) (starlark.Value, error) {
	var model, prompt, filter, edits starlark.Value
	removeBatch := false
	if err := c.unpack("m", &model, "prompt", &prompt, "names_filter??", &filter, "edits??", &edits, "remove_batch_dim?", &removeBatch); err != nil {
		return nil, err
	}
	m, err := asModel("run_with_cache", model)
	if err != nil {
		return nil, err
	}
	t, err := newTokens(m, prompt)
	if err != nil {
		return nil, err
	}
	selected, err := c.sites(m, filter)
	if err != nil {
		return nil, siteHint(err)
	}
	in := models.Prompt(t.ids...)
	if err := c.memory.reserve("the cache", float64(m.CacheBytes(in, selected))); err != nil {
		var budget *models.BudgetError
		if err := m.CheckBudget(in, models.CacheOptions{Sites: selected, Budget: c.memory.left()}); errors.As(err, &budget) {
			return nil, &hinted{budget.Error(), `name what you need: names_filter="*hook_z"`}
		}
		return nil, err
	}
	var hooks []models.Hook
	if edits != nil {
		if hooks, err = makeEdits(m, edits); err != nil {
			return nil, siteHint(err)
		}
	}
	out, kept, err := m.RunWithCache(c.ctx, in, models.CacheOptions{Sites: selected}, hooks...)
	if err != nil {
		return nil, err
	}
	c.warn(out.Warnings)
	logits, cache := newTensor(out.Logits, []string{"batch", "pos", "d_vocab"}, "float32"), &Cache{m, kept}
	if removeBatch {
		if cache, err = cache.removeBatch(); err != nil {
			return nil, err
		}
	}
	return starlark.Tuple{logits, cache}, nil
}

// sites reads names_filter: nothing for all, a name, a glob, a list of these, or
// a function that says of a name whether to keep it.
func (c call) sites(m *models.Model, filter starlark.Value) (models.Selector, error) {
	if filter == nil {
		return models.All, nil
	}
	fn, ok := filter.(starlark.Callable)
	if !ok {
		names, err := stringList(filter)
		if err != nil {
			return nil, fmt.Errorf("names_filter: %w", err)
		}
		return m.MatchAny(names...)
	}
	var chosen []models.Site
	for _, s := range m.Sites() {
		keep, err := starlark.Call(c.thread, fn, starlark.Tuple{starlark.String(s.String())}, nil)
		if err != nil {
			return nil, err
		}
		if keep.Truth() {
			chosen = append(chosen, s)
		}
	}
	if len(chosen) == 0 {
		return nil, &hinted{"names_filter: the function keeps no site of this model", "it is called with names such as blocks.0.attn.hook_z; m.sites() lists all"}
	}
	return models.Sites(chosen...), nil
}

// stringList reads a string or a list of strings.
func stringList(v starlark.Value) ([]string, error) {
	if s, ok := v.(starlark.String); ok {
		return []string{string(s)}, nil
	}
	list, ok := v.(starlark.Iterable)
	if !ok {
		return nil, fmt.Errorf("want a string or a list of strings, got %s", v.Type())
	}
	names := []string{}
	it := list.Iterate()
	defer it.Done()
	var x starlark.Value
	for it.Next(&x) {
		s, ok := x.(starlark.String)
		if !ok {
			return nil, fmt.Errorf("element %d is a %s, not a string", len(names), x.Type())
		}
		names = append(names, string(s))
	}
	return names, nil
}

// makeEdits reads edits as hooks of a model.
func makeEdits(m *models.Model, v starlark.Value) ([]models.Hook, error) {
	edits, err := readEdits(v)
	if err != nil {
		return nil, err
	}
	return analysis.EditHooks(m, edits)
}

// readEdits reads a dictionary, or a list of them, of models.Edit's JSON form.
func readEdits(v starlark.Value) ([]models.Edit, error) {
	if _, ok := v.(*starlark.Dict); ok {
		v = starlark.Tuple{v}
	}
	if weight(v, maxText) > maxText {
		return nil, tooLong("edits")
	}
	raw, err := jsonValue(v)
	if err != nil {
		return nil, fmt.Errorf("edits: %w", err)
	}
	text, err := json.Marshal(raw)
	if err != nil {
		return nil, fmt.Errorf("edits: %w", err)
	}
	edits, err := models.ParseEdits(strings.NewReader(string(text)))
	if err != nil {
		return nil, &hinted{err.Error(), `an edit looks like {"site": "blocks.1.attn.hook_z", "heads": [1], "op": "set", "value": 0}`}
	}
	return edits, nil
}

// jsonValue turns a value into what encoding/json writes; tensors become
// {"shape":...,"data":...}.
func jsonValue(v starlark.Value) (any, error) {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case starlark.Bool:
		return bool(v), nil
	case starlark.Int:
		return json.Number(v.String()), nil
	case starlark.Float:
		if x := float64(v); math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, &hinted{fmt.Sprintf("%v is no finite number", v), `to cut attention edges, write {"site": "blocks.1.attn.hook_attn_scores", "queries": [-1], "keys": [1], "op": "mask"}`}
		}
		return float64(v), nil
	case starlark.String:
		return string(v), nil
	case *Tensor:
		return map[string]any{"shape": v.data.Shape, "data": v.data.Data}, nil
	case *starlark.Dict:
		out := map[string]any{}
		for k, x := range v.Entries() {
			key, ok := k.(starlark.String)
			if !ok {
				return nil, fmt.Errorf("key %v is no string", k)
			}
			value, err := jsonValue(x)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", string(key), err)
			}
			out[string(key)] = value
		}
		return out, nil
	case starlark.Iterable:
		out := []any{}
		it := v.Iterate()
		defer it.Done()
		var x starlark.Value
		for it.Next(&x) {
			value, err := jsonValue(x)
			if err != nil {
				return nil, err
			}
			out = append(out, value)
		}
		return out, nil
	}
	return nil, fmt.Errorf("a %s cannot stand in an edit", v.Type())
}

// Get is cache["blocks.0.attn.hook_z"] and cache["z", 0].
func (c *Cache) Get(k starlark.Value) (starlark.Value, bool, error) {
	name, ok := starlark.AsString(k)
	if tuple, isTuple := k.(starlark.Tuple); isTuple {
		parts := make([]string, len(tuple))
		for i, p := range tuple {
			parts[i] = plain(p)
		}
		name, ok = strings.Join(parts, ","), true
	}
	if !ok {
		return nil, false, &hinted{fmt.Sprintf("a cache has no key of type %s", k.Type()), `write cache["blocks.0.attn.hook_z"] or cache["z", 0]`}
	}
	site, err := c.model.Site(name)
	if err != nil {
		return nil, false, siteHint(err)
	}
	x, ok := c.cache.Get(site)
	if !ok {
		return nil, false, &hinted{fmt.Sprintf("%s was not recorded", site), "names_filter left it out of this run; cache.keys() lists what there is"}
	}
	axes := c.model.Axes(site)
	if !c.cache.Batched() {
		axes = axes[1:]
	}
	return newTensor(x, axes, "float32"), true, nil
}

// String says what the cache holds.
func (c *Cache) String() string {
	return fmt.Sprintf("cache of %d activations (%s) of %s", len(c.cache.Sites()), sizeText(float64(c.cache.Bytes())), c.model.Name)
}

// Type is "cache".
func (c *Cache) Type() string { return "cache" }

// Freeze does nothing: a cache never changes.
func (c *Cache) Freeze() {}

// Truth is true when it holds something.
func (c *Cache) Truth() starlark.Bool { return len(c.cache.Sites()) > 0 }

// Hash refuses: a cache is no key.
func (c *Cache) Hash() (uint32, error) { return 0, errors.New("unhashable: cache") }

// Iterate walks the names, in forward order.
func (c *Cache) Iterate() starlark.Iterator { return c.keys().Iterate() }

func (c *Cache) keys() *starlark.List {
	var list []starlark.Value
	for _, s := range c.cache.Sites() {
		list = append(list, starlark.String(s.String()))
	}
	return starlark.NewList(list)
}

// Attr gives model, basis and methods.
func (c *Cache) Attr(name string) (starlark.Value, error) {
	switch name {
	case "model":
		return starlark.String(c.model.Name), nil
	case "basis":
		return starlark.String(c.cache.Origin.Basis), nil
	}
	if fn := c.methods()[name]; fn != nil {
		return newMethod("cache."+name, fn), nil
	}
	return nil, nil
}

// AttrNames lists the attributes.
func (c *Cache) AttrNames() []string {
	names := []string{"basis", "model"}
	for name := range c.methods() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
