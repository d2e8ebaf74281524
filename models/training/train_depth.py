"""Trains the depth estimator on scenes with exact depth: python3 train_depth.py OUT.pt --minutes 10"""
import torch
from torch import Tensor, nn

from depth import DepthNet
from dice import Dice
from pixels import photometric
from render import render
from scenes import random_scene
from training_loop import fit, gradients, options_of
from vocabulary import PHOTOMETRIC


def main() -> None:
    options = options_of(__doc__).parse_args()
    dice = Dice(options.seed)
    validation = render([random_scene(dice) for dice in [Dice(5)] for _ in range(64)])

    def loss_of(model: nn.Module, _step: int) -> Tensor:
        pictures, disparity, _ = render([random_scene(dice) for _ in range(options.batch)])
        for i in range(options.batch):
            if dice.chance(.3):  # fog would tell the depth
                name = dice.choice([name for name in PHOTOMETRIC if name != 'fog'])
                pictures[i:i + 1] = photometric(name, pictures[i:i + 1], disparity[i:i + 1])
        pictures, disparity = pictures.to(options.device), disparity.to(options.device)
        estimate = model(pictures)
        edges = sum((a - b).abs().mean() for a, b in zip(gradients(estimate), gradients(disparity)))
        return (estimate - disparity).abs().mean() + .5 * edges

    @torch.no_grad()
    def score_of(model: nn.Module) -> float:
        return ((model(validation.picture.to(options.device)).cpu() - validation.disparity) ** 2).mean().sqrt().item()

    fit(DepthNet, loss_of, score_of, options)


if __name__ == '__main__':
    main()
