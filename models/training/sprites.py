"""The ten objects of the procedural scenes as an atlas of small maps, drawn once with super-sampling."""
import functools
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from vocabulary import KINDS

#: Fixed colour of an object's second part: the roof of a house, the trunk of a tree, the windows of a car.
SECOND_COLOUR = {'house': (.55, .24, .18), 'tree': (.42, .28, .16), 'car': (.72, .86, .93)}


class _Canvas:
    """Shapes on [-1, 1]², sampled on an n×n raster; every method returns an (n, n) map of 0 and 1."""

    def __init__(self, side: int):
        centres = (torch.arange(side) + .5) / side * 2 - 1
        self.y, self.x = torch.meshgrid(centres, centres, indexing='ij')
        self.zero = torch.zeros(side, side)
        self.light = (-(self.x * .5 + self.y * .7)).clamp(-1, 1)  # from the upper left

    def polygon(self, points: list[tuple[float, float]]) -> Tensor:
        inside = torch.zeros_like(self.x, dtype=torch.bool)
        for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1]):
            if y1 == y2:
                continue
            crosses = (self.y >= min(y1, y2)) & (self.y < max(y1, y2))
            inside ^= crosses & (self.x < (x2 - x1) * (self.y - y1) / (y2 - y1) + x1)
        return inside.float()

    def rectangle(self, left: float, top: float, right: float, bottom: float) -> Tensor:
        return ((self.x >= left) & (self.x <= right) & (self.y >= top) & (self.y <= bottom)).float()

    def disc(self, x: float, y: float, radius: float) -> Tensor:
        return (((self.x - x) ** 2 + (self.y - y) ** 2) <= radius * radius).float()

    def distance(self, x: float, y: float) -> Tensor:
        return ((self.x - x) ** 2 + (self.y - y) ** 2).sqrt()


def _star_points() -> list[tuple[float, float]]:
    radii = [.98 if i % 2 == 0 else .42 for i in range(10)]
    angles = [-math.pi / 2 + i * math.pi / 5 for i in range(10)]
    return [(r * math.cos(t), r * math.sin(t) + .06) for r, t in zip(radii, angles)]


def _house(c: _Canvas) -> tuple[Tensor, ...]:
    roof = c.polygon([(0, -.98), (.98, -.08), (-.98, -.08)])
    windows = torch.maximum(c.rectangle(-.56, .1, -.28, .42), c.rectangle(.28, .1, .56, .42))
    door = c.rectangle(-.18, .38, .18, .98)
    return torch.maximum(c.rectangle(-.72, -.12, .72, .98), roof), c.light * .25, roof, torch.maximum(door, windows)


def _tree(c: _Canvas) -> tuple[Tensor, ...]:
    trunk = c.rectangle(-.14, .3, .14, .98)
    crown = torch.maximum(torch.maximum(c.disc(0, -.42, .55), c.disc(-.36, -.02, .46)), c.disc(.36, -.02, .46))
    return torch.maximum(trunk, crown), (.4 - c.distance(-.25, -.5) * .7) * crown, trunk * (1 - crown), c.zero


def _car(c: _Canvas) -> tuple[Tensor, ...]:
    wheels = torch.maximum(c.disc(-.52, .66, .3), c.disc(.52, .66, .3))
    cabin = c.polygon([(-.52, .05), (-.36, -.48), (.42, -.48), (.66, .05)])
    windows = c.polygon([(-.38, .0), (-.27, -.36), (.35, -.36), (.5, .0)])
    body = torch.maximum(c.rectangle(-.98, .02, .98, .62), cabin)
    return torch.maximum(body, wheels), c.light * .25, windows * (1 - wheels), wheels


def _draw(kind: str, c: _Canvas) -> tuple[Tensor, ...]:
    """(alpha, shading, weight of the second colour, weight of the dark colour)."""
    z = c.zero
    match kind:
        case 'ball':
            return c.disc(0, 0, .98), (.65 - c.distance(-.3, -.35) * .95).clamp(-1, 1), z, z
        case 'box':
            return c.rectangle(-.82, -.82, .82, .98), torch.where(c.y < -.5, z + .55, torch.where(c.x > .42, z - .5, z)), z, z
        case 'pyramid':
            return c.polygon([(0, -.98), (.95, .95), (-.95, .95)]), torch.where(c.x > (c.y + .98) * .12, z - .45, z + .2), z, z
        case 'star':
            return c.polygon(_star_points()), c.light * .35, z, z
        case 'ring':
            return c.disc(0, 0, .98) - c.disc(0, 0, .52), c.light * .35, z, z
        case 'heart':
            x, y = c.x * 1.18, -c.y * 1.18 + .12
            return ((x * x + y * y - 1) ** 3 - x * x * y ** 3 <= 0).float(), c.light * .35, z, z
        case 'diamond':
            return c.polygon([(0, -.98), (.72, 0), (0, .98), (-.72, 0)]), torch.where(c.x > 0, z - .4, z + .25), z, z
        case 'house':
            return _house(c)
        case 'tree':
            return _tree(c)
        case 'car':
            return _car(c)
    raise ValueError(f'Expected one of {KINDS} but received {kind}.')


@functools.cache
def atlas(picture_size: int, device: str) -> Tensor:
    """(kinds, 4, S/2, S/2): alpha and, multiplied by alpha, shading, second colour, dark colour."""
    side = picture_size // 2
    oversampling = 384 // max(64, side)
    canvas = _Canvas(side * oversampling)
    maps = []
    for kind in KINDS:
        alpha, shade, second, dark = _draw(kind, canvas)
        maps.append(torch.stack([alpha, shade * alpha, second * alpha, dark * alpha]))
    return F.avg_pool2d(torch.stack(maps), oversampling).to(device)
