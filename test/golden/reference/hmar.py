"""HMAR (Kumbong et al. 2025) in plain PyTorch, written from the paper and the layout of the published weights, to hold ours against.

python3 hmar.py check FOLDER TOKENIZER    compare this file with numbers of the published code (a fixture set and VAR's tokenizer)
python3 hmar.py make FOLDER               write a small set of random weights and what they give, for the golden tests
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

import var
from var import Weights, linear, random_weights, read_picture, rows_of, transformer_shapes


class Transformer:
    """Two stacks of VAR's blocks over one base: for the next scale ('ns') and for masked tokens ('mask'). No cache."""

    def __init__(self, weights: Weights):
        self.weights = weights
        self.base, self.tail = (rows_of(weights, f'{name}.{{}}.attn.mat_qkv.weight') for name in ('base_blocks', 'ns_blocks'))
        self.classes = weights['class_emb.weight'].shape[0] - 1
        self.stacks = {name: self.stack(name) for name in ('ns', 'mask')}

    def stack(self, name: str) -> var.Transformer:
        """The base and one tail as one VAR."""
        weights = {key: value for key, value in self.weights.items() if '_blocks.' not in key}
        for i in range(self.base + self.tail):
            source = f'base_blocks.{i}.' if i < self.base else f'{name}_blocks.{i - self.base}.'
            weights |= {f'blocks.{i}.{key[len(source):]}': value for key, value in self.weights.items() if key.startswith(source)}
        for part in ('head.weight', 'head.bias', 'head_nm.ada_lin.1.weight', 'head_nm.ada_lin.1.bias'):
            weights[part] = self.weights[f'{name}_{part}']
        return var.Transformer(weights)

    def begin(self, classes: list[int]) -> None:
        for stack in self.stacks.values():
            stack.begin(classes)

    def run(self, name: str, x: Tensor, rows: int) -> Tensor:
        stack = self.stacks[name]
        stack.past = [None] * stack.depth  # a scale sees itself alone
        kept = stack.adaptive, stack.head
        stack.adaptive, stack.head = [a[:rows] for a in kept[0]], [h[:rows] for h in kept[1]]
        logits = stack.step(x[:rows])
        stack.adaptive, stack.head = kept
        return logits

    def place(self, scale: int, first: int, count: int) -> Tensor:
        return self.weights['pos_1LC'][:, first:first + count] + self.weights['lvl_embed.weight'][scale]

    def embed(self, codes: Tensor | None, place: Tensor, own: Tensor | None = None, masked: Tensor | None = None) -> Tensor:
        w, cond = self.weights, self.stacks['ns'].cond
        if codes is None:
            return cond[:, None] + w['pos_start'] + place
        x = F.linear(codes, w['word_embed.weight']) + w['word_embed_bias'] + place
        if own is not None:
            x = x + torch.where(masked[None, :, None], w['mask_embed.weight'], F.linear(own, w['word_embed.weight']))
        return x.expand(len(cond), -1, -1)


def certainty(logits: Tensor, tokens: Tensor, top_k: int = 0, top_p: float = 1.) -> Tensor:
    """Log-probability of the tokens among what might have been drawn."""
    logits = logits.clone()
    if top_k:
        logits[logits < logits.topk(top_k, -1).values[:, -1:]] = -torch.inf
    if top_p < 1:
        shares, order = logits.sort(-1)
        drop = shares.softmax(-1).cumsum(-1) <= 1 - top_p
        drop[:, -1] = False
        logits[drop.scatter(1, order, drop)] = -torch.inf
    return logits.log_softmax(-1).gather(1, tokens[:, None])[:, 0]


