"""HookedTransformer's own state dict and configuration, with its cache.

`python reference/hooked.py`, by hand, in an environment with transformer_lens 3.5.1 (4.0 removed HookedTransformer),
PyTorch 2.15.0 and transformers 5.23.0: CPU, float32, one thread, random weights. Nothing is downloaded.

Per model in ../layouts: config.json (HookedTransformerConfig.to_dict(), types that JSON lacks as strings),
model.safetensors (state_dict() as it is, buffers included), golden.safetensors (ids, logits and the whole cache) and
golden.json.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformer_lens import HookedTransformer, HookedTransformerConfig

from goldens import sha256, versions

OUT = Path(__file__).resolve().parent.parent / "layouts"
BASE = dict(n_layers=2, d_model=12, n_ctx=16, d_head=4, n_heads=3, d_mlp=20, d_vocab=23, eps=1e-3,
            device="cpu", dtype=torch.float32, seed=0)
MODELS = {
    "hooked-gpt2": (501, "LayerNorm, learned positions, gelu_new", BASE | dict(act_fn="gelu_new", normalization_type="LN")),
    "hooked-gqa": (502, "RMSNorm, rotary over halves, gated silu, two key-value heads: their weights are _W_K, _W_V, _b_K, _b_V",
                   BASE | dict(n_heads=4, n_key_value_heads=2, act_fn="silu", gated_mlp=True, normalization_type="RMS", final_rms=True,
                               positional_embedding_type="rotary", rotary_dim=4, rotary_base=100)),
    "hooked-attn-only": (503, "attention only, norms already folded (LNPre has neither weight nor bias), an output vocabulary of its own",
                         BASE | dict(act_fn=None, attn_only=True, d_mlp=None, normalization_type="LNPre", d_vocab_out=19)),
    "hooked-modadd": (504, "one layer without norms, relu, as small task models are trained",
                      BASE | dict(n_layers=1, act_fn="relu", normalization_type=None)),
}
RECOGNISE = ("tensors embed.W_E and unembed.W_U; config.json has d_model, n_layers, n_heads, d_head, d_vocab, act_fn and no "
             "model_type. Weights multiply from the right: W_Q [H, D, K], W_O [H, K, D], W_in [D, F], W_U [D, V]. Buffers (attn.mask, "
             "attn.IGNORE, attn.rotary_sin, attn.rotary_cos) are no weights. unembed.b_U and b_in of a gated feed-forward may be non-zero")


def randomise(model: HookedTransformer, seed: int) -> None:
    """Weights 1.5/sqrt(fan_in), norms 1 +- 0.3, biases 0.2; b_in of a gated feed-forward 0, as in every real one."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=rng)
            last = name.split(".")[-1].lstrip("_")
            if last in ("W_E", "W_pos"):
                p.copy_(noise * 0.5)
            elif last.startswith("W_"):
                fan_in = p.shape[-2] * (p.shape[0] if last == "W_O" else 1)
                p.copy_(noise * 1.5 / fan_in**0.5)
            elif last == "w":
                p.copy_(1 + noise * 0.3)
            else:
                p.copy_(noise * (0 if last == "b_in" and model.cfg.gated_mlp else 0.2))


def plain(value: object) -> object:
    return value if value is None or isinstance(value, (bool, int, float, str, list, dict)) else str(value)


def golden(model: HookedTransformer, ids: Tensor) -> dict[str, Tensor]:
    with torch.no_grad():
        logits, cache = model.run_with_cache(ids)
    return {k: v.detach().contiguous().clone() for k, v in ({"ids": ids, "logits": logits} | dict(cache.items())).items()}


def main() -> None:
    torch.set_num_threads(1)
    for name, (seed, note, arguments) in MODELS.items():
        model = HookedTransformer(HookedTransformerConfig(**arguments)).eval()
        randomise(model, seed)
        ids = torch.randint(0, arguments["d_vocab"], (2, 7), generator=torch.Generator().manual_seed(seed * 1000))
        values = golden(model, ids)
        folder = OUT / name
        folder.mkdir(parents=True, exist_ok=True)
        save_file({k: v.detach().contiguous().clone() for k, v in model.state_dict().items()}, folder / "model.safetensors")
        save_file(values, folder / "golden.safetensors")
        config = {k: plain(v) for k, v in model.cfg.to_dict().items()}
        (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
        info = {"tool": "HookedTransformer", "note": note, "seed": seed, "versions": versions("transformer_lens"), "recognise": RECOGNISE,
                "logits_sd": round(values["logits"].std().item(), 3),
                "sha256": {p.name: sha256(p) for p in sorted(folder.glob("*.safetensors"))}}
        (folder / "golden.json").write_text(json.dumps(info, indent=1) + "\n")
        for path in folder.iterdir():
            path.chmod(0o644)
        print(name, info["logits_sd"], sorted(model.state_dict())[:40])


if __name__ == "__main__":
    main()
