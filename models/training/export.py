"""Writes a pack: card.json and one safetensors file per network, from the averaged weights of a training folder.

python3 export.py CHECKPOINTS_DIR PACK_DIR [--resolves 3] [--evaluation PACK_DIR/evaluation.json]

CHECKPOINTS_DIR holds tokenizer.pt, transformer.pt, depth.pt and finder.pt.
"""
import argparse
import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from depth import DepthNet
from finder import Finder
from pack import CARD, FILES, load_checkpoint, tokenizer_tensors
from tokenizer import DOWNSAMPLE, Tokenizer
from transformer import ROTARY_BASE, EditTransformer
from vocabulary import KINDS, MAX_WORDS, VOCABULARY, synonyms

ABILITIES = [
    'instruction edits on simple scenes: recolour, remove, add, time of day, ground',
    'photometric instructions on scenes and photographs: warmer, cooler, black and white, sepia, brighter, darker, '
    'contrast, saturated, inverted, fog, night, sunset',
    'fill and expand on scenes and photographs', 'canny and depth control', 'depth presets', 'depth estimation',
]
LIMITS = [
    'objects of photographs are not understood; words for objects mean those of the rendered scenes',
    'with two or three objects the wrong one is sometimes taken; removed objects may leave faint rests',
    'blur cannot be carried to full resolution; replace, resize and move were not trained',
    f'a vocabulary of {len(VOCABULARY) - 2} English words',
]
#: Shown where an instruction was not understood: one trained phrasing per kind of edit.
EXAMPLES = ['make the car red', 'remove the tree', 'add a yellow star on the left', 'make the ground snow', 'make it look like night',
            'make it warmer', 'black and white']
# Those of them that do well on any photograph: light and colour.
PHOTO_EXAMPLES = ['make it warmer', 'make it look like night', 'black and white']
#: How far a map guides (classifier-free guidance by the control).
CONTROL_GUIDANCE = 2
DATA_SOURCES = [
    {'name': 'rendered scenes', 'licence': 'made by models/training/scenes.py', 'use': 'all networks'},
    {'name': 'photographs, 256×256', 'licence': 'CC0-1.0, public domain and permissive licences; see MODEL_CARD.md',
     'use': 'tokenizer and transformer; none of them is part of the pack'},
]


def _save(tensors: dict[str, Tensor], path: Path, dtype: torch.dtype) -> dict:
    save_file({name: tensor.detach().to(dtype).contiguous() for name, tensor in tensors.items()}, path)
    path.chmod(0o644)
    content = path.read_bytes()
    return {'name': path.name, 'bytes': len(content), 'sha256': hashlib.sha256(content).hexdigest()}


def objects_config(finder: Finder) -> dict:
    return {'kind': 'finder', 'widths': finder.config['widths'], 'names': [synonyms(kind) for kind in KINDS]}


def _config(tokenizer: Tokenizer, model: EditTransformer, depth: DepthNet, finder: Finder) -> dict:
    span = model.config['span']
    blocks = {'encoder': tokenizer.config['encoder_blocks'], 'decoder': tokenizer.config['decoder_blocks']}
    return {
        'transformer': {
            'depth': model.depth, 'width': model.width, 'heads': model.config['heads'], 'tokenBits': model.config['token_bits'],
            'scales': [[side, side] for side in model.scales], 'patchify': 2,
            'rotary': {'kind': 'normalised', 'base': ROTARY_BASE, **({} if span == model.finest else {'span': span})},
            'text': {'kind': 'words', 'maxWords': MAX_WORDS, 'vocabulary': VOCABULARY, 'examples': EXAMPLES, 'photoExamples': PHOTO_EXAMPLES},
            'sourceFusion': True, 'copyGate': True, 'maskEmbedding': True, **({'holes': 'smooth'} if model.smooth_holes else {}),
            'control': {'channels': ['canny', 'canny-flag', 'depth', 'depth-flag'], 'layers': model.control_layers},
            'lateScales': model.late_scales, 'normEps': model.norm_eps,
        },
        'tokenizer': {'kind': 'residual', 'codeBits': tokenizer.config['code_bits'], 'downsample': DOWNSAMPLE,
                      'size': tokenizer.config['size'], 'widths': tokenizer.config['widths'], 'blocks': blocks},
        'depth': {'kind': 'pyramid', 'size': tokenizer.config['size'], 'widths': depth.config['widths']},
        'objects': objects_config(finder),
    }


def export(options: argparse.Namespace) -> None:
    checkpoints, out = options.checkpoints, options.out
    tokenizer = load_checkpoint(checkpoints / 'tokenizer.pt', Tokenizer)
    model = load_checkpoint(checkpoints / 'transformer.pt', EditTransformer)
    depth = load_checkpoint(checkpoints / 'depth.pt', DepthNet)
    finder = load_checkpoint(checkpoints / 'finder.pt', Finder)
    for fuse in model.control_fuse:
        for weight in fuse.parameters():
            weight.mul_(options.control_gain)
    out.mkdir(parents=True, exist_ok=True)
    tensors = {'transformer': model.state_dict(), 'tokenizer': tokenizer_tensors(tokenizer), 'depth': depth.state_dict(),
               'objects': finder.state_dict()}
    files = [{**_save(tensors[role], out / FILES[role], torch.float16 if options.half or role == 'objects' else torch.float32), 'role': role} for role in FILES]
    layers = model.depth
    card = {
        'format': 1, 'name': out.name, 'title': f'{out.name.capitalize()} (built-in)', 'version': '1.1.0', 'family': 'infinity', 'licence': 'MIT',
        'imageSize': tokenizer.config['size'], **({'resolves': options.resolves} if options.resolves else {}), 'lettersFromPx': 32,
        'config': _config(tokenizer, model, depth, finder),
        'presets': {'best': layers, 'balanced': layers * 3 // 4, 'fast': layers // 2, 'draft': max(2, layers // 4)},
        'defaults': {'guidance': 1, 'controlGuidance': CONTROL_GUIDANCE, 'temperature': 0, 'fillInstruction': 'fill the empty area'},
        'files': files, 'dataSources': DATA_SOURCES, 'abilities': ABILITIES, 'limits': [f"works at {tokenizer.config['size']} pixels: what it draws is soft", *LIMITS],
    }
    if options.evaluation:
        card['measured'] = next(iter(json.loads(options.evaluation.read_text()).values()))
    (out / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + '\n')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('checkpoints', type=Path)
    parser.add_argument('out', type=Path)
    parser.add_argument('--evaluation', type=Path)
    parser.add_argument('--resolves', type=float, help="model pixels across the finest detail that leads detail scales; absent: `scalebrush report-tokenizer` measures it")
    parser.add_argument('--control-gain', type=float, default=1, help='of what a map adds to the tokens, so that strength 1 is so much of it')
    parser.add_argument('--half', action='store_true', help='store the weights as float16')
    export(parser.parse_args())


if __name__ == '__main__':
    main()
