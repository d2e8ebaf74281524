"""VAR (Tian et al. 2024) in plain PyTorch, written from the paper and the layout of the published weights, to hold ours against.

python3 var.py check FOLDER        compare this file with numbers of the published code (a fixture set)
python3 var.py make FOLDER         write a small set of random weights and what they give, for the golden tests
python3 var.py random FOLDER       write random weights of VAR-d16's true sizes
python3 var.py time FOLDER         seconds per 256 px picture with guidance of such weights
"""
import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

LN_100 = math.log(100)
Weights = dict[str, Tensor]


# ---- the transformer: B rows (class, no class) · L tokens · C width · H heads
def rows_of(weights: Weights, pattern: str) -> int:
    return next(i for i in range(1000) if pattern.format(i) not in weights)


def linear(weights: Weights, name: str, x: Tensor) -> Tensor:
    return F.linear(x, weights[f'{name}.weight'], weights.get(f'{name}.bias'))


class Transformer:
    def __init__(self, weights: Weights):
        self.weights = weights
        self.depth = rows_of(weights, 'blocks.{}.attn.mat_qkv.weight')
        self.width = weights['word_embed.weight'].shape[0]
        self.heads = weights['blocks.0.attn.scale_mul_1H11'].shape[1]
        self.classes = weights['class_emb.weight'].shape[0] - 1

    def begin(self, classes: list[int]) -> None:
        w = self.weights
        self.cond = w['class_emb.weight'][classes]
        active = F.silu(self.cond)
        shared = linear(w, 'shared_ada_lin.1', active).view(-1, 1, 6, self.width) if 'shared_ada_lin.1.weight' in w else None
        self.adaptive = [w[f'blocks.{i}.ada_gss'] + shared if shared is not None
                         else linear(w, f'blocks.{i}.ada_lin.1', active).view(-1, 1, 6, self.width) for i in range(self.depth)]
        self.head = linear(w, 'head_nm.ada_lin.1', active).view(-1, 1, 2, self.width).unbind(2)
        self.past: list[tuple[Tensor, Tensor] | None] = [None] * self.depth

    def embed(self, codes: Tensor | None, scale: int, first: int, count: int) -> Tensor:
        w = self.weights
        place = w['pos_1LC'][:, first:first + count] + w['lvl_embed.weight'][scale]
        if codes is None:
            return self.cond[:, None] + w['pos_start'] + place
        return (linear(w, 'word_embed', codes) + place).expand(len(self.cond), -1, -1)

    def step(self, x: Tensor) -> Tensor:
        for i in range(self.depth):
            gamma1, gamma2, scale1, scale2, shift1, shift2 = self.adaptive[i].unbind(2)
            x = x + gamma1 * self.attend(i, self.norm(x) * (1 + scale1) + shift1)
            hidden = F.gelu(linear(self.weights, f'blocks.{i}.ffn.fc1', self.norm(x) * (1 + scale2) + shift2), approximate='tanh')
            x = x + gamma2 * linear(self.weights, f'blocks.{i}.ffn.fc2', hidden)
        scale, shift = self.head
        return linear(self.weights, 'head', self.norm(x) * (1 + scale) + shift)

    def norm(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, (self.width,), eps=1e-6)

    def attend(self, i: int, x: Tensor) -> Tensor:
        w, name = self.weights, f'blocks.{i}.attn'
        bias = torch.cat([w[f'{name}.q_bias'], torch.zeros(self.width), w[f'{name}.v_bias']])
        qkv = F.linear(x, w[f'{name}.mat_qkv.weight'], bias).view(*x.shape[:2], 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (B, H, L, c) each
        q = F.normalize(q, dim=-1) * w[f'{name}.scale_mul_1H11'].clamp(max=LN_100).exp()
        k = F.normalize(k, dim=-1)
        if self.past[i] is not None:
            k, v = torch.cat([self.past[i][0], k], 2), torch.cat([self.past[i][1], v], 2)
        self.past[i] = k, v
        seen = F.scaled_dot_product_attention(q, k, v, scale=1.).transpose(1, 2).reshape(x.shape)
        return linear(w, f'{name}.proj', seen)


# ---- the tokenizer
class Tokenizer:
    def __init__(self, weights: Weights, scales: list[int]):
        self.weights, self.scales = weights, scales
        self.codebook = weights['quantize.embedding.weight']
        self.filters = rows_of(weights, 'quantize.quant_resi.qresi_ls.{}.weight')

    def conv(self, name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight = self.weights[f'{name}.weight']
        padding = 0 if stride == 2 else weight.shape[-1] // 2
        return F.conv2d(x, weight, self.weights[f'{name}.bias'], stride, padding)

    def norm(self, name: str, x: Tensor) -> Tensor:
        return F.group_norm(x, 32, self.weights[f'{name}.weight'], self.weights[f'{name}.bias'], 1e-6)

    def residual(self, name: str, x: Tensor) -> Tensor:
        h = self.conv(f'{name}.conv1', F.silu(self.norm(f'{name}.norm1', x)))
        h = self.conv(f'{name}.conv2', F.silu(self.norm(f'{name}.norm2', h)))
        return h + (self.conv(f'{name}.nin_shortcut', x) if f'{name}.nin_shortcut.weight' in self.weights else x)

    def attention(self, name: str, x: Tensor) -> Tensor:
        if f'{name}.qkv.weight' not in self.weights:
            return x
        q, k, v = self.conv(f'{name}.qkv', self.norm(f'{name}.norm', x)).flatten(2).chunk(3, 1)
        shares = ((q.transpose(1, 2) @ k) * q.shape[1] ** -.5).softmax(-1)
        return x + self.conv(f'{name}.proj_out', (v @ shares.transpose(1, 2)).view(x.shape))

    def level(self, name: str, x: Tensor) -> Tensor:
        for j in range(rows_of(self.weights, f'{name}.block.{{}}.conv1.weight')):
            x = self.attention(f'{name}.attn.{j}', self.residual(f'{name}.block.{j}', x))
        return x

    def middle(self, half: str, x: Tensor) -> Tensor:
        x = self.attention(f'{half}.mid.attn_1', self.residual(f'{half}.mid.block_1', x))
        return self.residual(f'{half}.mid.block_2', x)

    def encode(self, picture: Tensor) -> Tensor:
        """(1, 3, H, W) in 0..1 → features (1, d, h, w)."""
        x, levels = self.conv('encoder.conv_in', picture * 2 - 1), rows_of(self.weights, 'encoder.down.{}.block.0.conv1.weight')
        for i in range(levels):
            x = self.level(f'encoder.down.{i}', x)
            if i < levels - 1:
                x = self.conv(f'encoder.down.{i}.downsample.conv', F.pad(x, (0, 1, 0, 1)), 2)
        x = self.conv('encoder.conv_out', F.silu(self.norm('encoder.norm_out', self.middle('encoder', x))))
        return self.conv('quant_conv', x)

    def decode(self, codes: Tensor) -> Tensor:
        x = self.middle('decoder', self.conv('decoder.conv_in', self.conv('post_quant_conv', codes)))
        for i in reversed(range(rows_of(self.weights, 'decoder.up.{}.block.0.conv1.weight'))):
            x = self.level(f'decoder.up.{i}', x)
            if i:
                x = self.conv(f'decoder.up.{i}.upsample.conv', F.interpolate(x, scale_factor=2, mode='nearest'))
        x = self.conv('decoder.conv_out', F.silu(self.norm('decoder.norm_out', x)))
        return (x.clamp(-1, 1) + 1) / 2

    def smoothed(self, codes: Tensor, scale: int) -> Tensor:
        """Codes (1, d, n, n) of one scale, on the finest grid, half of them through φ."""
        fine = F.interpolate(codes, (self.scales[-1],) * 2, mode='bicubic') if codes.shape[-1] != self.scales[-1] else codes
        margin = 1 / 3 / self.filters if self.filters == 4 else 1 / 2 / self.filters
        ticks = np.linspace(margin, 1 - margin, self.filters)
        nearest = int(np.argmin(np.abs(ticks - scale / (len(self.scales) - 1))))
        return .5 * fine + .5 * self.conv(f'quantize.quant_resi.qresi_ls.{nearest}', fine)

    def codes_of(self, tokens: Tensor, scale: int) -> Tensor:
        return self.codebook[tokens].T.reshape(1, -1, self.scales[scale], self.scales[scale])

    def tokens_of(self, features: Tensor) -> tuple[list[Tensor], Tensor]:
        rest, total, tokens = features.clone(), torch.zeros_like(features), []
        for scale, side in enumerate(self.scales):
            z = F.interpolate(rest, (side, side), mode='area').flatten(2)[0].T
            tokens.append((self.codebook.pow(2).sum(1) - 2 * z @ self.codebook.T).argmin(1))
            step = self.smoothed(self.codes_of(tokens[-1], scale), scale)
            total, rest = total + step, rest - step
        return tokens, total


# ---- next-scale prediction
def generate(model: Transformer, tokenizer: Tokenizer, label: int, cfg: float | None, given: list[Tensor] | None = None,
             source: list[Tensor] | None = None, keep: list[Tensor] | None = None) -> dict:
    scales = tokenizer.scales
    model.begin([label] if cfg is None else [label, model.classes])
    total = torch.zeros(1, tokenizer.codebook.shape[1], scales[-1], scales[-1])
    result: dict = {'tokens': [], 'margin': [], 'logits': [], 'sums': []}
    codes, first = None, 0
    for scale, side in enumerate(scales):
        logits = model.step(model.embed(codes, scale, first, side * side))
        strength = 0 if cfg is None else cfg * scale / (len(scales) - 1)
        guided = (1 + strength) * logits[0] - strength * logits[-1] if cfg is not None else logits[0]
        top = guided.topk(2, -1)
        tokens = top.indices[:, 0]
        result['tokens'].append(tokens.tolist())
        result['margin'].append((top.values[:, 0] - top.values[:, 1]).tolist())
        result['logits'].append(logits)
        chosen = given[scale] if given else tokens
        if keep:
            chosen = torch.where(keep[scale], source[scale], chosen)
        total = total + tokenizer.smoothed(tokenizer.codes_of(chosen, scale), scale)
        result['sums'].append(total)
        first += side * side
        if scale + 1 < len(scales):
            codes = F.interpolate(total, (scales[scale + 1],) * 2, mode='area').flatten(2).transpose(1, 2)
    return result


def kept(mask: Tensor, side: int) -> Tensor:
    if side * side <= 3:
        return torch.ones(side * side, dtype=torch.bool)
    return (F.interpolate(mask[None, None].float(), (side, side), mode='bilinear') > .5).flatten()


# ---- random weights in the published layout
def transformer_shapes(depth: int, width: int, heads: int, entries: int, code: int, scales: list[int], classes: int, shared: bool) -> dict:
    shapes = {'pos_start': (1, 1, width), 'pos_1LC': (1, sum(s * s for s in scales), width), 'word_embed.weight': (width, code),
              'word_embed.bias': (width,), 'class_emb.weight': (classes + 1, width), 'lvl_embed.weight': (len(scales), width)}
    if shared:
        shapes |= {'shared_ada_lin.1.weight': (6 * width, width), 'shared_ada_lin.1.bias': (6 * width,)}
    for i in range(depth):
        own = {'ada_gss': (1, 1, 6, width)} if shared else {'ada_lin.1.weight': (6 * width, width), 'ada_lin.1.bias': (6 * width,)}
        block = {'attn.scale_mul_1H11': (1, heads, 1, 1), 'attn.q_bias': (width,), 'attn.v_bias': (width,), 'attn.zero_k_bias': (width,),
                 'attn.mat_qkv.weight': (3 * width, width), 'attn.proj.weight': (width, width), 'attn.proj.bias': (width,),
                 'ffn.fc1.weight': (4 * width, width), 'ffn.fc1.bias': (4 * width,), 'ffn.fc2.weight': (width, 4 * width),
                 'ffn.fc2.bias': (width,), **own}
        shapes |= {f'blocks.{i}.{name}': shape for name, shape in block.items()}
    return shapes | {'head_nm.ada_lin.1.weight': (2 * width, width), 'head_nm.ada_lin.1.bias': (2 * width,),
                     'head.weight': (entries, width), 'head.bias': (entries,)}


def tokenizer_shapes(base: int, multipliers: list[int], blocks: int, code: int, entries: int) -> dict:
    shapes: dict = {}

    def conv(name: str, inputs: int, outputs: int, kernel: int = 3) -> None:
        shapes[f'{name}.weight'], shapes[f'{name}.bias'] = (outputs, inputs, kernel, kernel), (outputs,)

    def norm(name: str, width: int) -> None:
        shapes[f'{name}.weight'] = shapes[f'{name}.bias'] = (width,)

    def residual(name: str, inputs: int, outputs: int) -> None:
        norm(f'{name}.norm1', inputs), conv(f'{name}.conv1', inputs, outputs)
        norm(f'{name}.norm2', outputs), conv(f'{name}.conv2', outputs, outputs)
        if inputs != outputs:
            conv(f'{name}.nin_shortcut', inputs, outputs, 1)

    def attention(name: str, width: int) -> None:
        norm(f'{name}.norm', width), conv(f'{name}.qkv', width, 3 * width, 1), conv(f'{name}.proj_out', width, width, 1)

    def middle(half: str, width: int) -> None:
        residual(f'{half}.mid.block_1', width, width), attention(f'{half}.mid.attn_1', width), residual(f'{half}.mid.block_2', width, width)

    last, width = len(multipliers) - 1, base
    conv('encoder.conv_in', 3, base)
    for i, multiplier in enumerate(multipliers):
        for j in range(blocks):
            residual(f'encoder.down.{i}.block.{j}', width, base * multiplier)
            width = base * multiplier
            if i == last:
                attention(f'encoder.down.{i}.attn.{j}', width)
        if i < last:
            conv(f'encoder.down.{i}.downsample.conv', width, width)
    middle('encoder', width), norm('encoder.norm_out', width), conv('encoder.conv_out', width, code)
    conv('decoder.conv_in', code, width), middle('decoder', width)
    for i in reversed(range(last + 1)):
        for j in range(blocks + 1):
            residual(f'decoder.up.{i}.block.{j}', width, base * multipliers[i])
            width = base * multipliers[i]
            if i == last:
                attention(f'decoder.up.{i}.attn.{j}', width)
        if i:
            conv(f'decoder.up.{i}.upsample.conv', width, width)
    norm('decoder.norm_out', width), conv('decoder.conv_out', width, 3), conv('quant_conv', code, code), conv('post_quant_conv', code, code)
    for i in range(4):
        conv(f'quantize.quant_resi.qresi_ls.{i}', code, code)
    return shapes | {'quantize.embedding.weight': (entries, code)}


def random_weights(shapes: dict, seed: int, half: bool = False) -> Weights:
    generator, weights = torch.Generator().manual_seed(seed), {}
    for name, shape in shapes.items():
        noise = torch.randn(shape, generator=generator)
        fan_in = math.prod(shape[1:]) if len(shape) > 1 and name.endswith('weight') and 'emb' not in name else 4
        value = noise * fan_in ** -.5
        if '.norm' in name:
            value = 1 + .1 * noise if name.endswith('weight') else .1 * noise
        if 'scale_mul' in name:
            value = math.log(4) + .1 * noise
        weights[name] = value.half() if half else value
    return weights


def load(path: Path) -> Weights:
    return {name: tensor.float() for name, tensor in torch.load(path, map_location='cpu', weights_only=True).items()}


def open_set(folder: Path, scales: list[int]) -> tuple[Transformer, Tokenizer]:
    return Transformer(load(next(folder.glob('var_*.pth')))), Tokenizer(load(next(folder.glob('vae_*.pth'))), scales)


def read_picture(path: Path) -> Tensor:
    return torch.from_numpy(np.array(Image.open(path).convert('RGB'))).permute(2, 0, 1)[None] / 255


def check(folder: Path) -> None:
    expected = json.loads((folder / 'fx/generate.json').read_text())
    model, tokenizer = open_set(folder, expected['patch_nums'])
    result = generate(model, tokenizer, expected['class_'], expected['cfg'])
    print('tokens equal:', result['tokens'] == expected['tokens'])
    for scale, logits in enumerate(result['logits']):
        print(f'scale {scale}: logits differ by', float((logits - torch.from_numpy(np.load(folder / f'fx/generate_logits_{scale}.npy'))).abs().max()))
    picture = tokenizer.decode(result['sums'][-1])
    print('pictures differ by', float((picture - torch.from_numpy(np.load(folder / 'fx/generate_image.npy'))).abs().max()))
    tokens, _ = tokenizer.tokens_of(tokenizer.encode(read_picture(folder / 'fx/input.png')))
    print('tokens of the picture equal:', [t.tolist() for t in tokens] == json.loads((folder / 'fx/tokens_input.json').read_text())['tokens'])


def make(folder: Path, scales: list[int], shared: bool, seed: int) -> None:
    out = folder / 'fx'
    out.mkdir(parents=True, exist_ok=True)
    torch.save(random_weights(transformer_shapes(3, 64, 2, 64, 8, scales, 10, shared), seed, half=True), folder / 'var_d3.pth')
    torch.save(random_weights(tokenizer_shapes(32, [1, 1], 1, 8, 64), seed + 1, half=True), folder / 'vae_ch32v64z8.pth')
    model, tokenizer = open_set(folder, scales)
    side, dice = 2 * scales[-1], np.random.default_rng(seed)
    Image.fromarray(dice.integers(0, 255, (side, side, 3), dtype=np.uint8)).save(out / 'input.png')

    def write(name: str, value: Tensor | dict) -> None:
        if isinstance(value, dict):
            (out / f'{name}.json').write_text(json.dumps(value))
        else:
            np.save(out / f'{name}.npy', value.numpy())

    def write_picture(name: str, total: Tensor) -> None:
        write(f'{name}_f_hat', total), write(f'{name}_image', tokenizer.decode(total))

    features = tokenizer.encode(read_picture(out / 'input.png'))
    source, total = tokenizer.tokens_of(features)
    write('encoder_features', features), write('tokens_input', {'tokens': [t.tolist() for t in source]}), write_picture('reconstruct', total)
    given = [torch.from_numpy(dice.integers(0, 64, s * s)) for s in scales]
    write('teacher_tokens', {'tokens': [t.tolist() for t in given]})
    write('teacher_logits', torch.cat(generate(model, tokenizer, 7, None, given=given)['logits'], 1))
    result = generate(model, tokenizer, 7, 1.5)
    write('generate', {'class_': 7, 'cfg': 1.5, 'patch_nums': scales, 'tokens': result['tokens'], 'margin': result['margin']})
    for scale, logits in enumerate(result['logits']):
        write(f'generate_logits_{scale}', logits)
    write('generate_f_hat_scales', torch.cat(result['sums'])), write_picture('generate', result['sums'][-1])
    mask = torch.ones(scales[-1], scales[-1], dtype=torch.int64)
    mask[:scales[-1] - 1, :scales[-1] - 1] = 0
    for name, keep in (('inpaint', mask), ('outpaint', 1 - mask)):
        per_scale = [kept(keep, s) for s in scales]
        write(f'{name}_mask', {'edit_mask': keep.tolist(), 'keep_per_scale': [k.long().tolist() for k in per_scale]})
        edited = generate(model, tokenizer, 7, 1.5, source=source, keep=per_scale)
        write(name, {'tokens': edited['tokens']}), write_picture(name, edited['sums'][-1])


D16_SCALES = [1, 2, 3, 4, 5, 6, 8, 10, 13, 16]


def random_d16(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(random_weights(transformer_shapes(16, 1024, 16, 4096, 32, D16_SCALES, 1000, False), 1), folder / 'var_d16.pth')
    torch.save(random_weights(tokenizer_shapes(160, [1, 1, 2, 2, 4], 2, 32, 4096), 2), folder / 'vae_ch160v4096z32.pth')


def time_d16(folder: Path) -> None:
    model, tokenizer = open_set(folder, D16_SCALES)
    for _ in range(4):
        started = time.perf_counter()
        total = generate(model, tokenizer, 207, 4.)['sums'][-1]
        drawn = time.perf_counter()
        tokenizer.decode(total)
        print(f'scales {drawn - started:.2f} s, decoding {time.perf_counter() - drawn:.2f} s, {torch.get_num_threads()} threads')


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('what', choices=['check', 'make', 'random', 'time'])
    parser.add_argument('folder', type=Path)
    options = parser.parse_args()
    if options.what == 'check':
        check(options.folder)
    elif options.what == 'make':
        make(options.folder / 'var-mini', [1, 2, 3, 4], False, 11)
        make(options.folder / 'var-mini-shared', [1, 2, 4, 5], True, 21)
    elif options.what == 'random':
        random_d16(options.folder)
    else:
        time_d16(options.folder)


if __name__ == '__main__':
    main()
