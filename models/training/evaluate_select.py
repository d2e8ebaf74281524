"""How well the built program selects the objects of scenes whose masks are known, by a click and by a box.

python3 evaluate_select.py [--scenes 40] [--side 512] [--program CLI.js]

The scenes are drawn from seeds that chose no weight of the selection. A click lies somewhere in the inner half of the
object, as a hand's would, and a box is the object's own. Prints the mean intersection over union.
"""
import argparse
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt, label

from dice import Dice
from pixels import eight_bit
from product import BUILT, Product, png
from render import render
from scenes import random_scene

SEED = 9_400_000
#: Specks and objects that others cut in two are nothing that one would click.
LEAST_AREA, LEAST_WHOLE = .004, .9
#: Of the largest distance from the object's edge: where a hand clicks.
INNER = .4


def objects(dice: Dice, side: int) -> tuple[bytes, list[np.ndarray]]:
    """A scene as PNG, and what is seen of each of its objects as (side, side) booleans."""
    scene = random_scene(dice)
    drawn = render([scene], side)
    masks = [drawn.objects[0, i].numpy() > .5 for i in range(len(scene.objects))]
    return png(eight_bit(drawn.picture[0])), [mask for mask in masks if _is_clickable(mask)]


def _is_clickable(mask: np.ndarray) -> bool:
    parts, count = label(mask)
    largest = max((np.count_nonzero(parts == i) for i in range(1, count + 1)), default=0)
    return mask.sum() >= LEAST_AREA * mask.size and largest >= LEAST_WHOLE * mask.sum()


def clicked(mask: np.ndarray, dice: Dice) -> dict:
    depth = distance_transform_edt(mask)
    ys, xs = np.nonzero(depth > INNER * depth.max())
    i = dice.randrange(len(ys))
    return {'at': {'x': int(xs[i]), 'y': int(ys[i])}}


def boxed(mask: np.ndarray) -> dict:
    ys, xs = np.nonzero(mask)
    return {'box': {'x': int(xs.min()), 'y': int(ys.min()), 'width': int(np.ptp(xs)) + 1, 'height': int(np.ptp(ys)) + 1}}


def overlap(made: np.ndarray, mask: np.ndarray) -> float:
    """Intersection over union."""
    return (made & mask).sum() / max(1, (made | mask).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--scenes', type=int, default=40)
    parser.add_argument('--side', type=int, default=512)
    parser.add_argument('--program', type=Path, default=BUILT)
    options = parser.parse_args()
    dice, scores = Dice(SEED), {'click': [], 'box': []}
    with Product(options.program) as product:
        for _ in range(options.scenes):
            picture, masks = objects(dice, options.side)
            source = product.add(picture, 'scene.png')
            for mask in masks:
                for way, pointing in (('click', clicked(mask, dice)), ('box', boxed(mask))):
                    scores[way].append(overlap(product.select(source, pointing), mask))
            product.close(source)
    for way, found in scores.items():
        good = sum(score >= .8 for score in found)
        print(f'{way}: {np.mean(found):.3f}, at least .8 in {good} of {len(found)}, worst {min(found):.2f}')


if __name__ == '__main__':
    main()
