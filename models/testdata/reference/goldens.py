"""Make the reference models and their expected values: `python reference/goldens.py [family...]`, by hand.

Provenance: PyTorch 2.15.0, transformers 5.23.0, safetensors 0.8.0, numpy 2.4.6 on CPU, float32, one thread; each
golden.json repeats the versions and the seeds. Nothing comes from a published checkpoint and no Go test writes here.

For each family: a tiny model with every parameter random, its exact Hugging Face files, golden.safetensors and
grads.safetensors with golden.json beside them. Values come from Hugging Face transformers (eager attention unless
families.py says why not) wherever one of its modules produces them, else from definition.py; every overlap is asserted to
agree. families.py holds the sizes, layouts.py where each architecture keeps its weights, definition.py the forward pass
with rotary.py and alibi.py, capture.py the hooks on transformers, sensitivity.py the mistakes that must be seen,
olderconfig.py the spelling of published configs, meanings.py the words.
"""

import argparse
import copy
import hashlib
import importlib.metadata
import json
import re
import shutil
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM

import meanings
import sensitivity
from capture import call, record, replaced
from definition import Run
from families import FAMILIES, Family
from layouts import Model, is_conv1d, read
from olderconfig import older_config

INPUTS = ("ids", "mask", "positions", "prompt", "vector", "key", "inv_freq", "slopes", "alibi_bias")  # ends of names of no model output
LIMIT = 1e-5  # asserted between transformers and the definition, relative to max(1, |largest value|)
OUT = Path(__file__).resolve().parent.parent / "architectures"


def build(family: Family) -> nn.Module:
    """The model with every parameter drawn from family.seed: weights 1.5/sqrt(fan_in), norms 1 +- 0.3, biases 0.2."""
    config = AutoConfig.for_model(family.kind, **family.config)
    model = AutoModelForCausalLM.from_config(config, attn_implementation=family.attention).eval().float()
    rng = torch.Generator().manual_seed(family.seed)
    owners = {id(p): m for m in model.modules() for p in m.parameters(recurse=False)}
    embed = model.get_input_embeddings().weight
    tied = model.get_output_embeddings().weight is embed
    width = embed.shape[1]
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=rng)
            if p is embed:
                p.copy_(noise * (2 / width**0.5 if tied else 0.8) * family.quiet)
            elif p is model.get_output_embeddings().weight:
                p.copy_(noise * 2 / width**0.5)
            elif isinstance(owners[id(p)], nn.Embedding):
                p.copy_(noise * 0.5)
            elif p.ndim == 2:
                fan_in = p.shape[0] if is_conv1d(owners[id(p)]) else p.shape[1]
                p.copy_(noise * 1.5 / fan_in**0.5)
            elif name.endswith("bias"):
                p.copy_(noise * 0.2)
            else:
                gain = 1 / family.quiet if name.split(".")[-2] in ("norm", "norm_f", "ln_f") else 1.0
                p.copy_((1 + noise * 0.3) * gain - (1 if family.norm_offset else 0))
    return model


def relative(a: Tensor, b: Tensor) -> float:
    """max |a-b| / max(1, max |b|), where both are finite; infinities must coincide."""
    assert a.shape == b.shape, (a.shape, b.shape)
    finite = b.isfinite()
    assert torch.equal(a.isfinite(), finite)
    if not finite.any():
        return 0.0
    a, b = a[finite].double(), b[finite].double()
    return ((a - b).abs().max() / b.abs().max().clamp(min=1)).item()


def check(what: str, a: Tensor, b: Tensor, seen: dict[str, float], limit: float = LIMIT) -> None:
    d = relative(a, b)
    seen[what] = max(seen.get(what, 0.0), d)
    if not d <= limit:
        raise AssertionError(f"{what}: {d:.3g} > {limit:g}")


def greedy(model: Model, prompt: Tensor, steps: int) -> tuple[Tensor, float, float]:
    """Greedy ids, the smallest gap between best and second logit, and the difference of cached to recomputed logits.

    Where rotary frequencies depend on the length, older keys would keep older frequencies in a cache: the ids are those of
    recomputation and no cache is compared.
    """
    recompute = model.layers[0].rotary is not None and model.layers[0].rotary.by_length
    ids, cache, gap, worst = prompt[None], None, float("inf"), 0.0
    with torch.no_grad():
        for _ in range(steps):
            logits = call(model, ids, use_cache=False).logits[0, -1]
            if not recompute:
                out = call(model, ids if cache is None else ids[:, -1:], past_key_values=cache, use_cache=True)
                cache = out.past_key_values
                worst = max(worst, relative(out.logits[0, -1], logits))
            top = logits.topk(2)
            gap = min(gap, (top.values[0] - top.values[1]).item())
            ids = torch.cat([ids, top.indices[None, :1]], 1)
    return ids[0, len(prompt):], gap, worst


