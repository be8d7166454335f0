"""What Hugging Face's own modules compute, heard by forward hooks, under the same site names as definition.py."""

import contextlib
import inspect
import sys
from typing import Any, Callable, Iterator

import torch
from torch import Tensor, nn

from layouts import Layer, Model


def first(x: Any) -> Tensor:
    return x[0] if isinstance(x, tuple) else x


def hidden_argument(args: tuple, kwargs: dict) -> Tensor:
    return args[0] if args else kwargs["hidden_states"]


class Listener:
    """Collects tensors while transformers runs; `values` are copies, `live` the tensors of the graph (for gradients)."""

    def __init__(self, model: Model, shape: tuple[int, int]):
        self.model, self.shape = model, shape  # shape is (B, T)
        self.values: dict[str, Tensor] = {}
        self.live: dict[str, tuple[Tensor, Callable[[Tensor], Tensor]]] = {}
        self.handles: list[Any] = []

    def take(self, name: str, x: Tensor, pick: Callable[[Tensor], Tensor] = lambda x: x,
             pick_gradient: Callable[[Tensor], Tensor] | None = None) -> None:
        """Note x as site `name`; `pick` cuts the site's value from it, `pick_gradient` (the same unless given) its gradient."""
        pick_gradient = pick_gradient or pick
        if x.ndim == 2:  # OPT flattens batch and position around its feed-forward
            pick, pick_gradient = (lambda y, then=f: then(y.unflatten(0, self.shape)) for f in (pick, pick_gradient))
        self.values[name] = pick(x.detach().clone())  # cloned now: later code may work in place
        if x.requires_grad:
            if not x.is_leaf:
                x.retain_grad()
            self.live[name] = (x, pick_gradient)

    def on_output(self, module: nn.Module, *parts: tuple, then_copied: bool = False) -> None:
        """`then_copied` where later code works in place: the rest of the model gets a copy, so that gradients stay apart."""
        def hook(_m, _args, out):
            for name, *rest in parts:
                self.take(name, first(out), *rest)
            return out.clone() if then_copied else None
        self.handles.append(module.register_forward_hook(hook))

    def on_input(self, module: nn.Module, name: str, *rest) -> None:
        def hook(_m, args, kwargs):
            self.take(name, hidden_argument(args, kwargs), *rest)
        self.handles.append(module.register_forward_pre_hook(hook, with_kwargs=True))

    def attach(self) -> None:
        m = self.model
        if m.position_module is not None:
            self.on_output(m.position_module, ("hook_pos_embed", lambda x: x.expand(self.shape[0], -1, -1)))
        if m.embed_norm is not None:
            self.on_output(m.embed_norm.module, ("hook_embed",))
        elif m.embed_scale == 1.0:
            self.on_output(m.embed, ("hook_embed",))
        else:
            self.on_input(m.layers[0].module, "hook_embed")
        for i, layer in enumerate(m.layers):
            self.attach_layer(f"blocks.{i}", layer)
        self.on_output(m.ln_final.module, ("extra.ln_final.out",))

    def attach_layer(self, name: str, layer: Layer) -> None:
        m = self.model
        self.on_input(layer.module, f"{name}.hook_resid_pre")
        self.on_output(layer.module, (f"{name}.hook_resid_post",))
        for letter in "qkv":
            p = getattr(layer, letter)
            self.on_output(p.module, (f"{name}.attn.hook_{letter}", p.heard, p.pick))
        if layer.clip is not None:
            for module in {layer.q.module, layer.k.module, layer.v.module}:
                self.on_output(module, then_copied=True)
        split = lambda x: x.unflatten(-1, (m.heads, -1))
        self.on_input(layer.o, f"{name}.attn.hook_z", split)
        self.on_output(layer.fc_in.module, (f"{name}.mlp.hook_pre", layer.fc_in.heard))
        if layer.up is not None:
            self.on_output(layer.up.module, (f"{name}.mlp.hook_pre_linear", layer.up.heard))
        self.on_input(layer.fc_out, f"{name}.mlp.hook_post")
        for part, module, post in (("attn", layer.o, layer.ln1_post), ("mlp", layer.fc_out, layer.ln2_post)):
            if post is None:
                self.on_output(module, (f"{name}.hook_{part}_out",))
            else:
                self.on_output(module, (f"extra.{name}.{part}_raw",))
                self.on_output(post.module, (f"{name}.hook_{part}_out",))
        for norm in ("ln1", "ln2"):
            if getattr(layer, norm) is not None:
                self.on_output(getattr(layer, norm).module, (f"extra.{name}.{norm}.out",))
        if not m.parallel:
            reader = layer.fc_in.module if layer.ln2 is None else layer.ln2.module
            self.on_input(reader, f"{name}.hook_resid_mid")
        for letter in "qk":
            norm = getattr(layer, f"{letter}_norm")
            if norm is not None:
                time_second = lambda x: x if x.shape[1] == self.shape[1] else x.transpose(1, 2)
                self.on_output(norm.module, (f"extra.{name}.attn.{letter}_norm.out", time_second))


