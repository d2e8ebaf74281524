"""A small depth estimator: picture (B, 3, S, S) in 0..1 → relative disparity (B, 1, S, S), near = 1. S divides by 32.

Exported tensors, layer by layer (convolutions 3×3, padding 1; ``residual`` as in tokenizer.py):

    x·2-1 → unshuffle 4 → ``level1.input`` 48→48 → ``level1.residuals.0``                         x1 at S/4
    silu(x1) → ``level2.input`` 48→64 stride 2 → ``level2.residuals.0``                           x2 at S/8
    silu(x2) → ``level3.input`` 64→96 stride 2 → ``level3.residuals.0``                           x3 at S/16
    silu(x3) → ``level4.input`` 96→96 stride 2 → ``level4.residuals.0`` → ``level4.residuals.1``  x4 at S/32
    y3 = x3 + shuffle2(``up3`` 1×1 96→384 (x4))
    y2 = ``refine2``(x2 + shuffle2(``up2`` 1×1 96→256 (silu(y3))))      a residual block
    y1 = ``refine1``(x1 + shuffle2(``up1`` 1×1 64→192 (silu(y2))))      a residual block
    silu(y1) → ``out1`` 48→32 → silu → shuffle 2 → ``out2`` 8→4 → shuffle 2
"""
import torch.nn.functional as F
from torch import Tensor, nn

from tokenizer import residuals, Residual


class Level(nn.Module):
    def __init__(self, channels_in: int, channels: int, stride: int, blocks: int):
        super().__init__()
        self.input = nn.Conv2d(channels_in, channels, 3, stride=stride, padding=1)
        self.residuals = residuals(channels, blocks)

    def forward(self, x: Tensor) -> Tensor:
        return self.residuals(self.input(x))


def down_and_up(net: nn.Module, picture: Tensor) -> tuple[Tensor, Tensor]:
    """What a net with levels 1-4, ``up3``, ``up2`` and ``refine2`` sees: (x1 at S/4, y2 at S/8)."""
    x1 = net.level1(F.pixel_unshuffle(picture * 2 - 1, 4))
    x2 = net.level2(F.silu(x1))
    x3 = net.level3(F.silu(x2))
    x4 = net.level4(F.silu(x3))
    y = x3 + F.pixel_shuffle(net.up3(x4), 2)
    y = net.refine2(x2 + F.pixel_shuffle(net.up2(F.silu(y)), 2))
    return x1, y


class DepthNet(nn.Module):
    def __init__(self, widths: tuple[int, int, int] = (48, 64, 96)):
        super().__init__()
        self.config = dict(widths=tuple(widths))
        a, b, c = widths
        self.level1, self.level2 = Level(48, a, 1, 1), Level(a, b, 2, 1)
        self.level3, self.level4 = Level(b, c, 2, 1), Level(c, c, 2, 2)
        self.up3, self.up2, self.up1 = nn.Conv2d(c, c * 4, 1), nn.Conv2d(c, b * 4, 1), nn.Conv2d(b, a * 4, 1)
        self.refine2, self.refine1 = Residual(b), Residual(a)
        self.out1, self.out2 = nn.Conv2d(a, 32, 3, padding=1), nn.Conv2d(8, 4, 3, padding=1)

    def forward(self, picture: Tensor) -> Tensor:
        x1, y = down_and_up(self, picture)
        y = self.refine1(x1 + F.pixel_shuffle(self.up1(F.silu(y)), 2))
        return F.pixel_shuffle(self.out2(F.pixel_shuffle(F.silu(self.out1(F.silu(y))), 2)), 2)
