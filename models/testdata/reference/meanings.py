"""One line for every site, and per family the conventions a reader must know."""

import re

from families import Family
from layouts import Model

SITES = {
    "ids": "token ids of batch A [B, T]",
    "logits": "unembedded final norm, after bias and soft cap [B, T, V]",
    "loss": "-log softmax(logits[b, t])[ids[b, t+1]] [B, T-1]",
    "hook_embed": "token embedding as it enters the residual stream (scaled in Gemma) [B, T, D]",
    "hook_pos_embed": "learned position embedding [B, T, D]",
    "hook_resid_pre": "residual stream at the start of the block [B, T, D]",
    "hook_resid_mid": "residual stream between attention and feed-forward [B, T, D]",
    "hook_resid_post": "residual stream at the end of the block [B, T, D]",
    "hook_attn_out": "what attention adds to the residual stream, behind the post-norm where there is one [B, T, D]",
    "hook_mlp_out": "what the feed-forward adds to the residual stream, behind the post-norm where there is one [B, T, D]",
    "hook_scale": "divisor of the norm: sqrt(var+eps) for LayerNorm, sqrt(mean square+eps) for RMSNorm [..., 1]",
    "hook_normalized": "(centred) input / hook_scale, BEFORE weight and bias",
    "hook_q": "query projection after bias, before q-norm and rotary [B, T, H, Dh]",
    "hook_k": "key projection after bias, before k-norm and rotary, not repeated over groups [B, T, K, Dh]",
    "hook_v": "value projection after bias, not repeated over groups [B, T, K, Dh]",
    "hook_rot_q": "query after q-norm and rotary, unrotated dimensions included [B, T, H, Dh]",
    "hook_rot_k": "key after k-norm and rotary, unrotated dimensions included [B, T, K, Dh]",
    "hook_attn_scores": "scaled, soft-capped, ALiBi added as slope*(key-query), masked entries -inf [B, H, query, key]",
    "hook_pattern": "softmax of the scores over keys [B, H, query, key]",
    "hook_z": "pattern-weighted values [B, T, H, Dh]",
    "hook_result": "z @ W_O of each head, without b_O [B, T, H, D]",
    "hook_pre": "input of the activation function (the gate in gated feed-forwards) [B, T, F]",
    "hook_pre_linear": "the ungated half (up projection) of gated feed-forwards [B, T, F]",
    "hook_post": "input of the down projection: act(pre), times pre_linear if gated [B, T, F]",
    "out": "the norm's output, after weight and bias",
    "attn_raw": "attention output (with b_O) before the post-norm [B, T, D]",
    "mlp_raw": "feed-forward output before the post-norm [B, T, D]",
    "rotary_inv_freq": "angle per position of each rotated pair, after scaling [rotary_dim/2]",
    "alibi_slopes": "slope of each head's scaled scores [H]",
    "alibi_bias": "what is added to the score of each key, up to a constant of the row [H, key]",
    "q_clipped": "hook_q cut off at +-clip_qkv [B, T, H, Dh]",
    "k_clipped": "hook_k cut off at +-clip_qkv [B, T, K, Dh]",
    "v_clipped": "hook_v cut off at +-clip_qkv: these are mixed by the pattern [B, T, K, Dh]",
}

