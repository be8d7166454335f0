"""nanoGPT's and minGPT's own state dicts with the logits of their own code.

`python reference/nanogpt.py NANOGPT MINGPT`, by hand, where the arguments are checkouts of github.com/karpathy/nanoGPT at
3adf61e154c3fe3fca428ad6bc3818b27a3b8291 and github.com/karpathy/minGPT at 37baab71b9abea1b76ab957409a1cc2fbfba8a26 (both
MIT; their code is run, not copied). PyTorch 2.15.0, CPU, float32, one thread, random weights.

Per model in ../layouts: config.json, model.safetensors, golden.safetensors (ids, logits, residual stream and sublayer
outputs under TransformerLens' names) and golden.json.
"""

import argparse
import copy
import importlib
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from goldens import sha256, versions

OUT = Path(__file__).resolve().parent.parent / "layouts"
COMMITS = {"nanoGPT": "3adf61e154c3fe3fca428ad6bc3818b27a3b8291", "minGPT": "37baab71b9abea1b76ab957409a1cc2fbfba8a26"}
SIZES = dict(n_layer=2, n_head=3, n_embd=12, block_size=16)
RECOGNISE = {
    "nanoGPT": "config.json is the checkpoint's model_args: block_size, n_layer, n_head, n_embd, vocab_size, bias (a boolean), dropout and "
               "no model_type. Exact gelu (nn.GELU; before 2023-02 its new_gelu was the tanh form), tied: lm_head.weight repeats wte",
    "minGPT": "config.json is the trainer's, with the sizes under `model`, where block_size stands beside embd_pdrop, resid_pdrop, "
              "attn_pdrop. Gelu in its tanh form, untied, and a mask h.N.attn.bias [1, 1, n, n] among the weights that is no bias",
}


def randomise(model: nn.Module, seed: int) -> None:
    """Weights 1.5/sqrt(fan_in), 8 behind the gelu so that it shows; norms 1 +- 0.3, biases 0.2, embeddings 2/sqrt(width)."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=rng)
            if name.endswith(("wte.weight", "lm_head.weight")):
                p.copy_(noise * 2 / p.shape[1] ** 0.5)
            elif name.endswith("wpe.weight"):
                p.copy_(noise * 0.5)
            elif p.ndim == 2:
                p.copy_(noise * (8 if ".mlp.c_proj" in name else 1.5) / p.shape[1] ** 0.5)
            else:
                p.copy_(noise * 0.2 if name.endswith("bias") else 1 + noise * 0.3)


def listen(model: nn.Module, ids: Tensor) -> dict[str, Tensor]:
    heard: dict[str, Tensor] = {}

    def note(name: str):
        return lambda _m, _a, out: heard.__setitem__(name, out.detach().clone())

    for i, block in enumerate(model.transformer.h):
        block.register_forward_hook(note(f"blocks.{i}.hook_resid_post"))
        block.attn.register_forward_hook(note(f"blocks.{i}.hook_attn_out"))
        block.mlp.c_proj.register_forward_hook(note(f"blocks.{i}.hook_mlp_out"))
    with torch.no_grad():
        logits, _ = model(ids, targets=ids)  # with targets, or nanoGPT unembeds the last position only
    return {"ids": ids, "logits": logits} | heard


def other_gelu(model: nn.Module, ids: Tensor, logits: Tensor) -> tuple[bool, float]:
    """Whether the model's gelu is the exact one, and how much the other one changes the logits."""
    other = copy.deepcopy(model)
    exact = any(isinstance(m, nn.GELU) for m in model.modules())
    for block in other.transformer.h:
        if exact:
            block.mlp.gelu.approximate = "tanh"
        else:  # the block's lambda refers to the module it was made with
            act, mlp = nn.GELU(), block.mlp
            block.mlpf = lambda x, mlp=mlp, act=act: mlp.c_proj(act(mlp.c_fc(x)))
    with torch.no_grad():
        return exact, (other(ids, targets=ids)[0] - logits).abs().max().item()


def save(name: str, tool: str, config: dict, model: nn.Module, seed: int, prefix: str = "") -> None:
    randomise(model.eval(), seed)
    ids = torch.randint(0, SIZES["block_size"] + 7, (2, 9), generator=torch.Generator().manual_seed(seed * 1000))
    golden = listen(model, ids)
    exact, change = other_gelu(model, ids, golden["logits"])
    assert change > 1e-3, f"{name}: the logits hardly notice the other gelu: {change}"
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    save_file({prefix + k: v.detach().contiguous().clone() for k, v in model.state_dict().items()}, folder / "model.safetensors")
    save_file(golden, folder / "golden.safetensors")
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    info = {"tool": tool, "commit": COMMITS[tool], "seed": seed, "versions": versions(), "gelu": "exact" if exact else "tanh",
            "change_of_logits_by_the_other_gelu": float(f"{change:.2g}"),
            "recognise": RECOGNISE[tool], "logits_sd": round(golden["logits"].std().item(), 3),
            "sha256": {p.name: sha256(p) for p in sorted(folder.glob("*.safetensors"))}}
    (folder / "golden.json").write_text(json.dumps(info, indent=1) + "\n")
    for path in folder.iterdir():
        path.chmod(0o644)
    print(name, info["logits_sd"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nanogpt", type=Path)
    parser.add_argument("mingpt", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    sys.path[:0] = [str(args.nanogpt), str(args.mingpt)]
    vocab = dict(vocab_size=SIZES["block_size"] + 7)

    nano = importlib.import_module("model")
    for name, bias, prefix in (("nanogpt", True, ""), ("nanogpt-no-bias", False, "_orig_mod.")):  # as torch.compile names them
        arguments = SIZES | vocab | dict(bias=bias, dropout=0.0)
        save(name, "nanoGPT", arguments, nano.GPT(nano.GPTConfig(**arguments)), 401 if bias else 402, prefix)

    mini = importlib.import_module("mingpt.model")
    config = mini.GPT.get_default_config()
    config.merge_from_dict(SIZES | vocab | dict(model_type=None))
    written = {"system": {"seed": 403, "work_dir": "./out"}, "model": config.to_dict(),
               "trainer": {"device": "auto", "num_workers": 0, "max_iters": None, "batch_size": 64}}
    save("mingpt", "minGPT", written, mini.GPT(config), 403)


if __name__ == "__main__":
    main()
