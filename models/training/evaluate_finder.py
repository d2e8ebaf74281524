"""Measures what the finder of objects does to edits: python3 evaluate_finder.py PACK_DIR [--count 96]

The same scenes, instructions and rule as the product's (src-main/engine/pipelines/named-object.ts), once with an object that is
there and once with one that is not.
"""
import argparse
from dataclasses import replace
from pathlib import Path

import torch

from dice import Dice
from evaluate import HELD_OUT, Runner
from pack import load_finder, load_pack
from samples import sample_scenes, scene_batch
from vocabulary import KINDS, synonyms

#: As in the product.
SEEN = -1.5


def _kind_of(text: str) -> int:
    words = text.split()
    return next(i for i, kind in enumerate(KINDS) if any(name in words for name in synonyms(kind)))


def _renamed(text: str, kind: int, other: str) -> str:
    return ' '.join(other if word in synonyms(KINDS[kind]) else word for word in text.split())


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(':')[0])
    parser.add_argument('pack', type=Path)
    parser.add_argument('--count', type=int, default=96)
    arguments = parser.parse_args()
    runner, finder = Runner(load_pack(arguments.pack)), load_finder(arguments.pack)
    for i, edit in enumerate(['recolor', 'remove', 'add']):
        dice = Dice(HELD_OUT + 900 + i)
        samples = sample_scenes(dice, arguments.count, 'edit', edit)
        samples = [sample for sample in samples if sample.edit.kind == edit]
        batch = scene_batch(dice, samples)
        before = finder(runner.pack.tokenizer.reconstruct(batch.source)).amax((2, 3))
        asked = [_kind_of(text) for text in batch.texts]

        def goes_on(texts: list[str], kinds: list[int]) -> torch.Tensor:
            after = finder(runner.run(replace(batch, texts=texts))).amax((2, 3))
            return torch.tensor([max(before[j, kind], after[j, kind]) > SEEN for j, kind in enumerate(kinds)])

        there = goes_on(batch.texts, asked).float().mean().item()
        print(f'{edit}, there or added: {there:.3f} go on', flush=True)
        if edit == 'add':
            continue
        absent = [dice.choice([k for k, kind in enumerate(KINDS) if all(o.kind != kind for o in s.source.objects)]) for s in samples]
        texts = [_renamed(text, kind, KINDS[other]) for text, kind, other in zip(batch.texts, asked, absent)]
        print(f'{edit}, not there: {1 - goes_on(texts, absent).float().mean().item():.3f} change nothing', flush=True)


if __name__ == '__main__':
    main()
