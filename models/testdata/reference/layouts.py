"""Where each Hugging Face architecture keeps its weights, read into one common form.

Every reader returns a `Model`: plain tensors in TransformerLens' shapes (W_Q [H, D, Dh], W_O [H, Dh, D] ...), views of the
Hugging Face parameters, so that gradients of the definition reach them; and beside each the module that computes the same
thing, so that capture.py can listen there.

Letters: B batch, T positions, D d_model, H heads, K key-value heads, Dh head width, F feed-forward width, V vocabulary.
"""

from dataclasses import dataclass
from typing import Callable

import torch
from torch import Tensor, nn

import rotary
from alibi import Alibi, slopes
from rotary import Rotary


@dataclass
class Norm:
    kind: str  # "layer" or "rms"
    eps: float
    weight: Tensor | None = None  # already 1+w where the file stores w
    bias: Tensor | None = None
    module: nn.Module | None = None


@dataclass
class Projection:
    """A linear map: `pick` cuts this part from what its module holds and returns, which may be several maps fused."""

    module: nn.Module
    pick: Callable[[Tensor], Tensor] = lambda x: x

    @property
    def weight(self) -> Tensor:  # input axis first, then what `pick` returns
        w = self.module.weight
        return self.pick(w if is_conv1d(self.module) else w.T)

    @property
    def bias(self) -> Tensor | None:
        b = getattr(self.module, "bias", None)
        return None if b is None else self.pick(b)

    def __call__(self, x: Tensor) -> Tensor:
        """x [B, T, D] -> [B, T, heads, Dh] or [B, T, F]."""
        y = torch.tensordot(x, self.weight, dims=1)
        return y if self.bias is None else y + self.bias

    def heard(self, y: Tensor) -> Tensor:
        """The same values, cut from the output of the module."""
        return self.pick(y)


@dataclass
class Layer:
    module: nn.Module
    attention: nn.Module
    q: Projection
    k: Projection
    v: Projection
    o: nn.Module
    score_scale: float
    fc_in: Projection  # the gate in a gated feed-forward
    fc_out: nn.Module
    activation: str
    up: Projection | None = None
    ln1: Norm | None = None  # OLMo 2 has no norm before its sublayers, only behind
    ln2: Norm | None = None
    ln1_post: Norm | None = None
    ln2_post: Norm | None = None
    q_norm: Norm | None = None
    k_norm: Norm | None = None
    qk_norm_full: bool = False
    window: int | None = None
    rotary: Rotary | None = None
    clip: float | None = None  # q, k and v are cut off at +-clip


@dataclass
class Model:
    hf: nn.Module
    heads: int
    kv_heads: int
    head_dim: int
    embed: nn.Embedding
    layers: list[Layer]
    ln_final: Norm
    unembed: nn.Linear
    embed_scale: float = 1.0
    embed_norm: Norm | None = None
    positions: Tensor | None = None  # [n_ctx, D]
    position_module: nn.Module | None = None
    alibi: Alibi | None = None
    parallel: bool = False
    shared_norm: bool = False  # parallel block whose feed-forward reads ln1
    score_cap: float | None = None
    logit_cap: float | None = None


def is_conv1d(module: nn.Module) -> bool:
    return type(module).__name__ == "Conv1D"  # stored [in, out]


def layer_norm(module: nn.Module, eps: float | None = None) -> Norm:
    return Norm("layer", getattr(module, "eps", None) or eps, getattr(module, "weight", None), getattr(module, "bias", None),
                module)


def rms_norm(module: nn.Module, offset: float = 0.0) -> Norm:
    eps = getattr(module, "variance_epsilon", None) or getattr(module, "eps")
    return Norm("rms", eps, module.weight + offset, None, module)


def heads_of(n: int) -> Callable[[Tensor], Tensor]:
    return lambda x: x.unflatten(-1, (n, -1))


def separate(attn: nn.Module, heads: int, kv: int) -> list[Projection]:
    return [Projection(attn.q_proj, heads_of(heads)), Projection(attn.k_proj, heads_of(kv)),
            Projection(attn.v_proj, heads_of(kv))]


