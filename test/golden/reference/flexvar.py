"""FlexVAR (Jiao et al. 2025) in plain PyTorch, written from the paper and the layout of the published weights, to hold ours against.

python3 flexvar.py check FOLDER    compare this file with numbers of the published code (a fixture set)
python3 flexvar.py make FOLDER     write a small set of random weights and what they give, for the golden tests
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

import controlar
import var
from var import Weights, linear, random_weights, read_picture, transformer_shapes

Grid = tuple[int, int]
POSITIONS = 32


def squares(sides: list[int]) -> list[Grid]:
    return [(side, side) for side in sides]


class Transformer(var.Transformer):
    """VAR's blocks; no levels, and positions that are resized to the grid."""

    def embed_on(self, codes: Tensor | None, grid: Grid) -> Tensor:
        w = self.weights
        place = F.interpolate(w['pos_1LC'], grid, mode='area').flatten(2).transpose(1, 2)
        if codes is None:
            return self.cond[:, None] + w['pos_start'] + place
        return (linear(w, 'word_embed', codes) + place).expand(len(self.cond), -1, -1)


class Tokenizer:
    """LlamaGen's, with a codebook of directions; every scale is encoded from the same features."""

    def __init__(self, weights: Weights):
        self.weights = weights
        self.codebook = F.normalize(weights['quantize.embedding.weight'], dim=-1)

    def encode(self, picture: Tensor) -> Tensor:
        return controlar.encode(self.weights, picture)

    def decode(self, codes: Tensor) -> Tensor:
        return controlar.decode(self.weights, codes)

    def tokens_of(self, features: Tensor, grids: list[Grid]) -> list[Tensor]:
        vectors = [F.interpolate(features, grid, mode='area').flatten(2)[0].T for grid in grids]
        return [(F.normalize(z, dim=-1) @ self.codebook.T).argmax(1) for z in vectors]

    def codes_of(self, tokens: Tensor, grid: Grid) -> Tensor:
        return self.codebook[tokens].T.reshape(1, -1, *grid)


def generate(model: Transformer, tokenizer: Tokenizer, label: int, guidance: list[float], grids: list[Grid],
             given: list[Tensor] | None = None, source: list[Tensor] | None = None, keep: list[Tensor] | None = None) -> dict:
    """Arg-max. `guidance` weighs the class per scale; 1 = none."""
    guided = any(weight != 1 for weight in guidance)
    model.begin([label, model.classes] if guided else [label])
    result: dict = {'tokens': [], 'margin': [], 'logits': []}
    codes, inputs = None, None
    for scale, grid in enumerate(grids):
        if codes is not None:
            inputs = F.interpolate(codes, grid, mode='bicubic').flatten(2).transpose(1, 2)
        logits = model.step(model.embed_on(inputs, grid))
        weighed = guidance[scale] * logits[0] + (1 - guidance[scale]) * logits[-1]
        top = weighed.topk(2, -1)
        tokens = top.indices[:, 0]
        if given and scale < len(given):
            tokens = given[scale]
        if keep:
            tokens = torch.where(keep[scale], source[scale], tokens)
        result['tokens'].append(tokens.tolist())
        result['margin'].append((top.values[:, 0] - top.values[:, 1]).tolist())
        result['logits'].append(logits)
        codes = tokenizer.codes_of(tokens, grid)
    return result | {'codes': codes}


def ramp(cfg: float, grids: list[Grid]) -> list[float]:
    last = min(len(grids) - 1, 9)
    return [1 + (cfg if rows == columns and rows > 16 else cfg * k / last) for k, (rows, columns) in enumerate(grids)]


def every_fourth(picture: Tensor) -> Tensor:
    return picture[0, :, 2::4, 2::4]


def load(path: Path) -> Weights:
    state = torch.load(path, map_location='cpu', weights_only=True)
    return {name: tensor.float() for name, tensor in state.get('model', state).items()}


def open_set(folder: Path) -> tuple[Transformer, Tokenizer]:
    return Transformer(load(next(folder.glob('FlexVAR*.pth')))), Tokenizer(load(folder / 'FlexVAE.pth'))


def check(folder: Path) -> None:
    model, tokenizer = open_set(folder)

    def read(name: str) -> dict:
        return json.loads((folder / f'fx/{name}.json').read_text())

    features = tokenizer.encode(read_picture(folder / 'fx/input.png'))
    print('features differ by', float((features - torch.from_numpy(np.load(folder / 'fx/encoder_features.npy'))).abs().max()))
    source = read('tokens_input')
    grids = squares(source['patch_nums'])
    tokens = tokenizer.tokens_of(features, grids)
    print('tokens of the picture equal:', [t.tolist() for t in tokens] == source['tokens'])
    for name in ['generate', 'generate_constant', 'generate_unguided', 'generate_13', 'generate_6', 'generate_512', 'wide', 'inpaint', 'outpaint', 'refine']:
        expected = read(name)
        grids = [tuple(grid) for grid in expected['grids']] if 'grids' in expected else squares(expected['patch_nums'])
        keep = [torch.tensor(k).bool() for k in read(f'{name}_mask')['keep_per_scale']] if name in ('inpaint', 'outpaint') else None
        given = tokens[:-3] if name == 'refine' else None
        result = generate(model, tokenizer, expected['class_'], expected['guidance'], grids, given, tokens, keep)
        theirs = expected['tokens'] if keep is None else [[s if k else t for t, s, k in zip(row, tokens[i].tolist(), keep[i])] for i, row in enumerate(expected['tokens'])]
        wrong = sum(a != b for ours, row in zip(result['tokens'], theirs) for a, b in zip(ours, row))
        print(f'{name}: {wrong} other tokens', end='')
        path = folder / f'fx/{name}_image_sub.npy'
        print(f', pictures differ by {float((every_fourth(tokenizer.decode(result["codes"])) - torch.from_numpy(np.load(path))).abs().max()):.1e}' if path.exists() else '')


