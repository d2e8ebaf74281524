"""Training checkpoints: configuration, weights, their moving average, and what a run needs to go on."""
import json
import os
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn


def read_checkpoint(path: Path | None) -> dict | None:
    return torch.load(path, map_location='cpu', weights_only=True) if path and path.exists() else None


def save_checkpoint(path: Path, model: nn.Module, average: nn.Module, **progress: object) -> None:
    """Written beside and renamed, so that an interrupted save leaves the old one."""
    temporary = path.with_suffix('.tmp')
    content = dict(config=model.config, model=model.state_dict(), ema=average.state_dict(), **progress)
    torch.save(content, temporary)
    os.replace(temporary, path)


def read_averaged(path: Path, role: str) -> dict[str, Tensor]:
    """The averaged weights of a checkpoint, or those of one network of a pack's folder. Throws where there are none."""
    if path.is_file():
        return read_checkpoint(path)['ema']
    tensors = {name: tensor.float() for name, tensor in load_file(path / f'{role}.safetensors').items()}
    if 'gains' in tensors:  # the exported form of the quantiser's parameter
        tensors['quantiser.log_gain'] = tensors.pop('gains').log()
    return tensors


def vocabulary_of(path: Path) -> list[str]:
    """The words of a pack's folder, in the order of its embedding table."""
    return json.loads((path / 'card.json').read_text())['config']['transformer']['text']['vocabulary']
