"""Compare the goldens with TransformerLens 4.3.0's bridge and note the differences in golden.json.

`python reference/crosscheck.py FOLDER...` after goldens.py, in an environment with transformer_lens 4.3.0. The bridge runs
Hugging Face's weights through attention of its own, so this checks what the site names mean more than the arithmetic.
Reports, never fails: every disagreement is named under `transformer_lens` in golden.json.
"""

import json
import logging
import re
import sys
import warnings
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from goldens import compact, relative, versions
from transformerlens import boot

HEADS_FIRST = re.compile(r"\.[qk]_norm\.hook_")  # the bridge's norms of q and k run on [B, heads, T, Dh]


def site(name: str) -> bool:
    return name.startswith(("blocks.", "hook_", "ln_final."))


def general(name: str) -> str:
    return ".".join("l" if p.isdigit() else p for p in name.split("."))


def without_row(scores: Tensor) -> Tensor:
    """Scores less the largest of their row: what softmax sees; masked entries -inf as here."""
    masked = scores < -1e30
    scores = scores.masked_fill(masked, -torch.inf)
    return scores - scores.amax(-1, keepdim=True)


def compare(folder: Path) -> dict:
    golden = load_file(folder / "golden.safetensors")
    bridge = boot(folder, golden["logits"].shape[-1], None)
    try:
        bridge.set_use_attn_result(True)
    except (ValueError, NotImplementedError, AttributeError):
        pass
    with torch.no_grad():
        logits, cache = bridge.run_with_cache(golden["ids"])
    worst = {"logits": relative(logits, golden["logits"])}
    absent, differs = set(), {}
    for name, ours in filter(lambda item: site(item[0]), golden.items()):
        try:
            theirs = cache[name]
        except KeyError:
            absent.add(general(name))
            continue
        if HEADS_FIRST.search(name) and theirs.ndim == 4 and theirs.shape[1] != ours.shape[1]:
            theirs = theirs.transpose(1, 2)
        if name.endswith("attn_scores"):
            ours, theirs = without_row(ours), without_row(theirs)
        if theirs.shape != ours.shape:
            differs[general(name)] = f"shape {list(theirs.shape)} against {list(ours.shape)}"
            continue
        d = relative(theirs, ours)
        worst[general(name).split(".")[-1]] = max(worst.get(general(name).split(".")[-1], 0.0), d)
        if d > 1e-5:
            differs[name] = float(f"{d:.2g}")
    if worst["logits"] > 1e-5:
        differs = {"logits": float(f"{worst['logits']:.2g}")} | dict(list(differs.items())[:3])
        return {"differs_first_at": differs}
    found = {"largest_difference": compact(worst), "compared": "scores up to a constant of the row, q and k norms with positions first"}
    return found | ({"differs": differs} if differs else {}) | ({"absent": sorted(absent)} if absent else {})


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    for folder in map(Path, sys.argv[1:]):
        path = folder / "golden.json"
        text = path.read_text()
        try:
            found = compare(folder)
        except Exception as e:
            found = {"fails": f"{type(e).__name__}: {str(e).splitlines()[0][:160]}"}
        entry = {"version": versions("transformer_lens")["transformer_lens"]} | found
        text = re.sub(r'^ "transformer_lens": .*\n', "", text, flags=re.M)
        line = f' "transformer_lens": {json.dumps(entry)},\n'
        path.write_text(text.replace(' "sites": {\n', line + ' "sites": {\n', 1))
        assert json.loads(path.read_text())["transformer_lens"] == entry
        print(folder.name, found)


if __name__ == "__main__":
    main()
