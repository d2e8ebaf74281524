"""How well a hole was filled, judged in a cut around it. Pictures are (H, W, 3) bytes, holes (H, W) bool.

PSNR, SSIM (Wang et al. 2004) and GMSD (Xue et al. 2014) look at the hole alone; texture and seam are ratios to the
truth, so 1 is right; the perceptual distance is ST-LPIPS (Ghildyal and Liu 2022; AlexNet), 0 is equal.
"""
import sys
import types
from functools import cache

import cv2
import numpy as np
import torch

#: Known pixels around the hole that the cut holds, so that seams are seen.
MARGIN = 24
#: AlexNet's strides leave nothing of less.
LEAST_SIDE = 64
MEASURES = ('perceptual', 'PSNR', 'SSIM', 'GMSD', 'texture', 'seam')
#: Ratios are averaged in the logarithm: half as much and twice as much are equally wrong.
RATIOS = ('texture', 'seam')


def cut_around(hole: np.ndarray, margin: int = MARGIN) -> tuple[slice, slice]:
    return tuple(_span(np.flatnonzero(hole.any(axis)), hole.shape[1 - axis], margin) for axis in (1, 0))


def _span(used: np.ndarray, length: int, margin: int) -> slice:
    start, end = used[0] - margin, used[-1] + 1 + margin
    lacking = max(0, LEAST_SIDE - (end - start))
    start = max(0, start - lacking // 2)
    return slice(int(start), int(min(length, max(end + lacking, start + LEAST_SIDE))))


def lightness(picture: np.ndarray) -> np.ndarray:
    return picture @ np.float32([.299, .587, .114])


def measure(picture: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> dict[str, float]:
    cut = cut_around(hole)
    a, b, inside = picture[cut].astype(np.float32) / 255, truth[cut].astype(np.float32) / 255, hole[cut]
    light, true_light = lightness(a), lightness(b)
    error = max(1e-9, float(((a - b)[inside] ** 2).mean()))
    return {'perceptual': perceptual_distance(a, b), 'PSNR': -10 * float(np.log10(error)),
            'SSIM': float(_ssim(light, true_light)[inside].mean()), 'GMSD': float(_similarity(light, true_light)[inside].std()),
            'texture': _texture(light, inside) / max(1e-6, _texture(true_light, inside)),
            'seam': _seam(light, inside) / max(1e-6, _seam(true_light, inside))}


def mean_of(rows: list[dict[str, float]]) -> dict[str, float]:
    def mean(name: str) -> float:
        values = np.array([row[name] for row in rows])
        return float(np.exp(np.log(np.maximum(values, 1e-3)).mean()) if name in RATIOS else values.mean())

    return {name: mean(name) for name in MEASURES}


def _ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    def mean(x: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(x, (0, 0), 1.5)

    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b, both = mean(a * a) - mean_a ** 2, mean(b * b) - mean_b ** 2, mean(a * b) - mean_a * mean_b
    return (2 * mean_a * mean_b + 1e-4) * (2 * both + 9e-4) / ((mean_a ** 2 + mean_b ** 2 + 1e-4) * (var_a + var_b + 9e-4))


def _similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of gradient magnitudes after halving the detail, as the paper has it."""
    def magnitude(light: np.ndarray) -> np.ndarray:
        smooth = cv2.blur(light, (2, 2))
        return np.hypot(cv2.Sobel(smooth, -1, 1, 0) / 8, cv2.Sobel(smooth, -1, 0, 1) / 8)

    x, y = magnitude(a), magnitude(b)
    return (2 * x * y + .0026) / (x * x + y * y + .0026)


def _texture(light: np.ndarray, inside: np.ndarray) -> float:
    """Mean length of the gradient, away from the border, whose step is the seam's matter."""
    inner = cv2.erode(inside.astype(np.uint8), np.ones((5, 5))) > 0
    steps = np.hypot(np.diff(light, axis=1, append=light[:, -1:]), np.diff(light, axis=0, append=light[-1:]))
    return float(steps[inner if inner.any() else inside].mean())


def _seam(light: np.ndarray, inside: np.ndarray) -> float:
    """Sum of the steps from outside to inside."""
    return float(sum(np.abs(np.diff(light, axis=axis))[np.diff(inside.astype(np.int8), axis=axis) != 0].sum() for axis in (0, 1)))


@torch.no_grad()
def perceptual_distance(a: np.ndarray, b: np.ndarray) -> float:
    x, y = (torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None] for picture in (a, b))
    return _network()(x, y, normalize=True).item()


@cache
def _network() -> torch.nn.Module:
    """``stlpips_pytorch`` imports four packages for other networks and for debugging; this one needs none of them."""
    for name in ('torchvision', 'torchvision.models', 'IPython', 'torchsummary'):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules['torchvision'].models = sys.modules['torchvision.models']
    sys.modules['IPython'].embed = sys.modules['torchsummary'].summary = None
    from stlpips_pytorch.stlpips import LPIPS
    return LPIPS(net='alex', variant='shift_tolerant', verbose=False).eval()
