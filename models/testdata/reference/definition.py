"""The decoder forward pass written out, one line a site, under TransformerLens' names.

No Hugging Face module is called here: only the tensors that layouts.py found. `goldens.py` asserts that the result equals
what transformers computes, at every place where transformers has a module to listen to.
"""

import math
from typing import Callable

import torch
from torch import Tensor

from layouts import Layer, Model, Norm, Projection
from rotary import rotate

Edit = Callable[[str, Tensor], Tensor]


def activate(name: str, x: Tensor) -> Tensor:
    match name:
        case "relu":
            return x.clamp(min=0)
        case "silu":
            return x * torch.sigmoid(x)
        case "gelu":
            return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))
        case "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast":
            return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    raise ValueError(f"activation {name} has no definition here")


class Run:
    """One forward pass: `sites` holds every activation by name; `edit` may replace any of them on the way."""

    def __init__(self, model: Model, ids: Tensor, edit: Edit | None = None):
        self.model, self.edit, self.sites = model, edit, {}
        self.logits = self.forward(ids)

    def site(self, name: str, x: Tensor) -> Tensor:
        if self.edit is not None:
            x = self.edit(name, x)
        if x.requires_grad:
            x.retain_grad()
        self.sites[name] = x
        return x

    def norm(self, name: str, norm: Norm, x: Tensor) -> Tensor:
        """hook_scale is the divisor, hook_normalized the quotient BEFORE weight and bias (as TransformerLens 3.5.1)."""
        if norm.kind == "layer":
            x = x - x.mean(-1, keepdim=True)
        scale = self.site(f"{name}.hook_scale", (x.pow(2).mean(-1, keepdim=True) + norm.eps).sqrt())
        x = self.site(f"{name}.hook_normalized", x / scale)
        if norm.weight is not None:
            x = x * norm.weight
        if norm.bias is not None:
            x = x + norm.bias
        return self.site(f"extra.{name}.out", x)

    def forward(self, ids: Tensor) -> Tensor:
        m = self.model
        x = m.embed.weight[ids] * torch.tensor(m.embed_scale, dtype=m.embed.weight.dtype)
        if m.embed_norm is not None:
            x = self.norm("embed.ln", m.embed_norm, x)
        x = self.site("hook_embed", x)
        if m.positions is not None:
            x = x + self.site("hook_pos_embed", m.positions[: ids.shape[1]].expand_as(x).clone())
        for i, layer in enumerate(m.layers):
            x = self.block(f"blocks.{i}", layer, x)
        x = self.norm("ln_final", m.ln_final, x)
        logits = x @ m.unembed.weight.T
        if m.unembed.bias is not None:
            logits = logits + m.unembed.bias
        if m.logit_cap is not None:
            logits = m.logit_cap * torch.tanh(logits / m.logit_cap)
        return self.site("logits", logits)

    def block(self, name: str, layer: Layer, x: Tensor) -> Tensor:
        x = self.site(f"{name}.hook_resid_pre", x)
        read = x if layer.ln1 is None else self.norm(f"{name}.ln1", layer.ln1, x)
        attn = self.sublayer_out(name, "attn", "ln1_post", layer, self.attention(f"{name}.attn", layer, read))
        mid = x if self.model.parallel else self.site(f"{name}.hook_resid_mid", x + attn)
        read = mid if layer.ln2 is None else self.norm(f"{name}.ln2", layer.ln2, mid)
        mlp = self.sublayer_out(name, "mlp", "ln2_post", layer, self.feed_forward(f"{name}.mlp", layer, read))
        return self.site(f"{name}.hook_resid_post", mid + mlp + attn if self.model.parallel else mid + mlp)

    def sublayer_out(self, name: str, part: str, norm: str, layer: Layer, y: Tensor) -> Tensor:
        """hook_attn_out / hook_mlp_out: what is added to the residual stream, so behind a post-norm where there is one."""
        post = getattr(layer, norm)
        if post is not None:
            y = self.norm(f"{name}.{norm}", post, self.site(f"extra.{name}.{part}_raw", y))
        return self.site(f"{name}.hook_{part}_out", y)

    def attention(self, name: str, layer: Layer, x: Tensor) -> Tensor:
        m = self.model
        group, length = m.heads // m.kv_heads, x.shape[1]
        q = self.site(f"{name}.hook_q", layer.q(x))
        k = self.site(f"{name}.hook_k", layer.k(x))
        v = self.site(f"{name}.hook_v", layer.v(x))
        if layer.clip is not None:
            q, k, v = (self.site(f"extra.{name}.{n}_clipped", y.clamp(-layer.clip, layer.clip)) for n, y in zip("qkv", (q, k, v)))
        if layer.q_norm is not None:
            q = self.qk_norm(f"{name}.q_norm", layer.q_norm, q, layer.qk_norm_full)
            k = self.qk_norm(f"{name}.k_norm", layer.k_norm, k, layer.qk_norm_full)
        if layer.rotary is not None:
            q = self.site(f"{name}.hook_rot_q", rotate(q, layer.rotary))
            k = self.site(f"{name}.hook_rot_k", rotate(k, layer.rotary))
        scores = torch.einsum("bqhd,bkhd->bhqk", q, k.repeat_interleave(group, 2)) * layer.score_scale
        if m.score_cap is not None:
            scores = m.score_cap * torch.tanh(scores / m.score_cap)
        distance = torch.arange(length)[None, :] - torch.arange(length)[:, None]  # key - query
        if m.alibi is not None:
            bias = m.alibi.bias(length).to(scores.dtype)  # [H, key]
            scores = scores + (bias[:, None, :] - bias[:, :, None]).clamp(max=0)
        visible = distance <= 0
        if layer.window is not None:
            visible &= distance > -layer.window
        scores = self.site(f"{name}.hook_attn_scores", scores.masked_fill(~visible, -math.inf))
        pattern = self.site(f"{name}.hook_pattern", torch.softmax(scores, -1))
        z = self.site(f"{name}.hook_z", torch.einsum("bhqk,bkhd->bqhd", pattern, v.repeat_interleave(group, 2)))
        out = Projection(layer.o).weight.unflatten(0, (m.heads, -1))  # [H, Dh, D]
        result = self.site(f"{name}.hook_result", torch.einsum("bqhd,hdm->bqhm", z, out)).sum(2)
        return result if getattr(layer.o, "bias", None) is None else result + layer.o.bias

    def qk_norm(self, name: str, norm: Norm, x: Tensor, full: bool) -> Tensor:
        """Over each head's width (Qwen 3) or over all heads together (OLMo 2)."""
        y = self.norm(name, norm, x.flatten(-2) if full else x)
        return y.unflatten(-1, x.shape[-2:]) if full else y

    def feed_forward(self, name: str, layer: Layer, x: Tensor) -> Tensor:
        pre = self.site(f"{name}.hook_pre", layer.fc_in(x))
        post = activate(layer.activation, pre)
        if layer.up is not None:
            post = post * self.site(f"{name}.hook_pre_linear", layer.up(x))
        post = self.site(f"{name}.hook_post", post)
        return Projection(layer.fc_out)(post)