def choose_prompts(family: Family, model: Model) -> tuple[int, Tensor]:
    """The first prompt seed whose greedy continuation has no near tie and is not one token over and over."""
    vocab = model.embed.weight.shape[0]
    for attempt in range(200):
        seed = family.seed * 1000 + attempt
        ids = torch.randint(3, vocab, (2, 13), generator=torch.Generator().manual_seed(seed))
        new, gap, _ = greedy(model, ids[0, :5], 20)
        if gap > 5e-3 and len(set(new.tolist())) >= 5:
            return seed, ids
    raise AssertionError(f"{family.name}: no prompt without a near tie")


def batch_a(model: Model, ids: Tensor, seen: dict[str, float]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Every site: from transformers where it can be heard, else by definition; asserted equal where both exist."""
    with torch.no_grad():
        heard, out = record(model, ids)
        run = Run(model, ids)
    for name, value in heard.values.items():
        check(f"site {name.split('.')[-1]}", run.sites[name], value, seen)
    for i, state in enumerate(out.hidden_states[:-1]):
        check("output_hidden_states", heard.values[f"blocks.{i}.hook_resid_pre"], state, seen, 1e-7)
    check("output_hidden_states (last, after the final norm)", heard.values["extra.ln_final.out"], out.hidden_states[-1],
          seen, 1e-7)
    sites, source = {}, {}
    for name, value in run.sites.items():
        sites[name] = heard.values.get(name, value.detach()).detach()
        source[name] = "transformers" if name in heard.values else "definition"
    for i, layer in enumerate(model.layers):
        total = sites[f"blocks.{i}.attn.hook_result"].sum(2)
        if getattr(layer.o, "bias", None) is not None:
            total = total + layer.o.bias
        raw = sites.get(f"extra.blocks.{i}.attn_raw", sites[f"blocks.{i}.hook_attn_out"])
        check("sum of hook_result + b_O = attention output", total, raw, seen)
    logp = torch.log_softmax(out.logits, -1)
    sites["loss"] = -logp[:, :-1].gather(-1, ids[:, 1:, None])[..., 0]
    source["loss"] = "transformers"
    return sites, source


def batch_b(model: Model, ids: Tensor, seen: dict[str, float], notes: list[str]) -> dict[str, Tensor]:
    """Prompts of 13 and 8 tokens: values of the unpadded runs, to which both paddings must be equal at real tokens."""
    rows = [ids[0], ids[1, :8]]
    tensors: dict[str, Tensor] = {}
    with torch.no_grad():
        single = [call(model, r[None]).logits[0] for r in rows]
        for side in ("left", "right"):
            padded, mask, positions = (torch.zeros(2, 13, dtype=torch.int64) for _ in range(3))
            spans = [slice(13 - len(r), 13) if side == "left" else slice(0, len(r)) for r in rows]
            for b, (row, span) in enumerate(zip(rows, spans)):
                padded[b, span], mask[b, span], positions[b, span] = row, 1, torch.arange(len(row))
            logits = call(model, padded, attention_mask=mask, position_ids=positions, use_cache=False).logits
            for b, span in enumerate(spans):
                d = relative(logits[b, span], single[b])
                seen[f"batch B {side} padding"] = max(seen.get(f"batch B {side} padding", 0.0), d)
                if d > LIMIT:
                    notes.append(f"transformers itself fails: {side}-padded row {b} differs from its unpadded run by {d:.2g};"
                                 " the unpadded values are the expected ones")
            tensors |= {f"batch_b.{side}.ids": padded, f"batch_b.{side}.mask": mask, f"batch_b.{side}.positions": positions}
    for b, (row, logits) in enumerate(zip(rows, single)):
        tensors |= {f"batch_b.row{b}.ids": row, f"batch_b.row{b}.logits": logits}
    return tensors


GRADIENT_SITES = ("hook_embed", "hook_resid_pre", "hook_resid_mid", "hook_resid_post", "hook_attn_out", "hook_mlp_out",
                  "hook_q", "hook_k", "hook_v", "hook_z", "hook_pattern", "hook_post")


def gradients(family: Family, model: Model, ids: Tensor, pair: Tensor, seen: dict[str, float]) -> dict[str, Tensor]:
    """d metric / d site and, for some families, d metric / d parameter."""
    def metric(logits: Tensor) -> Tensor:
        return logits[:, -1].gather(1, pair).mul(torch.tensor([1.0, -1.0], dtype=logits.dtype)).sum()

    parameters = dict(model.hf.named_parameters())
    model.hf.zero_grad(set_to_none=True)
    heard, out = record(model, ids)
    value = metric(out.logits)
    value.backward()
    from_hf = {n: pick(x.grad).clone() for n, (x, pick) in heard.live.items() if x.grad is not None}
    parameters_hf = {n: p.grad.clone() for n, p in parameters.items()}

    model.hf.zero_grad(set_to_none=True)
    run = Run(read(family.kind, model.hf), ids)  # read again: offsets such as 1+w must be on the graph
    metric(run.logits).backward()
    tensors = {"metric": value.detach()[None], "metric.ids": pair}
    for name, x in run.sites.items():
        if name.split(".")[-1] in GRADIENT_SITES:
            if name in from_hf:
                check("gradient of sites", x.grad, from_hf[name], seen)
            tensors[name] = from_hf.get(name, x.grad)
    for name, p in parameters.items():
        check("gradient of parameters", p.grad, parameters_hf[name], seen)
        if family.parameter_gradients:
            tensors[f"param.{name}"] = parameters_hf[name]
    model.hf.zero_grad(set_to_none=True)
    return tensors


def interventions(model: Model, ids: Tensor, sites: dict[str, Tensor], seen: dict[str, float]) -> dict[str, Tensor]:
    """Four edits of row 0, done twice: on transformers' modules and in the definition."""
    row, layer = ids[:1], model.layers[1]
    key = 2 if layer.window is None else 10  # a key that the last query (12) can see in layer 1
    vector = torch.linspace(-1, 1, model.embed.weight.shape[1]).roll(5) * 1.5
    other = sites["blocks.0.hook_resid_post"][1, 6]
    head = slice(model.head_dim, 2 * model.head_dim)

    def zero(z: Tensor) -> Tensor:
        z = z.clone()
        z[..., head] = 0
        return z

    def move(x: Tensor) -> Tensor:
        x = x.clone()
        x[..., 4, :] = other
        return x

    def add(x: Tensor) -> Tensor:
        x = x.clone()
        x[..., 3:, :] += vector  # OPT drops the batch axis here
        return x

    def cut(mask: Tensor) -> Tensor:
        mask = mask.clone()
        mask[..., -1, key] = True if mask.dtype == torch.bool else torch.finfo(mask.dtype).min
        return mask

    def cut_scores(s: Tensor) -> Tensor:
        s = s.clone()
        s[..., -1, key] = -torch.inf
        return s

    mlp = layer.fc_out if layer.ln2_post is None else layer.ln2_post.module
    plans = {
        "zero_head": ((layer.o, "input", zero), ("blocks.1.attn.hook_z", lambda z: zero(z.flatten(2)).view_as(z))),
        "move_resid": ((model.layers[0].module, "output", move), ("blocks.0.hook_resid_post", move)),
        "add_mlp_out": ((mlp, "output", add), ("blocks.1.hook_mlp_out", add)),
        "cut_edge": ((layer.attention, "mask", cut), ("blocks.1.attn.hook_attn_scores", cut_scores)),
    }
    tensors = {"edit.add_mlp_out.vector": vector, "edit.cut_edge.key": torch.tensor([key])}
    with torch.no_grad():
        for name, (on_hf, (site, fn)) in plans.items():
            with replaced(on_hf):
                logits = call(model, row, use_cache=False).logits[0]
            own = Run(model, row, edit=lambda n, x: fn(x) if n == site else x).logits[0]
            check(f"edit {name}", own, logits, seen)
            effect = (logits - sites["logits"][0]).abs().max().item()
            assert effect > (0.005 if name == "cut_edge" else 0.05), (name, effect)
            tensors[f"edit.{name}.logits"] = logits
    return tensors


LIGHT_SITES = ("hook_q", "hook_k", "hook_rot_q", "hook_rot_k", "hook_pattern", "hook_resid_post")


def beyond_context(family: Family, model: Model, seen: dict[str, float]) -> dict[str, Tensor]:
    """A prompt on the other side of the original context, and greedy ids that cross it on the way.

    The ids are transformers' own `generate`, which throws its cache away when it passes the original context; they equal
    recomputation of every step.
    """
    vocab, original = model.embed.weight.shape[0], model.hf.config.rope_parameters["original_max_position_embeddings"]
    for attempt in range(50):
        rng = torch.Generator().manual_seed(family.seed * 2000 + attempt)
        ids = torch.randint(3, vocab, (1, original + 5), generator=rng)
        prompt = ids[0, : original - 4]
        crossed, gap, _ = greedy(model, prompt, 9)
        if gap > 5e-3 and len(set(crossed.tolist())) >= 5:
            break
    else:
        raise AssertionError(f"{family.name}: no crossing without a near tie")
    with torch.no_grad():
        logits = call(model, ids, use_cache=False).logits
        check("logits beyond the original context", Run(model, ids).logits, logits, seen)
        own = model.hf.generate(prompt[None], max_new_tokens=9, do_sample=False, eos_token_id=None, pad_token_id=0)[0, len(prompt):]
    assert torch.equal(own, crossed), (own, crossed)
    return {"beyond.ids": ids, "beyond.logits": logits, "cross.prompt": prompt, "cross.ids": crossed}


def float64_noise(family: Family, model: Model, ids: Tensor, sites: dict[str, Tensor]) -> dict[str, float]:
    """How far the stored float32 values are from the same definition in float64, by kind of site."""
    wide = read(family.kind, copy.deepcopy(model.hf).double())
    with torch.no_grad():
        run = Run(wide, ids)
    worst: dict[str, float] = {}
    for name, x in run.sites.items():
        kind = name.split(".")[-1]
        worst[kind] = max(worst.get(kind, 0.0), relative(sites[name].double(), x))
    return worst


def statistics(model: Model, sites: dict[str, Tensor]) -> dict[str, float]:
    """Enough to see that the model is not degenerate."""
    entropy = []
    for i in range(len(model.layers)):
        p = sites[f"blocks.{i}.attn.hook_pattern"][:, :, 1:]
        seen = (p > 0).sum(-1).clamp(min=2)
        entropy.append((-(p * p.clamp(min=1e-30).log()).sum(-1) / seen.log()).mean())
    return {"logits_sd": round(sites["logits"].std().item(), 3),
            "attention_entropy_over_uniform": round(torch.stack(entropy).mean().item(), 3),
            "final_residual_sd": round(sites[f"blocks.{len(model.layers) - 1}.hook_resid_post"].std().item(), 3)}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def compact(d: dict[str, float]) -> dict[str, float]:
    return {k: float(f"{v:.2g}") for k, v in sorted(d.items())}


def save_model(hf: nn.Module, folder: Path, **kw) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    hf.save_pretrained(folder, **kw)
    (folder / "generation_config.json").unlink(missing_ok=True)


def verify_older_config(family: Family, folder: Path, name: str, ids: Tensor, logits: Tensor) -> None:
    config = AutoConfig.for_model(**json.loads((folder / name).read_text()))
    model = AutoModelForCausalLM.from_pretrained(folder, config=config, attn_implementation=family.attention,
                                                 dtype=torch.float32).eval()
    with torch.no_grad():
        assert relative(model(input_ids=ids, use_cache=False).logits, logits) < 1e-6, f"{folder.name}: {name} is read differently"


def versions(*more: str) -> dict[str, str]:
    return {p: importlib.metadata.version(p) for p in ("torch", "transformers", "safetensors", "numpy", *more)}


def make(family: Family, root: Path) -> dict:
    folder = root / family.name
    hf = build(family)
    save_model(hf, folder)
    hf = AutoModelForCausalLM.from_pretrained(folder, attn_implementation=family.attention, dtype=torch.float32).eval()
    model = read(family.kind, hf)
    seen: dict[str, float] = {}
    notes: list[str] = []
    seed, ids = choose_prompts(family, model)
    sites, source = batch_a(model, ids, seen)
    stats = statistics(model, sites)
    assert 0.6 < stats["logits_sd"] < 4.5 and 0.1 < stats["attention_entropy_over_uniform"] < 0.95, (family.name, stats)

    golden = {"ids": ids, **sites}
    new, gap, cached = greedy(model, ids[0, :5], 20)
    seen["cached against uncached generation"] = cached
    assert cached <= LIMIT and gap > 1e-3
    golden |= {"generate.prompt": ids[0, :5], "generate.ids": new}
    for i, layer in enumerate(model.layers):
        if layer.rotary is not None:
            golden[f"extra.blocks.{i}.rotary_inv_freq"] = layer.rotary.at(ids.shape[1])
    if model.alibi is not None:
        golden["extra.alibi_slopes"] = model.alibi.slopes / model.alibi.divisor
        golden["extra.alibi_bias"] = model.alibi.bias(ids.shape[1])
    if family.beyond:
        golden |= beyond_context(family, model, seen)
    if family.light:
        golden = {k: v for k, v in golden.items() if not k.startswith("blocks") or k.split(".")[-1] in LIGHT_SITES}
    else:
        golden |= batch_b(model, ids, seen, notes) | interventions(model, ids, sites, seen)
    noise = float64_noise(family, model, ids, sites)
    assert max(noise.values()) < 3e-6, f"too ill-conditioned for a sharp test, change the seed: {compact(noise)}"

    effects = sensitivity.seen(model, ids, sites["logits"])
    blind = {k: v for k, v in effects.items() if v < 1e-3}
    assert not blind, f"mistakes that the logits hardly notice: {blind}"

    top = golden["logits"][:, -1].topk(3, -1).indices
    pair = torch.stack([top[:, 0], top[:, 2]], 1)  # best against third-best: never the same id
    grads = gradients(family, model, ids, pair, seen)
    if family.light:
        grads = {k: v for k, v in grads.items() if not k.startswith("blocks") or k.endswith((".hook_q", ".hook_k"))}

    save_file({k: v.detach().contiguous().clone() for k, v in golden.items()}, folder / "golden.safetensors")
    save_file({k: v.detach().contiguous().clone() for k, v in grads.items()}, folder / "grads.safetensors")
    older = older_config(folder)
    if older:
        verify_older_config(family, folder, older, ids, golden["logits"])
    info = {
        "family": family.name, "architecture": type(hf).__name__, "note": family.note, "seed": family.seed,
        "prompt_seed": seed, "versions": versions(), "dtype": "float32", "attention": family.attention, "threads": 1,
        "sizes": {"layers": len(model.layers), "d_model": model.embed.weight.shape[1], "heads": model.heads,
                  "kv_heads": model.kv_heads, "head_dim": model.head_dim, "vocabulary": model.embed.weight.shape[0],
                  "d_mlp": model.layers[0].fc_in.weight.shape[-1]},
        "prompts": {"batch_a": ids.tolist(), "batch_b": [ids[0].tolist(), ids[1, :8].tolist()],
                    "generate": {"prompt": ids[0, :5].tolist(), "ids": new.tolist(), "smallest_top2_gap": round(gap, 5)}},
        "metric": {"formula": "sum over b of logits[b,-1,ids[b][0]] - logits[b,-1,ids[b][1]]", "ids": pair.tolist(),
                   "value": grads["metric"].item()},
        "notes": meanings.notes(family, model) + notes,
        "light": family.light,
        "config_v4": older, "statistics": stats,
        "tolerance": {"advice": "abs + rel*|want| with abs = rel = 1e-5 for sites, logits and edits; 2e-5 for gradients",
                      "float32_against_float64": compact(noise)},
        "asserted": {"limit": LIMIT, "measure": "max |difference| / max(1, max |value|)", "largest": compact(seen)},
        "change_of_logits_by_mistake": compact(effects),
        "sites": {k: {"shape": list(v.shape), "source": source.get(k, "input" if k.endswith(INPUTS) else "transformers"),
                      "meaning": meanings.of(k)} for k, v in golden.items()},
        "gradients": {k: list(v.shape) for k, v in grads.items()},
        "sha256": {p.name: sha256(p) for p in sorted(folder.glob("*.safetensors"))},
    }
    text = json.dumps(info, indent=1) + "\n"
    text = re.sub(r"\[[^][{}\"]*\]", lambda m: " ".join(m[0].split()), text)  # lists of numbers on one line
    assert json.loads(text) == info
    (folder / "golden.json").write_text(text)
    for path in folder.iterdir():
        path.chmod(0o644)
    return info


def main(families: list[Family], default_out: Path) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("family", nargs="*", help="only these")
    parser.add_argument("--out", type=Path, default=default_out, help="folder of the family folders")
    args = parser.parse_args()
    unknown = set(args.family) - {f.name for f in families}
    if unknown:
        parser.error(f"no family {', '.join(sorted(unknown))}; there are {', '.join(f.name for f in families)}")
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    failed = []
    for family in families:
        if args.family and family.name not in args.family:
            continue
        try:
            info = make(family, args.out)
        except (AssertionError, RuntimeError, AttributeError) as e:  # report it and make the others
            failed.append(family.name)
            print(f"FAILED {family.name}: {type(e).__name__}: {e}", flush=True)
            continue
        worst = max(info["asserted"]["largest"].items(), key=lambda kv: kv[1])
        print(f"{family.name}: largest difference {worst[1]:.2g} ({worst[0]}), {info['statistics']}", flush=True)
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main(FAMILIES, OUT)