PATTERNS = [
    (r"batch_b\.(left|right)\.ids", "batch B padded on that side with id 0"),
    (r"batch_b\.(left|right)\.mask", "1 at real tokens"),
    (r"batch_b\.(left|right)\.positions", "positions given to the model: real tokens count from 0 in each row, pads have 0"),
    (r"batch_b\.row\d\.ids", "the row without padding"),
    (r"batch_b\.row\d\.logits", "expected logits at the real tokens, from the unpadded run [t, V]"),
    (r"beyond\.ids", "a prompt longer than the original context"),
    (r"beyond\.logits", "its logits [1, T, V]"),
    (r"cross\.prompt", "four ids less than the original context"),
    (r"cross\.ids", "9 greedy ids after it, each step with the frequencies of its own length"),
    (r"generate\.prompt", "first five ids of batch A row 0"),
    (r"generate\.ids", "20 greedy ids after the prompt (end-of-sequence ignored)"),
    (r"edit\.zero_head\.logits", "batch A row 0 with blocks.1.attn.hook_z of head 1 set to 0 at all positions [T, V]"),
    (r"edit\.move_resid\.logits", "row 0 with blocks.0.hook_resid_post at position 4 set to row 1's at position 6 [T, V]"),
    (r"edit\.add_mlp_out\.vector", "the vector added [D]"),
    (r"edit\.add_mlp_out\.logits", "row 0 with the vector added to blocks.1.hook_mlp_out at positions >= 3 [T, V]"),
    (r"edit\.cut_edge\.logits", "row 0 with the score last query -> edit.cut_edge.key set to -inf in all heads of layer 1 [T, V]"),
    (r"edit\.cut_edge\.key", "the key position: 2, or 10 where a window hides 2 from the last query in layer 1 [1]"),
]


def of(name: str) -> str:
    for pattern, text in PATTERNS:
        if re.fullmatch(pattern, name):
            return text
    return SITES[name.split(".")[-1]]


def notes(family: Family, model: Model) -> list[str]:
    """Where this family departs from the plain pre-norm block, and what the site names mean there."""
    lines, layer = [], model.layers[0]
    if model.parallel:
        lines.append("parallel block: no hook_resid_mid; resid_post = resid_pre + attn_out + mlp_out")
    if model.shared_norm:
        lines.append("the feed-forward reads ln1; ln2.* repeats ln1.* (TransformerLens 3.5.1 loads the tied norm twice), so an "
                     "edit of ln2 touches the feed-forward only and an edit of ln1 attention only")
    if layer.ln1 is None:
        lines.append("no ln1, ln2: norms ln1_post, ln2_post behind the sublayers. hook_attn_out and hook_mlp_out are behind them "
                     "(TransformerLens 4.3 bridge). TransformerLens 3.5.1's HookedTransformer calls these norms ln1, ln2 and puts "
                     "hook_attn_out, hook_mlp_out before them: those values are extra.*.attn_raw, extra.*.mlp_raw here")
    elif layer.ln1_post is not None:
        lines.append("hook_attn_out and hook_mlp_out are behind ln1_post and ln2_post (as TransformerLens); before: extra.*_raw")
    if layer.q_norm is not None:
        lines.append("hook_q, hook_k are before q_norm, k_norm; q_norm.hook_scale is "
                     + ("[B, T, 1] over the full width" if layer.qk_norm_full else "[B, T, heads, 1] (TransformerLens 3.5.1 "
                        "flattens it to [B*T*heads, 1])") + "; extra.*.out is after the norm, before rotary")
    if layer.clip is not None:
        lines.append("hook_q, hook_k, hook_v are before clipping (as in TransformerLens 4.3), extra.*_clipped behind it")
    if model.alibi is not None and not model.alibi.bf16:
        lines.append("scores hold slope*(key-query) as in TransformerLens; transformers adds a bias that depends on the key alone "
                     "(MPT: slope*(key-T+1)): a constant per row apart, which softmax removes")
    if any(l.rotary and l.rotary.factor != 1 for l in model.layers):
        lines.append(f"cosines and sines are multiplied by {layer.rotary.factor:.8g}, so hook_rot_q and hook_rot_k are longer than q and k")
    if any(l.window for l in model.layers):
        lines.append("windows by layer: " + ", ".join(str(l.window) for l in model.layers)
                     + "; key k is visible to query q when q - window < k <= q")
    if model.embed_scale != 1:
        lines.append(f"hook_embed includes the factor sqrt(d_model) = {model.embed_scale:.7g}")
    return lines + list(family.notes)
