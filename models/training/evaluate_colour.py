"""Measures what the built product makes of instructions about colour and light, against the exact operators and renderings.

python3 evaluate_colour.py PACKED_PHOTOGRAPHS [--samples DIR] [--product CHECKOUT] [--pack studio] [--count 50] [--scenes 60] [--json OUT.json] [--into PACK_DIR]

Held-out crops (see photographs.py) go through ``scalebrush batch`` as a user's folder would. PSNR is taken between its files
and the exact operator on the same pixels. Black and white is also judged by the colour that is left, the largest minus the
smallest channel, on the crops and on every photograph of a folder at its full size. The recoloured objects of evaluate.py's
scenes are asked for one by one and judged between the pictures themselves. ``--into`` adds the rows to the pack's EVALUATION.md.
"""
import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from evaluate import RESULTS, edit_scenes, recoloured_mask, write_evaluation
from measures import colour_error, edit_success, psnr
from photographs import edited
from photographs import load as load_photographs
from phrases import TRAINED
from pixels import eight_bit, from_eight_bit
from product import Product, png
from targets import COLOUR_ERROR

#: Of the scenes, in pixels: what `studio` draws at.
SCENE_SIZE = 256
OPERATORS = ['warmer', 'cooler', 'bw', 'sepia', 'brighter', 'darker', 'contrast', 'saturate', 'invert', 'fog', 'night', 'sunset']


class Program(NamedTuple):
    """A checkout after ``npm run build``, and the pack that it is asked with."""
    checkout: Path
    pack: str

    @property
    def built(self) -> Path:
        return self.checkout / 'dist/main/cli.js'

    def batch(self, source: Path, text: str, out: Path) -> None:
        subprocess.run(['node', self.built, 'batch', source.resolve(), '-i', text, '-o', out, '--pack', self.pack,
                        '--format', 'png', '--no-recipe'], check=True, capture_output=True, cwd=self.checkout)


def read(path: Path) -> Tensor:
    """(3, H, W) in 0..1, as the file's own numbers."""
    return from_eight_bit(np.array(Image.open(path).convert('RGB')))


def colour_left(picture: Tensor) -> tuple[float, float]:
    """Mean and 99th percentile of the largest minus the smallest channel, of 255."""
    spread = (picture.amax(0) - picture.amin(0)).flatten() * 255
    return spread.mean().item(), np.quantile(spread.numpy(), .99).item()


def measure_operators(program: Program, pictures: Tensor, folder: Path) -> dict:
    source = folder / 'crops'
    source.mkdir()
    for i, picture in enumerate(pictures):
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(source / f'{i:03}.png')
    result = {}
    for name in OPERATORS:
        out = folder / name
        program.batch(source, TRAINED[name][0], out)
        made = [read(out / f'{i:03}.png') for i in range(len(pictures))]
        scores = [psnr(mine[None], edited(name, picture[None].float() / 255)) for mine, picture in zip(made, pictures)]
        result[TRAINED[name][0]] = {'PSNR dB': float(np.mean(scores)), 'worst': float(np.min(scores))}
        if name == 'bw':
            result[TRAINED[name][0]] |= _colour_left(made)
        print(TRAINED[name][0], result[TRAINED[name][0]], flush=True)
    return result


def _colour_left(made: list[Tensor]) -> dict:
    left = [colour_left(picture) for picture in made]
    return {'colour left, mean, worst picture': max(mean for mean, _ in left), 'colour left, 99th percentile, worst picture': max(high for _, high in left)}


def measure_recolouring(program: Program, count: int) -> dict:
    """Success, and colour error inside the object's true mask (mean CIE Lab distance), of as many scenes."""
    batch = edit_scenes('recolor', count, SCENE_SIZE)
    with Product(program.built) as product:
        made = [from_eight_bit(product.edit(png(eight_bit(source)), {'task': 'edit', 'instruction': text, 'pack': program.pack, 'previews': False})[0])
                for source, text in zip(batch.source, batch.texts)]
    pictures = torch.stack(made)
    return {'success': edit_success(batch.source, pictures, batch.target, 'recolor').float().mean().item(),
            COLOUR_ERROR: colour_error(pictures, batch.target, recoloured_mask(batch))}


def measure_samples(program: Program, samples: Path, folder: Path) -> dict:
    out = folder / 'samples'
    program.batch(samples, TRAINED['bw'][0], out)
    return {path.name: dict(zip(('mean', '99th percentile'), colour_left(read(path)))) for path in sorted(out.glob('*.png'))}


def add_to_evaluation(folder: Path, pack: str, result: dict) -> None:
    evaluation = json.loads((folder / RESULTS).read_text())
    evaluation[pack]['instructions on photographs, in the program'] = result['crops']
    evaluation[pack]['recoloured objects on scenes, in the program'] = result['scenes']
    write_evaluation(folder, evaluation)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('photographs', type=Path)
    parser.add_argument('--samples', type=Path, help='a folder of photographs')
    parser.add_argument('--product', type=Path, default=Path(__file__).parents[2], help='a checkout after npm run build')
    parser.add_argument('--pack', default='studio')
    parser.add_argument('--count', type=int, default=50)
    parser.add_argument('--scenes', type=int, default=60)
    parser.add_argument('--json', type=Path)
    parser.add_argument('--into', type=Path, help='a folder with evaluation.json, whose packs the rows may be of')
    arguments = parser.parse_args()
    pictures = load_photographs(arguments.photographs, validation=True)[:arguments.count]
    program = Program(arguments.product, arguments.pack)
    with tempfile.TemporaryDirectory() as folder:
        result = {'crops': measure_operators(program, pictures, Path(folder)), 'scenes': measure_recolouring(program, arguments.scenes)}
        if arguments.samples:
            result['samples'] = measure_samples(program, arguments.samples, Path(folder))
    print(json.dumps(result, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + '\n')
    if arguments.into:
        add_to_evaluation(arguments.into, arguments.pack, result)


if __name__ == '__main__':
    main()
