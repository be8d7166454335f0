package script

import (
	"fmt"
	"slices"
	"strconv"

	"go.starlark.net/starlark"

	"orrery/models"
	"orrery/models/tensor"
	"orrery/server/analysis"
)

// stackFunc is one of the functions of package models that take a residual
// stream apart.
type stackFunc func(*models.Model, *models.Cache, int, models.StackOptions) (*models.Stack, error)

// methods are those of a cache, with TransformerLens' names and arguments.
func (c *Cache) methods() map[string]func(call) (starlark.Value, error) {
	return map[string]func(call) (starlark.Value, error){
		"keys": func(k call) (starlark.Value, error) { return c.keys(), k.unpack() },
		"decompose_resid": func(k call) (starlark.Value, error) {
			a, mode, embeds := c.arguments(), "all", true
			if err := k.unpack("layer?", &a.layer, "mlp_input?", &a.opt.MLPInput, "mode?", &mode, "apply_ln?", &a.opt.ApplyLN,
				"pos_slice?", &a.pos, "incl_embeds?", &embeds, "return_labels?", &a.labels); err != nil {
				return nil, err
			}
			if !slices.Contains([]string{"all", "mlp", "attn"}, mode) {
				return nil, &hinted{fmt.Sprintf("no mode %q", mode), `modes are "all", "mlp" and "attn"`}
			}
			a.opt.SkipAttn, a.opt.SkipMLP, a.opt.SkipEmbeds = mode == "mlp", mode == "attn", !embeds
			return a.run(models.DecomposeResid)
		},
		"accumulated_resid": func(k call) (starlark.Value, error) {
			a := c.arguments()
			if err := k.unpack("layer?", &a.layer, "incl_mid?", &a.opt.InclMid, "apply_ln?", &a.opt.ApplyLN, "pos_slice?", &a.pos,
				"mlp_input?", &a.opt.MLPInput, "return_labels?", &a.labels); err != nil {
				return nil, err
			}
			return a.run(models.AccumulatedResid)
		},
		"stack_head_results": func(k call) (starlark.Value, error) {
			a := c.arguments()
			if err := k.unpack("layer?", &a.layer, "return_labels?", &a.labels, "incl_remainder?", &a.opt.InclRemainder, "pos_slice?", &a.pos,
				"apply_ln?", &a.opt.ApplyLN); err != nil {
				return nil, err
			}
			return a.run(models.StackHeadResults)
		},
		"stack_neuron_results": func(k call) (starlark.Value, error) {
			a := c.arguments()
			var neurons starlark.Value = starlark.None
			if err := k.unpack("layer?", &a.layer, "pos_slice?", &a.pos, "neuron_slice?", &neurons, "return_labels?", &a.labels,
				"incl_remainder?", &a.opt.InclRemainder, "apply_ln?", &a.opt.ApplyLN, "project_output_onto?", &a.onto); err != nil {
				return nil, err
			}
			if neurons != starlark.None {
				p, err := c.pick("neuron", c.model.Config.MLPWidth, neurons)
				if err != nil {
					return nil, err
				}
				a.opt.Neurons = p.indices
			}
			return a.run(models.StackNeuronResults)
		},
		"get_full_resid_decomposition": func(k call) (starlark.Value, error) {
			a, expand := c.arguments(), true
			if err := k.unpack("layer?", &a.layer, "mlp_input?", &a.opt.MLPInput, "expand_neurons?", &expand, "apply_ln?", &a.opt.ApplyLN,
				"pos_slice?", &a.pos, "return_labels?", &a.labels, "project_output_onto?", &a.onto); err != nil {
				return nil, err
			}
			a.opt.CollapseNeurons = !expand
			return a.run(models.FullResidDecomposition)
		},
		"apply_ln_to_stack": c.applyLN,
		"logit_attrs":       c.logitAttrs,
		"remove_batch_dim": func(k call) (starlark.Value, error) {
			if err := k.unpack(); err != nil {
				return nil, err
			}
			return c.removeBatch()
		},
	}
}

// removeBatch is the cache without its batch axis.
func (c *Cache) removeBatch() (*Cache, error) {
	flat, err := c.cache.RemoveBatch()
	if err != nil {
		return nil, err
	}
	return &Cache{c.model, flat}, nil
}

// stackArgs are the arguments that the methods share.
type stackArgs struct {
	cache     *Cache
	layer     int
	opt       models.StackOptions
	pos, onto starlark.Value
	labels    bool
}

func (c *Cache) arguments() *stackArgs {
	return &stackArgs{cache: c, layer: -1, pos: starlark.None, onto: starlark.None}
}

// run calls fn and returns the stack; with return_labels, a pair of it and the
// labels; with project_output_onto, the tensor of coordinates instead.
func (a *stackArgs) run(fn stackFunc) (starlark.Value, error) {
	s := &Stack{model: a.cache.model}
	var err error
	if s.pos, s.drop, err = a.cache.positions(a.pos); err != nil {
		return nil, err
	}
	a.opt.Pos = s.pos
	if s.stack, err = fn(a.cache.model, a.cache.cache, a.layer, a.opt); err != nil {
		return nil, err
	}
	var v starlark.Value = s
	if a.onto != starlark.None {
		if v, err = s.project(a.onto); err != nil {
			return nil, err
		}
	}
	if a.labels {
		return starlark.Tuple{v, s.labels()}, nil
	}
	return v, nil
}

