"""TransformerLens 4.3.0 on two tiny models: the cache's decompositions and weight processing.

`python reference/transformerlens.py`, by hand. Provenance: transformer_lens 4.3.0, PyTorch 2.15.0, transformers 5.23.0 on
CPU, float32, one thread; index.json repeats versions and seeds. Nothing is downloaded and no Go test writes here.

Per model in ../transformerlens: config.json and model.safetensors (Hugging Face's layout), cases.safetensors (what the
methods of ActivationCache return), processing.safetensors (weights, logits and activations for each choice of weight
processing) and index.json (method, arguments and labels of each case, settings of each processing).
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Iterator

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer, models
from torch import Tensor
from transformer_lens import ActivationCache
from transformer_lens.model_bridge import TransformerBridge
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from families import Family, rope
from goldens import build, relative, save_model, sha256, versions

OUT = Path(__file__).resolve().parent.parent / "transformerlens"
LENGTH = 5
FAMILIES = [
    Family("gpt2", "gpt2", 301,
           dict(vocab_size=29, n_embd=12, n_layer=2, n_head=3, n_inner=20, n_positions=16, bos_token_id=1, eos_token_id=2,
                layer_norm_epsilon=1e-3, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0),
           "LayerNorm, learned positions, biases, tied in the file and untied by processing", quiet=0.5),
    Family("llama", "llama", 302,
           dict(vocab_size=29, hidden_size=12, intermediate_size=20, num_hidden_layers=2, num_attention_heads=4,
                num_key_value_heads=2, head_dim=4, max_position_embeddings=16, rms_norm_eps=1e-3, tie_word_embeddings=False,
                attention_bias=True, bos_token_id=1, eos_token_id=2, pad_token_id=0, rope_parameters=rope(100.0)),
           "RMSNorm, grouped queries with 4*4 != 12, gated feed-forward, rotary, bias on q, k, v and o"),
]
ALL = dict(fold_ln=True, center_writing_weights=True, center_unembed=True, fold_value_biases=True)
NONE = dict.fromkeys(ALL, False)
PROCESSINGS = {"none": NONE, "fold_ln": NONE | dict(fold_ln=True),
               "fold_ln+center_writing_weights": NONE | dict(fold_ln=True, center_writing_weights=True),
               "center_unembed": NONE | dict(center_unembed=True), "fold_value_biases": NONE | dict(fold_value_biases=True),
               "fold_ln+fold_value_biases": NONE | dict(fold_ln=True, fold_value_biases=True), "all": ALL}
WEIGHTS = ("W_E", "W_pos", "W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V", "b_O", "W_in", "W_gate", "W_out", "b_in", "b_out",
           "W_U", "b_U")
SITES = ("hook_embed", "hook_pos_embed", "blocks.0.hook_resid_mid", "blocks.0.hook_resid_post", "blocks.1.attn.hook_v",
         "blocks.1.attn.hook_pattern", "blocks.1.hook_attn_out", "blocks.1.mlp.hook_pre", "blocks.1.hook_mlp_out",
         "blocks.1.hook_resid_post", "ln_final.hook_scale", "ln_final.hook_normalized")


def boot(folder: Path, vocab: int, settings: dict[str, bool] | None) -> TransformerBridge:
    """The bridge on Hugging Face's own module; settings None: plain bridge, else compatibility mode with that processing."""
    hf = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    words = Tokenizer(models.WordLevel({f"t{i}": i for i in range(vocab)}, unk_token="t0"))
    with tempfile.TemporaryDirectory() as scratch:  # TransformerLens wants a tokenizer that has a home
        PreTrainedTokenizerFast(tokenizer_object=words, unk_token="t0", bos_token="t1", eos_token="t2",
                                pad_token="t0").save_pretrained(scratch)
        tokenizer = PreTrainedTokenizerFast.from_pretrained(scratch)
        bridge = TransformerBridge.boot_transformers(str(folder), hf_model=hf, tokenizer=tokenizer, dtype=torch.float32)
    if settings is not None:
        bridge.enable_compatibility_mode(disable_warnings=True, **settings)
    return bridge.eval()


