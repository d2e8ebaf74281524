"""What PyTorch makes of the exported pack, for the engine's golden tests: rendered scenes only.

python3 make_fixtures.py PACK_DIR OUT_DIR

Each case has the pictures that go in (PNG), and as JSON the instruction, the settings and the arg-max tokens of every
scale: a token's bits as hex, four to a digit, first bit lowest.
"""
import argparse
import itertools
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from dice import Dice
from generate import Settings, Trace, generate
from membrane import with_smooth_holes
from pack import Pack, load_pack
from pixels import eight_bit, from_eight_bit
from samples import CANNY, DEPTH, Batch, sample_scenes, scene_batch

#: name, task of the sample, kind of edit, settings
CASES = [
    ('edit', 'edit', 'recolor', {}),
    ('guided', 'edit', 'remove', {'guidance': 2.}),
    ('fill', 'fill', None, {'keep_outside': True}),
    ('canny', 'canny', None, {}),
    ('depth', 'depth', None, {'preset': 3}),
    ('held', 'canny', None, {'control_guidance': 2.}),
]


#: A bit that is nearer to its other value is turned by rounding, which is no engine's fault.
LEAST_MARGIN = 2e-5


def _hex(bits: Tensor) -> str:
    digits = bits.int().view(-1, 4) * torch.tensor([1, 2, 4, 8])
    return ''.join(f'{digit:x}' for digit in digits.sum(1).tolist())


def _save(picture: Tensor, path: Path) -> Tensor:
    """Writes 8-bit samples, and gives back what reading them gives: the engine sees exactly these."""
    array = eight_bit(picture)
    Image.fromarray(array.squeeze()).save(path, optimize=True)
    return from_eight_bit(array)


def _case(pack: Pack, name: str, batch: Batch, settings: dict, out: Path) -> float:
    """Returns how far the least certain bit is from the other value, in logits."""
    is_smooth = pack.transformer.smooth_holes
    source = _save((with_smooth_holes(batch.source, batch.mask) if is_smooth else batch.source)[0], out / f'case-{name}-source.png')
    mask = _save(batch.mask[0], out / f'case-{name}-mask.png')
    control = batch.control.clone()
    for channel in (CANNY, DEPTH):
        if control[0, channel + 1].any():
            control[0, channel:channel + 1] = _save(control[0, channel:channel + 1], out / f'case-{name}-control.png')
    features = pack.tokenizer.encoder(source[None])
    trace = Trace()
    cells = F.adaptive_avg_pool2d(mask[None], pack.tokenizer.grid)
    total = generate(pack.transformer, pack.tokenizer.quantiser, batch.words, features, cells, control, Settings(**settings), trace)
    _save(pack.tokenizer.decoder(total)[0], out / f'case-{name}-decoded.png')
    tokens = [[_hex(token) for token in scale[0]] for scale in trace.bits]
    margins = [scale.abs().min().item() for scale in trace.logits]
    content = {'instruction': batch.texts[0], 'settings': settings, 'tokens': tokens, 'smallestMargin': min(margins)}
    (out / f'case-{name}.json').write_text(json.dumps(content) + '\n')
    return min(margins)


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('pack', type=Path)
    parser.add_argument('out', type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    pack = load_pack(arguments.pack)
    size = pack.tokenizer.config['size']
    for i, (name, task, kind, settings) in enumerate(CASES):
        for attempt in itertools.count():
            dice = Dice(9_100_000 + i + len(CASES) * attempt)
            if _case(pack, name, scene_batch(dice, sample_scenes(dice, 1, task, kind), size), settings, arguments.out) > LEAST_MARGIN:
                break


if __name__ == '__main__':
    main()
