"""Pixel operators shared by scenes and photographs. Pictures are (B, 3, S, S) in 0..1, maps are (B, 1, S, S)."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dice import Dice


def eight_bit(picture: Tensor) -> np.ndarray:
    """(C, H, W) → (H, W, C) bytes, as files hold them."""
    return (picture.clamp(0, 1).permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)


def from_eight_bit(array: np.ndarray) -> Tensor:
    """(H, W, C) bytes → (C, H, W) in 0..1"""
    return torch.from_numpy(array).permute(2, 0, 1).float() / 255


def gaussian(x: Tensor, sigma: float) -> Tensor:
    """Separable Gaussian, window ±2σ, borders repeated."""
    radius = math.ceil(2 * sigma)
    t = torch.arange(-radius, radius + 1, device=x.device, dtype=torch.float32)
    weights = torch.exp(-t ** 2 / (2 * sigma * sigma))
    weights, channels = (weights / weights.sum()).to(x.dtype), x.shape[1]
    x = F.pad(x, (radius,) * 4, mode='replicate')
    x = F.conv2d(x, weights.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)
    return F.conv2d(x, weights.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)


def luma(x: Tensor) -> Tensor:
    return x[:, :1] * .299 + x[:, 1:2] * .587 + x[:, 2:3] * .114


def dilate(mask: Tensor, radius: int) -> Tensor:
    return F.max_pool2d(mask, 2 * radius + 1, 1, radius)


def _rgb(x: Tensor, *values: float) -> Tensor:
    return torch.tensor(values, device=x.device).view(1, 3, 1, 1)


def photometric(name: str, x: Tensor, disparity: Tensor | None = None) -> Tensor:
    """The targets of photometric instructions. ``fog`` and ``blurbg`` need the disparity (near = 1)."""
    per_128 = x.shape[-1] / 128  # blurs are given for 128 px
    match name:
        case 'warmer': y = x * _rgb(x, 1.16, 1.02, .78)
        case 'cooler': y = x * _rgb(x, .80, .98, 1.18)
        case 'bw': y = luma(x).expand_as(x)
        case 'sepia': y = luma(x) * _rgb(x, 1.12, .92, .68) + .03
        case 'brighter': y = x ** .65
        case 'darker': y = x ** 1.7
        case 'contrast': y = (x - .5) * 1.5 + .5
        case 'saturate': y = luma(x) + (x - luma(x)) * 1.7
        case 'blur': y = gaussian(x, 2.5 * per_128)
        case 'blurbg':
            near = ((disparity - .30) / .10).clamp(0, 1)
            y = gaussian(x, 3.0 * per_128) * (1 - near) + x * near
        case 'invert': y = 1 - x
        case 'fog':
            thickness = (1 - disparity) ** 1.5 * .85
            y = x * (1 - thickness) + .82 * thickness
        case 'night': y = x ** 1.25 * _rgb(x, .34, .38, .58)
        case 'sunset': y = x * _rgb(x, .92, .736, .607) + _rgb(x, .04, .02, .008)
        case _: raise ValueError(f'Expected a photometric operator but received {name}.')
    return y.clamp(0, 1)


def canny(x: Tensor, low: float = .04, high: float = .09, sigma: float = 1.) -> Tensor:
    """Batched Canny edges in {0, 1}: Gaussian, Sobel, non-maximum suppression, six steps of hysteresis.

    Brightness is scaled to a common peak first, so that dark pictures keep their edges.
    """
    light = luma(x)
    light = light * (.9 / light.flatten(1).amax(1).clamp(min=.25)).view(-1, 1, 1, 1)
    smooth = F.pad(gaussian(light, sigma), (1,) * 4, mode='replicate')
    sobel = torch.tensor([[-1., 0, 1], [-2, 0, 2], [-1, 0, 1]], device=x.device).view(1, 1, 3, 3) / 4
    gx, gy = F.conv2d(smooth, sobel), F.conv2d(smooth, sobel.transpose(2, 3))
    magnitude = (gx * gx + gy * gy).sqrt()
    thin = magnitude * _is_ridge(magnitude, gx, gy)
    weak, edges = (thin > low).float(), (thin > high).float()
    for _ in range(6):
        edges = F.max_pool2d(edges, 3, 1, 1) * weak
    return edges


def _is_ridge(magnitude: Tensor, gx: Tensor, gy: Tensor) -> Tensor:
    side, padded = magnitude.shape[-1], F.pad(magnitude, (1,) * 4)

    def shifted(dy: int, dx: int) -> Tensor:
        return padded[:, :, 1 + dy:1 + dy + side, 1 + dx:1 + dx + side]

    horizontal, vertical = gx.abs() > 2.414 * gy.abs(), gy.abs() > 2.414 * gx.abs()  # tan 67.5°
    falling = gx * gy > 0

    def neighbour(sign: int) -> Tensor:
        diagonal = torch.where(falling, shifted(sign, sign), shifted(sign, -sign))
        return torch.where(horizontal, shifted(0, sign), torch.where(vertical, shifted(sign, 0), diagonal))

    return (magnitude >= neighbour(1)) & (magnitude > neighbour(-1))


# --- holes for fill and expand ---------------------------------------------------------------------------------------

def random_holes(count: int, size: int, dice: Dice, scratch_share: float = 0.) -> Tensor:
    """(count, 1, size, size), 1 inside the hole: rectangles, an ellipse, a border to expand into, or thin scratches."""
    masks = torch.zeros(count, 1, size, size)
    for mask in masks[:, 0]:
        if dice.chance(scratch_share):
            _scratches(mask, dice)
            continue
        shape = dice.random()
        if shape < .45:
            _rectangles(mask, dice)
        elif shape < .65:
            _ellipse(mask, dice)
        else:
            _border(mask, dice)
    return masks


def _rectangles(mask: Tensor, dice: Dice) -> None:
    size = mask.shape[-1]
    for _ in range(dice.choice([1, 1, 2])):
        width, height = int(dice.between(.2, .5) * size), int(dice.between(.2, .5) * size)
        x, y = dice.randrange(size - width), dice.randrange(size - height)
        mask[y:y + height, x:x + width] = 1


def _ellipse(mask: Tensor, dice: Dice) -> None:
    centres = (torch.arange(mask.shape[-1]) + .5) / mask.shape[-1]
    x, y = dice.between(.2, .8), dice.between(.2, .8)
    a, b = dice.between(.12, .28), dice.between(.12, .28)
    mask[((centres.view(1, -1) - x) / a) ** 2 + ((centres.view(-1, 1) - y) / b) ** 2 < 1] = 1


def _border(mask: Tensor, dice: Dice) -> None:
    size, sides = mask.shape[-1], dice.choice(['l', 'r', 't', 'b', 'lr', 'ltrb'])
    width = int(dice.between(.15, .4) * size)
    if len(sides) == 4:
        width //= 2
    if 'l' in sides:
        mask[:, :width] = 1
    if 'r' in sides:
        mask[:, size - width:] = 1
    if 't' in sides:
        mask[:width] = 1
    if 'b' in sides:
        mask[size - width:] = 1


def _scratches(mask: Tensor, dice: Dice) -> None:
    size = mask.shape[-1]
    axis = torch.arange(size).float()
    for _ in range(dice.choice([1, 2, 3, 4])):
        dx, dy = axis.view(1, -1) - dice.between(0, size), axis.view(-1, 1) - dice.between(0, size)
        angle, bend = dice.between(0, math.pi), dice.between(-.006, .006)
        along = dx * math.cos(angle) + dy * math.sin(angle)
        across = dy * math.cos(angle) - dx * math.sin(angle) - bend * along * along
        mask[(along.abs() < dice.between(.15, .5) * size) & (across.abs() < dice.between(1., 3.5))] = 1
