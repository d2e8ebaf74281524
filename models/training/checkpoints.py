"""Training checkpoints: configuration, weights, their moving average, and what a run needs to go on."""
import os
from pathlib import Path

import torch
from torch import nn


def read_checkpoint(path: Path | None) -> dict | None:
    return torch.load(path, map_location='cpu', weights_only=True) if path and path.exists() else None


def save_checkpoint(path: Path, model: nn.Module, average: nn.Module, **progress: object) -> None:
    """Written beside and renamed, so that an interrupted save leaves the old one."""
    temporary = path.with_suffix('.tmp')
    content = dict(config=model.config, model=model.state_dict(), ema=average.state_dict(), **progress)
    torch.save(content, temporary)
    os.replace(temporary, path)