def generate(model: Transformer, tokenizer: var.Tokenizer, label: int, cfg: float, passes: list[list[int]], *,
             source: list[Tensor] | None = None, keep: list[Tensor] | None = None, sure: bool = True,
             top_k: int = 0, top_p: float = 1.) -> dict:
    """Arg-max. `passes` counts the tokens of every masked pass per scale; kept tokens are certain where `sure`."""
    scales = tokenizer.scales
    model.begin([label, model.classes])
    total = torch.zeros(1, tokenizer.codebook.shape[1], scales[-1], scales[-1])
    result: dict = {'tokens': [], 'steps': [], 'ns_logits': [], 'mask_logits': []}
    codes, first = None, 0
    for scale, side in enumerate(scales):
        place = model.place(scale, first, side * side)
        logits = model.run('ns', model.embed(codes, place), 2)
        strength = cfg * scale / (len(scales) - 1)
        guided = (1 + strength) * logits[0] - strength * logits[1]

        def drawn(guided: Tensor) -> tuple[Tensor, list[float]]:
            top = guided.topk(2, -1)
            tokens = top.indices[:, 0]
            if keep:
                tokens = torch.where(keep[scale], source[scale], tokens)
            return tokens, (top.values[:, 0] - top.values[:, 1]).tolist()

        tokens, margin = drawn(guided)
        steps, places = [{'tokens': tokens.tolist(), 'margin': margin}], torch.arange(side * side)
        if keep and sure:
            places = places[~keep[scale]]
        for count in passes[scale]:
            doubt = certainty(guided[places], tokens[places], top_k, top_p)
            order = doubt.argsort(stable=True)
            cut = float(doubt[order[count]] - doubt[order[count - 1]]) if count < len(order) else None
            places = places[order[:count]]
            if len(places) == 0:
                break
            masked = torch.zeros(side * side, dtype=torch.bool)
            masked[places] = True
            own = F.interpolate(tokenizer.smoothed(tokenizer.codes_of(tokens, scale), scale), (side, side), mode='area')
            again = model.run('mask', model.embed(codes, place, own.flatten(2).transpose(1, 2), masked), 1)
            guided = again[0]
            redrawn, margin = drawn(guided)
            tokens = torch.where(masked, redrawn, tokens)
            steps.append({'masked': places.tolist(), 'cut_gap': cut, 'tokens': tokens.tolist(), 'margin': margin})
            result['mask_logits'].append(again)
        result['tokens'].append(tokens.tolist()), result['steps'].append(steps), result['ns_logits'].append(logits)
        total = total + tokenizer.smoothed(tokenizer.codes_of(tokens, scale), scale)
        first += side * side
        if scale + 1 < len(scales):
            codes = F.interpolate(total, (scales[scale + 1],) * 2, mode='area').flatten(2).transpose(1, 2)
    return result | {'total': total}


def passes_of(schedule: list[list[int]]) -> list[list[int]]:
    """How many tokens every masked pass draws anew, of token counts per pass."""
    return [[sum(counts[j:]) for j in range(1, len(counts))] for counts in schedule]


def every_fourth(picture: Tensor) -> Tensor:
    return picture[:, :, 2::4, 2::4]


def check(folder: Path, tokenizer_file: Path) -> None:
    model = Transformer(var.load(next(folder.glob('hmar-*.pth'))))
    source = [torch.tensor(t) for t in json.loads((folder / 'fx/tokens_input.json').read_text())['tokens']]
    for name in ['generate', 'generate_richer', 'generate_unmasked', 'inpaint', 'outpaint']:
        expected = json.loads((folder / f'fx/{name}.json').read_text())
        tokenizer = var.Tokenizer(var.load(tokenizer_file), expected['patch_nums'])
        passes = passes_of(expected['mask_schedule'] or [[1]] * len(tokenizer.scales))
        keep = None
        if name in ('inpaint', 'outpaint'):
            keep = [torch.tensor(k).bool() for k in json.loads((folder / f'fx/{name}_mask.json').read_text())['keep_per_scale']]
        result = generate(model, tokenizer, expected['class_'], expected['cfg'], passes, source=source, keep=keep, sure=False)
        wrong = sum(a != b for ours, theirs in zip(result['tokens'], expected['tokens']) for a, b in zip(ours, theirs))
        steps = [(a, b) for ours, theirs in zip(result['steps'], expected['steps']) for a, b in zip(ours[1:], theirs[1:])]
        difference = float((result['total'] - torch.from_numpy(np.load(folder / f'fx/{name}_f_hat.npy'))).abs().max())
        print(f"{name}: {wrong} other tokens, {sum(a['masked'] != b['masked'] for a, b in steps)} of {len(steps)} passes mask others, sums differ by {difference:.1e}")


SCHEDULE = [[1], [1, 3], [1, 1, 2, 5], [16], [25]]
RICHER = [[1], [1, 3], [1, 1, 2, 5], [4, 12], [5, 8, 12]]


