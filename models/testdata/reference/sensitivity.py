"""Would a mistake be seen? Each entry is the model with one typical mistake; goldens.py asserts that the logits notice."""

import copy
from dataclasses import replace
from typing import Callable, Iterator

import torch
from torch import Tensor

from definition import Run
from layouts import Layer, Model, Norm
from rotary import Rotary, Scaling

NORMS = ("ln1", "ln2", "ln1_post", "ln2_post", "q_norm", "k_norm")


def each_layer(model: Model, change: Callable[[Layer], Layer]) -> Model:
    return replace(model, layers=[change(l) for l in model.layers])


def each_norm(model: Model, change: Callable[[Norm], Norm]) -> Model:
    def in_layer(layer: Layer) -> Layer:
        return replace(layer, **{n: change(getattr(layer, n)) for n in NORMS if getattr(layer, n) is not None})
    return replace(each_layer(model, in_layer), ln_final=change(model.ln_final))


def each_rotary(model: Model, change: Callable[[Rotary], Rotary]) -> Model:
    return each_layer(model, lambda l: replace(l, rotary=change(l.rotary)))


def mistakes(model: Model, length: int) -> Iterator[tuple[str, Model]]:
    first = model.layers[0]
    if model.ln_final.eps > 1e-4:
        yield "norm epsilon 1e-5", each_norm(model, lambda n: replace(n, eps=1e-5))
    if model.ln_final.weight is not None:
        yield "norm weights not applied", each_norm(model, lambda n: replace(n, weight=None))
        yield "norm weights off by one", each_norm(model, lambda n: replace(n, weight=n.weight - 1))
    if model.ln_final.bias is not None:
        yield "norm biases not applied", each_norm(model, lambda n: replace(n, bias=None))
    if any(l.window for l in model.layers):
        yield "no window", each_layer(model, lambda l: replace(l, window=None))
        yield "window too long by one", each_layer(model, lambda l: replace(l, window=l.window and l.window + 1))
        if not all(l.window for l in model.layers):
            turned = [replace(l, window=o.window) for l, o in zip(model.layers, model.layers[1:] + model.layers[:1])]
            yield "windows in the wrong layers", replace(model, layers=turned)
    usual = model.head_dim**-0.5
    if any(abs(l.score_scale - usual) > 1e-6 for l in model.layers):
        yield "scores scaled by 1/sqrt(head_dim)", each_layer(model, lambda l: replace(l, score_scale=usual))
    if model.score_cap is not None:
        yield "no cap on scores", replace(model, score_cap=None)
    if model.logit_cap is not None:
        yield "no cap on logits", replace(model, logit_cap=None)
    if first.rotary is not None:
        yield "rotary pairs the other way", each_rotary(model, lambda r: replace(r, interleaved=not r.interleaved))
        yield "rotary angles negated", each_rotary(model, lambda r: replace(r, unscaled=-r.unscaled))
        if any(not torch.equal(l.rotary.at(length), l.rotary.unscaled) for l in model.layers):
            yield "rotary scaling not applied", each_rotary(model, lambda r: replace(r, scaling=lambda inv, n: inv))
        if first.rotary.by_length:
            yield "rotary scaling of another length", each_rotary(model, lambda r: replace(r, scaling=other_length(r, length)))
        if first.rotary.factor != 1:
            yield "rotary without its attention factor", each_rotary(model, lambda r: replace(r, factor=1.0))
        if len({tuple(l.rotary.at(length).tolist()) for l in model.layers}) > 1:
            swapped = [replace(l, rotary=o.rotary) for l, o in zip(model.layers, model.layers[1:] + model.layers[:1])]
            yield "rotary bases in the wrong layers", replace(model, layers=swapped)
    if model.positions is not None:
        yield "positions off by one", replace(model, positions=model.positions.roll(1, 0))
    if model.alibi is not None:
        yield "ALiBi slopes in reverse", replace(model, alibi=replace(model.alibi, slopes=model.alibi.slopes.flip(0)))
        if model.alibi.bf16:
            yield "ALiBi not rounded to bfloat16", replace(model, alibi=replace(model.alibi, bf16=False))
            yield "ALiBi not divided by sqrt(head_dim)", replace(model, alibi=replace(model.alibi, divisor=1.0))
        if model.heads & (model.heads - 1):
            plain = torch.tensor([2 ** (-8 * i / model.heads) for i in range(1, model.heads + 1)])
            yield "ALiBi slopes 2^(-8i/H)", replace(model, alibi=replace(model.alibi, slopes=plain))
    if first.clip is not None:
        yield "q, k, v not clipped", each_layer(model, lambda l: replace(l, clip=None))
    if model.shared_norm and first.ln1.weight is not None:
        yield "feed-forward reads its input without norm", each_layer(model, lambda l: replace(l, ln2=None))
    if first.q_norm is not None and first.q_norm.weight.ndim == 2:
        first_head = lambda l: replace(l, q_norm=replace(l.q_norm, weight=l.q_norm.weight[0]))
        yield "one head's norm weights for all", each_layer(model, first_head)
    if first.q_norm is not None:
        yield "no norm of q and k", each_layer(model, lambda l: replace(l, q_norm=None, k_norm=None))
    if model.embed_scale != 1:
        yield "embedding not scaled", replace(model, embed_scale=1.0)
    if model.embed_norm is not None:
        yield "embedding not normed", replace(model, embed_norm=None)
    other = {"gelu": "gelu_new", "gelu_new": "gelu", "gelu_pytorch_tanh": "gelu", "gelu_fast": "gelu", "silu": "gelu",
             "relu": "gelu"}[first.activation]
    yield f"activation {other}", each_layer(model, lambda l: replace(l, activation=other))
    if model.parallel:
        yield "serial block", replace(model, parallel=False)
    elif first.ln1 is not None and first.ln1_post is None:
        yield "parallel block", replace(model, parallel=True)
    if 1 < model.kv_heads < model.heads:
        def crossed(layer: Layer) -> Layer:
            k, v = copy.copy(layer.k), copy.copy(layer.v)
            for p, pick in ((k, layer.k.pick), (v, layer.v.pick)):
                p.pick = lambda x, pick=pick: flip_heads(pick(x))
            return replace(layer, k=k, v=v)
        yield "key-value heads in another order", each_layer(model, crossed)


def other_length(r: Rotary, length: int) -> Scaling:
    """The frequencies of a prompt on the other side of the original context."""
    n = 1 if not torch.equal(r.at(1), r.at(length)) else 10**6
    return lambda inv, _: r.scaling(inv, n)


def flip_heads(x: Tensor) -> Tensor:
    return x.flip(-2)  # [..., K, Dh]


def seen(model: Model, ids: Tensor, logits: Tensor) -> dict[str, float]:
    """Largest change of any logit of batch A by mistake."""
    with torch.no_grad():
        return {name: (Run(wrong, ids).logits - logits).abs().max().item() for name, wrong in mistakes(model, ids.shape[1])}
