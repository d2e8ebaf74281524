"""Objects cut out of the licensed photographs, to be pasted onto others: python3 cutouts.py DATA_DIR INDEX.jsonl SHARD.tar …

Only photographs whose folder names what they show are tried, and only on the training side of the split. GrabCut (Rother,
Kolmogorov and Blake 2004) separates the thing in the middle; what is not clearly one thing, with a clear outline, wholly
inside the picture, is not kept. Writes cutouts.pt, with the rows of the packed photographs that things may be pasted onto.
"""
import argparse
import io
import json
import tarfile
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from photographs import is_validation

FILE = 'cutouts.pt'
#: Folders of the photographs, and what people call the thing in them.
NAMES = {
    'backpack_dog': 'backpack', 'bear_plushie': 'bear', 'candle': 'candle', 'colorful_sneaker': 'shoe', 'shiny_sneaker': 'shoe',
    'dog3': 'dog', 'duck_toy': 'duck', 'fancy_boot': 'boot', 'grey_sloth_plushie': 'toy', 'monster_toy': 'toy', 'robot_toy': 'robot',
    'rc_car': 'car', 'wolf_plushie': 'toy', 'daisy': 'flower', 'dandelion': 'flower', 'roses': 'flower', 'sunflowers': 'flower',
    'tulips': 'flower',
}
#: Parts of the photograph's area that a thing may fill.
AREA = (.06, .6)
#: Least share of the largest piece, least area of the outline against its hull, most cells on the photograph's border.
ONE_PIECE, SOLID, ON_BORDER = .93, .8, .01
#: Least part of a flower that has a petal's colours: pure and not green, or light and nearly white.
PETALS = .7
#: Least distance of colour (CIE Lab) across the outline, at its median and at its faintest tenth.
CONTRAST, FAINTEST = 26., 9.
_MARGIN, _ROUNDS = .06, 3
#: Judged at this part of the side; only what passes is cut at the whole.
_COARSE = .5
#: Photographs that show one thing close by are no ground for another.
_NO_GROUND = ('clothing', 'dreambooth', 'flowers', 'grocery')
_RING = 5  # pixels on either side of the outline that are compared


class Cutouts(NamedTuple):
    """``pictures`` (N, 4, S, S) bytes, colour and alpha, each thing cropped and standing on the lower edge; ``grounds``:
    rows of the packed photographs that it may be pasted onto."""
    pictures: Tensor
    names: list[str]
    grounds: Tensor

    @staticmethod
    def load(folder: Path | str) -> 'Cutouts | None':
        path = Path(folder) / FILE
        return Cutouts(**torch.load(path, mmap=True, weights_only=True)) if path.exists() else None


def grabbed(picture: np.ndarray) -> np.ndarray:
    """(S, S, 3) bytes → (S, S) bool, the thing in the middle."""
    side = picture.shape[0]
    margin = round(_MARGIN * side)
    labels = np.zeros(picture.shape[:2], np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    bgr = np.ascontiguousarray(picture[..., ::-1])
    cv2.setRNGSeed(1)
    cv2.grabCut(bgr, labels, (margin, margin, side - 2 * margin, side - 2 * margin), *models, _ROUNDS, cv2.GC_INIT_WITH_RECT)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))


def largest_piece(mask: np.ndarray) -> tuple[np.ndarray, float]:
    """The largest connected piece, its holes closed, and its share of all."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return mask, 0.
    sizes = stats[1:, cv2.CC_STAT_AREA]
    piece = (labels == 1 + sizes.argmax()).astype(np.uint8)
    piece = cv2.morphologyEx(piece, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    outlines, _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(piece), outlines, -1, 1, cv2.FILLED)
    return filled.astype(bool), float(sizes.max() / sizes.sum())


def solidity(mask: np.ndarray) -> float:
    """Area against that of the convex hull: ragged cuts are far below 1."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea)
    return cv2.contourArea(outline) / max(1., cv2.contourArea(cv2.convexHull(outline)))