def fused(module: nn.Module, heads: int, kv: int, dh: int) -> list[Projection]:
    """All of q, then all of k, then all of v."""
    sizes = [heads * dh, kv * dh, kv * dh]
    return [Projection(module, lambda x, i=i, n=n: heads_of(n)(x.split(sizes, -1)[i])) for i, n in enumerate((heads, kv, kv))]


def fused_by_head(module: nn.Module, heads: int) -> list[Projection]:
    """q, k and v of head 0, then of head 1 ... (GPT-NeoX, Falcon with one key for each query)."""
    return [Projection(module, lambda x, i=i: x.unflatten(-1, (heads, 3, -1))[..., i, :]) for i in range(3)]


def rope(c, parameters: dict, width: int) -> Rotary:
    """`width` is the head's; partial_rotary_factor cuts the part that turns."""
    return rotary.make(parameters, int(width * parameters.get("partial_rotary_factor", 1.0)), c.max_position_embeddings)


def read_gpt_neox(m: nn.Module) -> Model:
    c, t = m.config, m.gpt_neox
    h = c.num_attention_heads
    dh = c.hidden_size // h
    layers = []
    for b in t.layers:
        q, k, v = fused_by_head(b.attention.query_key_value, h)
        layers.append(Layer(b, b.attention, q, k, v, b.attention.dense, dh**-0.5, Projection(b.mlp.dense_h_to_4h),
                            b.mlp.dense_4h_to_h, c.hidden_act, ln1=layer_norm(b.input_layernorm),
                            ln2=layer_norm(b.post_attention_layernorm), rotary=rope(c, c.rope_parameters, dh)))
    return Model(m, h, h, dh, t.embed_in, layers, layer_norm(t.final_layer_norm), m.get_output_embeddings(),
                 parallel=c.use_parallel_residual)


def feed_forward(mlp: nn.Module) -> tuple[Projection, Projection | None, nn.Module]:
    """(gate or only input, up, output): gated as in Llama, gate and up fused (Phi-3), or plain (StarCoder 2)."""
    if hasattr(mlp, "c_fc"):
        return Projection(mlp.c_fc), None, mlp.c_proj
    if hasattr(mlp, "gate_up_proj"):
        half = lambda i: Projection(mlp.gate_up_proj, lambda x: x.chunk(2, -1)[i])
        return half(0), half(1), mlp.down_proj
    return Projection(mlp.gate_proj), Projection(mlp.up_proj), mlp.down_proj


def read_llama_like(m: nn.Module) -> Model:
    """Llama and what kept its module names: Gemma 2 and 3, Qwen 3, Phi-3, OLMo, StarCoder 2, StableLM."""
    c, t = m.config, m.model
    kind = c.model_type
    offset = 1.0 if kind.startswith("gemma") else 0.0
    h, kv = c.num_attention_heads, c.num_key_value_heads
    dh = getattr(c, "head_dim", None) or c.hidden_size // h
    scale = getattr(c, "query_pre_attn_scalar", dh) ** -0.5
    shared_norm = getattr(c, "use_parallel_residual", False)

    def norm(module: nn.Module) -> Norm:
        return layer_norm(module, 1e-5) if "LayerNorm" in type(module).__name__ else rms_norm(module, offset)

    window = getattr(c, "sliding_window", None)
    types = getattr(c, "layer_types", None) or ["sliding_attention" if window else "full_attention"] * len(t.layers)
    layers = []
    for b, layer_type in zip(t.layers, types):
        a = b.self_attn
        q, k, v = fused(a.qkv_proj, h, kv, dh) if hasattr(a, "qkv_proj") else separate(a, h, kv)
        gate, up, down = feed_forward(b.mlp)
        parameters = c.rope_parameters.get(layer_type, c.rope_parameters)
        layer = Layer(b, a, q, k, v, a.o_proj, scale, gate, down, getattr(c, "hidden_activation", None) or c.hidden_act, up=up,
                      rotary=rope(c, parameters, dh), window=window if layer_type == "sliding_attention" else None,
                      clip=getattr(c, "clip_qkv", None))
        if hasattr(b, "pre_feedforward_layernorm"):
            layer.ln1, layer.ln1_post = norm(b.input_layernorm), norm(b.post_attention_layernorm)
            layer.ln2, layer.ln2_post = norm(b.pre_feedforward_layernorm), norm(b.post_feedforward_layernorm)
        else:
            layer.ln1 = norm(b.input_layernorm)
            layer.ln2 = layer.ln1 if shared_norm else norm(b.post_attention_layernorm)
        if hasattr(a, "q_norm"):
            layer.q_norm, layer.k_norm = rms_norm(a.q_norm, offset), rms_norm(a.k_norm, offset)
        elif hasattr(a, "q_layernorm"):
            layer.q_norm, layer.k_norm = norm_by_head(a.q_layernorm), norm_by_head(a.k_layernorm)
        layers.append(layer)
    return Model(m, h, kv, dh, t.embed_tokens, layers, norm(t.norm), m.get_output_embeddings(),
                 embed_scale=c.hidden_size**0.5 if offset else 1.0,
                 score_cap=getattr(c, "attn_logit_softcapping", None) if kind == "gemma2" else None,
                 logit_cap=getattr(c, "final_logit_softcapping", None), parallel=shared_norm, shared_norm=shared_norm)


