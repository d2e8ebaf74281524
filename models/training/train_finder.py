"""Trains the finder of objects on scenes, as they are and as the tokenizer holds them, and on photographs that show none of them:
python3 train_finder.py OUT.pt --tokenizer TOKENIZER.pt --photographs DATA --minutes 25

``--init`` starts from another finder, a checkpoint or a pack's folder.
"""
import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from checkpoints import read_averaged
from dice import Dice
from finder import Finder
from pack import load_checkpoint
from photographs import load as load_photographs
from photographs import views
from pixels import photometric
from render import render
from scenes import Scene, random_scene
from tokenizer import Tokenizer
from training_loop import dice_of, fit, options_of
from vocabulary import KINDS, PHOTOMETRIC

CELL = 8
#: Shares of a cell that an object has to cover to count, and below which it does not; between them nothing is asked.
COVERED, BARE = .35, .08
VALIDATION_SEED = 5


@dataclass
class Sample:
    picture: Tensor  # (B, 3, S, S)
    shares: Tensor   # (B, kinds, S/8, S/8) of each cell

    def to(self, device: str) -> 'Sample':
        return Sample(self.picture.to(device), self.shares.to(device))


def scene_samples(scenes: list[Scene], dice: Dice, size: int) -> Sample:
    """Some under another light, some small in the middle of their mirror images, as a long photograph is seen."""
    pictures, disparity, alphas = render(scenes, size)
    shares = torch.zeros(len(scenes), len(KINDS), *pictures.shape[2:])
    for i, scene in enumerate(scenes):
        for j, thing in enumerate(sorted(scene.objects, key=lambda o: o.disparity)):
            shares[i, KINDS.index(thing.kind)] += alphas[i, j]
        if dice.chance(.4):
            pictures[i:i + 1] = photometric(dice.choice(PHOTOMETRIC), pictures[i:i + 1], disparity[i:i + 1])
        if dice.chance(.4):
            pictures[i], shares[i] = _farther(pictures[i], shares[i], dice)
    return Sample(pictures, F.avg_pool2d(shares, CELL))


def _farther(picture: Tensor, shares: Tensor, dice: Dice) -> tuple[Tensor, Tensor]:
    size = picture.shape[-1]
    small = round(size * dice.between(.55, 1))
    both = F.interpolate(torch.cat([picture, shares])[None], size=(small, small), mode='area')
    left, top = (dice.randrange(size - small + 1) for _ in range(2))
    both = F.pad(both, (left, size - small - left, top, size - small - top), mode='reflect')[0]
    return both[:3], both[3:]


def _as_held(pictures: Tensor, tokenizer: Tokenizer, dice: Dice) -> Tensor:
    """What is looked at is decoded: before an edit and after it."""
    held = [i for i in range(len(pictures)) if dice.chance(.35)]
    if held:
        pictures[held] = tokenizer.reconstruct(pictures[held])
    return pictures


def _draw(dice: Dice, batch: int, photographs: Tensor, tokenizer: Tokenizer) -> Sample:
    scenes = [random_scene(dice) for _ in range(batch)]
    scenes = [replace(scene, objects=()) if dice.chance(.08) else scene for scene in scenes]
    sample = scene_samples(scenes, dice, tokenizer.config['size'])
    others = views(photographs, batch // 2, sample.picture.shape[-1], dice)
    pictures = torch.cat([sample.picture, others])
    shares = torch.cat([sample.shares, sample.shares.new_zeros(len(others), *sample.shares.shape[1:])])
    return Sample(_as_held(pictures, tokenizer, dice), shares)


def _loss(logits: Tensor, shares: Tensor) -> Tensor:
    """Of every cell that is clear, and of the strongest cell of every kind: whether it is there at all."""
    wanted = (shares >= COVERED).float()
    clear = ((shares >= COVERED) | (shares <= BARE)).float()
    cells = F.binary_cross_entropy_with_logits(logits, wanted, weight=clear * (1 + 9 * wanted))
    whole = F.binary_cross_entropy_with_logits(logits.amax((2, 3)), wanted.amax((2, 3)))
    return cells * 4 + whole


class FinderTask:
    betas, weight_decay = (.9, .98), 1e-4

    def __init__(self, options: argparse.Namespace):
        self.options, self.tokenizer = options, load_checkpoint(options.tokenizer, Tokenizer)
        self.photographs = load_photographs(options.photographs)
        kept_apart = load_photographs(options.photographs, validation=True)
        self.validation = _draw(Dice(VALIDATION_SEED), options.validation, kept_apart, self.tokenizer)

    def model(self, config: dict | None) -> Finder:
        model = Finder(**(config or {}))
        if self.options.init and config is None:
            model.load_state_dict(read_averaged(self.options.init, 'objects'))
        return model

    def draw(self, number: int) -> Sample:
        return _draw(dice_of(self.options, number), self.options.batch, self.photographs, self.tokenizer)

    def loss(self, model: nn.Module, sample: Sample, _dice: Dice) -> Tensor:
        return _loss(model(sample.picture.contiguous(memory_format=torch.channels_last)).float(), sample.shares)

    def scores(self, average: nn.Module) -> list[float]:
        """Share of (picture, kind) that are told rightly."""
        sample = self.validation.to(self.options.device)
        found, there = average(sample.picture).amax((2, 3)) > 0, sample.shares.amax((2, 3)) >= COVERED
        return [(found == there).float().mean().item()]


def main() -> None:
    parser = options_of(__doc__.split('\n')[0])
    parser.add_argument('--tokenizer', type=Path, required=True)
    parser.add_argument('--photographs', type=Path, required=True)
    parser.add_argument('--init', type=Path, help='start from this finder')
    options = parser.parse_args()
    fit(FinderTask(options), options)


if __name__ == '__main__':
    main()
