"""The smoothest surface over a hole: what a model is shown there that was trained with ``smooth_holes``.

The same as the engine's ``fillMembrane``: Laplace's equation, solved down and up a pyramid of weighted averages.
"""
import numpy as np
import torch
from torch import Tensor

ROUNDS, EAGERNESS = 24, 1.5


def with_smooth_holes(picture: Tensor, mask: Tensor) -> Tensor:
    """Pictures (B, 3, S, S) whose holes (B, 1, S, S) go on as their surroundings; those that are all hole stay as they are."""
    return torch.stack([_filled(x, hole) if hole.any() and not hole.all() else x for x, hole in zip(picture, mask > 0)])


def _filled(picture: Tensor, hole: Tensor) -> Tensor:
    return torch.from_numpy(_membrane(picture.numpy().astype(np.float32), (~hole).numpy().astype(np.float32)))


def _membrane(planes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """``planes`` (3, h, w), ``known`` (1, h, w) the share of each sample that is known."""
    height, width = planes.shape[1:]
    if max(height, width) <= 1 or (known > 0).all():
        return planes
    padding = ((0, 0), (0, height % 2), (0, width % 2))
    sums, shares = (_quads(np.pad(x, padding)) for x in (planes * known, known))
    averages = np.divide(sums, shares, out=np.zeros_like(sums), where=shares > 0)
    coarse = _membrane(averages, np.minimum(1, shares))
    unknown = known[0] == 0
    result = np.where(unknown, coarse.repeat(2, 1).repeat(2, 2)[:, :height, :width], planes)
    return _relaxed(result, unknown)


def _quads(x: np.ndarray) -> np.ndarray:
    """Sums of 2×2 samples."""
    return x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2).sum((2, 4))


def _relaxed(planes: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """Over-relaxed Gauss–Seidel, the squares of one colour of a chessboard after the other."""
    rows, columns = np.nonzero(unknown)
    height, width = unknown.shape
    halves = []
    for colour in (0, 1):
        y, x = (axis[(rows + columns) % 2 == colour] for axis in (rows, columns))
        neighbours = [(y, np.maximum(x - 1, 0)), (y, np.minimum(x + 1, width - 1)), (np.maximum(y - 1, 0), x), (np.minimum(y + 1, height - 1), x)]
        halves.append((y * width + x, [a * width + b for a, b in neighbours]))
    flat = planes.reshape(len(planes), -1).copy()
    for _ in range(ROUNDS):
        for own, beside in halves:
            mean = sum(flat[:, index] for index in beside) / len(beside)
            flat[:, own] += EAGERNESS * (mean - flat[:, own])
    return flat.reshape(planes.shape)
