"""Infinity (Han et al. 2024) and VAREdit (Mao et al. 2025) in plain PyTorch, written from the papers and the layout of the
published weights, to hold ours against. Infinity draws from words alone, VAREdit edits a source picture; the weights look alike.

python3 infinity.py check FOLDER    compare this file with numbers of the published VAREdit code (a fixture set)
python3 infinity.py make FOLDER     write small sets of random weights and what they give, for the golden tests
"""
import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

LN_100 = math.log(100)
Weights = dict[str, Tensor]
Grid = tuple[int, int]

#: Token grids to one megapixel of upright pictures, height by width; 7 make 0.06, 10 make 0.25 megapixels.
SCHEDULES = {
    1: '1,1 2,2 4,4 6,6 8,8 12,12 16,16 20,20 24,24 32,32 40,40 48,48 64,64',
    1.25: '1,1 2,2 3,3 5,4 10,8 15,12 20,16 25,20 30,24 35,28 45,36 55,44 70,56',
    1.333: '1,1 2,2 4,3 8,6 12,9 16,12 20,15 24,18 28,21 36,27 48,36 60,45 72,54',
    1.5: '1,1 2,2 3,2 6,4 9,6 15,10 21,14 27,18 33,22 39,26 48,32 63,42 78,52',
    1.75: '1,1 2,2 3,3 7,4 11,6 14,8 21,12 28,16 35,20 42,24 56,32 70,40 84,48',
    2: '1,1 2,2 4,2 6,3 10,5 16,8 22,11 30,15 38,19 46,23 60,30 74,37 90,45',
    2.5: '1,1 2,2 5,2 10,4 15,6 20,8 25,10 30,12 40,16 50,20 65,26 80,32 100,40',
    3: '1,1 2,2 6,2 9,3 15,5 21,7 27,9 36,12 45,15 54,18 72,24 90,30 111,37',
}
COUNTS = {256: 7, 512: 10, 1024: 13}


def schedule(ratio: float) -> list[Grid]:
    """Of the published ratio named so: 1.333 stands for 4/3, 0.75 for its inverse."""
    name = min(SCHEDULES, key=lambda key: abs(key - (ratio if ratio >= 1 else 1 / ratio)))
    grids = [tuple(map(int, pair.split(','))) for pair in SCHEDULES[name].split()]
    return grids if ratio >= 1 else [(columns, rows) for rows, columns in grids]


# ---- places: B rows (words, no words) · L tokens · C width · H heads · c head width
def places(ratio: float, with_source: bool) -> Tensor:
    """(entries, 2): row and column of every entry of the table that tokens of any resolution read by running offset."""
    grids = schedule(ratio)
    height, width = grids[-1]
    blocks = []
    if with_source:
        rows, columns = torch.meshgrid(torch.arange(height) + height, torch.arange(width) + width, indexing='ij')
        blocks.append(torch.stack([rows, columns], -1).reshape(-1, 2))
    for h, w in grids:
        rows, columns = torch.arange(h) * (height / h), torch.arange(w) * (width / w)
        grid = torch.stack(torch.meshgrid(rows, columns, indexing='ij'), -1)
        blocks.append(grid.round().long().reshape(-1, 2))
    return torch.cat(blocks)


