"""Which of the vocabulary's objects stand where: picture (B, 3, S, S) in 0..1 → logits (B, kinds, S/8, S/8). S divides by 32.

Exported tensors, layer by layer (convolutions 3×3, padding 1; ``residual`` as in tokenizer.py, levels as in depth.py):

    x·2-1 → unshuffle 4 → ``level1``     x1 at S/4
    silu(x1) → ``level2``                x2 at S/8
    silu(x2) → ``level3``                x3 at S/16
    silu(x3) → ``level4``                x4 at S/32
    y3 = x3 + shuffle2(``up3`` 1×1 (x4))
    y2 = ``refine2``(x2 + shuffle2(``up2`` 1×1 (silu(y3))))    a residual block
    silu(y2) → ``output``
"""
import torch.nn.functional as F
from torch import Tensor, nn

from depth import down_and_up, Level
from tokenizer import Residual
from vocabulary import KINDS


class Finder(nn.Module):
    def __init__(self, widths: tuple[int, int, int] = (16, 32, 48)):
        super().__init__()
        self.config = dict(widths=tuple(widths))
        a, b, c = widths
        self.level1, self.level2 = Level(48, a, 1, 1), Level(a, b, 2, 1)
        self.level3, self.level4 = Level(b, c, 2, 1), Level(c, c, 2, 2)
        self.up3, self.up2 = nn.Conv2d(c, c * 4, 1), nn.Conv2d(c, b * 4, 1)
        self.refine2 = Residual(b)
        self.output = nn.Conv2d(b, len(KINDS), 3, padding=1)
        nn.init.constant_(self.output.bias, -4.)  # most cells show none of them

    def forward(self, picture: Tensor) -> Tensor:
        _, y = down_and_up(self, picture)
        return self.output(F.silu(y))
