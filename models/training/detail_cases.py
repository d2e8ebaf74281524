"""Held-out pictures with something missing, at full resolution, and the truth beside them.

Crops are of photographs on the validation side of the split; photographs are files of any size that were never packed;
scenes have seeds that training never draws. Pictures are (H, W, 3) bytes, holes (H, W) bool.
"""
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps
from torch import Tensor

from dice import Dice
from pixels import eight_bit
from product import png
from samples import sample_scenes, scene_batch

#: Seeds of the cases; training counts up from small ones.
SEED = 9_000_800
SCENE_SIDE = 512
EXPANDED = .15
SHAPES = ('ellipse', 'stroke', 'rectangle')
#: From here on a photograph is large: it gets three holes, a small one two.
LARGE_PIXELS = 1_000_000
#: A difference of a rendered scene, of 255, that belongs to the removed object or its shadow.
_CHANGED = 4


@dataclass(frozen=True)
class Case:
    """``source`` and ``mask`` are files as the program gets them, ``hole`` is where the result is judged."""
    group: str
    name: str
    source: bytes
    truth: np.ndarray
    hole: np.ndarray
    request: dict
    mask: bytes | None = None


def random_hole(shape: str, size: tuple[int, int], share: float, dice: Dice) -> np.ndarray:
    """(H, W) bool: an ellipse, a bent stroke or a rectangle of about that share of the picture, all of it inside."""
    height, width = size
    area, aspect = share * height * width, dice.between(.7, 1.4)
    hole = np.zeros(size, np.uint8)
    if shape == 'stroke':
        length = .55 * min(size)
        points = _bent_line(size, length, dice)
        cv2.polylines(hole, [points], False, 1, max(2, round(area / length)))
        return hole > 0
    half_width, half_height = (np.sqrt(area * ratio) / 2 for ratio in (aspect, 1 / aspect))
    if shape == 'ellipse':
        half_width, half_height = (half * 2 / np.sqrt(np.pi) for half in (half_width, half_height))
    x = round(dice.between(half_width + 2, width - half_width - 2))
    y = round(dice.between(half_height + 2, height - half_height - 2))
    if shape == 'ellipse':
        cv2.ellipse(hole, (x, y), (round(half_width), round(half_height)), 0, 0, 360, 1, -1)
    else:
        hole[round(y - half_height):round(y + half_height), round(x - half_width):round(x + half_width)] = 1
    return hole > 0


def _bent_line(size: tuple[int, int], length: float, dice: Dice) -> np.ndarray:
    """(3, 2) int32 points around a middle in the inner half of the picture."""
    height, width = size
    middle = np.array([dice.between(.35, .65) * width, dice.between(.35, .65) * height])
    angle, bend = dice.between(0, 2 * np.pi), dice.between(-.6, .6)
    arms = [np.array([np.cos(a), np.sin(a)]) * length / 2 for a in (angle + bend, angle + np.pi - bend)]
    return np.round([middle + arms[0], middle, middle + arms[1]]).astype(np.int32)


def hole_case(group: str, name: str, picture: tuple[bytes, np.ndarray], hole: np.ndarray) -> Case:
    source, truth = picture
    return Case(group, name, source, truth, hole, {'task': 'fill'}, png((hole * 255).astype(np.uint8)))


def expansion_case(group: str, name: str, truth: np.ndarray, side: str) -> Case:
    """A side is cut off and asked for again."""
    width = truth.shape[1]
    border = round(EXPANDED * width)
    hole, kept = np.zeros(truth.shape[:2], bool), slice(0, width - border)
    hole[:, -border:] = True
    if side == 'left':
        hole, kept = hole[:, ::-1], slice(border, width)
    return Case(group, name, png(np.ascontiguousarray(truth[:, kept])), truth, hole, {'task': 'expand', 'margins': {side: border}})


def crop_cases(photographs: Tensor, holes: int = 32, expansions: int = 10) -> Iterator[Case]:
    """``photographs`` is (N, 3, S, S) bytes; crops are taken evenly from all of them, for they lie in order of kind."""
    dice = Dice(SEED)
    for i in range(holes):
        truth = photographs[i * len(photographs) // holes].permute(1, 2, 0).numpy()
        shape = SHAPES[i % len(SHAPES)]
        hole = random_hole(shape, truth.shape[:2], dice.between(.03, .10), dice)
        yield hole_case('holes in crops', f'{i:02}-{shape}', (png(truth), truth), hole)
    for i in range(expansions):
        truth = photographs[(2 * i + 1) * len(photographs) // (2 * expansions)].permute(1, 2, 0).numpy()
        yield expansion_case('expanded crops', f'{i:02}', truth, 'right')


def photograph_files(folder: Path) -> list[Path]:
    """Without those that are transparent somewhere: what should be there nobody knows."""
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in ('.jpg', '.jpeg', '.png'))
    return [file for file in files if 'A' not in Image.open(file).getbands()]


def photograph_cases(folder: Path) -> Iterator[Case]:
    dice, turn = Dice(SEED + 1), 0
    for file in photograph_files(folder):
        truth = np.array(ImageOps.exif_transpose(Image.open(file)).convert('RGB'))
        is_large = truth.shape[0] * truth.shape[1] >= LARGE_PIXELS
        for _ in range(3 if is_large else 2):
            shape, turn = SHAPES[turn % len(SHAPES)], turn + 1
            hole = random_hole(shape, truth.shape[:2], dice.between(.01, .05), dice)
            yield hole_case('holes in photographs', f'{file.stem}-{turn:02}-{shape}', (file.read_bytes(), truth), hole)
        yield expansion_case('expanded photographs', f'{file.stem}-right', truth, 'right')
        if is_large and truth.shape[1] > truth.shape[0] and turn > len(SHAPES):
            yield expansion_case('expanded photographs', f'{file.stem}-left', truth, 'left')


def scene_cases(count: int = 12) -> Iterator[Case]:
    """Rendered: objects removed by instruction, and holes; what may be shown to anyone."""
    dice = Dice(SEED + 2)
    batch = scene_batch(dice, sample_scenes(dice, count, 'edit', 'remove'), SCENE_SIDE)
    for i in range(count):
        source, truth = eight_bit(batch.source[i]), eight_bit(batch.target[i])
        changed = (np.abs(source.astype(int) - truth).max(2) > _CHANGED).astype(np.uint8)
        request = {'task': 'edit', 'instruction': batch.texts[i]}
        yield Case('removed from scenes', f'{i:02} {batch.texts[i]}', png(source), truth, cv2.dilate(changed, np.ones((3, 3))) > 0, request)
    pictures = scene_batch(dice, sample_scenes(dice, count, 'edit', 'keep'), SCENE_SIDE).source
    for i, picture in enumerate(map(eight_bit, pictures)):
        shape = SHAPES[i % len(SHAPES)]
        hole = random_hole(shape, picture.shape[:2], dice.between(.03, .08), dice)
        yield hole_case('holes in scenes', f'{i:02}-{shape}', (png(picture), picture), hole)
