"""Attention with linear biases (Press et al. 2022, arXiv:2108.12409) as three architectures compute it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Alibi:
    slopes: Tensor  # [H] of the scaled scores
    divisor: float = 1.0  # Falcon divides the biases by sqrt(head_dim) together with the scores
    bf16: bool = False  # Falcon rounds slopes and biases to bfloat16

    def bias(self, length: int) -> Tensor:
        """What is added to the score of each key, up to a constant of the row [H, length]."""
        position = torch.arange(length, dtype=torch.float32)
        if not self.bf16:
            return self.slopes[:, None] * position / self.divisor
        rounded = self.slopes.bfloat16().float()[:, None] * position.bfloat16().float()
        return rounded.bfloat16().float() / self.divisor


def slopes(heads: int) -> Tensor:
    """2^(-8i/n) for the largest power of two n <= heads, then every other slope of the 2n series."""
    n = 2 ** math.floor(math.log2(heads))
    first = [2 ** (-8 * i / n) for i in range(1, n + 1)]
    return torch.tensor(first + [2 ** (-8 * i / (2 * n)) for i in range(1, 2 * (heads - n), 2)])