def cases(tokens: Tensor, vocab: int, direction: Tensor) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(name, method of ActivationCache, arguments); an argument that names another case stands for its value."""
    last = dict(pos_slice=-1)
    correct, wrong = (tokens[:, 1:] + 3) % vocab, (tokens[:, 1:] + 7) % vocab
    correct, wrong = torch.cat([correct, correct[:, :1]], 1), torch.cat([wrong, wrong[:, :1]], 1)  # [B, T]
    yield "accumulated", "accumulated_resid", {}
    yield "accumulated.mid", "accumulated_resid", dict(incl_mid=True)
    yield "accumulated.mid.ln", "accumulated_resid", dict(incl_mid=True, apply_ln=True)
    yield "accumulated.layer1.ln", "accumulated_resid", dict(layer=1, apply_ln=True)
    yield "accumulated.layer1.mlp_input.ln", "accumulated_resid", dict(layer=1, mlp_input=True, incl_mid=True, apply_ln=True)
    yield "accumulated.last", "accumulated_resid", last
    yield "decompose", "decompose_resid", {}
    for mode in ("mlp", "attn"):
        yield f"decompose.{mode}", "decompose_resid", dict(mode=mode)
    yield "decompose.layer0", "decompose_resid", dict(layer=0)
    yield "decompose.layer1.mlp_input", "decompose_resid", dict(layer=1, mlp_input=True)
    yield "decompose.layer1.mlp_input.ln", "decompose_resid", dict(layer=1, mlp_input=True, apply_ln=True)
    yield "decompose.mlp.no_embeds.ln.last", "decompose_resid", dict(mode="mlp", incl_embeds=False, apply_ln=True) | last
    yield "decompose.slice", "decompose_resid", dict(pos_slice=(1, 4))  # positions 1, 2, 3
    yield "decompose.picked", "decompose_resid", dict(pos_slice=[1, 4])  # positions 1 and 4
    yield "heads.layer1", "stack_head_results", dict(layer=1)
    yield "heads.layer1.remainder.ln", "stack_head_results", dict(layer=1, incl_remainder=True, apply_ln=True)
    yield "heads.remainder.last", "stack_head_results", dict(incl_remainder=True) | last
    yield "neurons.some", "stack_neuron_results", dict(layer=2, neuron_slice=[0, 3, 17], incl_remainder=True)
    yield "neurons.layer1.mlp_input.ln.last", "stack_neuron_results", \
        dict(layer=1, mlp_input=True, incl_remainder=True, apply_ln=True) | last
    yield "neurons.onto", "stack_neuron_results", dict(layer=2, project_output_onto=direction)
    yield "neurons.onto.ln", "stack_neuron_results", \
        dict(layer=2, project_output_onto=direction, apply_ln=True, incl_remainder=True)
    yield "full.last", "get_full_resid_decomposition", last
    yield "full.mlps", "get_full_resid_decomposition", dict(expand_neurons=False)
    yield "full.mlps.ln", "get_full_resid_decomposition", dict(expand_neurons=False, apply_ln=True)
    yield "full.layer1.mlp_input.last", "get_full_resid_decomposition", dict(layer=1, mlp_input=True) | last
    yield "full.layer1.mlps.mlp_input.ln", "get_full_resid_decomposition", \
        dict(layer=1, mlp_input=True, expand_neurons=False, apply_ln=True)
    yield "full.onto.ln", "get_full_resid_decomposition", dict(project_output_onto=direction, apply_ln=True)
    yield "ln.final", "apply_ln_to_stack", dict(residual_stack="decompose")
    yield "ln.final.recomputed", "apply_ln_to_stack", dict(residual_stack="accumulated", recompute_ln=True)
    yield "ln.layer1", "apply_ln_to_stack", dict(residual_stack="decompose.layer0", layer=1)
    yield "ln.layer1.mlp_input", "apply_ln_to_stack", dict(residual_stack="decompose.layer0", layer=1, mlp_input=True)
    yield "ln.row1", "apply_ln_to_stack", dict(residual_stack="decompose", batch_slice=1, has_batch_dim=True)
    yield "attrs.one", "logit_attrs", dict(residual_stack="decompose", tokens=5)
    yield "attrs.row", "logit_attrs", dict(residual_stack="decompose", tokens=correct[:, 0])
    yield "attrs.row.difference", "logit_attrs", \
        dict(residual_stack="decompose", tokens=correct[:, 0], incorrect_tokens=wrong[:, 0])
    yield "attrs.each", "logit_attrs", dict(residual_stack="full.mlps", tokens=correct, incorrect_tokens=wrong)
    yield "attrs.positions", "logit_attrs", dict(residual_stack="decompose", tokens=correct[:1])
    yield "attrs.last", "logit_attrs", dict(residual_stack="full.last", tokens=correct[:, -1], incorrect_tokens=wrong[:, -1]) | last


def run_cases(cache: ActivationCache, tokens: Tensor, vocab: int, direction: Tensor) -> tuple[dict[str, Tensor], dict]:
    values, described = {}, {}
    for name, method, arguments in cases(tokens, vocab, direction):
        given = {k: values[v] if k == "residual_stack" else v for k, v in arguments.items()}
        labelled = method not in ("apply_ln_to_stack", "logit_attrs")
        out = getattr(cache, method)(**given, **(dict(return_labels=True) if labelled else {}))
        value, labels = out if labelled else (out, None)
        values[name] = value.detach().contiguous().clone()
        described[name] = {"method": method, "arguments": {k: shown(k, v) for k, v in arguments.items()}}
        if labelled:
            described[name]["labels"] = labels
    return values, described


def shown(argument: str, value: Any) -> Any:
    """For JSON: a projection by its tensor's name, (from, to) apart from a list of indices."""
    if argument == "project_output_onto":
        return "onto"
    if isinstance(value, tuple):
        return {"from": value[0], "to": value[1]}
    return value.tolist() if isinstance(value, Tensor) else value


