"""Encoded samples on disk: what a transformer's step needs of a picture pair, made once and drawn several times.

Rendering and encoding are a good part of a step; a stored sample costs a read. A file holds a few rows, and a batch is
put together from several files, so that samples meet in new company. Features are half precision: 16 mantissa bits
less of a feature turn one code bit in several thousand.
"""
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from dice import Dice
from samples import Batch
from tokenizer import Tokenizer

#: A pixel that differs by more than this was edited; a cell with more masked area than that is part of the hole.
CHANGED, HOLE = .06, .02
ROWS_PER_FILE = 4
#: Below this many files every sample is a new one: re-using few would be learning them by heart.
FIRST_FILES = 64


@dataclass
class Encoded:
    source: Tensor      # (B, d, G, G) features
    target: Tensor      # (B, d, G, G)
    mask: Tensor        # (B, 1, G, G) masked share of each cell
    changed: Tensor     # (B, 1, G, G), 1 where the edit changes a cell
    words: Tensor       # (B, T)
    control: Tensor     # (R, 4, S, S) bytes of the rows that have one
    controlled: Tensor  # (R,) which rows these are

    def to(self, device: str) -> 'Encoded':
        return Encoded(*(getattr(self, field.name).to(device) for field in fields(self)))

    def full_control(self) -> Tensor:
        """(B, 4, S, S) in 0..1, zeros where a row has none."""
        full = torch.zeros(len(self.words), *self.control.shape[1:], device=self.control.device)
        full[self.controlled] = self.control.float() / 255
        return full

    @staticmethod
    def joined(parts: list['Encoded']) -> 'Encoded':
        """Rows of all parts, features in full precision."""
        def row(name: str) -> Tensor:
            return torch.cat([getattr(part, name) for part in parts])
        starts = [sum(len(part.words) for part in parts[:i]) for i in range(len(parts))]
        controlled = torch.cat([part.controlled + start for part, start in zip(parts, starts)])
        return Encoded(row('source').float(), row('target').float(), row('mask').float(), row('changed').float(), row('words'),
                       row('control'), controlled)


@torch.no_grad()
def encode(tokenizer: Tokenizer, batch: Batch) -> Encoded:
    """What is kept of a batch; features and masks in half precision."""
    grid = tokenizer.grid
    source, target = tokenizer.encoder(torch.cat([batch.source, batch.target])).half().chunk(2)
    mask = F.adaptive_avg_pool2d(batch.mask, grid)
    differs = ((batch.target - batch.source).abs().amax(1, keepdim=True) > CHANGED).float()
    changed = torch.maximum(F.adaptive_max_pool2d(differs, grid), (mask > HOLE).float())
    controlled = batch.control.flatten(1).any(1).nonzero().flatten()
    control = (batch.control[controlled] * 255).round().byte()
    return Encoded(source, target, mask.half(), changed.half(), batch.words, control, controlled)


def fingerprint(tokenizer: Tokenizer) -> str:
    """Short name of a tokenizer's codes: files that another one made must not be read with this one."""
    digest = hashlib.sha256()
    for tensor in tokenizer.encoder.state_dict().values():
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()[:8]


class Store:
    """A folder of encoded rows, at most ``most_files``; the oldest go first. Several data processes may share it."""

    def __init__(self, folder: Path, make: Callable[[Dice, int], Encoded], most_files: int):
        self.folder, self.make, self.most_files = folder, make, most_files
        folder.mkdir(parents=True, exist_ok=True)

    def draw(self, dice: Dice, number: int, replay: float) -> Encoded:
        """``ROWS_PER_FILE`` rows: new ones, stored under ``number``, or, in ``replay - 1`` of ``replay`` cases, stored ones.

        A number that is stored already (a resumed run draws its last ones again) is read rather than made again.
        """
        path = self._path(number)
        if path.exists():
            return self._read(path)
        stored = self.files()
        if len(stored) >= FIRST_FILES and not dice.chance(1 / replay):
            return self._read(dice.choice(stored))
        made = self.make(dice, ROWS_PER_FILE)
        temporary = path.with_suffix(f'.{os.getpid()}')
        torch.save(vars(made), temporary)
        os.replace(temporary, path)
        for old in stored[:max(0, len(stored) + 1 - self.most_files)]:
            old.unlink(missing_ok=True)
        return made

    def files(self) -> list[Path]:
        return sorted(self.folder.glob('*.pt'))

    def _path(self, number: int) -> Path:
        return self.folder / f'{number:09}.pt'

    def _read(self, path: Path) -> Encoded:
        """Mapped, not copied; the pages stay in the system's cache for whoever reads them next."""
        return Encoded(**torch.load(path, mmap=True, weights_only=True))
