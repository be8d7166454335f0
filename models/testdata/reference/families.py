"""The tiny models: one Hugging Face configuration for every architecture family.

Sizes are small but awkward on purpose: odd sequence lengths, prime vocabularies, a head count that differs from the
number of key-value heads, feed-forward widths that are no multiple of d_model, windows shorter than the prompt, norm
epsilons of 1e-3 in most families so that a hard-coded one shows.
A family's `kind` names the reader in layouts.py that knows where the modules of that architecture are.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Family:
    """One model to make: `kind` is the architecture, `config` the arguments of its configuration class."""

    name: str
    kind: str
    seed: int
    config: dict[str, Any]
    note: str
    norm_offset: bool = False  # norm weights are stored as w-1 (Gemma), so they are drawn around 0
    parameter_gradients: bool = False
    notes: tuple[str, ...] = ()  # conventions worth a line in golden.json
    quiet: float = 1.0  # embedding scaled by this, final norm by its inverse: else a tied model only repeats its input
    attention: str = "eager"  # transformers' implementation
    beyond: bool = False  # also a prompt beyond the original context, see beyond_context in goldens.py
    light: bool = False  # few sites, no padding, no edits: a variant of one condition


CONTEXT = 64


def base(**kw):
    """The names most architectures share."""
    start = dict(vocab_size=61, hidden_size=18, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3,
                 num_key_value_heads=1, max_position_embeddings=CONTEXT, bos_token_id=1, eos_token_id=2, pad_token_id=0)
    return {**start, **kw}


def rope(theta=10000.0, kind="default", **kw):
    return dict(rope_type=kind, rope_theta=theta) | kw


def llama(parameters, **kw):
    return base(vocab_size=53, hidden_size=16, intermediate_size=36, num_attention_heads=2, head_dim=12, rms_norm_eps=1e-3,
                tie_word_embeddings=False, rope_parameters=parameters, **kw)


def falcon(**kw):
    start = dict(vocab_size=61, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, layer_norm_epsilon=1e-3, ffn_hidden_size=52,
                 max_position_embeddings=CONTEXT, hidden_dropout=0.0, attention_dropout=0.0, bos_token_id=1, eos_token_id=2)
    return {**start, **kw}


def mpt(attention, **kw):
    start = dict(vocab_size=61, d_model=18, n_heads=3, n_layers=2, max_seq_len=CONTEXT, layer_norm_epsilon=1e-3,
                 attn_config=attention, bos_token_id=1, eos_token_id=2, pad_token_id=0)
    return {**start, **kw}


SHORT = [1.0, 1.1, 1.3]  # divisors of the three pairs that turn
LONG = [1.2, 2.1, 3.5]


def phi3_longrope(original):
    return base(vocab_size=59, hidden_size=24, num_attention_heads=3, rms_norm_eps=1e-3, tie_word_embeddings=True,
                original_max_position_embeddings=original, max_position_embeddings=128,
                rope_parameters=rope(500.0, "longrope", partial_rotary_factor=0.75, short_factor=SHORT, long_factor=LONG,
                                     original_max_position_embeddings=original))


PUBLISHED_MPT = ("transformers' MPT ignores alibi_bias_max, qk_ln, alibi=false, attn_type, prefix_lm, logit_scale, no_bias=false and "
                 "expansion_ratio (it is always 4): a config that sets one of them otherwise means another model",)
FALCON_ALIBI = ("transformers' eager attention adds the ALiBi biases twice (once in the layer, once in the mask); its default, sdpa, "
                "adds them once and is what stands here, so no pattern could be heard",
                "biases are bf16(bf16(slope)*bf16(position)) / sqrt(head_dim), each key's own position from the first real token "
                "of its row: extra.alibi_bias; extra.alibi_slopes is slope/sqrt(head_dim) before that rounding; "
                "hook_attn_scores holds bias[key]-bias[query]")

FAMILIES = [
    Family("gemma3", "gemma3_text", 201,
           base(hidden_size=20, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, head_dim=8, sliding_window=5,
                query_pre_attn_scalar=17, rms_norm_eps=2e-3, bos_token_id=2, eos_token_id=1,
                layer_types=["sliding_attention", "full_attention", "sliding_attention"],
                rope_parameters=dict(sliding_attention=rope(100.0), full_attention=rope(10000.0, "linear", factor=8.0))),
           "window 5 in layers 0 and 2 with rotary base 100; layer 1 whole with base 10000, positions divided by 8; norms of each "
           "head's q and k, norms before and after, query scale 17^-0.5, embedding times sqrt(d_model), tied, no soft cap",
           norm_offset=True, quiet=0.3, parameter_gradients=True),
    Family("phi3", "phi3", 202, base(hidden_size=24, num_attention_heads=4, num_key_value_heads=2, rms_norm_eps=1e-3, sliding_window=6,
                                     rope_parameters=rope()),
           "q, k and v in one matrix, gate and up in another; window 6 in every layer; untied"),
    Family("phi3-longrope", "phi3", 231, phi3_longrope(32),
           "rotary on 6 of 8 dimensions, each pair with its own divisor: short list up to 32 tokens, long list beyond; "
           "cosines and sines times sqrt(1 + ln 4 / ln 32); tied", quiet=0.3, beyond=True),
    Family("phi3-longrope-long", "phi3", 231, phi3_longrope(4),
           "the same with an original context of 4: every prompt here is long", quiet=0.3, light=True),
    Family("olmo", "olmo", 204, base(hidden_size=24, num_attention_heads=4, num_key_value_heads=2, clip_qkv=1.2, tie_word_embeddings=False,
                                     rope_parameters=rope()),
           "LayerNorm without weight and bias (epsilon 1e-5, not in the config); q, k and v clipped to +-1.2", parameter_gradients=True),
    Family("starcoder2", "starcoder2", 205,
           base(hidden_size=24, num_attention_heads=4, num_key_value_heads=2, norm_epsilon=1e-3, sliding_window=5, use_bias=True,
                tie_word_embeddings=True, rope_parameters=rope(1000.0)),
           "LayerNorm, plain gelu-tanh feed-forward, biases everywhere but on the unembedding, window 5 in every layer, tied", quiet=0.3),
    Family("stablelm", "stablelm", 206,
           base(hidden_size=24, num_attention_heads=3, num_key_value_heads=3, layer_norm_eps=1e-3, use_qkv_bias=True,
                rope_parameters=rope(partial_rotary_factor=0.5)),
           "LayerNorm, gated feed-forward, rotary on 4 of 8 dimensions, bias on q, k, v"),
    Family("stablelm-parallel", "stablelm", 207,
           base(hidden_size=24, num_attention_heads=4, num_key_value_heads=2, layer_norm_eps=1e-3, use_parallel_residual=True,
                qk_layernorm=True, rope_parameters=rope(partial_rotary_factor=0.67)),
           "parallel block with one norm; each head's q and k have a LayerNorm with weights of their own and no bias; grouped "
           "queries; rotary on int(0.67 * 6) = 4 of 6 dimensions", parameter_gradients=True),
    Family("falcon", "falcon", 208, falcon(), "one key-value head for three; parallel block with one norm; no biases; tied; exact gelu",
           quiet=0.3),
    Family("falcon-new", "falcon", 209,
           falcon(num_attention_heads=4, num_kv_heads=2, new_decoder_architecture=True, tie_word_embeddings=False),
           "new_decoder_architecture: parallel block with two norms, queries of a group fused with its key and value; untied",
           parameter_gradients=True),
    Family("falcon-one-norm", "falcon", 210,
           falcon(hidden_size=16, num_attention_heads=4, num_kv_heads=2, new_decoder_architecture=True, num_ln_in_parallel_attn=1),
           "new_decoder_architecture with num_ln_in_parallel_attn 1", quiet=0.3, light=True),
    Family("falcon-alibi", "falcon", 211,
           falcon(hidden_size=18, num_attention_heads=9, alibi=True, multi_query=False, parallel_attn=False, bias=True, ffn_hidden_size=40),
           "ALiBi with 9 heads, serial block, biases, q, k and v of each head in turn", quiet=0.3, attention="sdpa", notes=FALCON_ALIBI),
    Family("mpt", "mpt", 212, mpt(dict(alibi=True)), "ALiBi with 3 heads, LayerNorm without bias, no biases at all, exact gelu, tied",
           quiet=0.3, notes=PUBLISHED_MPT),
    Family("mpt-clip", "mpt", 213, mpt(dict(alibi=True, clip_qkv=1.2, softmax_scale=0.3), n_heads=2),
           "q, k and v clipped to +-1.2, ALiBi with 2 heads, scores times 0.3", quiet=0.3, notes=PUBLISHED_MPT),
    Family("llama-linear", "llama", 221, llama(rope(100.0, "linear", factor=3.0)), "rotary frequencies divided by 3", light=True),
    Family("llama-dynamic", "llama", 222, llama(rope(100.0, "dynamic", factor=3.0), max_position_embeddings=10),
           "rotary base grown by the length of the prompt beyond 10 tokens: these prompts have 13", light=True,
           notes=("transformers keeps the longest prompt's frequencies for later calls, and a batch or a cache mixes lengths; here each "
                  "prompt has the frequencies of its own length, and greedy ids are recomputed at each step",)),
    Family("llama-yarn", "llama", 223,
           llama(rope(100.0, "yarn", factor=4.0, original_max_position_embeddings=16, beta_fast=2.0, beta_slow=0.5)),
           "YaRN: a ramp between pairs kept and pairs slowed 4 times; cosines and sines times 0.1 ln 4 + 1", light=True),
    Family("llama-yarn-mscale", "llama", 224,
           llama(rope(100.0, "yarn", factor=4.0, original_max_position_embeddings=16, beta_fast=2.0, beta_slow=0.5, truncate=False,
                      mscale=1.3, mscale_all_dim=0.7)),
           "YaRN with an untruncated ramp and the quotient of two magnitudes", light=True),
    Family("gemma2-params", "gemma2", 231,
           base(num_hidden_layers=2, num_attention_heads=2, head_dim=10, sliding_window=5, query_pre_attn_scalar=17, rms_norm_eps=2e-3,
                attn_logit_softcapping=3.0, final_logit_softcapping=4.0, bos_token_id=2, eos_token_id=1, rope_parameters=rope(),
                layer_types=["sliding_attention", "full_attention"]),
           "gemma2 of the shared reference data, smaller, with the gradient of every parameter", norm_offset=True, quiet=0.3,
           parameter_gradients=True, light=True),
    Family("gpt_neox-params", "gpt_neox", 232,
           dict(vocab_size=61, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=36, hidden_act="gelu",
                max_position_embeddings=CONTEXT, bos_token_id=1, eos_token_id=2, layer_norm_eps=1e-3, tie_word_embeddings=False,
                rope_parameters=rope(partial_rotary_factor=0.5)),
           "gpt_neox of the shared reference data, smaller, with the gradient of every parameter", parameter_gradients=True, light=True),
    Family("qwen3-params", "qwen3", 233,
           base(hidden_size=16, intermediate_size=36, num_attention_heads=2, head_dim=10, tie_word_embeddings=True, rms_norm_eps=2e-3,
                rope_parameters=rope(1000000.0)),
           "qwen3 of the shared reference data, smaller, with the gradient of every parameter", quiet=0.3, parameter_gradients=True,
           light=True),
]