def sums(values: dict[str, Tensor], cache: ActivationCache, layers: int) -> dict[str, float]:
    """The decompositions add up to the residual stream they decompose."""
    final, mid = cache["resid_post", layers - 1], cache["resid_mid", 1]
    pairs = {"decompose": final, "full.mlps": final, "full.last": final[:, -1], "heads.remainder.last": final[:, -1],
             "decompose.layer1.mlp_input": mid, "full.layer1.mlp_input.last": mid[:, -1]}
    found = {name: relative(values[name].sum(0), want) for name, want in pairs.items()}
    assert max(found.values()) < 2e-6, found
    return {k: float(f"{v:.2g}") for k, v in found.items()}


def weights(bridge: TransformerBridge) -> dict[str, Tensor]:
    found = {}
    for name in WEIGHTS:
        try:
            w = getattr(bridge, name)
        except AttributeError:  # no gate, no learned positions
            continue
        if w is not None:
            found[name] = w.detach().contiguous().clone()
    return found


def processing(folder: Path, vocab: int, tokens: Tensor) -> tuple[dict[str, Tensor], dict]:
    tensors, described = {}, {}
    for name, settings in PROCESSINGS.items():
        try:
            bridge = boot(folder, vocab, settings)
        except RuntimeError as e:  # 4.3.0 folds value biases of grouped heads only after the norms
            described[name] = {"settings": settings, "fails": str(e)}
            continue
        with torch.no_grad():
            logits, cache = bridge.run_with_cache(tokens)
        part = {f"weights.{k}": v for k, v in weights(bridge).items()} | {"logits": logits}
        part |= {site: cache[site] for site in SITES if site in cache.cache_dict}
        if name != "none":  # only what this processing changed
            part = {k: v for k, v in part.items() if f"none.{k}" not in tensors or not torch.equal(tensors[f"none.{k}"], v)}
        tensors |= {f"{name}.{k}": v.detach().contiguous().clone() for k, v in part.items()}
        raw = tensors["none.logits"]
        same = relative(torch.log_softmax(logits, -1), torch.log_softmax(raw, -1))
        assert same < 1e-5, (name, same)
        described[name] = {"settings": settings, "stored": sorted(part),
                           "log_probabilities_against_none": float(f"{same:.2g}"),
                           "logits_against_none": float(f"{relative(logits, raw):.2g}")}
    return tensors, described


def make(family: Family) -> None:
    folder = OUT / family.name
    save_model(build(family), folder)
    vocab = family.config["vocab_size"]
    rng = torch.Generator().manual_seed(family.seed * 1000)
    tokens = torch.randint(3, vocab, (2, LENGTH), generator=rng)
    direction = torch.randn(12, generator=rng)
    tensors, described, checked = {"ids": tokens, "onto": direction}, {}, {}
    for basis, settings in (("raw", None), ("all", ALL)):
        bridge = boot(folder, vocab, settings)
        with torch.no_grad():
            logits, cache = bridge.run_with_cache(tokens)
            values, described = run_cases(cache, tokens, vocab, direction)
        checked[basis] = sums(values, cache, 2)
        tensors |= {f"{basis}.logits": logits} | {f"{basis}.{k}": v for k, v in values.items()}
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "cases.safetensors")
    processed, settings = processing(folder, vocab, tokens)
    save_file(processed, folder / "processing.safetensors")
    info = {"family": family.name, "note": family.note, "seed": family.seed, "versions": versions("transformer_lens"),
            "bases": {"raw": "plain bridge, weights as in the file", "all": "compatibility mode, every processing"},
            "cases": described, "sums_to_residual": checked, "processing": settings,
            "sha256": {p.name: sha256(p) for p in sorted(folder.glob("*.safetensors"))}}
    (folder / "index.json").write_text(json.dumps(info, indent=None, separators=(", ", ": ")).replace('}, "', '},\n "') + "\n")
    for path in folder.iterdir():
        path.chmod(0o644)
    print(family.name, checked, {k: v.get("logits_against_none", v.get("fails")) for k, v in settings.items()})


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for each in FAMILIES:
        make(each)
