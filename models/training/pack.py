"""Reading an exported pack (card.json and safetensors files) back into PyTorch modules."""
import json
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor

from depth import DepthNet
from finder import Finder
from tokenizer import Tokenizer
from transformer import EditTransformer

CARD = 'card.json'
FILES = {'transformer': 'transformer.safetensors', 'tokenizer': 'tokenizer.safetensors', 'depth': 'depth.safetensors',
         'objects': 'objects.safetensors'}


class Pack(NamedTuple):
    card: dict
    tokenizer: Tokenizer
    transformer: EditTransformer
    depth: DepthNet


def tokenizer_tensors(tokenizer: Tokenizer) -> dict[str, Tensor]:
    """The exported form has the gains themselves rather than their logarithms."""
    tensors = {name: tensor for name, tensor in tokenizer.state_dict().items() if not name.startswith('quantiser.')}
    return {**tensors, 'gains': tokenizer.quantiser.gains().detach()}


def load_tokenizer(folder: Path) -> Tokenizer:
    config = json.loads((folder / CARD).read_text())['config']['tokenizer']
    blocks = config['blocks']
    tokenizer = Tokenizer(config['size'], config['codeBits'], tuple(config['widths']), tuple(blocks['encoder']),
                          tuple(blocks['decoder']))
    tensors = load_file(folder / FILES['tokenizer'])
    tensors['quantiser.log_gain'] = tensors.pop('gains').float().log()  # a logarithm of halves would be a half
    tokenizer.load_state_dict(tensors)
    return tokenizer.eval().requires_grad_(False)


def load_transformer(folder: Path) -> EditTransformer:
    config = json.loads((folder / CARD).read_text())['config']['transformer']
    model = EditTransformer(len(config['text']['vocabulary']), config['tokenBits'],
                            tuple(side for side, _ in config['scales']), config['width'], config['depth'],
                            config['heads'], config['lateScales'], config['normEps'], config['rotary'].get('span'),
                            config.get('holes') == 'smooth')
    model.load_state_dict(load_file(folder / FILES['transformer']))
    return model.eval()


def load_depth(folder: Path) -> DepthNet:
    config = json.loads((folder / CARD).read_text())['config']['depth']
    model = DepthNet(tuple(config['widths']))
    model.load_state_dict(load_file(folder / FILES['depth']))
    return model.eval().requires_grad_(False)


def load_finder(folder: Path) -> Finder:
    model = Finder(tuple(json.loads((folder / CARD).read_text())['config']['objects']['widths']))
    model.load_state_dict({name: tensor.float() for name, tensor in load_file(folder / FILES['objects']).items()})
    return model.eval().requires_grad_(False)


def load_pack(folder: Path) -> Pack:
    card = json.loads((folder / CARD).read_text())
    return Pack(card, load_tokenizer(folder), load_transformer(folder).requires_grad_(False), load_depth(folder))


def load_checkpoint(path: Path, cls: type[torch.nn.Module]) -> torch.nn.Module:
    """The averaged weights of a training checkpoint."""
    checkpoint = torch.load(path, map_location='cpu', weights_only=True)
    model = cls(**checkpoint['config'])
    model.load_state_dict(checkpoint['ema'])
    return model.eval().requires_grad_(False)
