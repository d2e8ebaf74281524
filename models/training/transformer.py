"""A miniature of VAREdit (Mao et al. 2025) on Infinity's bitwise next-scale transformer (Han et al. 2024).

Letters: B batch, L tokens, C width, H heads, c head width, D bits per token, K scales, n side of the finest token grid,
S picture side. A token is a 2×2 patch of tokenizer cells (Infinity-8B's patchify). The sequence in training is
[source prefix n·n][scale 1]…[scale K]. Module names are the published ones, so ``state_dict`` is the exported file.

Additions of our own, off in the published family:
- source fusion: every token is told what the source has and the codes so far lack (the residual), and its mask cells;
- copy gate: the head adds sigmoid(gate)·beta_k·residual to the logits. Where nothing changes, the residual's sign *is*
  the answer, so copying needs no learning; a mean gate below zero marks a token as edited (the edit map);
- control fusion after ControlAR (Li et al. 2024); depth presets after VARiant: late scales may skip layers.
"""
import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quantiser import Quantiser, area_matrix
from text_encoder import MASKED, TextEncoder, attend, merge_heads, split_heads

ROTARY_BASE = 100.
MASK_KEEP_BELOW = .02  # a tokenizer cell with less masked area keeps the source's bits


def patchify(z: Tensor) -> Tensor:
    """(B, d, 2k, 2k) → (B, k·k, 4d), channel order of PixelUnshuffle: (d, row, column)."""
    return F.pixel_unshuffle(z, 2).flatten(2).transpose(1, 2)


def unpatchify(tokens: Tensor, side: int) -> Tensor:
    """(B, k·k, 4d) → (B, d, 2k, 2k)"""
    return F.pixel_shuffle(tokens.transpose(1, 2).reshape(tokens.shape[0], -1, side, side), 2)


def preset_layers(layers: int, wanted: int) -> list[int]:
    """VARiant's equidistant subset; first and last layer are always in it."""
    if wanted >= layers:
        return list(range(layers))
    return sorted({round(i * (layers - 1) / (wanted - 1)) for i in range(wanted)})