def outline_contrast(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Lab distance between what lies just inside and just outside, at every pixel of the outline."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    kernel = np.ones((3, 3), np.uint8)

    def mean_of(region: np.ndarray) -> np.ndarray:
        weight = cv2.blur(region.astype(np.float32), (2 * _RING + 1,) * 2)
        return cv2.blur(lab * region[..., None], (2 * _RING + 1,) * 2) / np.maximum(weight, 1e-3)[..., None]

    edge = mask & ~cv2.erode(mask.astype(np.uint8), kernel).astype(bool)
    return np.linalg.norm(mean_of(mask) - mean_of(~mask), axis=-1)[edge]


def petals(cut_picture: np.ndarray) -> float:
    """Part of a cut-out (S, S, 4) that could be a flower's: folders of flowers hold tractors, signs and bees as well."""
    hue, purity, value = cv2.cvtColor(cut_picture[..., :3].astype(np.float32) / 255, cv2.COLOR_RGB2HSV)[cut_picture[..., 3] > 128].T
    is_green = (hue > 70) & (hue < 170)
    return float((((purity > .45) & (value > .35) & ~is_green) | ((purity < .25) & (value > .6))).mean())


def is_clean(picture: np.ndarray, mask: np.ndarray, share: float) -> bool:
    area = mask.mean()
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).mean()
    if not (AREA[0] < area < AREA[1] and share > ONE_PIECE and border < ON_BORDER and solidity(mask) > SOLID):
        return False
    contrast = outline_contrast(picture, mask)
    return bool(np.median(contrast) > CONTRAST and np.quantile(contrast, .1) > FAINTEST)


def cut(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(S, S, 4) bytes: the outline drawn in by a pixel and softened, its colours continued from inside so that no rim of
    the old background stays; cropped, and scaled to the whole side."""
    kernel, side = np.ones((3, 3), np.uint8), picture.shape[0]
    inner = cv2.erode(mask.astype(np.uint8), kernel, iterations=2)
    colour = cv2.inpaint(picture, 1 - inner, 3, cv2.INPAINT_TELEA)
    alpha = cv2.GaussianBlur(cv2.erode(mask.astype(np.uint8), kernel).astype(np.float32), (0, 0), .8)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    both = np.dstack([colour, np.round(alpha * 255).astype(np.uint8)])[box]
    scale = side / max(both.shape[:2])
    both = cv2.resize(both, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    result = np.zeros((side, side, 4), np.uint8)
    left = (side - both.shape[1]) // 2
    result[side - both.shape[0]:, left:left + both.shape[1]] = both[:side, :side - left]
    return result


def refined(picture: np.ndarray, coarse: np.ndarray) -> np.ndarray:
    """The outline of a smaller mask, found again in the whole picture's pixels."""
    likely = cv2.resize(coarse.astype(np.uint8), picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    inside, outside = (cv2.erode(x, np.ones((7, 7), np.uint8)) for x in (likely, 1 - likely))
    labels = np.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[inside == 1], labels[outside == 1] = cv2.GC_FGD, cv2.GC_BGD
    cv2.grabCut(np.ascontiguousarray(picture[..., ::-1]), labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 1, cv2.GC_INIT_WITH_MASK)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))


def cut_out(picture: np.ndarray) -> np.ndarray | None:
    """The thing in the middle of a photograph, (S, S, 4) bytes, or None where it does not stand out."""
    small = cv2.resize(picture, None, fx=_COARSE, fy=_COARSE, interpolation=cv2.INTER_AREA)
    coarse, share = largest_piece(grabbed(small))
    if not coarse.any() or not is_clean(small, coarse, share):
        return None
    mask, share = largest_piece(refined(picture, coarse))
    return cut(picture, mask) if mask.any() and is_clean(picture, mask, share) else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('out', type=Path)
    parser.add_argument('index', type=Path)
    parser.add_argument('shards', type=Path, nargs='+')
    arguments = parser.parse_args()
    entries = {entry['file']: entry for entry in map(json.loads, arguments.index.read_text().splitlines())}
    pictures, names, grounds, tried, row = [], [], [], 0, -1
    for shard in arguments.shards:
        with tarfile.open(shard) as archive:
            for member in archive.getmembers():
                entry = entries.get(member.name)
                if not entry or is_validation(entry):
                    continue
                row += 1  # as photographs.py packs them
                if entry['set'] not in _NO_GROUND:
                    grounds.append(row)
                name = NAMES.get(Path(entry['path']).parent.name)
                if not name:
                    continue
                tried += 1
                made = cut_out(np.array(Image.open(io.BytesIO(archive.extractfile(member).read())).convert('RGB')))
                if made is not None and (name != 'flower' or petals(made) > PETALS):
                    pictures.append(torch.from_numpy(made).permute(2, 0, 1))
                    names.append(name)
    torch.save({'pictures': torch.stack(pictures), 'names': names, 'grounds': torch.tensor(grounds)}, arguments.out / FILE)
    print(FILE, len(names), 'of', tried, {name: names.count(name) for name in sorted(set(names))})


if __name__ == '__main__':
    main()
