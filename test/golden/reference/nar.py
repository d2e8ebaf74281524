"""NAR (He et al. 2025) in plain PyTorch: LlamaGen's transformer with a second head, drawn along anti-diagonals.

python3 nar.py make FOLDER    write small random weights in the published layout, and what they draw
python3 nar.py check FOLDER   compare with a set of the published code's own numbers
"""
import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from controlar import mlp, rotary, turned, under

Weights = dict[str, Tensor]
Cell = tuple[int, int]
WIDTH, HEADS, LAYERS, ENTRIES, SIDE, TEXT_ROWS, TEXT_WIDTH, WORDS = 64, 1, 2, 48, 16, 12, 256, 5


def diagonal(d: int, side: int) -> list[Cell]:
    return [(row, d - row) for row in range(side) if 0 <= d - row < side]


def transformer(w: Weights, x: Tensor, angle: Tensor, seen: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """(L, C) → logits of what lies to the right of every row and below it, (L, V) each."""
    length, width = x.shape
    count = len({name.split('.')[1] for name in w if name.startswith('layers.')})

    def norm(name: str, h: Tensor) -> Tensor:
        return h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + 1e-5) * w[f'{name}.weight']

    right = x
    for i in range(count):
        if i == count - 1:
            right = F.linear(norm('norm', x), w['output.weight'])
        layer = f'layers.{i}'
        qkv = F.linear(norm(f'{layer}.attention_norm', x), w[f'{layer}.attention.wqkv.weight']).view(length, 3, heads, width // heads)
        q, k = turned(qkv[:, 0], angle).transpose(0, 1), turned(qkv[:, 1], angle).transpose(0, 1)
        scores = (q @ k.transpose(1, 2) / math.sqrt(width // heads)).masked_fill(~seen, -math.inf)
        x = x + F.linear((scores.softmax(-1) @ qkv[:, 2].transpose(0, 1)).transpose(0, 1).flatten(1), w[f'{layer}.attention.wo.weight'])
        h = norm(f'{layer}.ffn_norm', x)
        gate = F.silu(F.linear(h, w[f'{layer}.feed_forward.w1.weight'])) * F.linear(h, w[f'{layer}.feed_forward.w3.weight'])
        x = x + F.linear(gate, w[f'{layer}.feed_forward.w2.weight'])
    return right, F.linear(norm('medusa_norm', x), w['medusa_output.weight'])


def along(w: Weights, text: Tensor, drawn: dict[Cell, int], d: int, side: int, heads: int) -> tuple[Tensor, Tensor]:
    """Both logits of the rows that diagonal d is drawn from: the last text row, or diagonal d − 1."""
    cells = [cell for e in range(d) for cell in diagonal(e, side)]
    prefix = mlp(under(w, 'cls_embedding.cap_proj.'), text)
    x = torch.cat([prefix, w['tok_embeddings.weight'][[drawn[cell] for cell in cells]]]) if cells else prefix
    length, words = len(x), len(text)
    order = torch.tensor([*range(words), *(words + row + column for row, column in cells)])
    table = rotary(side, side, words, x.shape[1] // heads)
    angle = torch.cat([table[:words], table[words:][[row * side + column for row, column in cells]]]) if cells else table[:words]
    right, below = transformer(w, x, angle, order[None] <= order[:, None], heads)
    last = 1 if d == 0 else len(diagonal(d - 1, side))
    return right[length - last:], below[length - last:]


def neighbours(right: Tensor, below: Tensor, d: int, side: int) -> Tensor:
    """What two diagonals' rows say of diagonal d, (l, V)."""
    if d == 0:
        return (right + below) / 2
    before = {cell: i for i, cell in enumerate(diagonal(d - 1, side))}
    rows = []
    for row, column in diagonal(d, side):
        said = [right[before[row, column - 1]]] if (row, column - 1) in before else []
        said += [below[before[row - 1, column]]] if (row - 1, column) in before else []
        rows.append(sum(said) / len(said))
    return torch.stack(rows)


def draw(w: Weights, text: Tensor, cfg: float, side: int, heads: int, interval: int = -1, keep=None, given=None):
    empty = w['cls_embedding.uncond_embedding'][-len(text):]
    drawn: dict[Cell, int] = {}
    steps, logits, raw = [], [], []
    for d in range(2 * side - 1):
        conditional = along(w, text, drawn, d, side, heads)
        guided, rows = neighbours(*conditional, d, side), [conditional]
        if cfg != 1 and (interval < 0 or len(drawn) <= interval):
            rows.append(along(w, empty, drawn, d, side, heads))
            unconditional = neighbours(*rows[1], d, side)
            guided = unconditional + cfg * (guided - unconditional)
        best = guided.topk(2, -1)
        cells = diagonal(d, side)
        for i, (row, column) in enumerate(cells):
            drawn[row, column] = int(given[row][column]) if keep is not None and keep[row][column] else int(best.indices[i, 0])
        steps.append({'cells': [list(cell) for cell in cells], 'margin': [round(float(m), 5) for m in best.values[:, 0] - best.values[:, 1]]})
        logits.append(guided)
        raw.append(torch.stack([torch.stack([one[head] for one in rows]) for head in (0, 1)]))
    tokens = [[drawn[row, column] for column in range(side)] for row in range(side)]
    run = {'cfg': cfg, 'cfg_interval': interval, 'tokens': tokens, 'steps': steps, 'keep': keep}
    return run, logits, raw


def random_transformer() -> Weights:
    w: Weights = {}

    def linear(name: str, outputs: int, inputs: int, gain: float = 1) -> None:
        w[f'{name}.weight'] = torch.randn(outputs, inputs) * gain / math.sqrt(inputs)

    w['cls_embedding.uncond_embedding'] = torch.randn(TEXT_ROWS, TEXT_WIDTH) / math.sqrt(TEXT_WIDTH)
    linear('cls_embedding.cap_proj.fc1', WIDTH, TEXT_WIDTH)
    linear('cls_embedding.cap_proj.fc2', WIDTH, WIDTH, 2)
    w['tok_embeddings.weight'] = torch.randn(ENTRIES, WIDTH)
    for i in range(LAYERS + 1):
        layer = f'layers.{i}'
        linear(f'{layer}.attention.wqkv', 3 * WIDTH, WIDTH)
        linear(f'{layer}.attention.wo', WIDTH, WIDTH)
        for name, (outputs, inputs) in {'w1': (2 * WIDTH, WIDTH), 'w3': (2 * WIDTH, WIDTH), 'w2': (WIDTH, 2 * WIDTH)}.items():
            linear(f'{layer}.feed_forward.{name}', outputs, inputs)
        for name in ('attention_norm', 'ffn_norm'):
            w[f'{layer}.{name}.weight'] = 1 + torch.randn(WIDTH) * 0.1
    for norm, head in {'norm': 'output', 'medusa_norm': 'medusa_output'}.items():
        w[f'{norm}.weight'] = 1 + torch.randn(WIDTH) * 0.1
        linear(head, ENTRIES, WIDTH, 3)
    return w


def make(folder: Path) -> None:
    torch.manual_seed(5)
    (folder / 'fx').mkdir(parents=True, exist_ok=True)
    w, text = random_transformer(), torch.randn(WORDS, TEXT_WIDTH)
    torch.save({'model': w}, folder / 't2i_tiny.pt')
    sizes = {'family': 'nar', 'grid': SIDE, 'dim': WIDTH, 'heads': HEADS, 'layers': LAYERS, 'extra_layers': 1, 'vocab': ENTRIES,
             'text_slots': TEXT_ROWS, 'caption': TEXT_WIDTH, 'valid_text': WORDS}
    (folder / 'checkpoint.json').write_text(json.dumps(sizes))
    np.save(folder / 'fx/text.npy', text.numpy())
    np.save(folder / 'fx/rotary.npy', rotary(SIDE, SIDE, 0, WIDTH // HEADS).numpy())
    given = torch.randint(ENTRIES, (SIDE, SIDE)).tolist()
    (folder / 'fx/given_tokens.json').write_text(json.dumps({'tokens': given}))
    left = [[int(column < SIDE // 2) for column in range(SIDE)] for _ in range(SIDE)]
    hole = [[int(not (4 <= row < 10 and 5 <= column < 12)) for column in range(SIDE)] for row in range(SIDE)]
    runs = {'generate': {'cfg': 7.5}, 'generate_unguided': {'cfg': 1.0}, 'generate_interval': {'cfg': 7.5, 'interval': 60},
            'expand_right': {'cfg': 7.5, 'keep': left, 'given': given}, 'inpaint': {'cfg': 7.5, 'keep': hole, 'given': given}}
    for name, options in runs.items():
        run, logits, raw = draw(w, text, side=SIDE, heads=HEADS, **options)
        (folder / f'fx/{name}.json').write_text(json.dumps(run))
        if name in ('generate', 'generate_unguided'):
            rows = [[d, i] for d in (0, 1, 5, 15, 16, 29, 30) for i in sorted({0, len(logits[d]) // 2, len(logits[d]) - 1})]
            (folder / f'fx/{name}_logits_rows.json').write_text(json.dumps({'rows': rows}))
            np.save(folder / f'fx/{name}_logits.npy', torch.stack([logits[d][i] for d, i in rows]).numpy())
            np.save(folder / f'fx/{name}_right_below_step5.npy', raw[5].numpy())


def check(folder: Path) -> None:
    sizes = json.loads((folder / 'checkpoint.json').read_text())
    w, text = torch.load(folder / 't2i_tiny.pt')['model'], torch.from_numpy(np.load(folder / 'fx/text.npy'))
    given = json.loads((folder / 'fx/given_tokens.json').read_text())['tokens']
    for name in ('generate', 'generate_unguided', 'generate_interval', 'expand_right', 'inpaint'):
        expected = json.loads((folder / f'fx/{name}.json').read_text())
        run, logits, raw = draw(w, text, expected['cfg'], sizes['grid'], sizes['heads'], expected['cfg_interval'], expected['keep'], given)
        other = sum(a != b for a, b in zip(sum(run['tokens'], []), sum(expected['tokens'], [])))
        line = f'{name}: {other} other tokens'
        if (folder / f'fx/{name}_logits.npy').exists():
            rows = json.loads((folder / f'fx/{name}_logits_rows.json').read_text())['rows']
            off = np.abs(torch.stack([logits[d][i] for d, i in rows]).numpy() - np.load(folder / f'fx/{name}_logits.npy')).max()
            both = np.abs(raw[5].numpy() - np.load(folder / f'fx/{name}_right_below_step5.npy')).max()
            line += f', logits within {off:.1e}, right and below within {both:.1e}'
        print(line)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('action', choices=['make', 'check'])
    parser.add_argument('folder', type=Path)
    arguments = parser.parse_args()
    with torch.no_grad():
        {'make': make, 'check': check}[arguments.action](arguments.folder)
