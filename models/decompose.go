package models

import "strconv"

// StackOptions say what the functions that take a residual stream apart
// return. They are TransformerLens' arguments, with its defaults as zero values.
type StackOptions struct {
	MLPInput bool  // up to the input of the layer's MLP instead of its attention
	Pos      []int // positions to keep, negative ones from the end; nil for all

	// ApplyLN norms every component as the norm that reads this stream did in
	// the run: divided by its scale, centred with LayerNorm; see ApplyLNToStack.
	ApplyLN bool

	InclMid         bool  // AccumulatedResid: the states between attention and MLP as well
	SkipAttn        bool  // DecomposeResid: no attention outputs (mode "mlp")
	SkipMLP         bool  // DecomposeResid: no MLP outputs (mode "attn")
	SkipEmbeds      bool  // DecomposeResid: no embeddings
	InclRemainder   bool  // StackHeadResults, StackNeuronResults: the rest of the stream as last component
	Neurons         []int // StackNeuronResults: which neurons of each layer; nil for all
	CollapseNeurons bool  // FullResidDecomposition: MLP outputs instead of neurons
}

// DecomposeResid takes the residual stream that enters block layer (of 0..L; L
// or -1 for the stream before the final norm) apart into what was added to it:
// "embed", "pos_embed", "0_attn_out", "0_mlp_out", ... They add up to the stream.
func DecomposeResid(m *Model, c *Cache, layer int, opt StackOptions) (*Stack, error) {
	b, err := newStack("decompose_resid", m, c, layer, opt)
	if err != nil {
		return nil, err
	}
	if !opt.SkipEmbeds {
		b.embeds()
	}
	for l := range b.layer {
		if !opt.SkipAttn {
			b.value(strconv.Itoa(l)+"_attn_out", Site{l, AttnOut})
		}
		if !opt.SkipMLP && !m.Config.AttnOnly {
			b.value(strconv.Itoa(l)+"_mlp_out", Site{l, MLPOut})
		}
	}
	if b.midway && !opt.SkipAttn {
		b.value(strconv.Itoa(b.layer)+"_attn_out", Site{b.layer, AttnOut})
	}
	return b.done(false)
}

// AccumulatedResid stacks the states of the residual stream up to the input of
// block layer: "0_pre", "0_mid" with InclMid, "1_pre", ..., and "final_post" for
// layer L or -1. With ApplyLN the states up to the end go through the whole
// final norm, each by its own statistics, with gain and bias: what the logit
// lens unembeds (nostalgebraist, "interpreting GPT: the logit lens", 2020). Up
// to an earlier layer they are normed by the scale of the run.
func AccumulatedResid(m *Model, c *Cache, layer int, opt StackOptions) (*Stack, error) {
	b, err := newStack("accumulated_resid", m, c, layer, opt)
	if err != nil {
		return nil, err
	}
	for l := range b.layer + 1 {
		if l == m.Config.Layers {
			b.value("final_post", Site{l - 1, ResidPost})
			continue
		}
		b.value(strconv.Itoa(l)+"_pre", Site{l, ResidPre})
		if opt.InclMid && l < b.layer || b.midway && l == b.layer {
			b.value(strconv.Itoa(l)+"_mid", Site{l, ResidMid})
		}
	}
	return b.done(b.layer == m.Config.Layers)
}

// StackHeadResults stacks what every head before block layer writes to the
// stream, "L0H0", "L0H1", ...: hook_result, without b_O. Where a norm stands
// behind the attention, it is what that norm, with the scale of the run, makes
// of it. With InclRemainder a last component "remainder" makes them add up to
// the stream.
func StackHeadResults(m *Model, c *Cache, layer int, opt StackOptions) (*Stack, error) {
	b, err := newStack("stack_head_results", m, c, layer, opt)
	if err != nil {
		return nil, err
	}
	b.heads()
	if opt.InclRemainder {
		b.remainder()
	}
	return b.done(false)
}

// StackNeuronResults stacks what every neuron before block layer writes to the
// stream, "L0N0", "L0N1", ...: its hook_post times its row of W_out, without
// b_out. With InclRemainder a last component "remainder" makes them add up to
// the stream.
func StackNeuronResults(m *Model, c *Cache, layer int, opt StackOptions) (*Stack, error) {
	b, err := newStack("stack_neuron_results", m, c, layer, opt)
	if err != nil {
		return nil, err
	}
	b.neurons(opt.Neurons)
	if opt.InclRemainder {
		b.remainder()
	}
	return b.done(false)
}

// FullResidDecomposition takes the stream that enters block layer apart as far
// as it goes: every head, every neuron (or, with CollapseNeurons, MLP output),
// "embed", "pos_embed", and "bias", all biases b_O and b_out that the others
// leave out. They add up to the stream.
func FullResidDecomposition(m *Model, c *Cache, layer int, opt StackOptions) (*Stack, error) {
	b, err := newStack("get_full_resid_decomposition", m, c, layer, opt)
	if err != nil {
		return nil, err
	}
	b.heads()
	switch {
	case m.Config.AttnOnly:
	case opt.CollapseNeurons:
		for l := range b.layer {
			b.value(strconv.Itoa(l)+"_mlp_out", Site{l, MLPOut})
		}
	default:
		b.neurons(nil)
	}
	b.embeds()
	bias := make([]float32, b.s.size()*m.Config.Width)
	for l := range b.headLayers() {
		b.bias(bias, &m.blocks[l].o, Site{l, LN1PostScale}, &m.blocks[l].ln1Post)
	}
	for l := range b.layer {
		if !opt.CollapseNeurons && !m.Config.AttnOnly {
			b.bias(bias, &m.blocks[l].out, Site{l, LN2PostScale}, &m.blocks[l].ln2Post)
		}
	}
	b.add([]string{"bias"}, stackPart{n: 1, k: m.Config.Width, acts: bias})
	return b.done(false)
}