def rotary_table(side: int, span: int, head_width: int) -> Tensor:
    """(2, side², c/2) cosine and sine; the first half of the pairs turns with the row, the second with the column.

    Positions are cell centres, ``span`` units to a side whatever the scale, so that scales share one geometry.
    """
    pairs = head_width // 4
    positions = (torch.arange(side).float() + .5) * (span / side)
    angles = positions[:, None] * ROTARY_BASE ** -(torch.arange(pairs).float() / pairs)
    rows = angles[:, None].expand(side, side, -1).reshape(side * side, -1)
    columns = angles[None].expand(side, side, -1).reshape(side * side, -1)
    both = torch.cat([rows, columns], 1)
    return torch.stack([both.cos(), both.sin()])


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Rotary embedding with interleaved pairs (x0, x1), (x2, x3) …; x is (B, H, L, c)."""
    cosine, sine = table.to(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cosine - odd * sine, even * sine + odd * cosine], -1).flatten(-2)


class SelfAttention(nn.Module):
    """Cosine attention with one learnt temperature per head (Infinity)."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.mat_qkv = nn.Linear(width, 3 * width, bias=False)
        self.q_bias, self.v_bias = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.zeros(width))
        self.register_buffer('zero_k_bias', torch.zeros(width))
        self.scale_mul_1H11 = nn.Parameter(torch.full((1, heads, 1, 1), math.log(8.)))
        self.proj = nn.Linear(width, width)

    def heads_of(self, x: Tensor, table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """q, k, v, each (B, H, L, c), q and k normalised and rotated."""
        bias = torch.cat([self.q_bias, self.zero_k_bias, self.v_bias])
        query, key, value = (split_heads(part, self.heads) for part in F.linear(x, self.mat_qkv.weight, bias).chunk(3, -1))
        query = F.normalize(query, dim=-1) * self.scale_mul_1H11.clamp_max(math.log(100)).exp()
        return rotate(query, table), rotate(F.normalize(key, dim=-1), table), value


class CrossAttention(nn.Module):
    """Plain attention to the text memory; a key bias would cancel in the softmax, so there is none."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.mat_q, self.mat_kv = nn.Linear(width, width), nn.Linear(width, 2 * width, bias=False)
        self.v_bias = nn.Parameter(torch.zeros(width))
        self.proj = nn.Linear(width, width)
        nn.init.zeros_(self.proj.weight)

    def forward(self, x: Tensor, memory: Tensor, padding_bias: Tensor) -> Tensor:
        bias = torch.cat([torch.zeros_like(self.v_bias), self.v_bias])
        query = split_heads(self.mat_q(x), self.heads)
        key, value = (split_heads(part, self.heads) for part in F.linear(memory, self.mat_kv.weight, bias).chunk(2, -1))
        return self.proj(merge_heads(attend(query / math.sqrt(query.shape[-1]), key, value, padding_bias)))


class FeedForward(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x), approximate='tanh'))


class Block(nn.Module):
    def __init__(self, width: int, heads: int, depth: int, norm_eps: float):
        super().__init__()
        self.width, self.norm_eps = width, norm_eps
        self.ada_gss = nn.Parameter(torch.randn(1, 1, 6, width) * .02)
        self.ada_gss.data[:, :, :2] += 1.
        self.sa, self.ca, self.ffn = SelfAttention(width, heads), CrossAttention(width, heads), FeedForward(width)
        self.ca_norm = nn.LayerNorm(width, norm_eps)
        for layer in (self.sa.proj, self.ffn.fc2):  # keeps the residual stream's size independent of the depth
            layer.weight.data.mul_(1 / math.sqrt(2 * depth))

    def modulation(self, shared: Tensor) -> tuple[Tensor, ...]:
        """gamma1, gamma2, scale1, scale2, shift1, shift2, each (B, 1, C)."""
        return (self.ada_gss + shared).unbind(2)

    def normalised(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        return F.layer_norm(x, (self.width,), eps=self.norm_eps) * (1 + scale) + shift

    def queries(self, x: Tensor, modulation: tuple[Tensor, ...], table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.sa.heads_of(self.normalised(x, modulation[2], modulation[4]), table)

    def finish(self, x: Tensor, attended: Tensor, modulation: tuple[Tensor, ...], memory: Tensor, padding: Tensor) -> Tensor:
        """What follows self-attention; ``attended`` is (B, H, L, c)."""
        x = x + self.sa.proj(merge_heads(attended)) * modulation[0]
        x = x + self.ca(self.ca_norm(x), memory, padding)
        return x + self.ffn(self.normalised(x, modulation[3], modulation[5])) * modulation[1]


class ControlEncoder(nn.Module):
    """(B, 4, S, S) canny, canny flag, depth, depth flag → (B, n·n, C) at the finest token grid."""

    def __init__(self, width: int):
        super().__init__()
        self.conv1 = nn.Conv2d(4 * 64, 96, 1)
        self.conv2, self.conv3 = nn.Conv2d(96, 64, 3, padding=1), nn.Conv2d(64, 64, 3, padding=1)
        self.proj = nn.Linear(256, width)

    def forward(self, control: Tensor) -> Tensor:
        x = F.silu(self.conv1(F.pixel_unshuffle(control, 8)))
        return self.proj(patchify(F.silu(self.conv3(F.silu(self.conv2(x))))))


class _Chunk(nn.Module):
    """The published checkpoints keep blocks in chunks; ours has one."""

    def __init__(self, blocks: list[Block]):
        super().__init__()
        self.module = nn.ModuleList(blocks)


class _Head(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.ada_lin = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))


def _quiet(layer: nn.Linear) -> nn.Linear:
    nn.init.normal_(layer.weight, std=.01)
    nn.init.zeros_(layer.bias)
    return layer


class EditTransformer(nn.Module):
    """``residual_scale`` (K): 1 over the size of scale k's code, so residuals count in codes. ``span``: side of the token
    grid whose cells positions are counted in, the finest by default; a network for larger pictures keeps the span of the
    one that it begins with, and so computes what that did at the scales that both have. ``smooth_holes``: inside a hole the
    source goes on as its surroundings do (membrane.py) and is told of like the rest; otherwise it is grey there, and not."""

    def __init__(self, words: int, token_bits: int = 64, scales: tuple[int, ...] = (1, 2, 3, 4, 6, 8), width: int = 128,
                 depth: int = 6, heads: int = 4, late_scales: int = 2, norm_eps: float = 1e-6, span: int | None = None,
                 smooth_holes: bool = False):
        super().__init__()
        self.config = dict(words=words, token_bits=token_bits, scales=tuple(scales), width=width, depth=depth, heads=heads,
                           late_scales=late_scales, norm_eps=norm_eps, span=span or scales[-1], smooth_holes=smooth_holes)
        self.scales, self.width, self.depth, self.late_scales = tuple(scales), width, depth, late_scales
        self.finest, self.norm_eps, self.smooth_holes = scales[-1], norm_eps, smooth_holes
        self.text_encoder = TextEncoder(words, width, heads, norm_eps)
        self.word_embed, self.mask_embed = nn.Linear(token_bits, width), nn.Linear(4, width)
        self.source_fusion = nn.Linear(token_bits + 4, width)
        self.pos_start = nn.Parameter(torch.randn(1, 1, width) * .02)
        self.lvl_embed = nn.Embedding(len(scales), width)
        nn.init.normal_(self.lvl_embed.weight, std=.05)
        self.shared_ada_lin = nn.Sequential(nn.SiLU(), _quiet(nn.Linear(width, 6 * width)))
        self.block_chunks = nn.ModuleList([_Chunk([Block(width, heads, depth, norm_eps) for _ in range(depth)])])
        self.control_encoder = ControlEncoder(width)
        self.control_layers = [0, depth // 3, 2 * depth // 3]
        self.control_fuse = nn.ModuleList(_quiet(nn.Linear(width, width)) for _ in self.control_layers)
        self.head_nm = _Head(width)
        _quiet(self.head_nm.ada_lin[1])
        self.head = nn.Linear(width, 2 * token_bits)
        self.head.weight.data.mul_(.1)
        self.gate = nn.Linear(width, token_bits)
        nn.init.zeros_(self.gate.weight)
        nn.init.constant_(self.gate.bias, 1.5)  # copying is the default
        self.gate_beta = nn.Parameter(torch.full((len(scales),), 3.))
        self.register_buffer('residual_scale', torch.ones(len(scales)))
        self._register_geometry(width // heads)

    def _register_geometry(self, head_width: int) -> None:
        tables = [rotary_table(side, self.config['span'], head_width) for side in self.scales]
        self.register_buffer('rotary', torch.cat([tables[-1], *tables], 1), persistent=False)
        for k, side in enumerate(self.scales):
            matrix = area_matrix(self.finest, side)
            self.register_buffer(f'area_{k}', torch.kron(matrix, matrix), persistent=False)  # (side², n²)
        self.offsets = [self.finest ** 2]
        for side in self.scales:
            self.offsets.append(self.offsets[-1] + side * side)
        of_scale = torch.cat([torch.full((side * side,), k) for k, side in enumerate(self.scales)])
        level = torch.cat([torch.full((self.finest ** 2,), -1), of_scale])
        self.register_buffer('causal', _bias(level[:, None] >= level[None])[None, None], persistent=False)
        # Scale-aligned reference: in the first block scale k sees the source at its own size, not the finest one.
        source_scale = torch.where(level < 0, len(self.scales) - 1, level)
        aligned = torch.cat([of_scale[None] == source_scale[:, None], of_scale[None] <= level[:, None]], 1)
        self.register_buffer('aligned', _bias(aligned)[None, None], persistent=False)

    @property
    def blocks(self) -> nn.ModuleList:
        return self.block_chunks[0].module

    def area(self, k: int) -> Tensor:
        return getattr(self, f'area_{k}')

    def conditions(self, words: Tensor, control: Tensor | None, strength: float = 1.) -> 'Conditions':
        memory, pooled, padding = self.text_encoder(words)
        shared = self.shared_ada_lin(pooled).view(-1, 1, 6, self.width)
        return Conditions(memory, pooled, padding, shared, self._control(control, strength))

    def _control(self, control: Tensor | None, strength: float) -> list[Tensor] | None:
        """One (B, Σ side², C) per control layer; rows without control add nothing."""
        if control is None:
            return None
        is_on = (control[:, 1:2].amax((2, 3)) + control[:, 3:4].amax((2, 3))).clamp(0, 1).unsqueeze(-1)  # (B, 1, 1)
        features = self.control_encoder(control)
        features = torch.cat([self.area(k).to(features.dtype) @ features for k in range(len(self.scales))], 1)
        return [fuse(features) * (is_on * strength) for fuse in self.control_fuse]

    def source_tokens(self, features: Tensor, mask: Tensor) -> Tensor:
        """Continuous encoder features (B, d, 2n, 2n) and mask (B, 1, 2n, 2n) → prefix (B, n·n, C)."""
        return self.word_embed(patchify(features)) + self.mask_embed(patchify(mask)) + self.lvl_embed.weight[-1]

    def scale_tokens(self, k: int, codes: Tensor | None, pooled: Tensor, residual: Tensor, mask: Tensor) -> Tensor:
        """Input of scale k: patchified codes so far (none at the first scale), residual (B, L, D), mask (B, L, 4)."""
        start = pooled.unsqueeze(1) + self.pos_start if codes is None else self.word_embed(codes)
        return start + self.source_fusion(torch.cat([residual, mask], -1)) + self.lvl_embed.weight[k]

    def residual_of(self, k: int, source: Tensor, total: Tensor, mask: Tensor) -> Tensor:
        """Source minus codes so far, all at scale k's grid; nothing to copy inside a grey hole. (B, L, D)"""
        told = source - total
        return patchify(told if self.smooth_holes else told * (1 - mask)) * self.residual_scale[k]

    def logits_of(self, hidden: Tensor, pooled: Tensor, residual: Tensor, beta: Tensor) -> tuple[Tensor, Tensor]:
        """Bit logits (B, L, D), and the gate's mean (B, L): below zero where the token is edited."""
        scale, shift = self.head_nm.ada_lin(pooled).unsqueeze(1).chunk(2, -1)
        hidden = F.layer_norm(hidden, (self.width,), eps=self.norm_eps) * (1 + scale) + shift
        pairs, gate = self.head(hidden), self.gate(hidden)
        return pairs[..., 1::2] - pairs[..., 0::2] + torch.sigmoid(gate) * beta * residual, gate.mean(-1)

    def forward(self, words: Tensor, inputs: 'TeacherInputs', control: Tensor | None = None,
                preset: int | None = None) -> tuple[Tensor, Tensor]:
        """All scales at once, teacher-forced: logits (B, Σ side², D) and gate means (B, Σ side²)."""
        condition = self.conditions(words, control)
        tokens, residuals, betas = [self.source_tokens(inputs.source, inputs.mask)], [], []
        for k, side in enumerate(self.scales):
            mask = inputs.masks[k]
            residuals.append(self.residual_of(k, inputs.sources[k], inputs.totals[k], mask))
            tokens.append(self.scale_tokens(k, inputs.codes[k], condition.pooled, residuals[k], patchify(mask)))
            betas.append(self.gate_beta[k].expand(side * side))
        x, prefix = torch.cat(tokens, 1), self.offsets[0]
        early = self.offsets[len(self.scales) - self.late_scales]
        running = preset_layers(self.depth, preset or self.depth)
        for i, block in enumerate(self.blocks):
            x = self._with_control(x, condition, i, prefix)
            length = x.shape[1] if i in running else early
            y = self._block_forward(i, block, x[:, :length], condition)
            x = y if length == x.shape[1] else torch.cat([y, x[:, length:]], 1)
        beta = torch.cat(betas).view(1, -1, 1)
        return self.logits_of(x[:, prefix:], condition.pooled, torch.cat(residuals, 1), beta)

    def _with_control(self, x: Tensor, condition: 'Conditions', layer: int, prefix: int) -> Tensor:
        if condition.control is None or layer not in self.control_layers:
            return x
        added = condition.control[self.control_layers.index(layer)]
        return torch.cat([x[:, :prefix], x[:, prefix:] + added], 1)

    def _causal(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Every token sees its own scale and what came before: prefix, small scales together, then one late scale at a
        time, so that no score is computed that the mask would hide. All (B, H, L, c)."""
        ends = [self.offsets[0], *(end for end in self.offsets[len(self.scales) - self.late_scales:] if end <= query.shape[2])]
        parts, start = [], 0
        for i, end in enumerate(ends):
            bias = self.causal[:, :, start:end, :end] if i == 1 else None  # several scales in one call
            parts.append(attend(query[:, :, start:end], key[:, :, :end], value[:, :, :end], bias))
            start = end
        return torch.cat(parts, 2)

    def _block_forward(self, i: int, block: Block, x: Tensor, condition: 'Conditions') -> Tensor:
        modulation, prefix, length = block.modulation(condition.shared), self.offsets[0], x.shape[1]
        query, key, value = block.queries(x, modulation, self.rotary[:, :length])
        if i == 0:
            area = torch.cat([self.area(k) for k in range(len(self.scales))]).to(key.dtype)
            key = torch.cat([area @ key[:, :, :prefix], key[:, :, prefix:]], 2)
            value = torch.cat([area @ value[:, :, :prefix], value[:, :, prefix:]], 2)
            attended = attend(query, key, value, self.aligned)
        else:
            attended = self._causal(query, key, value)
        return block.finish(x, attended, modulation, condition.memory, condition.padding)


def _bias(visible: Tensor) -> Tensor:
    return torch.where(visible, 0., MASKED)


class Conditions:
    """What every block is told: text memory, pooled text, padding bias, shared AdaLN, control per fusion layer."""

    def __init__(self, memory: Tensor, pooled: Tensor, padding: Tensor, shared: Tensor, control: list[Tensor] | None):
        self.memory, self.pooled, self.padding, self.shared, self.control = memory, pooled, padding, shared, control


#: Bits of a scale, (B, d, g_k, g_k), and its number → the bits that later scales are told.
Spoiler = Callable[[Tensor, int], Tensor]


def random_flips(most: float) -> Spoiler:
    """Infinity's bitwise self-correction: up to ``most`` of a row's bits are wrong."""
    def spoiled(bits: Tensor, _scale: int) -> Tensor:
        rate = torch.rand(len(bits), 1, 1, 1, device=bits.device) * most
        return torch.where(torch.rand_like(bits) < rate, 1 - bits, bits)
    return spoiled


def own_bits(bits_of_scales: list[Tensor], scales: Sequence[int], share: float) -> Spoiler:
    """What the model itself drew, bits (B, side², D) of every scale, in ``share`` of the rows: the errors that it will meet when
    it draws (self-rollout, after Self-Autoregressive Refinement). All rows' scales follow from each other as in a run: bits that
    are said of the true scales before do not repair what is wrong all over a thing."""
    def spoiled(bits: Tensor, scale: int) -> Tensor:
        drawn = unpatchify(bits_of_scales[scale], scales[scale])
        return torch.where(is_own, drawn, bits)

    is_own = torch.rand(len(bits_of_scales[0]), 1, 1, 1, device=bits_of_scales[0].device) < share
    return spoiled


class TeacherInputs:
    """Teacher-forced inputs and bit targets of all scales.

    Where a spoiler gives later scales wrong bits, their targets are quantised against these, so that the model learns to
    repair errors.
    """

    @torch.no_grad()
    def __init__(self, quantiser: Quantiser, features: tuple[Tensor, Tensor, Tensor], spoil: Spoiler | None = None):
        """``features``: target and source (B, d, G, G) of the encoder, mask (B, 1, G, G)."""
        target, self.source, self.mask = features
        self.codes: list[Tensor | None] = []
        self.sources, self.totals, self.masks, bits_of_all = [], [], [], []
        total = torch.zeros_like(target)
        for k in range(len(quantiser.grids)):
            so_far = quantiser.down(total, k)
            bits = (quantiser.down(target, k) - so_far > 0).float()
            self.codes.append(patchify(quantiser.next_input(total, k)) if k else None)
            self.sources.append(quantiser.down(self.source, k))
            self.totals.append(so_far)
            self.masks.append(quantiser.down(self.mask, k))
            bits_of_all.append(patchify(bits))
            told = spoil(bits, k) if spoil else bits
            total = total + quantiser.up(quantiser.codes(told, k), k)
        self.bits = torch.cat(bits_of_all, 1)  # (B, Σ side², D)
