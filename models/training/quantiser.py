"""Multi-scale residual binary quantisation (BSQ, Zhao et al. 2024; the residual pyramid is Infinity's, Han et al. 2024).

Letters: B batch, d code bits per cell, G side of the finest tokenizer grid, g_k side of scale k's grid.
"""
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def area_matrix(size_in: int, size_out: int) -> Tensor:
    """(out, in): adaptive average, windows floor(i·in/out) … ceil((i+1)·in/out)."""
    if size_in == size_out:
        return torch.eye(size_in)
    return F.adaptive_avg_pool1d(torch.eye(size_in).unsqueeze(0), size_out)[0].t().contiguous()


def linear_matrix(size_in: int, size_out: int) -> Tensor:
    """(out, in): linear interpolation with half-pixel centres (align_corners=False), no antialiasing."""
    if size_in == size_out:
        return torch.eye(size_in)
    resized = F.interpolate(torch.eye(size_in).unsqueeze(0), size=size_out, mode='linear', align_corners=False)
    return resized[0].t().contiguous()


def _apply(matrix: Tensor, z: Tensor) -> Tensor:
    """Resizes rows and columns of (…, h, w) with the same matrix; a square matrix here is the identity."""
    return z if matrix.shape[0] == matrix.shape[1] else matrix @ z @ matrix.t()


class Quantiser(nn.Module):
    """A bit b of scale k decodes to (2b-1)·gain_k/√d; the codes of all scales, upsampled, are summed.

    Infinity uses gain 1 throughout; here the gains are learnt, because residuals shrink from scale to scale.
    """

    def __init__(self, code_bits: int, grids: list[int]):
        super().__init__()
        self.code_bits, self.grids = code_bits, tuple(grids)
        self.log_gain = nn.Parameter(torch.zeros(len(grids)))
        for k, grid in enumerate(grids):
            self.register_buffer(f'down_{k}', area_matrix(grids[-1], grid), persistent=False)
            self.register_buffer(f'up_{k}', linear_matrix(grid, grids[-1]), persistent=False)
            self.register_buffer(f'input_{k}', linear_matrix(grids[-1], grid), persistent=False)

    def gains(self) -> Tensor:
        """(K,)"""
        return self.log_gain.exp()

    def down(self, z: Tensor, k: int) -> Tensor:
        """(B, ·, G, G) → (B, ·, g_k, g_k), area average."""
        return _apply(getattr(self, f'down_{k}'), z)

    def up(self, z: Tensor, k: int) -> Tensor:
        """(B, ·, g_k, g_k) → (B, ·, G, G), bilinear."""
        return _apply(getattr(self, f'up_{k}'), z)

    def next_input(self, total: Tensor, k: int) -> Tensor:
        """Sum of codes so far → what scale k is given, (B, d, g_k, g_k), bilinear without antialiasing."""
        return _apply(getattr(self, f'input_{k}'), total)

    def codes(self, bits: Tensor, k: int) -> Tensor:
        return (bits * 2 - 1) * (self.log_gain[k].exp() / math.sqrt(self.code_bits))

    def quantise(self, z: Tensor, scales: int | None = None) -> tuple[Tensor, list[Tensor]]:
        """Encoder features (B, d, G, G) → sum of codes (same shape) and the bits of every scale (B, d, g_k, g_k).

        Bits carry no gradient; gains do.
        """
        total, all_bits, fixed = torch.zeros_like(z), [], z.detach()
        for k in range(scales or len(self.grids)):
            bits = (self.down(fixed - total.detach(), k) > 0).to(z.dtype)
            all_bits.append(bits)
            total = total + self.up(self.codes(bits, k), k)
        return total, all_bits
