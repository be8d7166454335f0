"""What transformers' `generate` makes of fixed logits before it draws a token.

`python reference/sampling.py`, by hand. Provenance: PyTorch 2.15.0, transformers 5.23.0, CPU, float32. The processors are the
ones that `generate` itself builds from a GenerationConfig, in its order; no model runs and no Go test writes here.

In ../sampling: golden.safetensors (logits, ids, and per case the processed logits, the kept tokens and the probabilities) and
golden.json (the settings).
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from goldens import sha256, versions

OUT = Path(__file__).resolve().parent.parent / "sampling"
VOCAB = 17
CASES = {
    "temperature": dict(temperature=0.7),
    "hot": dict(temperature=2.5),
    "top_k": dict(top_k=5),
    "top_k_one": dict(top_k=1),
    "top_k_all": dict(top_k=40),
    "top_p": dict(top_p=0.9),
    "top_p_half": dict(top_p=0.5),
    "top_p_tiny": dict(top_p=1e-6),
    "repetition": dict(repetition_penalty=1.3),
    "repetition_reward": dict(repetition_penalty=0.8),
    "temperature+top_k": dict(temperature=0.7, top_k=4),
    "temperature+top_p": dict(temperature=1.6, top_p=0.8),
    "top_k+top_p": dict(top_k=6, top_p=0.7),
    "all": dict(temperature=0.8, top_k=7, top_p=0.85, repetition_penalty=1.2),
}


def rows() -> tuple[Tensor, Tensor]:
    """Logits [7, VOCAB] and the ids before them [7, 6]: ordinary, flat, peaked, all negative, far from zero, and two with ties."""
    rng = torch.Generator().manual_seed(601)
    x = torch.randn(7, VOCAB, generator=rng)
    x[0] *= 2
    x[1] *= 0.05
    x[2] *= 6
    x[3] = -x[3].abs() - 0.5
    x[4] = x[4] * 2 + 40
    x[5] = (x[5] * 2).round()  # ties everywhere
    x[6, 3] = x[6, 9] = x[6, 12] = x[6].max() + 0.25  # a tie at the top
    ids = torch.randint(0, VOCAB, (7, 6), generator=rng)
    ids[:, 5] = ids[:, 0]  # a token that stands twice is penalised once
    return x, ids


def main() -> None:
    tiny = LlamaForCausalLM(LlamaConfig(vocab_size=VOCAB, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
                                        num_attention_heads=1, num_key_value_heads=1))
    logits, ids = rows()
    tensors = {"logits": logits, "ids": ids}
    described = {}
    for name, settings in CASES.items():
        given = dict(top_k=0, top_p=1.0, temperature=1.0) | settings
        processors = tiny._get_logits_processor(GenerationConfig(do_sample=True, **given), input_ids_seq_length=ids.shape[1])
        used = 5 if "top_p" in settings else 7  # which of equal tokens top_p keeps is left open: those rows are left out
        processed = processors(ids[:used], logits[:used].clone())
        described[name] = {"settings": settings, "rows": used, "processors": [type(p).__name__ for p in processors],
                           "kept": processed.isfinite().sum(-1).tolist()}
        tensors |= {f"{name}.logits": processed, f"{name}.kept": processed.isfinite().to(torch.uint8),
                    f"{name}.probabilities": torch.softmax(processed, -1)}
        if "top_p" in settings:  # no sum of probabilities so near the threshold that rounding decides
            before = logits[:used].clone()
            for p in processors[:-1]:
                before = p(ids[:used], before)
            sums = torch.softmax(before.double(), -1).sort(-1).values.cumsum(-1)
            assert (sums - (1 - settings["top_p"])).abs().min() > 5e-7, name
    OUT.mkdir(exist_ok=True)
    save_file({k: v.contiguous() for k, v in tensors.items()}, OUT / "golden.safetensors")
    info = {"versions": versions(), "seed": 601, "cases": described, "sha256": sha256(OUT / "golden.safetensors")}
    (OUT / "golden.json").write_text(json.dumps(info, separators=(", ", ": ")).replace('}, "', '},\n "') + "\n")
    for path in OUT.iterdir():
        path.chmod(0o644)
    for name, d in described.items():
        print(name, d["processors"], d["kept"])


if __name__ == "__main__":
    main()