@contextlib.contextmanager
def rotated_heads(model: Model) -> Iterator[dict[str, Tensor]]:
    """Listen where transformers hands q and k to the attention product: [B, heads, T, Dh] after rotary.

    There is no module to hook, so the function of the architecture's Python module is wrapped for the time of a run:
    the attention product, or in Falcon the rotation itself, whose keys may be repeated over their group.
    """
    found: dict[str, Tensor] = {}
    if model.layers[0].rotary is None:
        yield found
        return
    code = sys.modules[type(model.hf).__module__]
    count = iter(range(len(model.layers)))

    def note(q: Tensor, k: Tensor) -> None:
        i = next(count)
        found[f"blocks.{i}.attn.hook_rot_q"] = q.detach().transpose(1, 2).clone()
        each = k.shape[1] // model.kv_heads
        found[f"blocks.{i}.attn.hook_rot_k"] = k.detach().transpose(1, 2)[:, :, ::each].clone()

    name = "eager_attention_forward" if hasattr(code, "eager_attention_forward") else "apply_rotary_pos_emb"
    original = getattr(code, name)

    def wrapped(*args, **kwargs):
        if name == "eager_attention_forward":
            note(args[1], args[2])
            return original(*args, **kwargs)
        turned = original(*args, **kwargs)
        note(*turned)
        return turned

    setattr(code, name, wrapped)
    try:
        yield found
    finally:
        setattr(code, name, original)


def fresh(hf: nn.Module) -> None:
    """Forget the longest prompt seen: transformers keeps its "dynamic" rotary frequencies from one call to the next."""
    for m in hf.modules():
        if getattr(m, "rope_type", None) == "dynamic":
            m.inv_freq, m.max_seq_len_cached = m.original_inv_freq.clone(), m.original_max_seq_len


def call(model: Model, ids: Tensor, **kw) -> Any:
    """Run transformers, passing only the arguments that this architecture's forward knows."""
    if kw.get("past_key_values") is None:
        fresh(model.hf)
    known = inspect.signature(model.hf.forward).parameters
    return model.hf(input_ids=ids, **{k: v for k, v in kw.items() if k in known})


def record(model: Model, ids: Tensor) -> tuple[Listener, Any]:
    """One run of transformers with every hook attached, attention patterns and hidden states included."""
    listener = Listener(model, tuple(ids.shape))
    listener.attach()
    fresh(model.hf)
    eager = model.hf.config._attn_implementation == "eager"  # else transformers has no pattern to show
    try:
        with rotated_heads(model) as rotated:
            out = model.hf(input_ids=ids, output_attentions=eager, output_hidden_states=True, use_cache=False)
        listener.values.update(rotated)
        listener.take("logits", out.logits)
    finally:
        for h in listener.handles:
            h.remove()
    for i, pattern in enumerate(out.attentions or ()):
        listener.take(f"blocks.{i}.attn.hook_pattern", pattern)
    return listener, out


@contextlib.contextmanager
def replaced(*edits: tuple[nn.Module, str, Callable]) -> Iterator[None]:
    """Interventions on transformers itself: (module, "input" | "output" | "mask", function)."""
    handles = []
    for module, place, fn in edits:
        if place == "output":
            def hook(_m, _a, out, fn=fn):
                return (fn(out[0]), *out[1:]) if isinstance(out, tuple) else fn(out)
            handles.append(module.register_forward_hook(hook))
        elif place == "input":
            handles.append(module.register_forward_pre_hook(lambda _m, args, fn=fn: (fn(args[0]), *args[1:])))
        else:
            def hook(_m, args, kwargs, fn=fn):
                return args, {**kwargs, "attention_mask": fn(kwargs["attention_mask"])}
            handles.append(module.register_forward_pre_hook(hook, with_kwargs=True))
    try:
        yield
    finally:
        for h in handles:
            h.remove()
