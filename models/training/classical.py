"""OpenCV's classical fillers, for comparison. Pictures are (H, W, 3) bytes RGB, holes (H, W) bool."""
from collections.abc import Callable

import cv2
import numpy as np

from detail_measures import cut_around

Filler = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _telea(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Telea 2004."""
    return cv2.inpaint(picture, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA)


def _navier_stokes(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Bertalmio, Bertozzi and Sapiro 2001."""
    return cv2.inpaint(picture, hole.astype(np.uint8), 3, cv2.INPAINT_NS)


def _shift_map(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """He and Sun 2012."""
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    return cv2.cvtColor(_extended(lab, hole, cv2.xphoto.INPAINT_SHIFTMAP), cv2.COLOR_LAB2RGB)


def _fsr(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Frequency selective reconstruction, Genser et al. 2018."""
    # It takes blue, green, red: in the other order it ends in false colours.
    bgr = np.ascontiguousarray(picture[..., ::-1])
    return np.ascontiguousarray(_extended(bgr, hole, cv2.xphoto.INPAINT_FSR_FAST)[..., ::-1])


def _extended(picture: np.ndarray, hole: np.ndarray, method: int) -> np.ndarray:
    filled = np.empty_like(picture)
    cv2.xphoto.inpaint(picture, np.where(hole, 0, 255).astype(np.uint8), filled, method)
    return filled


FILLERS: dict[str, Filler] = {'Telea': _telea, 'Navier–Stokes': _navier_stokes, 'shift map': _shift_map, 'FSR fast': _fsr}
#: Pixels around the hole. FSR of a whole window ends in stripes of false colour; so near to the hole it does not.
MOST_CONTEXT = {'FSR fast': 24}
#: FSR takes minutes for a million pixels of window, and the shift map's choice grows with the window.
MOST_PIXELS = {'shift map': 1_500_000, 'FSR fast': 300_000}


def filled(name: str, truth: np.ndarray, hole: np.ndarray) -> np.ndarray | None:
    """The picture with its hole filled from a window around it; nothing of the truth under the hole is seen. None where
    the method would take longer than anyone waits."""
    rows, columns = (np.flatnonzero(hole.any(axis)) for axis in (1, 0))
    context = max(48, int(max(np.ptp(rows), np.ptp(columns))) + 1)
    window = cut_around(hole, min(context, MOST_CONTEXT.get(name, context)))
    if hole[window].size > MOST_PIXELS.get(name, hole.size):
        return None
    inside = hole[window]
    seen = np.where(inside[..., None], np.uint8(0), truth[window])
    result = truth.copy()
    result[window] = np.where(inside[..., None], FILLERS[name](seen, inside), truth[window])
    return result