def make(folder: Path, sides: list[int], seed: int) -> None:
    out = folder / 'fx'
    out.mkdir(parents=True, exist_ok=True)
    shapes = transformer_shapes(2, 64, 2, 64, 8, sides, 10, False)
    del shapes['lvl_embed.weight']
    weights = random_weights(shapes | {'pos_1LC': (1, 64, POSITIONS, POSITIONS)}, seed, half=True)
    # As the published code leaves it: rows, columns, channels, seen as channels, rows, columns.
    weights['pos_1LC'] = weights['pos_1LC'].permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    weights['attn_bias_for_masking'] = torch.zeros(1, 1, 5, 5)
    torch.save(weights, folder / 'FlexVARd2-epo1.pth')
    torch.manual_seed(seed)
    torch.save({'model': {name: tensor.half() for name, tensor in controlar.random_tokenizer(64, 8).items()}}, folder / 'FlexVAE.pth')
    model, tokenizer = open_set(folder)
    grids, dice, cfg = squares(sides), np.random.default_rng(seed), 2.5
    Image.fromarray(dice.integers(0, 255, (2 * sides[-1], 2 * sides[-1], 3), dtype=np.uint8)).save(out / 'input.png')

    def write(name: str, value: Tensor | dict) -> None:
        if isinstance(value, dict):
            (out / f'{name}.json').write_text(json.dumps(value))
        else:
            np.save(out / f'{name}.npy', value.numpy())

    features = tokenizer.encode(read_picture(out / 'input.png'))
    source = tokenizer.tokens_of(features, grids)
    write('encoder_features', features), write('tokens_input', {'patch_nums': sides, 'tokens': [t.tolist() for t in source]})
    last = tokenizer.codes_of(source[-1], grids[-1])
    write('reconstruct_codes', last), write('reconstruct_image_sub', every_fourth(tokenizer.decode(last)))
    four = sides.index(4)
    small = tokenizer.decode(tokenizer.codes_of(source[four], grids[four]))
    write('preview_scale_4', small)
    write('preview_scale_4_up_sub', every_fourth(F.interpolate(small, (2 * sides[-1],) * 2, mode='bicubic').clamp(0, 1)))
    taught = torch.cat(generate(model, tokenizer, 7, [1.] * len(sides), grids, given=source)['logits'], 1)[0]
    rows = [0, 1, 4, 5, len(taught) - 1]
    write('teacher_s10', {'patch_nums': sides, 'rows': rows, 'argmax': taught.argmax(-1).tolist()}), write('teacher_s10_rows', taught[rows])

    def write_generated(name: str, grids: list[Grid], guidance: list[float], extra: dict, **options: object) -> None:
        result = generate(model, tokenizer, 7, guidance, grids, **options)
        write(name, {'class_': 7, 'cfg': cfg, 'guidance': guidance, **extra, 'tokens': result['tokens'], 'margin': result['margin']})
        write(f'{name}_image_sub', every_fourth(tokenizer.decode(result['codes'])))
        if name == 'generate':
            places = [[k, i] for k, side in enumerate(sides) for i in (0, side * side - 1)]
            write('generate_logits_rows', {'rows': places}), write('generate_logits', torch.stack([result['logits'][k][:, i] for k, i in places]))

    square = {'patch_nums': sides, 'ramp': 'published'}
    write_generated('generate', grids, ramp(cfg, grids), square)
    write_generated('generate_constant', grids, [4.] * len(sides), square | {'ramp': 'constant'})
    write_generated('generate_unguided', grids, [1.] * len(sides), square | {'ramp': 'constant'})
    large = squares([1, 3, 17])
    write_generated('generate_512', large, ramp(cfg, large), {'patch_nums': [1, 3, 17], 'ramp': 'published'})
    wide: list[Grid] = [(1, 1), (2, 3), (4, 6)]
    write_generated('wide', wide, ramp(cfg, wide), {'grids': wide})
    write_generated('refine', grids, ramp(cfg, grids), square, given=source[:-2])
    mask = torch.ones(sides[-1], sides[-1], dtype=torch.int64)
    mask[:sides[-1] - 2, :sides[-1] - 2] = 0
    for name, keep in (('inpaint', mask), ('outpaint', 1 - mask)):
        per_scale = [var.kept(keep, side) for side in sides]
        write(f'{name}_mask', {'keep_mask': keep.tolist(), 'keep_per_scale': [k.long().tolist() for k in per_scale]})
        write_generated(name, grids, ramp(cfg, grids), square, source=source, keep=per_scale)


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('what', choices=['check', 'make'])
    parser.add_argument('folder', type=Path)
    options = parser.parse_args()
    if options.what == 'check':
        check(options.folder)
    else:
        make(options.folder / 'flexvar-mini', [1, 2, 3, 4, 5, 6], 31)


if __name__ == '__main__':
    main()
