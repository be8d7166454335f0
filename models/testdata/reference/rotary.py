"""Rotary embeddings and the ways of stretching them, written out from their papers, without transformers.

Position interpolation ("linear"), NTK-aware scaling by the current length ("dynamic"), YaRN (Peng et al. 2023,
arXiv:2309.00071), the scaling of Llama 3.1 and LongRoPE (Ding et al. 2024, arXiv:2402.13753).
"""

import math
from dataclasses import dataclass
from typing import Callable

import torch
from torch import Tensor

Scaling = Callable[[Tensor, int], Tensor]  # (unscaled frequencies, length of the prompt) -> frequencies


@dataclass
class Rotary:
    unscaled: Tensor  # [rotary_dim/2], angle per position of each pair before scaling
    scaling: Scaling
    factor: float = 1.0  # cosines and sines are multiplied by it (YaRN, LongRoPE)
    interleaved: bool = False  # pairs (0,1)(2,3)... instead of (0,n/2)(1,n/2+1)...
    by_length: bool = False  # frequencies depend on the length of the prompt

    def at(self, length: int) -> Tensor:
        """Angle per position of each pair for a prompt of `length` tokens [rotary_dim/2]."""
        return self.scaling(self.unscaled, length)


def rotate(x: Tensor, rotary: Rotary) -> Tensor:
    """Turn pair i of x [B, T, heads, Dh] by position * frequency i; dimensions beyond the pairs pass unchanged."""
    frequency = rotary.at(x.shape[1])
    n = frequency.numel()
    angle = torch.arange(x.shape[1])[:, None] * frequency  # float32 as in transformers
    cos, sin = ((f(angle) * rotary.factor).to(x.dtype)[:, None, :] for f in (torch.cos, torch.sin))
    pairs, rest = x[..., : 2 * n], x[..., 2 * n :]
    if rotary.interleaved:
        a, b = pairs[..., 0::2], pairs[..., 1::2]
        turned = torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2)
    else:
        a, b = pairs[..., :n], pairs[..., n:]
        turned = torch.cat([a * cos - b * sin, b * cos + a * sin], -1)
    return torch.cat([turned, rest], -1)


def make(parameters: dict, dim: int, context: int, interleaved: bool = False) -> Rotary:
    """`parameters` as transformers 5's `rope_parameters`; `context` is max_position_embeddings."""
    theta = parameters["rope_theta"]
    unscaled = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    kind = parameters.get("rope_type", "default")
    scaling, factor = SCALINGS[kind](parameters, dim, context)
    return Rotary(unscaled, scaling, factor, interleaved, kind in ("dynamic", "longrope"))


def default(p: dict, dim: int, context: int) -> tuple[Scaling, float]:
    return lambda inv, n: inv, 1.0


def linear(p: dict, dim: int, context: int) -> tuple[Scaling, float]:
    """Every pair slower by `factor`."""
    return lambda inv, n: inv / p["factor"], 1.0


def dynamic(p: dict, dim: int, context: int) -> tuple[Scaling, float]:
    """Beyond the context of n0 tokens the base grows by (s*n/n0 - (s-1))^(dim/(dim-2)), n the length of this prompt."""
    def scaled(inv: Tensor, n: int) -> Tensor:
        s = p["factor"]
        growth = (s * max(n, context) / context - (s - 1)) ** (dim / (dim - 2))
        return inv / growth ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    return scaled, 1.0


def yarn(p: dict, dim: int, context: int) -> tuple[Scaling, float]:
    """Pairs below `low` unchanged, above `high` slower by `factor`, a linear blend of both between.

    low and high are the pairs that turn beta_fast and beta_slow times within the original context, rounded outward.
    """
    s, original = p["factor"], p["original_max_position_embeddings"]

    def pair(turns: float) -> float:
        return dim * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(p["rope_theta"]))

    low, high = pair(p.get("beta_fast") or 32), pair(p.get("beta_slow") or 1)
    if p.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, dim - 1)
    if low == high:
        high += 0.001

    def scaled(inv: Tensor, n: int) -> Tensor:
        slowed = ((torch.arange(dim // 2, dtype=torch.float32) - low) / (high - low)).clamp(0, 1)
        return inv / s * slowed + inv * (1 - slowed)

    def magnitude(weight: float) -> float:
        return 1.0 if s <= 1 else 0.1 * weight * math.log(s) + 1

    factor = p.get("attention_factor")
    if factor is None and p.get("mscale") and p.get("mscale_all_dim"):
        factor = magnitude(p["mscale"]) / magnitude(p["mscale_all_dim"])
    return scaled, magnitude(1) if factor is None else factor


def llama3(p: dict, dim: int, context: int) -> tuple[Scaling, float]:
    """Fast pairs unchanged, slow pairs slower by `factor`, a linear blend between, by turns within the original context."""
    def scaled(inv: Tensor, n: int) -> Tensor:
        turns = p["original_max_position_embeddings"] * inv / (2 * math.pi)
        keep = ((turns - p["low_freq_factor"]) / (p["high_freq_factor"] - p["low_freq_factor"])).clamp(0, 1)
        return (1 - keep) * inv / p["factor"] + keep * inv
    return scaled, 1.0


def longrope(p: dict, dim: int, context: int) -> tuple[Scaling, float]:
    """Each pair has its own divisor: one list up to the original context, another for prompts beyond it."""
    original = p["original_max_position_embeddings"]

    def scaled(inv: Tensor, n: int) -> Tensor:
        return inv / torch.tensor(p["long_factor"] if n > original else p["short_factor"])

    stretch = p.get("factor") or context / original
    factor = p.get("attention_factor")
    if factor is None:
        factor = 1.0 if stretch <= 1 else math.sqrt(1 + math.log(stretch) / math.log(original))
    return scaled, factor


SCALINGS = {"default": default, "linear": linear, "dynamic": dynamic, "yarn": yarn, "llama3": llama3, "longrope": longrope}
