"""Trains the depth estimator on scenes with exact depth: python3 train_depth.py OUT.pt --minutes 10

``--init`` starts from another estimator of the same widths, a checkpoint or a pack's folder.
"""
import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from checkpoints import read_averaged
from depth import DepthNet
from dice import Dice
from losses import gradient_distance
from pixels import photometric
from render import render
from scenes import random_scene
from training_loop import dice_of, fit, options_of
from vocabulary import PHOTOMETRIC

#: Part of the pictures under another light; fog would tell the depth.
PHOTOMETRIC_SHARE = .3
OPERATORS = [name for name in PHOTOMETRIC if name != 'fog']
EDGE_WEIGHT = .5
VALIDATION_SEED = 5


@dataclass
class Sample:
    picture: Tensor    # (B, 3, S, S) in 0..1
    disparity: Tensor  # (B, 1, S, S), near = 1

    def to(self, device: str) -> 'Sample':
        return Sample(self.picture.to(device), self.disparity.to(device))


class DepthTask:
    betas, weight_decay = (.9, .98), 1e-4

    def __init__(self, options: argparse.Namespace):
        self.options = options
        dice = Dice(VALIDATION_SEED)
        pictures, disparity, _ = render([random_scene(dice) for _ in range(options.validation)], options.picture_size)
        self.validation = Sample(pictures, disparity)

    def model(self, config: dict | None) -> DepthNet:
        model = DepthNet(**(config or {}))
        if self.options.init and config is None:
            model.load_state_dict(read_averaged(self.options.init, 'depth'))
        return model

    def draw(self, number: int) -> Sample:
        dice = dice_of(self.options, number)
        pictures, disparity, _ = render([random_scene(dice) for _ in range(self.options.batch)], self.options.picture_size)
        for i in range(self.options.batch):
            if dice.chance(PHOTOMETRIC_SHARE):
                pictures[i:i + 1] = photometric(dice.choice(OPERATORS), pictures[i:i + 1], disparity[i:i + 1])
        return Sample(pictures, disparity)

    def loss(self, model: nn.Module, sample: Sample, _dice: Dice) -> Tensor:
        estimate = model(sample.picture.contiguous(memory_format=torch.channels_last)).float()
        return (estimate - sample.disparity).abs().mean() + EDGE_WEIGHT * gradient_distance(estimate, sample.disparity)

    def scores(self, average: nn.Module) -> list[float]:
        """Root of the mean squared error."""
        sample = self.validation.to(self.options.device)
        return [((average(sample.picture) - sample.disparity) ** 2).mean().sqrt().item()]


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument('--picture-size', type=int, default=128)
    parser.add_argument('--init', type=Path, help='start from this estimator')
    options = parser.parse_args()
    fit(DepthTask(options), options)


if __name__ == '__main__':
    main()
