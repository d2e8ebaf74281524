"""The convolutional tokenizer: pictures ↔ features on a grid of one cell per 8×8 pixels.

Exported tensors and what happens, layer by layer (all convolutions 3×3, padding 1, unless said otherwise; SiLU is
x·sigmoid(x); unshuffle/shuffle are torch's PixelUnshuffle/PixelShuffle, channel order (c, row, column)):

``residual(x)`` = x + conv2(silu(conv1(silu(x))))          names ``….conv1.{weight,bias}``, ``….conv2.{weight,bias}``

encoder: picture (B, 3, S, S) in 0..1
    x·2-1 → unshuffle 4 (48, S/4)
    → ``encoder.input`` 48→64
    → ``encoder.quarter.{i}`` residual, i < blocks.encoder[0]
    → ``encoder.downsample`` 64→128, stride 2, padding 1 on all sides (S/8)
    → ``encoder.eighth.{i}`` residual, i < blocks.encoder[1]
    → silu → ``encoder.output`` 128→16                      features z (B, 16, S/8, S/8)
decoder: sum of codes (B, 16, S/8, S/8)
    ``decoder.input`` 16→128
    → ``decoder.eighth.{i}`` residual, i < blocks.decoder[1]
    → ``decoder.upsample`` 1×1 128→256 → shuffle 2 (64, S/4)
    → ``decoder.quarter.{i}`` residual, i < blocks.decoder[0]
    → silu → ``decoder.refine`` 64→64 → silu → shuffle 2 (16, S/2)
    → ``decoder.output`` 16→12 → shuffle 2 (3, S) → x·0.5+0.5   picture; the caller clamps to 0..1
``gains`` (K,): a bit b of scale k stands for (2b-1)·gains[k]/√16, see quantiser.py.
"""
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quantiser import Quantiser

#: Token grids by picture side. A token is 2×2 tokenizer cells, so the tokenizer's own grids are twice as fine.
SCALES = {64: (1, 2, 3, 4), 128: (1, 2, 3, 4, 6, 8), 256: (1, 2, 3, 4, 6, 8, 12, 16)}
CELLS_PER_TOKEN_SIDE = 2
DOWNSAMPLE = 8


class Residual(nn.Module):
    """Norm-free pre-activation residual block, the identity at initialisation."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(F.silu(x))))


def residuals(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Residual(channels) for _ in range(count)))


class Encoder(nn.Module):
    def __init__(self, code_bits: int, widths: tuple[int, int], blocks: tuple[int, int]):
        super().__init__()
        quarter, eighth = widths
        self.input = nn.Conv2d(3 * 16, quarter, 3, padding=1)
        self.quarter = residuals(quarter, blocks[0])
        self.downsample = nn.Conv2d(quarter, eighth, 3, stride=2, padding=1)
        self.eighth = residuals(eighth, blocks[1])
        self.output = nn.Conv2d(eighth, code_bits, 3, padding=1)

    def forward(self, picture: Tensor) -> Tensor:
        x = self.quarter(self.input(F.pixel_unshuffle(picture * 2 - 1, 4)))
        return self.output(F.silu(self.eighth(self.downsample(x))))


class Decoder(nn.Module):
    def __init__(self, code_bits: int, widths: tuple[int, int], blocks: tuple[int, int]):
        super().__init__()
        quarter, eighth = widths
        self.input = nn.Conv2d(code_bits, eighth, 3, padding=1)
        self.eighth = residuals(eighth, blocks[1])
        self.upsample = nn.Conv2d(eighth, quarter * 4, 1)
        self.quarter = residuals(quarter, blocks[0])
        self.refine = nn.Conv2d(quarter, quarter, 3, padding=1)
        self.output = nn.Conv2d(quarter // 4, 12, 3, padding=1)

    def forward(self, codes: Tensor) -> Tensor:
        x = self.eighth(self.input(codes))
        x = self.quarter(F.pixel_shuffle(self.upsample(x), 2))
        x = F.pixel_shuffle(F.silu(self.refine(F.silu(x))), 2)
        return F.pixel_shuffle(self.output(x), 2) * .5 + .5


class Tokenizer(nn.Module):
    """``blocks``: residual blocks of encoder and decoder, each (at a quarter, at an eighth of the side)."""

    def __init__(self, size: int = 128, code_bits: int = 16, widths: tuple[int, int] = (64, 128),
                 encoder_blocks: tuple[int, int] = (1, 1), decoder_blocks: tuple[int, int] = (1, 2)):
        super().__init__()
        self.config = dict(size=size, code_bits=code_bits, widths=tuple(widths),
                           encoder_blocks=tuple(encoder_blocks), decoder_blocks=tuple(decoder_blocks))
        self.scales = SCALES[size]
        self.encoder = Encoder(code_bits, widths, encoder_blocks)
        self.decoder = Decoder(code_bits, widths, decoder_blocks)
        self.quantiser = Quantiser(code_bits, [CELLS_PER_TOKEN_SIDE * side for side in self.scales])

    @property
    def grid(self) -> int:
        """Cells per side of the finest scale."""
        return self.quantiser.grids[-1]

    def forward(self, picture: Tensor, scales: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruction (B, 3, S, S), features and sum of codes (B, d, G, G); gradients pass straight through the
        quantiser, which keeps full precision: half of it would turn bits near zero."""
        features = self.encoder(picture).float()
        with torch.autocast(features.device.type, enabled=False):
            codes, _ = self.quantiser.quantise(features, scales)
        return self.decoder(codes + (features - features.detach())), features, codes

    @torch.no_grad()
    def reconstruct(self, picture: Tensor, scales: int | None = None) -> Tensor:
        """What survives encoding and decoding, clamped to 0..1."""
        return self.decoder(self.quantiser.quantise(self.encoder(picture), scales)[0]).clamp(0, 1)

    def start_from(self, state: dict[str, Tensor], pictures: Callable[[], Tensor]) -> None:
        """Takes another tokenizer's weights of the same widths. Blocks that it lacks stay the identity, those that it has
        beyond this one's are left; scales that it lacks get the gains that fit pictures (B, 3, size, size) best, drawn for
        it, those that it has keep theirs, so that a transformer that learnt its codes goes on with them."""
        gains = state['quantiser.log_gain'][:len(self.scales)]
        missing = len(self.scales) - len(gains)
        self.load_state_dict({**state, 'quantiser.log_gain': F.pad(gains, (0, missing))}, strict=False)
        if missing:
            self._fit_gains(pictures(), len(gains))

    @torch.no_grad()
    def _fit_gains(self, pictures: Tensor, first: int) -> None:
        """Gains of the scales from ``first`` on: the code of least squares for a sign is the mean absolute residual."""
        features, quantiser = self.encoder(pictures), self.quantiser
        total = torch.zeros_like(features)
        for k in range(len(quantiser.grids)):
            residual = quantiser.down(features - total, k)
            if k >= first:
                quantiser.log_gain[k] = (residual.abs().mean() * quantiser.code_bits ** .5).log()
            total = total + quantiser.up(quantiser.codes((residual > 0).float(), k), k)
