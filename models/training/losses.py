"""Distances between pictures that networks are trained with. Pictures are (B, 3, S, S) in 0..1; results are scalars."""
import torch.nn.functional as F
from torch import Tensor

from pixels import luma

#: Weights of the parts of ``picture_loss``.
SQUARED, GRADIENTS, CONTRAST = 2., .5, .3
#: Sides of the squares that gradients are compared between: fine texture, outlines, shapes.
GRADIENT_STEPS = (1, 2, 4)
#: Sides of the windows whose contrast is compared, and what keeps the root's slope finite in flat ones.
CONTRAST_WINDOWS, FLAT = (5, 9), 1e-4


def gradients(x: Tensor) -> tuple[Tensor, Tensor]:
    """Differences between neighbouring columns (…, S, S-1) and rows (…, S-1, S)."""
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def gradient_distance(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference of the gradients."""
    return sum((x - y).abs().mean() for x, y in zip(gradients(a), gradients(b)))


def multi_scale_gradients(a: Tensor, b: Tensor) -> Tensor:
    """``gradient_distance``, averaged over the picture and its smaller versions."""
    return sum(gradient_distance(smaller(a, step), smaller(b, step)) for step in GRADIENT_STEPS) / len(GRADIENT_STEPS)


def smaller(x: Tensor, step: int) -> Tensor:
    """(…, S/step, S/step): means of squares."""
    return F.avg_pool2d(x, step) if step > 1 else x


def window_mean(x: Tensor, window: int) -> Tensor:
    """(…, S-w+1, S-w+1): mean of the window around every pixel, columns and rows in turn, which costs 2w instead of w²."""
    return F.avg_pool2d(F.avg_pool2d(x, (1, window), 1), (window, 1), 1)


def local_contrast(x: Tensor, window: int) -> Tensor:
    """(B, 1, S-w+1, S-w+1): standard deviation of luma around every pixel."""
    light = luma(x)
    mean = window_mean(light, window)
    return (window_mean(light * light, window) - mean * mean).clamp(min=0).add(FLAT).sqrt()


def contrast_distance(a: Tensor, b: Tensor) -> Tensor:
    """How differently rough two pictures are, wherever their texture exactly lies: what blur changes most. It is the
    contrast term of structural similarity (Wang et al. 2004) without its correlation."""
    return sum((local_contrast(a, w) - local_contrast(b, w)).abs().mean() for w in CONTRAST_WINDOWS) / len(CONTRAST_WINDOWS)


def picture_loss(restored: Tensor, picture: Tensor) -> Tensor:
    """Absolute and squared error, multi-scale gradients and local contrast: perceptual without another network's weights."""
    error = restored - picture
    return (error.abs().mean() + SQUARED * (error ** 2).mean() + GRADIENTS * multi_scale_gradients(restored, picture)
            + CONTRAST * contrast_distance(restored, picture))
