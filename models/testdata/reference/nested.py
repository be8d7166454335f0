"""Gemma 3 as its larger checkpoints are published: the text model inside a model that also sees images.

`python reference/nested.py` after goldens.py, by hand. Provenance: PyTorch 2.15.0, transformers 5.23.0, CPU, float32, one
thread. The text weights are those of ../architectures/gemma3; the image tower is random and never runs.

Writes ../architectures/gemma3-nested: config.json and config.v4.json with the sizes under text_config, model.safetensors with
`language_model.` before each text weight, golden.safetensors (ids and logits, equal to those of gemma3) and golden.json.
"""

import json

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForImageTextToText

from goldens import OUT, relative, save_model, sha256, versions

IMAGES = dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=8, patch_size=4,
              vision_use_head=False)


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(241)  # for the image tower
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    text, folder = OUT / "gemma3", OUT / "gemma3-nested"
    config = AutoConfig.for_model("gemma3", text_config=json.loads((text / "config.json").read_text()), vision_config=IMAGES,
                                  mm_tokens_per_image=4)
    model = AutoModelForImageTextToText.from_config(config, attn_implementation="eager").eval().float()
    missing, unexpected = model.model.language_model.load_state_dict(
        {k.removeprefix("model."): v for k, v in load_file(text / "model.safetensors").items()})
    assert not missing and not unexpected
    save_model(model, folder)
    older = json.loads((folder / "config.json").read_text())
    older["text_config"] = json.loads((text / "config.v4.json").read_text())
    older["torch_dtype"], older["transformers_version"] = older.pop("dtype"), "4.57.0"
    (folder / "config.v4.json").write_text(json.dumps(older, indent=2) + "\n")

    golden = load_file(text / "golden.safetensors")
    seen = {}
    for name in ("config.json", "config.v4.json"):
        read = AutoConfig.for_model(**json.loads((folder / name).read_text()))
        hf = AutoModelForImageTextToText.from_pretrained(folder, config=read, attn_implementation="eager", dtype=torch.float32).eval()
        with torch.no_grad():
            logits = hf(input_ids=golden["ids"], use_cache=False).logits
        seen[name] = relative(logits, golden["logits"])
        assert seen[name] < 1e-6, (name, seen)
    save_file({"ids": golden["ids"], "logits": logits.contiguous()}, folder / "golden.safetensors")
    info = {"family": "gemma3", "variant": "nested", "versions": versions(),
            "note": "sizes under text_config, text weights named language_model.model.*; vision_tower.* and multi_modal_projector.* are no "
                    "part of the text model; unembedding tied", "difference_from_gemma3": seen,
            "sha256": {p.name: sha256(p) for p in sorted(folder.glob("*.safetensors"))}}
    (folder / "golden.json").write_text(json.dumps(info, indent=1) + "\n")
    for path in folder.iterdir():
        path.chmod(0o644)
    print(seen, sorted(load_file(folder / "model.safetensors"))[:2])


if __name__ == "__main__":
    main()