def hmar_shapes(base: int, tail: int, width: int, heads: int, entries: int, code: int, sides: list[int], classes: int) -> dict:
    shapes = transformer_shapes(base, width, heads, entries, code, sides, classes, False)
    tails = transformer_shapes(tail, width, heads, entries, code, sides, classes, False)
    result = {'word_embed_bias': shapes.pop('word_embed.bias'), 'mask_embed.weight': (1, width)}
    for name, shape in shapes.items():
        if not name.startswith('head'):
            result[name.replace('blocks.', 'base_blocks.')] = shape
    for stack in ('ns', 'mask'):
        for name, shape in tails.items():
            if name.startswith(('blocks.', 'head')):
                result[f'{stack}_{name}'] = shape
    return result


def make(folder: Path) -> None:
    """Over var-mini's tokenizer."""
    out, sides, cfg, label = folder / 'hmar-mini/fx', [1, 2, 3, 4, 5], 1.5, 7
    out.mkdir(parents=True, exist_ok=True)
    weights = random_weights(hmar_shapes(2, 1, 32, 2, 64, 8, sides, 10), 41, half=True)
    weights['lvl_1L'] = torch.zeros(1, 55, dtype=torch.int64)
    torch.save(weights, folder / 'hmar-mini/hmar-d3.pth')
    model = Transformer(var.load(folder / 'hmar-mini/hmar-d3.pth'))
    tokenizer = var.Tokenizer(var.load(folder / 'var-mini/vae_ch32v64z8.pth'), sides)
    dice = np.random.default_rng(41)
    var.Image.fromarray(dice.integers(0, 255, (2 * sides[-1], 2 * sides[-1], 3), dtype=np.uint8)).save(out / 'input.png')
    source, _ = tokenizer.tokens_of(tokenizer.encode(read_picture(out / 'input.png')))

    def write(name: str, value: Tensor | dict) -> None:
        if isinstance(value, dict):
            (out / f'{name}.json').write_text(json.dumps(value))
        else:
            np.save(out / f'{name}.npy', value.numpy())

    def write_generated(name: str, schedule: list[list[int]] | None, **options: object) -> dict:
        result = generate(model, tokenizer, label, cfg, passes_of(schedule or [[1]] * len(sides)), **options)
        guidance = [1 + cfg * k / (len(sides) - 1) for k in range(len(sides))]
        write(name, {'class_': label, 'patch_nums': sides, 'cfg': cfg, 'mask_schedule': schedule, 'guidance': guidance,
                     'tokens': result['tokens'], 'steps': result['steps']})
        write(f'{name}_f_hat', result['total']), write(f'{name}_image_sub', every_fourth(tokenizer.decode(result['total'])))
        return result

    write('tokens_input', {'patch_nums': sides, 'tokens': [t.tolist() for t in source]})
    result = write_generated('generate', SCHEDULE)
    places = [[k, i] for k, side in enumerate(sides) for i in range(side * side)]
    again = [[p, i] for p, logits in enumerate(result['mask_logits']) for i in range(logits.shape[1])]
    write('generate_logits_rows', {'ns': places, 'mask': again})
    write('generate_ns_logits', torch.stack([result['ns_logits'][k][:, i] for k, i in places]))
    write('generate_mask_logits', torch.stack([result['mask_logits'][p][:, i] for p, i in again]))
    write_generated('generate_richer', RICHER), write_generated('generate_unmasked', None)
    mask = torch.ones(sides[-1], sides[-1], dtype=torch.int64)
    mask[:sides[-1] - 1, :sides[-1] - 1] = 0
    for name, keep in (('inpaint', mask), ('outpaint', 1 - mask)):
        per_scale = [var.kept(keep, side) for side in sides]
        write(f'{name}_mask', {'keep_mask': keep.tolist(), 'keep_per_scale': [k.long().tolist() for k in per_scale]})
        write_generated(name, RICHER, source=source, keep=per_scale)


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('what', choices=['check', 'make'])
    parser.add_argument('folder', type=Path)
    parser.add_argument('tokenizer', type=Path, nargs='?')
    options = parser.parse_args()
    if options.what == 'check':
        check(options.folder, options.tokenizer)
    else:
        make(options.folder)


if __name__ == '__main__':
    main()
