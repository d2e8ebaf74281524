"""ControlAR (Li et al. 2024) in plain PyTorch: DINOv2, the conditional transformer and LlamaGen's VQ tokenizer.

python3 controlar.py make FOLDER    write small random weights in the published layout, and what they compute
python3 controlar.py check FOLDER   compare the transformer with a set of the published code's own numbers
"""
import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

Weights = dict[str, Tensor]
WIDTH, LAYERS, ENTRIES, SIDE, TEXT_ROWS, TEXT_WIDTH = 64, 3, 48, 4, 8, 256
VIT, VIT_LAYERS, VIT_SIDE = 64, 1, 3
CHANNELS, LATENT, CODE = 32, 16, 8


def under(w: Weights, prefix: str) -> Weights:
    return {name[len(prefix):]: value for name, value in w.items() if name.startswith(prefix)}


def mlp(w: Weights, x: Tensor) -> Tensor:
    return F.linear(F.gelu(F.linear(x, w['fc1.weight']), approximate='tanh'), w['fc2.weight'])


def affine(w: Weights, name: str, x: Tensor) -> Tensor:
    return F.linear(x, w[f'{name}.weight'], w[f'{name}.bias'])


def dinov2(w: Weights, picture: Tensor) -> Tensor:
    """(1, 3, 14h, 14w) → (h·w, C)"""
    def norm(name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], w[f'{name}.weight'], w[f'{name}.bias'], 1e-6)

    patches = F.conv2d(picture, w['embeddings.patch_embeddings.projection.weight'], w['embeddings.patch_embeddings.projection.bias'], stride=14)
    h, wide = patches.shape[2:]
    learned = w['embeddings.position_embeddings']
    side = int(math.sqrt(learned.shape[1] - 1))
    square = learned[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
    places = F.interpolate(square, (h, wide), mode='bicubic', align_corners=False).flatten(2).transpose(1, 2)
    x = torch.cat([w['embeddings.cls_token'] + learned[:, :1], patches.flatten(2).transpose(1, 2) + places], 1)[0]
    heads = x.shape[-1] // 64
    for i in range(len({name.split('.')[2] for name in w if name.startswith('encoder.layer.')})):
        layer = f'encoder.layer.{i}'
        normed = norm(f'{layer}.norm1', x)
        q, k, v = (affine(w, f'{layer}.attention.attention.{n}', normed).view(len(x), heads, 64).transpose(0, 1) for n in ('query', 'key', 'value'))
        mixed = ((q @ k.transpose(1, 2) / 8).softmax(-1) @ v).transpose(0, 1).flatten(1)
        x = x + w[f'{layer}.layer_scale1.lambda1'] * affine(w, f'{layer}.attention.output.dense', mixed)
        hidden = F.gelu(affine(w, f'{layer}.mlp.fc1', norm(f'{layer}.norm2', x)))
        x = x + w[f'{layer}.layer_scale2.lambda1'] * affine(w, f'{layer}.mlp.fc2', hidden)
    return norm('layernorm', x)[1:]


def control_picture(control: Tensor, rows: int, columns: int) -> Tensor:
    """(1, 1, H, W) in 0..1, hard-edged → (1, 3, 14h, 14w) in −1..1"""
    return F.interpolate(2 * control - 1, (14 * rows, 14 * columns), mode='nearest').repeat(1, 3, 1, 1)


def rotary(rows: int, columns: int, text: int, head: int) -> Tensor:
    """(text + n, head/2, 2): no angle at all for text, not even a cosine"""
    half = head // 2
    frequency = 10000 ** -(torch.arange(0, half, 2)[: half // 2].float() / half)
    y, x = torch.meshgrid(torch.arange(rows).float(), torch.arange(columns).float(), indexing='ij')
    angle = torch.cat([y.reshape(-1, 1) * frequency, x.reshape(-1, 1) * frequency], 1)
    return torch.cat([torch.zeros(text, half, 2), torch.stack([angle.cos(), angle.sin()], -1)])


def turned(x: Tensor, angle: Tensor) -> Tensor:
    """x (T, H, c)"""
    a, b = x[..., 0::2], x[..., 1::2]
    cos, sin = angle[:, None, :, 0], angle[:, None, :, 1]
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)


def transformer(w: Weights, x: Tensor, control: list[Tensor], angle: Tensor, heads: int) -> Tensor:
    """One batch row, all tokens at once: (T, C) → logits (T, V)"""
    def norm(name: str, h: Tensor) -> Tensor:
        return h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + 1e-5) * w[f'{name}.weight']

    depth = len({name.split('.')[1] for name in w if name.startswith('layers.')})
    length, width = x.shape
    future = torch.ones(length, length).triu(1).bool()
    for i in range(depth):
        if i % (depth // 3) == 0 and i // (depth // 3) < 3:
            x = x + control[i // (depth // 3)]
        layer = f'layers.{i}'
        qkv = F.linear(norm(f'{layer}.attention_norm', x), w[f'{layer}.attention.wqkv.weight']).view(length, 3, heads, width // heads)
        q, k = turned(qkv[:, 0], angle).transpose(0, 1), turned(qkv[:, 1], angle).transpose(0, 1)
        scores = (q @ k.transpose(1, 2) / math.sqrt(width // heads)).masked_fill(future, -math.inf)
        seen = (scores.softmax(-1) @ qkv[:, 2].transpose(0, 1)).transpose(0, 1).flatten(1)
        x = x + F.linear(seen, w[f'{layer}.attention.wo.weight'])
        h = norm(f'{layer}.ffn_norm', x)
        gate = F.silu(F.linear(h, w[f'{layer}.feed_forward.w1.weight'])) * F.linear(h, w[f'{layer}.feed_forward.w3.weight'])
        x = x + F.linear(gate, w[f'{layer}.feed_forward.w2.weight'])
    return F.linear(norm('norm', x), w['output.weight'])


def control_tokens(w: Weights, features: Tensor) -> list[Tensor]:
    condition = mlp(under(w, 'condition_mlp.cap_proj.'), mlp(under(w, 'adapter_mlp.'), features))
    return [mlp(under(w, f'condition_layers.{i}.'), condition) for i in range(3)]


def along(w: Weights, text: Tensor, control: list[Tensor] | None, tokens: list[int], grid: tuple[int, int], heads: int) -> Tensor:
    """Logits (V) of the token after `tokens`, `text` (T, width) unpadded."""
    prefix = mlp(under(w, 'cls_embedding.cap_proj.'), text)
    x = torch.cat([prefix, w['tok_embeddings.weight'][tokens]]) if tokens else prefix
    before, width = len(text) - 1, x.shape[1]
    held = [torch.zeros(len(x), width) for _ in range(3)]
    for target, own in zip(held, control or []):
        target[before:] = own[: len(tokens) + 1]
    return transformer(w, x, held, rotary(*grid, len(text), width // heads)[: len(x)], heads)[-1]


def decode(w: Weights, codes: Tensor) -> Tensor:
    def conv(name: str, x: Tensor) -> Tensor:
        kernel = w[f'{name}.weight']
        return F.conv2d(x, kernel, w[f'{name}.bias'], padding=kernel.shape[-1] // 2)

    x = middle(w, 'decoder.mid', conv('decoder.conv_in', conv('post_quant_conv', codes)))
    for i in levels(w, 'decoder'):
        x = level(w, f'decoder.conv_blocks.{i}', x)
        if f'decoder.conv_blocks.{i}.upsample.conv.weight' in w:
            x = conv(f'decoder.conv_blocks.{i}.upsample.conv', F.interpolate(x, scale_factor=2.0, mode='nearest'))
    return ((conv('decoder.conv_out', F.silu(group(w, 'decoder.norm_out', x))) + 1) / 2).clamp(0, 1)


def encode(w: Weights, picture: Tensor) -> Tensor:
    """(1, 3, H, W) in 0..1 → features (1, d, h, w)"""
    def conv(name: str, x: Tensor) -> Tensor:
        kernel = w[f'{name}.weight']
        return F.conv2d(x, kernel, w[f'{name}.bias'], padding=kernel.shape[-1] // 2)

    x = conv('encoder.conv_in', picture * 2 - 1)
    for i in levels(w, 'encoder'):
        x = level(w, f'encoder.conv_blocks.{i}', x)
        name = f'encoder.conv_blocks.{i}.downsample.conv'
        if f'{name}.weight' in w:
            x = F.conv2d(F.pad(x, (0, 1, 0, 1)), w[f'{name}.weight'], w[f'{name}.bias'], stride=2)
    return conv('quant_conv', conv('encoder.conv_out', F.silu(group(w, 'encoder.norm_out', middle(w, 'encoder.mid', x)))))


def levels(w: Weights, half: str) -> range:
    return range(len({key.split('.')[2] for key in w if key.startswith(f'{half}.conv_blocks.')}))


def group(w: Weights, name: str, x: Tensor) -> Tensor:
    return F.group_norm(x, 32, w[f'{name}.weight'], w[f'{name}.bias'], 1e-6)


def residual(w: Weights, name: str, x: Tensor) -> Tensor:
    h = F.conv2d(F.silu(group(w, f'{name}.norm1', x)), w[f'{name}.conv1.weight'], w[f'{name}.conv1.bias'], padding=1)
    h = F.conv2d(F.silu(group(w, f'{name}.norm2', h)), w[f'{name}.conv2.weight'], w[f'{name}.conv2.bias'], padding=1)
    shortcut = f'{name}.nin_shortcut'
    return h + (F.conv2d(x, w[f'{shortcut}.weight'], w[f'{shortcut}.bias']) if f'{shortcut}.weight' in w else x)


def attend(w: Weights, name: str, x: Tensor) -> Tensor:
    normed = group(w, f'{name}.norm', x)
    q, k, v = (F.conv2d(normed, w[f'{name}.{n}.weight'], w[f'{name}.{n}.bias']).flatten(2) for n in 'qkv')
    scores = (q.transpose(1, 2) @ k / math.sqrt(x.shape[1])).softmax(-1)
    return x + F.conv2d((v @ scores.transpose(1, 2)).view(x.shape), w[f'{name}.proj_out.weight'], w[f'{name}.proj_out.bias'])


def middle(w: Weights, name: str, x: Tensor) -> Tensor:
    return residual(w, f'{name}.2', attend(w, f'{name}.1', residual(w, f'{name}.0', x)))


def level(w: Weights, name: str, x: Tensor) -> Tensor:
    for i in range(len({key.split('.')[4] for key in w if key.startswith(f'{name}.res.')})):
        x = residual(w, f'{name}.res.{i}', x)
        if f'{name}.attn.{i}.norm.weight' in w:
            x = attend(w, f'{name}.attn.{i}', x)
    return x


def random_vit() -> Weights:
    w: Weights = {
        'embeddings.cls_token': torch.randn(1, 1, VIT),
        'embeddings.mask_token': torch.zeros(1, VIT),
        'embeddings.position_embeddings': torch.randn(1, 1 + VIT_SIDE**2, VIT),
        'embeddings.patch_embeddings.projection.weight': torch.randn(VIT, 3, 14, 14) * 0.05,
        'embeddings.patch_embeddings.projection.bias': torch.randn(VIT) * 0.1,
    }

    def linear(name: str, outputs: int, inputs: int) -> None:
        w[f'{name}.weight'], w[f'{name}.bias'] = torch.randn(outputs, inputs) / math.sqrt(inputs), torch.randn(outputs) * 0.1

    def norm(name: str) -> None:
        w[f'{name}.weight'], w[f'{name}.bias'] = 1 + torch.randn(VIT) * 0.1, torch.randn(VIT) * 0.1

    for i in range(VIT_LAYERS):
        layer = f'encoder.layer.{i}'
        norm(f'{layer}.norm1')
        norm(f'{layer}.norm2')
        for name in ('query', 'key', 'value'):
            linear(f'{layer}.attention.attention.{name}', VIT, VIT)
        linear(f'{layer}.attention.output.dense', VIT, VIT)
        linear(f'{layer}.mlp.fc1', 2 * VIT, VIT)
        linear(f'{layer}.mlp.fc2', VIT, 2 * VIT)
        w[f'{layer}.layer_scale1.lambda1'] = torch.rand(VIT)
        w[f'{layer}.layer_scale2.lambda1'] = torch.rand(VIT)
    norm('layernorm')
    return w


def random_transformer() -> Weights:
    w: Weights = {f'adapter.model.{name}': value for name, value in random_vit().items()}

    def linear(name: str, outputs: int, inputs: int, gain: float = 1) -> None:
        w[f'{name}.weight'] = torch.randn(outputs, inputs) * gain / math.sqrt(inputs)

    for name, inputs in {'adapter_mlp': VIT, 'cls_embedding.cap_proj': TEXT_WIDTH, 'condition_mlp.cap_proj': WIDTH, **{f'condition_layers.{i}': WIDTH for i in range(3)}}.items():
        linear(f'{name}.fc1', WIDTH, inputs)
        linear(f'{name}.fc2', WIDTH, WIDTH, 2)
    w['cls_embedding.uncond_embedding'] = torch.randn(TEXT_ROWS, TEXT_WIDTH) / math.sqrt(TEXT_WIDTH)
    w['condition_mlp.uncond_embedding'] = torch.zeros(SIDE**2, WIDTH)
    w['tok_embeddings.weight'] = torch.randn(ENTRIES, WIDTH)
    for i in range(LAYERS):
        layer = f'layers.{i}'
        linear(f'{layer}.attention.wqkv', 3 * WIDTH, WIDTH)
        linear(f'{layer}.attention.wo', WIDTH, WIDTH)
        for name, (outputs, inputs) in {'w1': (2 * WIDTH, WIDTH), 'w3': (2 * WIDTH, WIDTH), 'w2': (WIDTH, 2 * WIDTH)}.items():
            linear(f'{layer}.feed_forward.{name}', outputs, inputs)
        w[f'{layer}.attention_norm.weight'] = 1 + torch.randn(WIDTH) * 0.1
        w[f'{layer}.ffn_norm.weight'] = 1 + torch.randn(WIDTH) * 0.1
    w['norm.weight'] = 1 + torch.randn(WIDTH) * 0.1
    linear('output', ENTRIES, WIDTH, 3)
    return w


def random_tokenizer(entries: int, code: int) -> Weights:
    w: Weights = {'quantize.embedding.weight': torch.randn(entries, code), 'quantize.codebook_used': torch.zeros(16)}

    def conv(name: str, outputs: int, inputs: int, side: int) -> None:
        w[f'{name}.weight'] = torch.randn(outputs, inputs, side, side) / math.sqrt(inputs * side * side)
        w[f'{name}.bias'] = torch.randn(outputs) * 0.1

    def norm(name: str, channels: int) -> None:
        w[f'{name}.weight'], w[f'{name}.bias'] = 1 + torch.randn(channels) * 0.1, torch.randn(channels) * 0.1

    def block(name: str, inputs: int, outputs: int) -> None:
        norm(f'{name}.norm1', inputs)
        conv(f'{name}.conv1', outputs, inputs, 3)
        norm(f'{name}.norm2', outputs)
        conv(f'{name}.conv2', outputs, outputs, 3)
        if inputs != outputs:
            conv(f'{name}.nin_shortcut', outputs, inputs, 1)

    def attention(name: str, channels: int) -> None:
        norm(f'{name}.norm', channels)
        for part in ('q', 'k', 'v', 'proj_out'):
            conv(f'{name}.{part}', channels, channels, 1)

    for half, ends in {'encoder': (3, LATENT), 'decoder': (LATENT, 3)}.items():
        conv(f'{half}.conv_in', CHANNELS, ends[0], 3)
        for i in range(2):
            block(f'{half}.conv_blocks.{i}.res.0', CHANNELS, CHANNELS)
        attention(f'{half}.conv_blocks.{1 if half == "encoder" else 0}.attn.0', CHANNELS)
        conv(f'{half}.conv_blocks.0.{"downsample" if half == "encoder" else "upsample"}.conv', CHANNELS, CHANNELS, 3)
        block(f'{half}.mid.0', CHANNELS, CHANNELS)
        attention(f'{half}.mid.1', CHANNELS)
        block(f'{half}.mid.2', CHANNELS, CHANNELS)
        norm(f'{half}.norm_out', CHANNELS)
        conv(f'{half}.conv_out', ends[1], CHANNELS, 3)
    conv('quant_conv', code, LATENT, 1)
    conv('post_quant_conv', LATENT, code, 1)
    return w


def make(folder: Path) -> None:
    torch.manual_seed(3)
    folder.mkdir(parents=True, exist_ok=True)
    model, tokenizer = random_transformer(), random_tokenizer(ENTRIES, CODE)
    torch.save({'model': model}, folder / 'canny_mini.pth')
    torch.save({'model': tokenizer}, folder / 'vq_mini.pt')
    control = (torch.rand(1, 1, 64, 64) > 0.8).float()
    features = dinov2(under(model, 'adapter.model.'), control_picture(control, SIDE, SIDE))
    text, cfg = torch.randn(5, TEXT_WIDTH), 4.0
    tokens: list[int] = []
    logits: list[Tensor] = []
    held, empty = control_tokens(model, features), model['cls_embedding.uncond_embedding'][-len(text):]
    for _ in range(SIDE**2):
        rows = torch.stack([along(model, text, held, tokens, (SIDE, SIDE), 1), along(model, empty, None, tokens, (SIDE, SIDE), 1)])
        logits.append(rows)
        tokens.append(int((rows[1] + cfg * (rows[0] - rows[1])).argmax()))
    codes = F.normalize(tokenizer['quantize.embedding.weight'], dim=-1)
    drawn = decode(tokenizer, codes[tokens].view(1, SIDE, SIDE, CODE).permute(0, 3, 1, 2))
    picture = torch.rand(1, 3, 2 * SIDE, 2 * SIDE)
    encoded = encode(tokenizer, picture)
    nearest = (F.normalize(encoded[0].flatten(1).T, dim=-1) @ codes.T).argmax(-1)
    arrays = {'control': control, 'features': features, 'text': text, 'logits': torch.stack(logits), 'tokens': torch.tensor(tokens),
              'drawn': drawn, 'picture': picture, 'encoded': encoded, 'nearest': nearest}
    for name, array in arrays.items():
        np.save(folder / f'{name}.npy', array.numpy().astype(np.int32 if array.dtype == torch.int64 else np.float32))


def check(folder: Path) -> None:
    from safetensors.torch import load_file
    model, manifest = load_file(folder / 'controlar.safetensors'), json.loads((folder / 'manifest.json').read_text())
    text, mask = np.load(folder / 'inputs/text.npy'), np.load(folder / 'inputs/text_mask.npy').astype(bool)
    features, side = torch.from_numpy(np.load(folder / 'inputs/control_features.npy')), int(manifest['config']['block_size'] ** 0.5)
    tokens = np.load(folder / 'cfg4/tokens.npy').tolist()
    expected = np.load(folder / 'cfg4/logits_raw.npy')
    held = control_tokens(model, features)
    off = max(float(np.abs(along(model, torch.from_numpy(text[mask]), held, tokens[:i], (side, side), manifest['config']['n_head']).numpy() - expected[i, 0]).max()) for i in range(len(tokens)))
    print(f'largest difference of logits: {off:.1e}')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('action', choices=['make', 'check'])
    parser.add_argument('folder', type=Path)
    arguments = parser.parse_args()
    with torch.no_grad():
        {'make': make, 'check': check}[arguments.action](arguments.folder)
