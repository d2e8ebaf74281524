"""Edit transfer: carries an edit from decoded (blurry) pictures to the original pixels, at any resolution.

In every window an affine colour map (3×3 and offset) from decode(source codes) to decode(result codes) is fitted by
ridge regression and applied to the original pixels, so that texture survives. Where the fit is bad (an object came,
went or changed shape) the decoded pixels are used. It needs no weights and works with every checkpoint.
"""
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from pixels import gaussian


class Transferred(NamedTuple):
    picture: Tensor     # (B, 3, H, W)
    decoded: Tensor     # (B, 1, H, W): share of decoded pixels
    fit_error: Tensor   # (B,)


class Parameters(NamedTuple):
    """``grow``: how far a structural change spreads over changed pixels, as a part of the height."""
    sigma: float = 4.
    ridge: float = 2e-3
    good: float = .12
    bad: float = .24
    grow: float = .10


@torch.no_grad()
def transfer(source: Tensor, decoded_source: Tensor, decoded_result: Tensor, parameters: Parameters = Parameters()) -> Transferred:
    """Source (B, 3, H, W), decoded pair (B, 3, h, w), all in 0..1. Fits with two priors, identity and the whole
    picture's affine map (inversion, night, black and white); per picture the one that explains clearly more wins."""
    local = _fit(source, decoded_source, decoded_result, parameters)
    matrix, offset = _whole_picture_map(decoded_source, decoded_result)
    mapped = [torch.einsum('nio,nihw->nohw', matrix, x) + offset for x in (source, decoded_source)]
    on_top = _fit(*mapped, decoded_result, parameters)
    is_better = (on_top.fit_error < .8 * local.fit_error).view(-1, 1, 1, 1)
    return Transferred(torch.where(is_better, on_top.picture, local.picture),
                       torch.where(is_better, on_top.decoded, local.decoded),
                       torch.where(is_better.flatten(), on_top.fit_error, local.fit_error))


def _whole_picture_map(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Ridge towards the identity: matrix (B, in, out), offset (B, 3, 1, 1)."""
    rows, wanted = x.flatten(2).transpose(1, 2), y.flatten(2).transpose(1, 2)
    with_one = torch.cat([rows, torch.ones_like(rows[..., :1])], -1)
    identity = torch.eye(4).to(x)
    gram = with_one.transpose(1, 2) @ with_one / rows.shape[1] + 1e-4 * identity
    change = torch.linalg.solve(gram, with_one.transpose(1, 2) @ (wanted - rows) / rows.shape[1])
    full = identity[:, :3] + change
    return full[:, :3], full[:, 3].view(-1, 3, 1, 1)


def _local_maps(x: Tensor, y: Tensor, p: Parameters) -> tuple[Tensor, Tensor]:
    """Windowed regression of y on x: (B, in, out, h, w) and (B, 3, h, w)."""
    count, _, height, width = x.shape

    def covariance(a: Tensor, b: Tensor) -> Tensor:
        products = gaussian((a.unsqueeze(2) * b.unsqueeze(1)).flatten(1, 2), p.sigma).view(count, 3, 3, height, width)
        return products - gaussian(a, p.sigma).unsqueeze(2) * gaussian(b, p.sigma).unsqueeze(1)

    ridge = p.ridge * torch.eye(3).to(x).view(1, 3, 3, 1, 1)  # in numerator too: shrinks to the identity, not to zero
    left, right = (t.permute(0, 3, 4, 1, 2) for t in (covariance(x, x) + ridge, covariance(x, y) + ridge))
    matrix = torch.linalg.solve(left, right).permute(0, 3, 4, 1, 2)
    return matrix, gaussian(y, p.sigma) - (matrix * gaussian(x, p.sigma).unsqueeze(2)).sum(1)


def _fit(source: Tensor, x: Tensor, y: Tensor, p: Parameters) -> Transferred:
    size, target_size = x.shape[2:], source.shape[2:]
    matrix, offset = _local_maps(x, y, p)
    fitted = (matrix * x.unsqueeze(2)).sum(1) + offset
    fit_error = ((fitted - y) ** 2).mean((1, 2, 3))
    decoded = _decoded_share(x, y, fitted, p)
    if target_size != size:
        def up(t: Tensor) -> Tensor:
            return F.interpolate(t, size=target_size, mode='bilinear', align_corners=False)
        matrix = up(matrix.flatten(1, 2)).view(len(x), 3, 3, *target_size)
        offset, decoded, y = up(offset), up(decoded), up(y)
    carried = (matrix * source.unsqueeze(2)).sum(1) + offset
    return Transferred((carried * (1 - decoded) + y * decoded).clamp(0, 1), decoded, fit_error)


def _decoded_share(x: Tensor, y: Tensor, fitted: Tensor, p: Parameters) -> Tensor:
    """1 where the fit fails; a structural change takes its whole changed neighbourhood with it."""
    error = gaussian((fitted - y).abs().amax(1, keepdim=True), 1.)
    share = ((error - p.good) / (p.bad - p.good)).clamp(0, 1)
    changed = (gaussian((y - x).abs().amax(1, keepdim=True), 1.) > p.good).float()
    seed = F.max_pool2d((error > p.bad).float(), 3, 1, 1) * (error > p.good).float()
    seed = F.max_pool2d(seed, 3, 1, 1) * changed
    for _ in range(max(1, round(p.grow * x.shape[2] / 3))):
        seed = F.max_pool2d(seed, 7, 1, 3) * changed
    return gaussian(torch.maximum(share, F.max_pool2d(seed, 5, 1, 2)), 1.2)