def angles(at: Tensor, head_width: int) -> Tensor:
    """(L, c/2): the first half turns with the row, the second with the column."""
    frequency = 1 / 10000 ** (torch.arange(head_width // 4) * 2 / (head_width // 2))
    return (at[:, :, None].float() * frequency).flatten(1)


def turned(x: Tensor, angle: Tensor) -> Tensor:
    """(B, H, L, c), neighbours in pairs."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * angle.cos() - odd * angle.sin(), even * angle.sin() + odd * angle.cos()], -1).flatten(-2)


def linear(weights: Weights, name: str, x: Tensor) -> Tensor:
    return F.linear(x, weights[f'{name}.weight'], weights.get(f'{name}.bias'))


def pooled_rows(x: Tensor, source: Grid, target: Grid) -> Tensor:
    """(B, H, n, c) of the source grid, averaged to the target grid."""
    batch, heads, _, width = x.shape
    planes = x.transpose(2, 3).reshape(batch * heads, width, *source)
    return F.adaptive_avg_pool2d(planes, target).flatten(2).transpose(1, 2).reshape(batch, heads, -1, width)


class Transformer:
    def __init__(self, weights: Weights, ratio: float, count: int, edits: bool):
        self.weights, self.edits = weights, edits
        self.grids = schedule(ratio)[:count]
        names = {name.split('.module.')[0] + '.module.' + name.split('.module.')[1].split('.')[0] for name in weights if '.module.' in name}
        self.blocks = sorted(names, key=lambda name: tuple(int(part) for part in name.split('.') if part.isdigit()))
        self.width = weights['word_embed.weight'].shape[0]
        self.heads = weights[f'{self.blocks[0]}.sa.scale_mul_1H11'].shape[1]
        self.table = angles(places(ratio, edits), self.width // self.heads)

    def begin(self, text: Tensor, guided: bool, source: Tensor | None = None) -> None:
        """text (T, W); source (n, D) on the finest grid."""
        w = self.weights
        rows = torch.stack([text, w['cfg_uncond'][:len(text)]]) if guided else text[None]
        x = rows * torch.rsqrt(rows.pow(2).mean(-1, keepdim=True) + 1e-6) * w['text_norm.weight']
        self.cond = self.pool(x)
        self.memory = linear(w, 'text_proj_for_ca.2', F.gelu(linear(w, 'text_proj_for_ca.0', x), approximate='tanh'))
        self.gss = linear(w, 'shared_ada_lin.1', F.silu(self.cond)).view(-1, 1, 6, self.width)
        self.head = linear(w, 'head_nm.ada_lin.1', F.silu(self.cond)).view(-1, 1, 2, self.width).unbind(2)
        self.past: list = [None] * len(self.blocks)
        self.source: list = [None] * len(self.blocks)
        if self.edits:
            embedded = linear(w, 'word_embed', source) + w['lvl_embed.weight'][len(self.grids) - 1]
            self.offset = 0
            self.run(embedded.expand(len(self.cond), -1, -1), None)
            self.source, self.past = self.past, [None] * len(self.blocks)

    def pool(self, x: Tensor) -> Tensor:
        w, name = self.weights, 'text_proj_for_sos.ca'
        _, heads, width = w[f'{name}.mat_q'].shape
        bias = torch.cat([torch.zeros(heads * width), w[f'{name}.v_bias']])
        k, v = F.linear(x, w[f'{name}.mat_kv.weight'], bias).view(*x.shape[:2], 2, heads, width).unbind(2)
        shares = (torch.einsum('hc,bthc->bht', w[f'{name}.mat_q'][0], k) * width ** -.5).softmax(-1)
        return linear(w, f'{name}.proj', torch.einsum('bht,bthc->bhc', shares, v).flatten(1))

    def step(self, codes: Tensor | None, scale: int) -> Tensor:
        """codes (l, D) → logits (B, l, D, 2)."""
        w = self.weights
        if scale == 0:
            x = self.cond[:, None] + w['pos_start']
            self.offset = math.prod(self.grids[-1]) if self.edits else 0
        else:
            x = linear(w, 'word_embed', codes).expand(len(self.cond), -1, -1)
        x = self.run(x + w['lvl_embed.weight'][scale], scale)
        shift_scale, shift = self.head
        logits = linear(w, 'head', self.norm(x) * (1 + shift_scale) + shift)
        return logits.view(*logits.shape[:2], -1, 2)

    def run(self, x: Tensor, scale: int | None) -> Tensor:
        angle = self.table[self.offset:self.offset + x.shape[1]]
        self.offset += x.shape[1]
        for i, name in enumerate(self.blocks):
            gamma1, gamma2, scale1, scale2, shift1, shift2 = (self.gss + self.weights[f'{name}.ada_gss']).unbind(2)
            x = x + gamma1 * self.attend(i, self.norm(x) * (1 + scale1) + shift1, angle, scale)
            x = x + self.cross(f'{name}.ca', F.layer_norm(x, (self.width,), self.weights[f'{name}.ca_norm.weight'], self.weights[f'{name}.ca_norm.bias'], 1e-6))
            hidden = F.gelu(linear(self.weights, f'{name}.ffn.fc1', self.norm(x) * (1 + scale2) + shift2), approximate='tanh')
            x = x + gamma2 * linear(self.weights, f'{name}.ffn.fc2', hidden)
        return x

    def norm(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, (self.width,), eps=1e-6)

    def attend(self, i: int, x: Tensor, angle: Tensor, scale: int | None) -> Tensor:
        w, name = self.weights, f'{self.blocks[i]}.sa'
        bias = torch.cat([w[f'{name}.q_bias'], torch.zeros(self.width), w[f'{name}.v_bias']])
        q, k, v = F.linear(x, w[f'{name}.mat_qkv.weight'], bias).view(*x.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q = turned(F.normalize(q, dim=-1, eps=1e-12) * w[f'{name}.scale_mul_1H11'].clamp(max=LN_100).exp(), angle)
        k = turned(F.normalize(k, dim=-1, eps=1e-12), angle)
        if self.past[i] is not None:
            k, v = torch.cat([self.past[i][0], k], 2), torch.cat([self.past[i][1], v], 2)
        self.past[i] = k, v
        if self.source[i] is not None:
            shown = self.source[i] if i else [pooled_rows(part, self.grids[-1], self.grids[scale]) for part in self.source[i]]
            k, v = torch.cat([shown[0], k], 2), torch.cat([shown[1], v], 2)
        seen = F.scaled_dot_product_attention(q, k, v, scale=1.).transpose(1, 2).reshape(x.shape)
        return linear(w, f'{name}.proj', seen)

    def cross(self, name: str, x: Tensor) -> Tensor:
        w = self.weights
        def per_head(rows: Tensor) -> Tensor:
            return rows.view(*rows.shape[:2], self.heads, -1).transpose(1, 2)
        bias = torch.cat([torch.zeros(self.width), w[f'{name}.v_bias']])
        k, v = F.linear(self.memory, w[f'{name}.mat_kv.weight'], bias).chunk(2, -1)
        seen = F.scaled_dot_product_attention(per_head(linear(w, f'{name}.mat_q', x)), per_head(k), per_head(v))
        return linear(w, f'{name}.proj', seen.transpose(1, 2).reshape(x.shape))


# ---- codes: d bits per cell · p cells per token and axis
def generate(model: Transformer, bits: int, patch: int, cfg: float, given: list[Tensor] | None = None) -> dict:
    """Arg-max bits, or logits along given ones, of a model that has begun."""
    finest = [side * patch for side in model.grids[-1]]
    total = torch.zeros(1, bits, *finest)
    result: dict = {'logits': [], 'bits': [], 'sums': []}
    codes = None
    for scale, (h, w) in enumerate(model.grids):
        logits = model.step(codes, scale)
        guided = cfg * logits[0] + (1 - cfg) * logits[-1] if len(logits) > 1 else logits[0]
        difference = guided[..., 1] - guided[..., 0]  # (l, D)
        drawn = (difference > 0).float()
        chosen = given[scale] if given else drawn
        cells = (chosen * 2 - 1).T.reshape(1, -1, h, w) / bits ** .5
        total = total + F.interpolate(F.pixel_shuffle(cells, patch), finest, mode='bilinear')
        result['logits'].append(difference), result['bits'].append(drawn), result['sums'].append(total)
        if scale + 1 < len(model.grids):
            size = [side * patch for side in model.grids[scale + 1]]
            codes = F.pixel_unshuffle(F.interpolate(total, size, mode='bilinear'), patch).flatten(2)[0].T
    return result


# ---- random weights in the published layout
def shapes_of(width: int, heads: int, depth: int, text: int, token_bits: int, chunks: int) -> dict:
    pool = text // 32
    shapes = {'cfg_uncond': (512, text), 'text_norm.weight': (text,), 'text_proj_for_sos.ca.mat_q': (1, pool, width // pool),
              'text_proj_for_sos.ca.mat_kv.weight': (2 * width, text), 'text_proj_for_sos.ca.v_bias': (width,),
              'text_proj_for_sos.ca.proj.weight': (width, width), 'text_proj_for_sos.ca.proj.bias': (width,),
              'text_proj_for_ca.0.weight': (width, text), 'text_proj_for_ca.0.bias': (width,),
              'text_proj_for_ca.2.weight': (width, width), 'text_proj_for_ca.2.bias': (width,),
              'pos_start': (1, 1, width), 'lvl_embed.weight': (15, width), 'word_embed.weight': (width, token_bits), 'word_embed.bias': (width,),
              'shared_ada_lin.1.weight': (6 * width, width), 'shared_ada_lin.1.bias': (6 * width,),
              'head_nm.ada_lin.1.weight': (2 * width, width), 'head_nm.ada_lin.1.bias': (2 * width,),
              'head.weight': (2 * token_bits, width), 'head.bias': (2 * token_bits,)}
    for i in range(depth):
        name = f'block_chunks.{i * chunks // depth}.module.{i % (depth // chunks)}'
        block = {'ada_gss': (1, 1, 6, width), 'sa.scale_mul_1H11': (1, heads, 1, 1), 'sa.q_bias': (width,), 'sa.v_bias': (width,),
                 'sa.zero_k_bias': (width,), 'sa.mat_qkv.weight': (3 * width, width), 'sa.proj.weight': (width, width), 'sa.proj.bias': (width,),
                 'ca_norm.weight': (width,), 'ca_norm.bias': (width,), 'ca.mat_q.weight': (width, width), 'ca.mat_q.bias': (width,),
                 'ca.mat_kv.weight': (2 * width, width), 'ca.v_bias': (width,), 'ca.proj.weight': (width, width), 'ca.proj.bias': (width,),
                 'ffn.fc1.weight': (2 * width, width), 'ffn.fc1.bias': (2 * width,), 'ffn.fc2.weight': (width, 2 * width), 'ffn.fc2.bias': (width,)}
        shapes |= {f'{name}.{key}': shape for key, shape in block.items()}
    return shapes


def random_weights(shapes: dict, seed: int) -> Weights:
    generator, weights = torch.Generator().manual_seed(seed), {}
    for name, shape in shapes.items():
        noise = torch.randn(shape, generator=generator)
        value = noise * (shape[-1] ** -.5 if len(shape) == 2 and 'embed' not in name and 'uncond' not in name else .5)
        if 'norm.weight' in name:
            value = 1 + .1 * noise
        if 'scale_mul' in name:
            value = math.log(4) + .1 * noise
        weights[name] = value.half()
    return weights


def wave(rows: int, columns: int) -> Tensor:
    """Numbers that every language makes alike, without a file: (rows, columns) in -1..1."""
    return ((torch.arange(rows * columns) * 7919 % 2003).double() / 1001.5 - 1).float().view(rows, columns)


WIDTH, HEADS, DEPTH, TEXT, CHUNKS, WORDS, CFG = 64, 2, 2, 64, 2, 5, 3.
STYLES = {'2b': dict(bits=8, patch=1), '8b': dict(bits=4, patch=2)}
#: Edits at every size with and without guidance, words alone at one megapixel without; upright, lying and square shapes.
CASES = [('edit', 256, 1.333, True), ('edit', 256, .5, False), ('edit', 512, .666, False), ('edit', 512, 1.25, True), ('edit', 1024, 1.5, False),
         ('edit', 1024, 1, True),
         ('generate', 256, 1.75, True), ('generate', 256, .333, False), ('generate', 512, 2.5, True), ('generate', 1024, .75, False),
         ('generate', 256, 1, True)]
#: Of every scale so many rows of logits are kept; all bits are.
ROWS = 6


def kept_rows(count: int) -> list[int]:
    return sorted({round(i * (count - 1) / (ROWS - 1)) for i in range(ROWS)})


def make(folder: Path) -> None:
    for seed, (style, sizes) in enumerate(STYLES.items()):
        out = folder / f'infinity-mini-{style}'
        out.mkdir(parents=True, exist_ok=True)
        token_bits = sizes['bits'] * sizes['patch'] ** 2
        torch.save(random_weights(shapes_of(WIDTH, HEADS, DEPTH, TEXT, token_bits, CHUNKS), 11 + seed), out / 'transformer.pth')
        weights = load(out / 'transformer.pth')
        cases = []
        for task, pixels, ratio, guided in CASES:
            model = Transformer(weights, ratio, COUNTS[pixels], task == 'edit')
            model.begin(wave(WORDS, TEXT), guided, wave(math.prod(model.grids[-1]), token_bits))
            result = generate(model, sizes['bits'], sizes['patch'], CFG)
            name = f'{task}-{pixels}-{ratio}-{"guided" if guided else "plain"}'
            kept = torch.cat([logits[kept_rows(len(logits))] for logits in result['logits']])
            np.save(out / f'{name}-logits.npy', kept.numpy())
            np.save(out / f'{name}-bits.npy', np.packbits(torch.cat(result['bits']).bool().numpy().flatten(), bitorder='little'))
            cases.append(dict(name=name, task=task, ratio=f'{ratio:.3f}', guidance=CFG if guided else 1, scales=model.grids,
                              rows=[kept_rows(len(logits)) for logits in result['logits']]))
            print(style, name, 'smallest margin', min(float(logits.abs().min()) for logits in result['logits']))
        config = dict(width=WIDTH, heads=HEADS, depth=DEPTH, text=TEXT, words=WORDS, tokenBits=token_bits, **sizes)
        (out / 'cases.json').write_text(json.dumps(dict(config=config, cases=cases)) + '\n')


def load(path: Path) -> Weights:
    return {name: tensor.float() for name, tensor in torch.load(path, map_location='cpu', weights_only=True).items()}


def check(folder: Path) -> None:
    config = json.loads((folder / 'manifest.json').read_text())['config']
    array = lambda name: torch.from_numpy(np.load(folder / f'{name}.npy').astype(np.float32))  # noqa: E731
    patch = 2 if config['patchify'] else 1
    weights = load(folder / 'transformer.pth')
    for setting, cfg in ('cfg3', 3.), ('nocfg', 1.):
        model = Transformer(weights, config['ratio'], len(config['scale_schedule']), True)
        assert model.grids == [tuple(grid) for grid in config['scale_schedule']]
        model.begin(array('inputs/text'), cfg != 1, array('source_prefix'))
        bits = [array(f'{setting}/bits_tok_s{scale}').flatten(0, 1) for scale in range(len(model.grids))]
        result = generate(model, config['d'], patch, cfg, bits)
        worst = max(float((logits - array(f'{setting}/logits_s{s}').diff(dim=-1)[..., 0]).abs().max()) for s, logits in enumerate(result['logits']))
        sums = max(float((total[0] - array(f'{setting}/summed_s{s}')).abs().max()) for s, total in enumerate(result['sums']))
        model.begin(array('inputs/text'), cfg != 1, array('source_prefix'))
        free = generate(model, config['d'], patch, cfg)
        flipped = sum(int((ours != theirs).sum()) for ours, theirs in zip(free['bits'], bits))
        print(f'{folder.name} {setting}: logits differ by at most {worst:.1e}, sums by {sums:.1e}; {flipped} bits flipped in a free run')
        assert worst < 5e-4 and sums < 1e-5 and flipped == 0


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('what', choices=['check', 'make'])
    parser.add_argument('folder', type=Path)
    arguments = parser.parse_args()
    {'check': check, 'make': make}[arguments.what](arguments.folder)


if __name__ == '__main__':
    main()
