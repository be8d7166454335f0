"""config.json as published checkpoints spell it: transformers 4's names for what version 5 calls rope_parameters and dtype.

Written beside as config.v4.json; goldens.py asserts that transformers computes the same with it.
"""

import json
from pathlib import Path

from transformers import AutoConfig

FIFTH_ONLY = ("chunk_size_feed_forward", "is_encoder_decoder", "output_attentions", "output_hidden_states", "return_dict",
              "problem_type", "id2label", "label2id")  # written inside attn_config by version 5


def older_config(folder: Path) -> str | None:
    """Write config.v4.json beside config.json and return its name."""
    config = json.loads((folder / "config.json").read_text())
    rope = config.pop("rope_parameters", None)
    kind = config["model_type"]
    config["torch_dtype"] = config.pop("dtype", "float32")
    config["transformers_version"] = "4.57.0"
    match kind:
        case "gemma3_text":
            gemma3(config, rope)
        case "mpt":
            attention = config["attn_config"]
            config["attn_config"] = {k: v for k, v in attention.items()
                                     if k not in FIFTH_ONLY + ("dtype", "model_type", "transformers_version", "architectures")}
            config["init_config"] = {"name": "kaiming_normal_", "fan_mode": "fan_in", "init_nonlinearity": "relu", "verbose": 0}
            config["verbose"] = 0
        case "falcon":  # rotary base 10000 unwritten, as in the published files
            assert rope["rope_theta"] == 10000.0
            config["apply_residual_connection_post_layernorm"] = False
        case _:
            flat(config, rope, kind)
    types = config.pop("layer_types", None)
    if types and AutoConfig.for_model(**config).layer_types != types:
        config["layer_types"] = types
    path = folder / "config.v4.json"
    path.write_text(json.dumps(config, indent=2) + "\n")
    return path.name


def flat(config: dict, rope: dict, kind: str) -> None:
    """rope_theta, rope_scaling and the rotated share on the top level."""
    config["rotary_emb_base" if kind == "gpt_neox" else "rope_theta"] = rope.pop("rope_theta")
    partial = rope.pop("partial_rotary_factor", None)
    if partial is not None and not (kind == "phi3" and partial == 1):
        config["rotary_pct" if kind == "gpt_neox" else "partial_rotary_factor"] = partial
    if kind == "phi3" and rope["rope_type"] == "longrope":  # the original context stands on the top level, the kind is `type`
        config["original_max_position_embeddings"] = rope.pop("original_max_position_embeddings")
        rope["type"] = rope.pop("rope_type")
    if rope.get("rope_type") in ("linear", "dynamic"):
        rope["type"] = rope.pop("rope_type")
    config["rope_scaling"] = None if rope.get("rope_type") == "default" else rope


def gemma3(config: dict, rope: dict) -> None:
    """Two bases: rope_theta for full attention, scaled by rope_scaling, rope_local_base_freq for windows."""
    config.pop("_sliding_window_pattern", None)
    full, local = rope["full_attention"], rope["sliding_attention"]
    config["rope_theta"], config["rope_local_base_freq"] = full.pop("rope_theta"), local.pop("rope_theta")
    assert local == {"rope_type": "default"}
    config["rope_scaling"] = None if full == {"rope_type": "default"} else full
    types = config["layer_types"]
    period = types.index("full_attention") + 1
    if types == ["sliding_attention" if (i + 1) % period else "full_attention" for i in range(len(types))]:
        config["sliding_window_pattern"] = period
