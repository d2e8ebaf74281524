"""Contact sheets: one row per case, the cut around the hole by every filler, and the middle of the hole at 1:1."""
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from detail_cases import Case
from detail_measures import cut_around

TILE = 160
_HEAD = 14
_MARK = (255, 0, 255)


class Sheet:
    """``fillers`` names the columns after the picture with its hole and the truth."""

    def __init__(self, fillers: list[str]):
        self.fillers, self._rows = fillers, []

    def add(self, case: Case, pictures: dict[str, np.ndarray | None]) -> None:
        rows, columns = np.nonzero(case.hole)
        around = max(MARGIN_LEAST, int(max(np.ptp(rows), np.ptp(columns)) * .5))
        cut = cut_around(case.hole, around)
        marked = np.where(case.hole[..., None], np.uint8(_MARK), case.truth)
        shown = [marked, case.truth, *(pictures[name] for name in self.fillers)]
        self._rows.append((case.name, [_tile(picture, cut) for picture in shown]))
        if max(case.hole[cut].shape) > 3 * TILE:
            close = _border_window(case.hole)
            self._rows.append((f'{case.name}, 1:1', [_tile(picture, close) for picture in shown]))

    def save(self, path: Path) -> None:
        heads = ['hole', 'truth', *self.fillers]
        sheet = Image.new('RGB', (len(heads) * TILE, len(self._rows) * (TILE + _HEAD) + _HEAD), 'white')
        draw = ImageDraw.Draw(sheet)
        for column, head in enumerate(heads):
            draw.text((column * TILE + 2, 1), head, fill=(180, 0, 0))
        for row, (name, tiles) in enumerate(self._rows):
            top = row * (TILE + _HEAD) + _HEAD
            draw.text((2, top), name, fill='black')
            for column, tile in enumerate(tiles):
                if tile is not None:
                    sheet.paste(Image.fromarray(tile), (column * TILE, top + _HEAD - 1))
        sheet.save(path, quality=70)


#: Pixels of the picture around a small hole.
MARGIN_LEAST = 24


def _tile(picture: np.ndarray | None, cut: tuple[slice, slice]) -> np.ndarray | None:
    if picture is None:
        return None
    part = picture[cut]
    scale = (TILE - 2) / max(part.shape[:2])
    size = tuple(max(1, round(side * scale)) for side in part.shape[1::-1])
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def _border_window(hole: np.ndarray) -> tuple[slice, slice]:
    """A tile at 1:1 whose middle lies on the hole's border, where seams and blur are seen side by side."""
    border = np.argwhere(cv2.morphologyEx(hole.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3))))
    middle = border[len(border) // 2]
    starts = (int(np.clip(at - TILE // 2, 0, max(0, side - TILE))) for at, side in zip(middle, hole.shape))
    return tuple(slice(start, start + TILE) for start in starts)
