"""Figures that evaluations are made of. Pictures are (B, 3, H, W) in 0..1, weights and masks (B, 1, H, W)."""
import cv2
import numpy as np
import torch
from torch import Tensor

from pixels import canny, dilate, from_eight_bit, gaussian, luma
from scenes import GLOBAL_EDITS


def psnr(a: Tensor, b: Tensor, weight: Tensor | None = None) -> float:
    """dB, averaged over pictures; with a weight only where it is 1."""
    squared = ((a - b) ** 2).mean(1, keepdim=True)
    weight = torch.ones_like(squared) if weight is None else weight
    mean = (squared * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp(min=1)
    return (-10 * torch.log10(mean.clamp(min=1e-8))).mean().item()


def ssim(a: Tensor, b: Tensor, weight: Tensor | None = None) -> float:
    """Structural similarity (Wang et al. 2004), Gaussian window of σ 1.5."""
    mean_a, mean_b = gaussian(a, 1.5), gaussian(b, 1.5)
    var_a, var_b = gaussian(a * a, 1.5) - mean_a ** 2, gaussian(b * b, 1.5) - mean_b ** 2
    covariance = gaussian(a * b, 1.5) - mean_a * mean_b
    top = (2 * mean_a * mean_b + 1e-4) * (2 * covariance + 9e-4)
    of_pixel = (top / ((mean_a ** 2 + mean_b ** 2 + 1e-4) * (var_a + var_b + 9e-4))).mean(1, keepdim=True)
    weight = torch.ones_like(of_pixel) if weight is None else weight
    return ((of_pixel * weight).sum() / weight.sum().clamp(min=1)).item()


def gradient_magnitude(picture: Tensor) -> Tensor:
    """(B, 1, H, W): length of the forward differences of luma, zero at the last row and column."""
    light, result = luma(picture), torch.zeros_like(picture[:, :1])
    dx, dy = light[..., :-1, 1:] - light[..., :-1, :-1], light[..., 1:, :-1] - light[..., :-1, :-1]
    result[..., :-1, :-1] = (dx * dx + dy * dy).sqrt()
    return result


def gmsd(a: Tensor, b: Tensor) -> float:
    """Gradient magnitude similarity deviation (Xue et al. 2014), a perceptual distance: 0 is equal."""
    ga, gb = gradient_magnitude(a), gradient_magnitude(b)
    similarity = (2 * ga * gb + .0026) / (ga * ga + gb * gb + .0026)
    return similarity.flatten(1).std(1).mean().item()


def texture(picture: Tensor, truth: Tensor, mask: Tensor) -> float:
    """Gradient energy inside the mask relative to the truth's: 1 is as textured, below is smoother."""
    mine, true = ((gradient_magnitude(x) * mask).sum((1, 2, 3)) for x in (picture, truth))
    return (mine.sum() / true.sum().clamp(min=1e-6)).item()


def seam_step(picture: Tensor, mask: Tensor) -> float:
    """Mean absolute difference between neighbours on the two sides of the mask's border."""
    total = count = 0.
    for axis in (2, 3):
        length = picture.shape[axis] - 1
        step = (picture.narrow(axis, 1, length) - picture.narrow(axis, 0, length)).abs().mean(1, keepdim=True)
        crosses = (mask.narrow(axis, 1, length) != mask.narrow(axis, 0, length)).float()
        total, count = total + (step * crosses).sum(), count + crosses.sum()
    return (total / count).item()


def global_shift(picture: Tensor, source: Tensor) -> float:
    """Median shift in pixels between the pictures (phase correlation)."""
    window = cv2.createHanningWindow(tuple(source.shape[-2:]), cv2.CV_32F)
    shifts = [cv2.phaseCorrelate(a.numpy(), b.numpy(), window)[0] for a, b in zip(luma(source)[:, 0], luma(picture)[:, 0])]
    return float(np.median([np.hypot(*shift) for shift in shifts]))


def edit_success(before: Tensor, after: Tensor, truth: Tensor, kind: str) -> Tensor:
    """(B,) bool; all three decoded."""
    changed = ((truth - before).abs().amax(1, keepdim=True) > .06).float()

    def error(a: Tensor) -> Tensor:
        return ((a - truth).abs().mean(1, keepdim=True) * changed).sum((1, 2, 3))

    ratio = error(after) / error(before).clamp(min=1e-4)
    mine = ((after - before).abs().amax(1) > .12).float()
    true = ((truth - before).abs().amax(1) > .12).float()
    overlap = (mine * true).sum((1, 2)) / torch.maximum(mine, true).sum((1, 2)).clamp(min=1)
    return (ratio < .5) & ((overlap > .4) | (kind in GLOBAL_EDITS))


def colour_error(picture: Tensor, truth: Tensor, mask: Tensor) -> float:
    """Mean CIE Lab distance inside the mask, averaged over the pictures that have one."""
    errors = []
    for mine, true, inside in zip(picture, truth, mask[:, 0] > 0):
        if inside.any():
            lab = [cv2.cvtColor(x.permute(1, 2, 0).contiguous().numpy(), cv2.COLOR_RGB2LAB) for x in (mine, true)]
            errors.append(np.linalg.norm(lab[0] - lab[1], axis=-1)[inside.numpy()].mean())
    return float(np.mean(errors)) if errors else float('nan')


def edge_f1(picture: Tensor, wanted: Tensor) -> float:
    """Canny edges of the picture against the wanted ones, one pixel of tolerance."""
    edges = canny(picture)
    precision = (edges * dilate(wanted, 1)).sum((1, 2, 3)) / edges.sum((1, 2, 3)).clamp(min=1)
    recall = (wanted * dilate(edges, 1)).sum((1, 2, 3)) / wanted.sum((1, 2, 3)).clamp(min=1)
    return (2 * precision * recall / (precision + recall).clamp(min=1e-6)).mean().item()


def inpainted(picture: Tensor, mask: Tensor, method: int) -> Tensor:
    """OpenCV's classical in-painting of (3, H, W) with radius 3."""
    pixels = (picture.permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    filled = cv2.inpaint(pixels, (mask[0].numpy() * 255).astype(np.uint8), 3, method)
    return from_eight_bit(filled)
