"""Every value of a run of TransformerLens 4.3.0 under every name that it has there, old and new.

`python reference/transformerlens_names.py`, by hand, after transformerlens.py, whose two models it runs. Provenance:
transformer_lens 4.3.0, PyTorch 2.15.0, transformers 5.23.0 on CPU, float32, one thread. Nothing is downloaded and no Go test
writes here. names.safetensors beside each model holds `ids` and the cache of one run of the plain bridge as its users save it.
"""

import torch
import transformers
from safetensors.torch import save_file

from transformerlens import FAMILIES, OUT, boot

if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    ids = torch.tensor([[3, 14, 15], [9, 26, 5]])
    for family in FAMILIES:
        bridge = boot(OUT / family.name, family.config["vocab_size"], None)
        with torch.no_grad():
            _, cache = bridge.run_with_cache(ids)
        values = {name: value.contiguous().clone() for name, value in cache.items()}
        path = OUT / family.name / "names.safetensors"
        save_file({"ids": ids} | values, path)
        path.chmod(0o644)
        print(family.name, len(values))
