"""Measures what the finder of objects does to edits: python3 evaluate_finder.py PACK_DIR [--count 300]

By the product's rule (src-main/engine/pipelines/named-object.ts), on held-out scenes as the tokenizer holds them: every object
that is there, and every one that is not.
"""
import argparse
from pathlib import Path

import torch

from dice import Dice
from evaluate import HELD_OUT
from pack import load_finder, load_tokenizer
from render import render
from scenes import random_scene
from vocabulary import KINDS

#: As in the product.
SEEN = -1.5


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(':')[0])
    parser.add_argument('pack', type=Path)
    parser.add_argument('--count', type=int, default=300)
    arguments = parser.parse_args()
    tokenizer, finder = load_tokenizer(arguments.pack), load_finder(arguments.pack)
    dice = Dice(HELD_OUT + 900)
    scenes = [random_scene(dice) for _ in range(arguments.count)]
    seen = torch.cat([finder(tokenizer.reconstruct(render([scene], tokenizer.config['size']).picture)).amax((2, 3)) for scene in scenes]) > SEEN
    there = torch.tensor([[any(thing.kind == kind for thing in scene.objects) for kind in KINDS] for scene in scenes])
    print(f'an object that is there: {seen[there].float().mean().item():.3f} go on')
    print(f'one that is not: {1 - seen[~there].float().mean().item():.3f} change nothing')


if __name__ == '__main__':
    main()
