package models

import (
	"fmt"
	"strings"
)

// kindWithoutType finds the model_type of a config.json that says none: the
// model_args of nanoGPT, the config of minGPT or of a HookedTransformer.
func (c *hfConfig) kindWithoutType() string {
	has := func(names ...string) bool {
		for _, name := range names {
			if _, ok := c.fields[name]; !ok {
				return false
			}
		}
		return true
	}
	switch {
	case has("block_size", "n_embd", "dropout"), has("block_size", "n_embd", "bias"):
		return "nanogpt"
	case has("block_size", "embd_pdrop"), has("model") && strings.Contains(string(c.fields["model"]), `"block_size"`):
		return "mingpt"
	case has("d_model", "d_head", "n_layers", "act_fn"):
		return "transformer_lens"
	}
	return ""
}

// nanoGPTConfig reads the GPTConfig of Karpathy's nanoGPT, a checkpoint's
// model_args: GPT-2 with the exact GELU, and with or without every bias. Its
// early versions had the tanh form: "activation_function": "gelu_new" says so.
func nanoGPTConfig(c *hfConfig) Config { return nanoGPT(c, c.flag("bias", true), true, "gelu") }

// minGPTConfig reads the config of Karpathy's minGPT, or the part of it that is
// called model: GPT-2 with an unembedding of its own.
func minGPTConfig(c *hfConfig) Config {
	if part := c.object("model"); part != nil {
		cfg := nanoGPT(part, true, false, "gelu_new")
		c.leave(part)
		return cfg
	}
	return nanoGPT(c, true, false, "gelu_new")
}

// nanoGPT reads what both have in common.
func nanoGPT(c *hfConfig, bias, tied bool, act string) Config {
	d, heads := c.need("n_embd"), c.need("n_head")
	c.divides("n_head", heads, "n_embd", d)
	return Config{
		Layers: c.need("n_layer"), Width: d, Heads: heads, KVHeads: heads, HeadWidth: d / max(heads, 1),
		MLPWidth: 4 * d, Vocab: c.need("vocab_size"), Context: c.need("block_size"),
		Norm: LayerNorm, NormEps: 1e-5,
		Positions: Learned, Activation: c.activation("activation_function", act), Tied: tied,
		AttnBias: bias, OutBias: bias, MLPBias: bias, NormBias: bias,
	}
}

// nanoGPTParams reads the state dict of either: GPT-2's names, with matrices
// [out,in] and q, k and v one above the other. A compiled model's names begin
// with "_orig_mod.".
func nanoGPTParams(f *checkpoint, cfg Config) (*Params, error) {
	y, d := newLayout(f, cfg), cfg.Width
	prefix := y.prefix("transformer.wte.weight", "", "_orig_mod.")
	y.want(&y.p.Embed, prefix+"transformer.wte.weight", cfg.Vocab, d)
	y.want(&y.p.PosEmbed, prefix+"transformer.wpe.weight", cfg.Context, d)
	for l := range y.p.Blocks {
		b, name := &y.p.Blocks[l], fmt.Sprintf("%stransformer.h.%d.", prefix, l)
		y.norm(&b.LN1, name+"ln_1")
		y.qkv(b, name+"attn.c_attn", 1)
		y.linear(&b.O, name+"attn.c_proj", cfg.OutBias, d, d)
		y.norm(&b.LN2, name+"ln_2")
		y.linear(&b.In, name+"mlp.c_fc", cfg.MLPBias, cfg.MLPWidth, d)
		y.linear(&b.Out, name+"mlp.c_proj", cfg.MLPBias, d, cfg.MLPWidth)
	}
	y.norm(&y.p.Final, prefix+"transformer.ln_f")
	y.unembed(prefix + "lm_head")
	return y.done()
}