// project gives the coordinates along a direction [d_model], or along several
// [d_model, n].
func (s *Stack) project(onto starlark.Value) (starlark.Value, error) {
	t, ok := onto.(*Tensor)
	d := s.model.Config.Width
	if !ok || t.data.Rank() < 1 || t.data.Rank() > 2 || t.data.Dim(0) != d {
		return nil, fmt.Errorf("project_output_onto: want a tensor [%d] or [%d, n], got %s", d, d, onto.String())
	}
	if t.data.Rank() == 1 {
		x, err := s.stack.Project(t.data.Reshape(1, d))
		if err != nil {
			return nil, err
		}
		return newTensor(x.Reshape(s.shape()...), s.axes(), "float32"), nil
	}
	n := t.data.Dim(1)
	rows := tensor.New(n, d)
	for i, v := range t.data.Data {
		rows.Data[i%n*d+i/n] = v
	}
	x, err := s.stack.Project(rows)
	if err != nil {
		return nil, err
	}
	return newTensor(x.Reshape(s.shape(n)...), s.axes(""), "float32"), nil
}

// pick reads what is taken of an axis of length n, as a tensor's index does.
func (c *Cache) pick(axis string, n int, v starlark.Value) (pick, error) {
	return newTensor(tensor.New(n), []string{axis}, "float32").pick(0, v)
}

// positions reads pos_slice: None, an index, a list or a slice as text.
func (c *Cache) positions(v starlark.Value) (pos []int, drop bool, err error) {
	if v == starlark.None {
		return nil, false, nil
	}
	p, err := c.pick("pos", c.cache.Origin.Batch.T, v)
	if err != nil {
		return nil, false, fmt.Errorf("pos_slice: %w", err)
	}
	return p.indices, p.drop, nil
}

// asStack reads a stack, or a tensor of components at the positions of pos_slice.
func (c *Cache) asStack(v, posSlice starlark.Value) (*Stack, error) {
	pos, drop, err := c.positions(posSlice)
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case *Stack:
		if posSlice != starlark.None && !slices.Equal(pos, x.pos) {
			return nil, &hinted{"pos_slice: the stack is of other positions", "give pos_slice to the method that makes the stack, or to both"}
		}
		return x, nil
	case *Tensor:
		if x.data.Rank() < 2 {
			break
		}
		labels := make([]string, x.data.Dim(0))
		for i := range labels {
			labels[i] = strconv.Itoa(i)
		}
		shape := slices.Clone(x.data.Shape)
		if drop {
			shape = slices.Insert(shape, len(shape)-1, 1)
		}
		s, err := models.StackOf(c.model, c.cache, labels, x.data.Reshape(shape...), pos)
		if err != nil {
			return nil, err
		}
		return &Stack{stack: s, model: c.model, pos: pos, drop: drop}, nil
	}
	return nil, &hinted{fmt.Sprintf("residual_stack: want a stack, got %s", v.Type()), "make one with cache.decompose_resid() or cache.stack_head_results()"}
}

// applyLN is the method apply_ln_to_stack.
func (c *Cache) applyLN(k call) (starlark.Value, error) {
	var stack, pos starlark.Value = starlark.None, starlark.None
	layer, mlpInput, recompute := -1, false, false
	if err := k.unpack("residual_stack", &stack, "layer?", &layer, "mlp_input?", &mlpInput, "pos_slice?", &pos, "recompute_ln?", &recompute); err != nil {
		return nil, err
	}
	s, err := c.asStack(stack, pos)
	if err != nil {
		return nil, err
	}
	out := &Stack{model: c.model, pos: s.pos, drop: s.drop}
	if recompute {
		if layer != -1 && layer != c.model.Config.Layers {
			return nil, fmt.Errorf("recompute_ln is about the final norm: layer is %d, want -1", layer)
		}
		out.stack, err = models.RecomputeLN(s.stack)
	} else {
		out.stack, err = models.ApplyLNToStack(c.cache, s.stack, layer, mlpInput)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// logitAttrs is the method logit_attrs.
func (c *Cache) logitAttrs(k call) (starlark.Value, error) {
	var stack, right, wrong, pos starlark.Value = starlark.None, starlark.None, starlark.None, starlark.None
	constant := false
	if err := k.unpack("residual_stack", &stack, "tokens", &right, "incorrect_tokens?", &wrong, "pos_slice?", &pos, "return_constant?", &constant); err != nil {
		return nil, err
	}
	s, err := c.asStack(stack, pos)
	if err != nil {
		return nil, err
	}
	var a models.Answers
	if a.Tokens, err = c.answers("tokens", right); err != nil {
		return nil, err
	}
	if wrong != starlark.None {
		if a.Incorrect, err = c.answers("incorrect_tokens", wrong); err != nil {
			return nil, err
		}
	}
	got, err := models.LogitAttrs(c.cache, s.stack, a)
	if err != nil {
		return nil, err
	}
	values := newTensor(got.Values.Reshape(s.shape()...), s.axes(), "float32")
	if !constant {
		return values, nil
	}
	rest := newTensor(got.Constant.Reshape(s.shape()[1:]...), s.axes()[1:], "float32")
	return starlark.Tuple{values, rest.value()}, nil
}

// answers reads one token, as id or text, or a list of them.
func (c *Cache) answers(where string, v starlark.Value) ([]int, error) {
	one := func(v starlark.Value) (int, error) {
		if s, ok := v.(starlark.String); ok {
			return analysis.TokenID(c.model, string(s))
		}
		id, err := starlark.AsInt32(v)
		if err != nil {
			return 0, fmt.Errorf("%s: want a token's text or id, got %s", where, v.Type())
		}
		return id, nil
	}
	list, ok := v.(starlark.Iterable)
	if !ok {
		id, err := one(v)
		return []int{id}, err
	}
	var ids []int
	it := list.Iterate()
	defer it.Done()
	var x starlark.Value
	for it.Next(&x) {
		id, err := one(x)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}
