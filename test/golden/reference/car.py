"""CAR (Yao et al. 2024), a control adapter over VAR, in plain PyTorch, written from the paper and the layout of the published weights.

python3 car.py check FOLDER VAE    compare this file with numbers of the published code (a fixture set, and VAR's tokenizer)
python3 car.py make FOLDER         write a small set of random weights and what they give, for the golden tests (beside var-mini)
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

import var
from var import Tokenizer, Weights, linear, load, random_weights, rows_of, transformer_shapes


class Transformer(var.Transformer):
    """VAR's blocks; before each of the later half the adapter's states come in, the last one first."""

    def __init__(self, weights: Weights, adapter: Weights):
        super().__init__(weights)
        self.adapter = adapter
        # The adapter's blocks are VAR's blocks of other weights.
        self.own = var.Transformer({'word_embed.weight': weights['word_embed.weight'], 'class_emb.weight': weights['class_emb.weight'],
                                    'head_nm.ada_lin.1.weight': weights['head_nm.ada_lin.1.weight'], 'head_nm.ada_lin.1.bias': weights['head_nm.ada_lin.1.bias'],
                                    **{name[4:]: tensor for name, tensor in adapter.items() if name.startswith('car_blocks.')}})

    def begin(self, classes: list[int]) -> None:
        super().begin(classes)
        self.own.begin(classes)

    def control(self, picture: Image.Image, side: int) -> Tensor:
        """(1, C, side, side); the picture is resized for every scale by itself."""
        small = torch.from_numpy(np.array(picture.resize((16 * side, 16 * side)))).permute(2, 0, 1)[None] / 255 * 2 - 1

        def conv(name: str, x: Tensor, stride: int = 1) -> Tensor:
            return F.conv2d(x, self.adapter[f'car_control_convs.{name}.weight'], self.adapter[f'car_control_convs.{name}.bias'], stride, 1)

        x = F.silu(conv('conv_in', small))
        for i in range(rows_of(self.adapter, 'car_control_convs.blocks.{}.weight')):
            x = F.silu(conv(f'blocks.{i}', x, 1 + i % 2))
        return conv('conv_out', x)

    def controlled(self, codes: Tensor | None, place: Tensor, control: Tensor | None) -> Tensor:
        w = self.weights
        tokens = self.cond[:, None] + w['pos_start'] if codes is None else linear(w, 'word_embed', codes).expand(len(self.cond), -1, -1)
        states = []
        if control is not None:
            side = control.shape[-1]
            map_ = tokens.transpose(1, 2).reshape(len(tokens), -1, side, side)
            joined = F.conv2d(map_, self.adapter['car_var_conv.weight'], self.adapter['car_var_conv.bias'], padding=1) + control
            y = joined.flatten(2).transpose(1, 2) + place
            for i in range(self.own.depth):
                y = self.block(self.own, i, y)
                states.append(y)
        x = tokens + place
        for i in range(self.depth):
            j = i - self.depth // 2
            if states and j >= 0:
                both = torch.cat([x, states[len(states) - 1 - j]], -1)
                normed = F.layer_norm(both, both.shape[-1:], self.adapter[f'car_skip_norm.{j}.weight'], self.adapter[f'car_skip_norm.{j}.bias'], 1e-6)
                x = linear(self.adapter, f'car_skip_linear.{j}', normed)
            x = self.block(self, i, x)
        scale, shift = self.head
        return linear(w, 'head', self.norm(x) * (1 + scale) + shift)

    @staticmethod
    def block(model: var.Transformer, i: int, x: Tensor) -> Tensor:
        gamma1, gamma2, scale1, scale2, shift1, shift2 = model.adaptive[i].unbind(2)
        x = x + gamma1 * model.attend(i, model.norm(x) * (1 + scale1) + shift1)
        hidden = F.gelu(linear(model.weights, f'blocks.{i}.ffn.fc1', model.norm(x) * (1 + scale2) + shift2), approximate='tanh')
        return x + gamma2 * linear(model.weights, f'blocks.{i}.ffn.fc2', hidden)


def generate(model: Transformer, tokenizer: Tokenizer, label: int, cfg: float, picture: Image.Image | None, given: list[Tensor] | None = None) -> dict:
    scales = tokenizer.scales
    model.begin([label, model.classes] if cfg else [label])
    total = torch.zeros(1, tokenizer.codebook.shape[1], scales[-1], scales[-1])
    result: dict = {'tokens': [], 'margin': [], 'logits': []}
    codes, first = None, 0
    for scale, side in enumerate(scales):
        place = model.weights['pos_1LC'][:, first:first + side * side] + model.weights['lvl_embed.weight'][scale]
        logits = model.controlled(codes, place, model.control(picture, side) if picture else None)
        strength = cfg * scale / (len(scales) - 1)
        top = ((1 + strength) * logits[0] - strength * logits[-1]).topk(2, -1)
        result['tokens'].append(top.indices[:, 0].tolist())
        result['margin'].append((top.values[:, 0] - top.values[:, 1]).tolist())
        result['logits'].append(logits)
        total = total + tokenizer.smoothed(tokenizer.codes_of(given[scale] if given else top.indices[:, 0], scale), scale)
        first += side * side
        if scale + 1 < len(scales):
            codes = F.interpolate(total, (scales[scale + 1],) * 2, mode='area').flatten(2).transpose(1, 2)
    return result | {'sum': total}


def open_model(folder: Path) -> Transformer:
    return Transformer(load(next(folder.glob('var_*.pth'))), load(next(folder.glob('car_*.pth'))))


def check(folder: Path, vae: Path) -> None:
    picture = Image.open(folder / 'fx/control.png').convert('RGB')
    for name in ('generate', 'generate_unguided', 'generate_no_control'):
        expected = json.loads((folder / f'fx/{name}.json').read_text())
        tokenizer = Tokenizer(load(vae), expected['patch_nums'])
        result = generate(open_model(folder), tokenizer, expected['class_'], expected['cfg'], None if 'no_control' in name else picture)
        off = float((result['sum'] - torch.from_numpy(np.load(folder / f'fx/{name}_f_hat.npy'))).abs().max())
        print(f'{name}: tokens equal {result["tokens"] == expected["tokens"]}, sums differ by {off:.1e}')


def adapter_shapes(width: int, heads: int, blocks: int, convs: list[int]) -> dict:
    vars_ = transformer_shapes(blocks, width, heads, 4, 4, [1], 1, False)
    shapes = {f'car_{name}': shape for name, shape in vars_.items() if name.startswith('blocks.')}

    def conv(name: str, inputs: int, outputs: int) -> None:
        shapes[f'{name}.weight'], shapes[f'{name}.bias'] = (outputs, inputs, 3, 3), (outputs,)

    conv('car_control_convs.conv_in', 3, convs[0])
    for i in range(4):
        conv(f'car_control_convs.blocks.{2 * i}', convs[i], convs[i]), conv(f'car_control_convs.blocks.{2 * i + 1}', convs[i], convs[i + 1])
    conv('car_control_convs.conv_out', convs[-1], width), conv('car_var_conv', width, width)
    for j in range(blocks):
        shapes |= {f'car_skip_norm.{j}.weight': (2 * width,), f'car_skip_norm.{j}.bias': (2 * width,),
                   f'car_skip_linear.{j}.weight': (width, 2 * width), f'car_skip_linear.{j}.bias': (width,)}
    return shapes


def make(folder: Path, vae: Path, scales: list[int], seed: int) -> None:
    out = folder / 'fx'
    out.mkdir(parents=True, exist_ok=True)
    torch.save(random_weights(transformer_shapes(2, 64, 2, 64, 8, scales, 10, False), seed, half=True), folder / 'var_d2.pth')
    torch.save(random_weights(adapter_shapes(64, 2, 1, [4, 4, 8, 8, 8]), seed + 1, half=True), folder / 'car_canny_d2.pth')
    model, tokenizer, dice = open_model(folder), Tokenizer(load(vae), scales), np.random.default_rng(seed)
    size = 16 * scales[-1]
    edges = np.repeat(((dice.random((size, size, 1)) > .8) * 255).astype(np.uint8), 3, 2)
    picture = Image.fromarray(edges)
    picture.save(out / 'control.png')
    for side in scales[:-1]:
        picture.resize((16 * side, 16 * side)).save(out / f'control_{16 * side}.png')

    def write(name: str, value: Tensor | dict) -> None:
        if isinstance(value, dict):
            (out / f'{name}.json').write_text(json.dumps(value))
        else:
            np.save(out / f'{name}.npy', value.numpy())

    write('control_features', torch.cat([model.control(picture, side)[0].flatten(1).T for side in scales]))
    given = [torch.from_numpy(dice.integers(0, 64, s * s)) for s in scales]
    write('tokens_input', {'patch_nums': scales, 'tokens': [t.tolist() for t in given]})
    taught = torch.cat(generate(model, tokenizer, 7, 0, picture, given)['logits'], 1)[0]
    rows = [0, 1, 4, 5, len(taught) - 1]
    write('teacher', {'rows': rows}), write('teacher_rows', taught[rows])
    for name, cfg, held in (('generate', 4., picture), ('generate_unguided', 0., picture), ('generate_no_control', 4., None)):
        result = generate(model, tokenizer, 7, cfg, held)
        guidance = [1 + cfg * k / (len(scales) - 1) for k in range(len(scales))]
        write(name, {'class_': 7, 'patch_nums': scales, 'cfg': cfg, 'guidance': guidance, 'tokens': result['tokens'], 'margin': result['margin']})
        if name == 'generate':
            places = [[k, i] for k, side in enumerate(scales) for i in (0, side * side - 1)]
            write('generate_logits_rows', {'rows': places}), write('generate_logits', torch.stack([result['logits'][k][:, i] for k, i in places]))
            write('generate_f_hat', result['sum']), write('generate_image_sub', tokenizer.decode(result['sum'])[0, :, 2::4, 2::4])


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('what', choices=['check', 'make'])
    parser.add_argument('folder', type=Path)
    parser.add_argument('vae', type=Path, nargs='?')
    options = parser.parse_args()
    if options.what == 'check':
        check(options.folder, options.vae)
    else:
        make(options.folder / 'car-mini', options.folder / 'var-mini/vae_ch32v64z8.pth', [1, 2, 3, 4], 41)


if __name__ == '__main__':
    main()
