"""Next-scale generation with key/value caches: the reference that the desktop engine is tested against."""
from dataclasses import dataclass, field

import torch
from torch import Tensor

from quantiser import Quantiser
from text_encoder import attend
from transformer import MASK_KEEP_BELOW, Conditions, EditTransformer, patchify, preset_layers, unpatchify
from vocabulary import PADDING


@dataclass
class Settings:
    """``temperature`` 0 takes the likelier bit; ``preset`` is the number of layers that late scales run. ``guidance`` is by
    the words; where there is none, ``control_guidance`` is by the control."""
    guidance: float = 1.
    control_guidance: float = 1.
    temperature: float = 0.
    preset: int | None = None
    strength: float = 1.
    keep_outside: bool = False
    seed: int = 0


@dataclass
class Trace:
    """What happened at each scale, in generation order."""
    logits: list[Tensor] = field(default_factory=list)  # (B, L, D) after guidance
    bits: list[Tensor] = field(default_factory=list)    # (B, L, D) after keeping
    totals: list[Tensor] = field(default_factory=list)  # (B, d, G, G) sum of codes
    prefix: Tensor | None = None                        # (B, n·n, C) source tokens before the first block
    pooled: Tensor | None = None                        # (B, C)
    gates: list[Tensor] = field(default_factory=list)   # (B, L) mean gate, below zero = edited


class _Cache:
    """Keys and values per layer; the first layer keeps the source apart, to resize it per scale."""

    def __init__(self, layers: int):
        self.keys: list[Tensor | None] = [None] * layers
        self.values: list[Tensor | None] = [None] * layers
        self.source: tuple[Tensor, Tensor] | None = None

    def extend(self, i: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        if self.keys[i] is not None:
            key, value = torch.cat([self.keys[i], key], 2), torch.cat([self.values[i], value], 2)
        self.keys[i], self.values[i] = key, value
        return key, value


def _read_source(model: EditTransformer, condition: Conditions, x: Tensor) -> _Cache:
    """Runs the source prefix once through all blocks; source tokens see only each other."""
    cache = _Cache(model.depth)
    for i, block in enumerate(model.blocks):
        modulation = block.modulation(condition.shared)
        query, key, value = block.queries(x, modulation, model.rotary[:, :model.offsets[0]])
        if i == 0:
            cache.source = key, value
        else:
            cache.extend(i, key, value)
        x = block.finish(x, attend(query, key, value), modulation, condition.memory, condition.padding)
    return cache


def _run_scale(model: EditTransformer, condition: Conditions, cache: _Cache, x: Tensor, k: int, layers: list[int]) -> Tensor:
    start, end = model.offsets[k], model.offsets[k + 1]
    is_late = k >= len(model.scales) - model.late_scales
    for i, block in enumerate(model.blocks):
        if condition.control is not None and i in model.control_layers:  # also where the layer itself is skipped
            added = condition.control[model.control_layers.index(i)]
            x = x + added[:, start - model.offsets[0]:end - model.offsets[0]]
        if is_late and i not in layers:
            continue
        modulation = block.modulation(condition.shared)
        query, key, value = block.queries(x, modulation, model.rotary[:, start:end])
        key, value = cache.extend(i, key, value)
        if i == 0:
            source_key, source_value = cache.source
            key = torch.cat([model.area(k) @ source_key, key], 2)
            value = torch.cat([model.area(k) @ source_value, value], 2)
        x = block.finish(x, attend(query, key, value), modulation, condition.memory, condition.padding)
    return x


def _decide(logits: Tensor, settings: Settings, generator: torch.Generator) -> Tensor:
    if settings.temperature == 0:
        return (logits > 0).float()
    return (torch.rand(logits.shape, generator=generator) < torch.sigmoid(logits / settings.temperature)).float()


@torch.no_grad()
def generate(model: EditTransformer, quantiser: Quantiser, words: Tensor, source: Tensor, mask: Tensor,
             control: Tensor | None, settings: Settings = Settings(), trace: Trace | None = None) -> Tensor:
    """Source features (B, d, G, G) and mask (B, 1, G, G) → sum of codes (B, d, G, G).

    Guidance runs a second row per picture, with the same source: all padding, or the same words without control.
    ``keep_outside`` re-quantises the source wherever a cell has next to no masked area.
    """
    rows, generator = len(source), torch.Generator().manual_seed(settings.seed)
    by_words = settings.guidance != 1.
    by_control = not by_words and settings.control_guidance != 1. and control is not None and bool(control.any())
    amount = settings.guidance if by_words else settings.control_guidance if by_control else 1.

    def doubled(x: Tensor | None) -> Tensor | None:
        return torch.cat([x, x]) if amount != 1. and x is not None else x

    told = torch.cat([words, torch.full_like(words, PADDING)]) if by_words else doubled(words)
    held = torch.cat([control, torch.zeros_like(control)]) if by_control else doubled(control)
    condition = model.conditions(told, held, settings.strength)
    layers = preset_layers(model.depth, settings.preset or model.depth)
    prefix = model.source_tokens(doubled(source), doubled(mask))
    cache = _read_source(model, condition, prefix)
    if trace is not None:
        trace.prefix, trace.pooled = prefix, condition.pooled
    total = torch.zeros_like(source)
    for k, side in enumerate(model.scales):
        source_k, mask_k, total_k = quantiser.down(source, k), quantiser.down(mask, k), quantiser.down(total, k)
        residual = doubled(model.residual_of(k, source_k, total_k, mask_k))
        codes = doubled(patchify(quantiser.next_input(total, k))) if k else None
        x = model.scale_tokens(k, codes, condition.pooled, residual, doubled(patchify(mask_k)))
        x = _run_scale(model, condition, cache, x, k, layers)
        logits, gates = model.logits_of(x, condition.pooled, residual, model.gate_beta[k])
        if amount != 1.:
            logits = amount * logits[:rows] + (1 - amount) * logits[rows:]
        bits = unpatchify(_decide(logits, settings, generator), side)
        if settings.keep_outside:
            kept = (mask_k < MASK_KEEP_BELOW).float()
            bits = (source_k - total_k > 0).float() * kept + bits * (1 - kept)
        total = total + quantiser.up(quantiser.codes(bits, k), k)
        if trace is not None:
            trace.logits.append(logits)
            trace.bits.append(patchify(bits))
            trace.totals.append(total)
            trace.gates.append(gates[:rows])
    return total