def norm_by_head(module: nn.Module) -> Norm:
    """StableLM: a LayerNorm for each head, with its own weight and no bias; weight [heads, Dh]."""
    return Norm("layer", module.norms[0].eps, torch.stack([n.weight for n in module.norms]), None, module)


def read_falcon(m: nn.Module) -> Model:
    """Three ways to fuse q, k and v; one norm, two norms, or a serial block; rotary or ALiBi."""
    c, t = m.config, m.transformer
    h, dh = c.num_attention_heads, c.head_dim
    parallel = c.new_decoder_architecture or c.parallel_attn
    kv = c.num_kv_heads if c.new_decoder_architecture else 1 if c.multi_query else h
    layers = []
    for b in t.h:
        a = b.self_attention
        q, k, v = fused_by_group(a.query_key_value, h, kv) if kv != h else fused_by_head(a.query_key_value, h)
        if hasattr(b, "ln_attn"):
            ln1, ln2 = layer_norm(b.ln_attn), layer_norm(b.ln_mlp)
        else:
            ln1 = layer_norm(b.input_layernorm)
            ln2 = ln1 if parallel else layer_norm(b.post_attention_layernorm)
        layers.append(Layer(b, a, q, k, v, a.dense, dh**-0.5, Projection(b.mlp.dense_h_to_4h), b.mlp.dense_4h_to_h,
                            c.activation, ln1=ln1, ln2=ln2, rotary=None if c.alibi else rope(c, c.rope_parameters, dh)))
    return Model(m, h, kv, dh, t.word_embeddings, layers, layer_norm(t.ln_f), m.lm_head, parallel=parallel,
                 shared_norm=parallel and not hasattr(t.h[0], "ln_attn"),
                 alibi=Alibi(slopes(h), dh**0.5, bf16=True) if c.alibi else None)


def fused_by_group(module: nn.Module, heads: int, kv: int) -> list[Projection]:
    """The queries of a group, then its key, then its value (Falcon 40B; with one group Falcon 7B)."""
    group = heads // kv
    by_group = lambda x: x.unflatten(-1, (kv, group + 2, -1))  # [..., K, G+2, Dh]
    return [Projection(module, lambda x: by_group(x)[..., :group, :].flatten(-3, -2)),
            Projection(module, lambda x: by_group(x)[..., group, :]),
            Projection(module, lambda x: by_group(x)[..., group + 1, :])]


def read_mpt(m: nn.Module) -> Model:
    c, t = m.config, m.transformer
    h, dh = c.n_heads, c.d_model // c.n_heads
    layers = []
    for b in t.blocks:
        q, k, v = fused(b.attn.Wqkv, h, h, dh)
        layers.append(Layer(b, b.attn, q, k, v, b.attn.out_proj, c.attn_config.softmax_scale or dh**-0.5,
                            Projection(b.ffn.up_proj), b.ffn.down_proj, "gelu", ln1=layer_norm(b.norm_1),
                            ln2=layer_norm(b.norm_2), clip=c.attn_config.clip_qkv))
    return Model(m, h, h, dh, t.wte, layers, layer_norm(t.norm_f), m.lm_head,
                 alibi=Alibi(slopes(h)))


READERS = {"gpt_neox": read_gpt_neox, "falcon": read_falcon, "mpt": read_mpt}


def read(kind: str, hf: nn.Module) -> Model:
    return READERS.get(kind, read_llama_like)(hf)
