"""Photographs for training: one-time packing, the split into training and validation, and training samples.

python3 photographs.py OUT_DIR INDEX.jsonl SHARD.tar [SHARD.tar ...]

The index names every picture's source and path; the split is by a hash of these, so that two crops of one photograph
never fall on different sides. The packed tensors stay outside the repository.
"""
import argparse
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from dice import Dice
from phrases import phrase
from pixels import canny, photometric, random_holes
from samples import CANNY, CANNY_FLAG, GREY, Batch
from vocabulary import word_ids

TRAINING_FILE, VALIDATION_FILE = 'photographs-train.pt', 'photographs-validation.pt'
#: Operators that make sense without true depth; night and sunset are a tint, and darker.
OPERATORS = ['warmer', 'cooler', 'bw', 'sepia', 'brighter', 'darker', 'contrast', 'saturate', 'invert', 'fog', 'night',
             'sunset']
#: Cumulative shares of the tasks on photographs; the rest is canny control. The first are edits of things set onto them.
_COMPOSITE, _FILL, _EDIT, _KEEP = .34, .6, .86, .88
_CONTROL_TEXTS = ['keep the picture', '', 'a photo']


def load(folder: Path | str, validation: bool = False) -> Tensor:
    """(N, 3, S, S) bytes, mapped rather than read, so that several processes share them."""
    return torch.load(Path(folder) / (VALIDATION_FILE if validation else TRAINING_FILE), mmap=True)


def is_validation(entry: dict) -> bool:
    """One photograph in twenty."""
    digest = hashlib.sha256(f"{entry['source']}/{entry['path']}".encode()).hexdigest()
    return int(digest, 16) % 20 == 0


def views(photographs: Tensor, count: int, size: int, dice: Dice) -> Tensor:
    """(count, 3, size, size): half whole photographs scaled down, half crops; half mirrored."""
    chosen = [photographs[dice.randrange(len(photographs))].float().div(255) for _ in range(count)]
    return torch.stack([_view(photo, size, dice) for photo in chosen])


def _view(photo: Tensor, size: int, dice: Dice) -> Tensor:
    side = photo.shape[-1]
    if side > size and dice.chance(.5):
        top, left = dice.randrange(side - size + 1), dice.randrange(side - size + 1)
        photo = photo[:, top:top + size, left:left + size]
    elif side != size:
        photo = F.interpolate(photo[None], size=(size, size), mode='area')[0]
    return photo.flip(-1) if dice.chance(.5) else photo


def edited(name: str, picture: Tensor) -> Tensor:
    """A photometric edit; fog takes the lower edge of the picture as near, for want of true depth."""
    size = picture.shape[-1]
    ramp = (((torch.arange(size) + .5) / size) * 1.1 - .05).clamp(0, 1).view(1, 1, size, 1)
    return photometric(name, picture, ramp.expand(1, 1, size, size))


class Composing(Protocol):
    """What draws a source (3, S, S), its target and the text between them (composites.py)."""

    def draw(self, dice: Dice) -> 'Composed': ...


class Composed(Protocol):
    source: Tensor
    target: Tensor
    text: str


@torch.no_grad()
def photograph_batch(dice: Dice, photographs: Tensor, count: int, size: int = 128, composer: Composing | None = None) -> Batch:
    target = views(photographs, count, size, dice)
    source, mask, control = target.clone(), torch.zeros(count, 1, size, size), torch.zeros(count, 4, size, size)
    texts = []
    for i in range(count):
        row, task = slice(i, i + 1), dice.between(0 if composer else _COMPOSITE, 1)
        if composer and task < _COMPOSITE:
            made = composer.draw(dice)
            source[i], target[i] = made.source, made.target
            texts.append(made.text)
        elif task < _FILL:
            mask[row] = random_holes(1, size, dice, scratch_share=.25)
            texts.append(phrase(dice, 'fill'))
        elif task < _EDIT:
            name = dice.choice(OPERATORS)
            target[row] = edited(name, source[row])
            texts.append(phrase(dice, name))
        elif task < _KEEP:
            texts.append(phrase(dice, 'keep'))
        else:
            mask[row], control[row, CANNY:CANNY + 1], control[row, CANNY_FLAG] = 1, canny(source[row]), 1
            texts.append(dice.choice(_CONTROL_TEXTS))
    words = torch.tensor([word_ids(text) for text in texts])
    return Batch(source * (1 - mask) + GREY * mask, target, mask, control, words, texts)


def _pack(index: Path, shards: list[Path], size: int) -> dict[str, Tensor]:
    entries = {entry['file']: entry for entry in map(json.loads, index.read_text().splitlines())}
    found: dict[str, list[Tensor]] = {TRAINING_FILE: [], VALIDATION_FILE: []}
    for shard in shards:
        with tarfile.open(shard) as archive:
            for member in archive.getmembers():
                if member.name not in entries:
                    continue
                image = Image.open(io.BytesIO(archive.extractfile(member).read())).convert('RGB')
                if image.size != (size, size):
                    image = image.resize((size, size), Image.LANCZOS)
                file = VALIDATION_FILE if is_validation(entries[member.name]) else TRAINING_FILE
                found[file].append(torch.from_numpy(np.array(image)).permute(2, 0, 1))
    return {file: torch.stack(pictures) for file, pictures in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description='Pack photographs into two tensor files.')
    parser.add_argument('out', type=Path)
    parser.add_argument('index', type=Path)
    parser.add_argument('shards', type=Path, nargs='+')
    parser.add_argument('--size', type=int, default=256)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for file, pictures in _pack(arguments.index, arguments.shards, arguments.size).items():
        torch.save(pictures, arguments.out / file)
        print(file, tuple(pictures.shape))


if __name__ == '__main__':
    main()
