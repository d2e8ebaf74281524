"""Switti (Voronov et al. 2024) and its text encoders (CLIP, Radford et al. 2021) in plain PyTorch, written from the papers and the layout
of the published weights.

python3 switti.py check FOLDER VAE    compare this file with numbers of the published code (a fixture set, and VAR's tokenizer)
python3 switti.py clip FOLDER         compare the text encoders of a small set with those of transformers (needs it besides)
python3 switti.py make FOLDER         write a small set of random weights and what they give, for the golden tests (beside var-mini; needs
                                      tokenizers and safetensors besides: prompts become tokens there as they do in the published code)
"""
import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from var import Tokenizer, Weights, linear, load, rows_of

WHOLE_PICTURE = torch.tensor([512, 512, 0, 0])


# ---- the transformer: B rows (prompt, no words) · L tokens · T text rows · C width
def rms(weights: Weights, name: str, x: Tensor) -> Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * weights[f'{name}.weight']


def rotary(side: int, head_width: int) -> Tensor:
    """Angles (L, c/2) of a scale: first half by the column, second by the row, every scale stretched to 0…128."""
    place = torch.arange(side) * (128 / max(1, side - 1))
    frequency = 10000 ** (-torch.arange(0, head_width, 4) / head_width)
    angles = place[:, None] * frequency
    return torch.cat([angles[None].expand(side, -1, -1), angles[:, None].expand(-1, side, -1)], -1).flatten(0, 1)


def turned(x: Tensor, angles: Tensor) -> Tensor:
    even, odd, cos, sin = x[..., 0::2], x[..., 1::2], angles.cos(), angles.sin()
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


class Transformer:
    def __init__(self, weights: Weights, autoregressive: bool):
        self.weights, self.autoregressive = weights, autoregressive
        self.depth = self.heads = rows_of(weights, 'blocks.{}.attn.to_qkv.weight')
        self.width = weights['word_embed.weight'].shape[0]

    def crop(self) -> Tensor:
        """(4, C/4)"""
        angles = WHOLE_PICTURE[:, None] * self.weights['crop_embed.weight'][None] * 2 * np.pi
        return torch.cat([angles.sin(), angles.cos()], -1)

    def begin(self, context: Tensor, pooled: Tensor, valid: list[int]) -> None:
        w = self.weights
        self.context, self.cond = context, linear(w, 'text_pooler', pooled)
        self.hidden = torch.arange(context.shape[1])[None] >= torch.tensor(valid)[:, None]
        self.cropped = linear(w, 'crop_proj', self.crop().view(1, -1))
        self.past: list = [None] * self.depth

    def embed(self, codes: Tensor | None, scale: int) -> Tensor:
        level = self.weights['lvl_embed.weight'][scale]
        tokens = self.cond[:, None] + self.weights['pos_start'] if codes is None else linear(self.weights, 'word_embed', codes)
        return (tokens + level).expand(len(self.cond), -1, -1)

    def norm(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, (self.width,), eps=1e-6)

    def split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)

    def step(self, x: Tensor, side: int) -> Tensor:
        w, angles = self.weights, rotary(side, self.width // self.heads)
        for i in range(self.depth):
            block = f'blocks.{i}'
            condition = self.cond + w[f'{block}.crop_cond_scales'] * self.cropped
            gamma1, gamma2, scale1, scale2, shift1, shift2 = linear(w, f'{block}.ada_lin.1', F.silu(condition)).view(-1, 1, 6, self.width).unbind(2)
            h = self.attend(i, rms(w, f'{block}.self_attention_norm1', x) * (1 + scale1) + shift1, angles)
            x = x + rms(w, f'{block}.self_attention_norm2', h) * gamma1
            x = x + rms(w, f'{block}.cross_attention_norm2', self.listen(block, rms(w, f'{block}.cross_attention_norm1', x)))
            h = rms(w, f'{block}.ffn_norm1', x) * (1 + scale2) + shift2
            h = F.silu(linear(w, f'{block}.ffn.gate_proj', h)) * linear(w, f'{block}.ffn.up_proj', h)
            x = x + rms(w, f'{block}.ffn_norm2', linear(w, f'{block}.ffn.down_proj', h)) * gamma2
        scale, shift = linear(w, 'head_nm.ada_lin.1', F.silu(self.cond)).view(-1, 1, 2, self.width).unbind(2)
        return linear(w, 'head', self.norm(x) * (1 + scale) + shift)

    def attend(self, i: int, x: Tensor, angles: Tensor) -> Tensor:
        q, k, v = linear(self.weights, f'blocks.{i}.attn.to_qkv', x).chunk(3, -1)
        q, k, v = turned(self.split(self.norm(q)), angles), turned(self.split(self.norm(k)), angles), self.split(v)
        if self.autoregressive and self.past[i] is not None:
            k, v = torch.cat([self.past[i][0], k], 2), torch.cat([self.past[i][1], v], 2)
        self.past[i] = k, v
        return linear(self.weights, f'blocks.{i}.attn.proj', F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape))

    def listen(self, block: str, x: Tensor) -> Tensor:
        k, v = linear(self.weights, f'{block}.cross_attn.to_kv', rms(self.weights, f'{block}.attention_y_norm', self.context)).chunk(2, -1)
        q = self.norm(linear(self.weights, f'{block}.cross_attn.to_q', x))
        seen = F.scaled_dot_product_attention(self.split(q), self.split(self.norm(k)), self.split(v), ~self.hidden[:, None, None])
        return linear(self.weights, f'{block}.cross_attn.proj', seen.transpose(1, 2).reshape(x.shape))

    def first_row_only(self) -> None:
        self.context, self.cond, self.hidden = self.context[:1], self.cond[:1], self.hidden[:1]
        self.past = [past and (past[0][:1], past[1][:1]) for past in self.past]


def generate(model: Transformer, tokenizer: Tokenizer, cfg: float | None, off: int = 1000, given: list | None = None) -> dict:
    scales = tokenizer.scales
    if cfg is None:
        model.first_row_only()
    total = torch.zeros(1, tokenizer.codebook.shape[1], scales[-1], scales[-1])
    result: dict = {'guidance': [], 'rows': [], 'tokens': [], 'margin': [], 'logits': []}
    codes = None
    for scale, side in enumerate(scales):
        x = model.embed(codes, scale)
        if scale == off:
            model.first_row_only()
        x = x[:len(model.cond)]
        logits = model.step(x, side)
        guidance = 1 + cfg * scale / (len(scales) - 1) if len(logits) > 1 else 1
        guided = guidance * logits[0] + (1 - guidance) * logits[-1] if len(logits) > 1 else logits[0]
        top = guided.topk(2, -1)
        result['guidance'].append(guidance), result['rows'].append(len(logits)), result['logits'].append(logits[0])
        result['tokens'].append(top.indices[:, 0].tolist())
        result['margin'].append([round(float(m), 6) for m in top.values[:, 0] - top.values[:, 1]])
        chosen = torch.tensor(given[scale]) if given else top.indices[:, 0]
        total = total + tokenizer.smoothed(tokenizer.codes_of(chosen, scale), scale)
        if scale + 1 < len(scales):
            codes = F.interpolate(total, (scales[scale + 1],) * 2, mode='area').flatten(2).transpose(1, 2)
    return result | {'sum': total}


# ---- the text encoders: T tokens · C width
def clip(w: Weights, ids: Tensor, quick: bool) -> Tensor:
    """(T) → (T, C)"""
    x = w['text_model.embeddings.token_embedding.weight'][ids] + w['text_model.embeddings.position_embedding.weight'][:len(ids)]
    heads = max(1, x.shape[1] // 64)

    def norm(name: str) -> Tensor:
        return F.layer_norm(x, x.shape[1:], w[f'text_model.{name}.weight'], w[f'text_model.{name}.bias'], 1e-5)

    for i in range(rows_of(w, 'text_model.encoder.layers.{}.mlp.fc1.weight')):
        layer = f'encoder.layers.{i}'
        normed = norm(f'{layer}.layer_norm1')
        q, k, v = (linear(w, f'text_model.{layer}.self_attn.{part}_proj', normed).view(len(ids), heads, -1).transpose(0, 1) for part in 'qkv')
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(0, 1).reshape(x.shape)
        x = x + linear(w, f'text_model.{layer}.self_attn.out_proj', seen)
        hidden = linear(w, f'text_model.{layer}.mlp.fc1', norm(f'{layer}.layer_norm2'))
        x = x + linear(w, f'text_model.{layer}.mlp.fc2', hidden * torch.sigmoid(1.702 * hidden) if quick else F.gelu(hidden))
    return norm('final_layer_norm')


# ---- a small set
SCALES, WIDTH, DEPTH, CODE, ENTRIES = [1, 2, 3, 4], 32, 2, 8, 64
SMALL, LARGE, WORDS_IN_WIDTH = 32, 128, 16
MERGES = ['c a', 'ca r</w>', 'r e', 're d</w>', 'h i', 'hi l', 'hil l</w>', 't h', 'th e</w>', 'i n', 'in g</w>', "' s</w>", 'o n</w>']
#: What people may write, and what they may try; one of the tokenizer's own tokens is broken up, as ours does it.
PROMPTS = ['', ' ', 'a red car', 'A Red CAR on the hill', "it's  singing\n\ton", 'caf\u00e9 cafe\u0301', '你好 red', '\U0001f642 car', '1234 3.5€',
           'red<|endoftext|>car', 'lone \ud83d half', 'ﬁne ½ … ①', 'a red car ' * 60]


def switti_shapes() -> dict:
    w = WIDTH
    shapes: dict = {'pos_start': (1, 1, w), 'lvl_embed.weight': (len(SCALES), w), 'crop_embed.weight': (w // 8,), 'crop_proj.weight': (w, w),
                    'crop_proj.bias': (w,), 'text_pooler.weight': (w, LARGE), 'text_pooler.bias': (w,), 'word_embed.weight': (w, CODE),
                    'word_embed.bias': (w,), 'head_nm.ada_lin.1.weight': (2 * w, w), 'head_nm.ada_lin.1.bias': (2 * w,),
                    'head.weight': (ENTRIES, w), 'head.bias': (ENTRIES,)}
    hidden = 8 * w // 3
    for i in range(DEPTH):
        linears = {'ada_lin.1': (6 * w, w), 'attn.to_qkv': (3 * w, w), 'attn.proj': (w, w), 'cross_attn.to_q': (w, w),
                   'cross_attn.to_kv': (2 * w, SMALL + LARGE), 'cross_attn.proj': (w, w)}
        block: dict = {f'{name}.weight': shape for name, shape in linears.items()} | {f'{name}.bias': shape[:1] for name, shape in linears.items()}
        block |= {'ffn.gate_proj.weight': (hidden, w), 'ffn.up_proj.weight': (hidden, w), 'ffn.down_proj.weight': (w, hidden),
                  'crop_cond_scales': (1, w), 'attention_y_norm.weight': (SMALL + LARGE,)}
        block |= {f'{part}_norm{n}.weight': (w,) for part in ('self_attention', 'cross_attention', 'ffn') for n in (1, 2)}
        shapes |= {f'blocks.{i}.{name}': shape for name, shape in block.items()}
    return shapes


def clip_shapes(width: int, layers: int, words: int) -> dict:
    shapes: dict = {'embeddings.token_embedding.weight': (words, width), 'embeddings.position_embedding.weight': (77, width),
                    'final_layer_norm.weight': (width,), 'final_layer_norm.bias': (width,)}
    for i in range(layers):
        layer = f'encoder.layers.{i}'
        linears = {f'self_attn.{part}_proj': (width, width) for part in ('q', 'k', 'v', 'out')} | {'mlp.fc1': (width, width), 'mlp.fc2': (width, width)}
        for name, shape in linears.items():
            shapes |= {f'{layer}.{name}.weight': shape, f'{layer}.{name}.bias': shape[:1]}
        shapes |= {f'{layer}.layer_norm{n}.{part}': (width,) for n in (1, 2) for part in ('weight', 'bias')}
    return {f'text_model.{name}': shape for name, shape in shapes.items()}


def random_weights(shapes: dict, seed: int) -> Weights:
    generator, weights = torch.Generator().manual_seed(seed), {}
    for name, shape in shapes.items():
        noise = torch.randn(shape, generator=generator)
        gain = 2.5 if name == 'head.weight' else 1
        value = noise * (gain * shape[-1] ** -.5 if len(shape) > 1 and 'embed' not in name else .5)
        # Halves in float32's clothes, so that the files may be small and the numbers exact.
        weights[name] = (1 + .1 * noise if 'norm' in name and name.endswith('weight') else value).half().float()
    return weights


def tokenizer_file() -> dict:
    """The kinds of parts that CLIP's own tokenizer.json has: byte pairs with the end of a word in them, between two tokens."""
    letters = [*range(ord('!'), ord('~') + 1), *range(ord('¡'), ord('¬') + 1), *range(ord('®'), ord('ÿ') + 1)]
    others = [byte for byte in range(256) if byte not in letters]
    alphabet = [*map(chr, letters), *(chr(256 + n) for n in range(len(others)))]
    vocabulary = [*alphabet, *(f'{letter}</w>' for letter in alphabet), *(merge.replace(' ', '') for merge in MERGES), '<|startoftext|>', '<|endoftext|>']
    count = len(vocabulary)
    special = [{'id': count - 2 + i, 'content': vocabulary[count - 2 + i], 'single_word': False, 'lstrip': False, 'rstrip': False,
                'normalized': i == 0, 'special': True} for i in (0, 1)]
    words = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"
    return {'version': '1.0', 'truncation': None, 'padding': None, 'added_tokens': special,
            'normalizer': {'type': 'Sequence', 'normalizers': [{'type': 'NFC'}, {'type': 'Replace', 'pattern': {'Regex': '\\s+'}, 'content': ' '},
                                                               {'type': 'Lowercase'}]},
            'pre_tokenizer': {'type': 'Sequence', 'pretokenizers': [{'type': 'Split', 'pattern': {'Regex': words}, 'behavior': 'Removed', 'invert': True},
                                                                    {'type': 'ByteLevel', 'add_prefix_space': False, 'trim_offsets': True}]},
            'post_processor': {'type': 'RobertaProcessing', 'sep': ['<|endoftext|>', count - 1], 'cls': ['<|startoftext|>', count - 2],
                               'trim_offsets': False, 'add_prefix_space': False},
            'decoder': {'type': 'ByteLevel', 'add_prefix_space': True, 'trim_offsets': True},
            'model': {'type': 'BPE', 'dropout': None, 'unk_token': '<|endoftext|>', 'continuing_subword_prefix': '', 'end_of_word_suffix': '</w>',
                      'fuse_unk': False, 'vocab': {piece: i for i, piece in enumerate(vocabulary)}, 'merges': MERGES}}


def tokens_of(file: Path) -> list[dict]:
    from tokenizers import Tokenizer as Published
    tokenizer, found = Published.from_file(str(file)), []
    for prompt in PROMPTS:
        whole = ''.join('\ufffd' if '\ud800' <= letter < '\ue000' else letter for letter in prompt).replace('<|endoftext', '< |endoftext')
        ids = tokenizer.encode(whole).ids
        found.append({'prompt': prompt, 'ids': ids if len(ids) <= 77 else ids[:76] + ids[-1:]})
    return found


def make(folder: Path) -> None:
    from safetensors.torch import save_file
    mini = folder / 'switti-mini'
    out = mini / 'fx'
    out.mkdir(parents=True, exist_ok=True)
    (mini / 'tokenizer.json').write_text(json.dumps(tokenizer_file(), ensure_ascii=False))
    words = len(tokenizer_file()['model']['vocab'])
    encoders = {'clip-l': random_weights(clip_shapes(SMALL, 2, words), 31), 'clip-g': random_weights(clip_shapes(LARGE, 1, words), 32)}
    for name, weights in encoders.items():
        torch.save({key: tensor.half() for key, tensor in weights.items()}, mini / f'{name}.bin')
    prompts = tokens_of(mini / 'tokenizer.json')
    for case in prompts:
        hidden = [clip(weights, torch.tensor(case['ids']), name == 'clip-l') for name, weights in encoders.items()]
        rows = sorted({0, len(case['ids']) // 2, len(case['ids']) - 1})
        case.update(rows=rows, hidden=[[[round(x, 6) for x in states[row].tolist()] for row in rows] for states in hidden])
        case['states'] = torch.cat(hidden, -1)
    texts = [next(case for case in prompts if case['prompt'] == prompt) for prompt in ('A Red CAR on the hill', '')]
    (out / 'prompts.json').write_text(json.dumps([{key: case[key] for key in ('prompt', 'ids', 'rows', 'hidden')} for case in prompts]))

    w = random_weights(switti_shapes(), 33)
    w['crop_embed.weight'] = torch.randn(WIDTH // 8, generator=torch.Generator().manual_seed(34))
    level = torch.cat([torch.full((side * side,), i) for i, side in enumerate(SCALES)])[None]
    buffers = {'lvl_1L': level, 'attn_bias_for_masking': torch.where(level[0][:, None] == level, 0., -torch.inf)[None, None]}
    save_file({**w, **buffers}, mini / 'model.safetensors', {'format': 'pt'})
    settings = {'depth': DEPTH, 'rope': True, 'rope_theta': 10000, 'rope_size': 128, 'use_swiglu_ffn': True, 'use_ar': False, 'use_crop_cond': True}
    (mini / 'config.json').write_text(json.dumps(settings))

    tokenizer = Tokenizer(load(folder / 'var-mini/vae_ch32v64z8.pth'), SCALES)
    valid = [len(case['ids']) for case in texts]
    context = torch.zeros(2, max(valid), SMALL + LARGE)
    for row, case in enumerate(texts):
        context[row, :valid[row]] = case['states']
    pooled = torch.stack([case['states'][-1, SMALL:] for case in texts])
    write_array(out, 'text_context', context), write_array(out, 'text_pooled', pooled)
    (out / 'text.json').write_text(json.dumps({'prompt': texts[0]['prompt'], 'valid': valid, 'places': 77, 'stored': max(valid)}))
    write_array(out, 'crop_embed', Transformer(w, False).crop())
    sides = [1, 2, 3, 4, 6, 9, 13, 18, 24, 32]
    rows = [0, 1, 4, 5, 13, 30, 66, 147, 2239]
    (out / 'rotary_512_rows.json').write_text(json.dumps({'rows': rows, 'patch_nums': sides}))
    angles = torch.cat([rotary(side, WIDTH // DEPTH) for side in sides])[rows]
    write_array(out, 'rotary_512_rows', torch.stack([angles.cos(), angles.sin()], -1))

    dice = np.random.default_rng(35)
    given = [dice.integers(0, ENTRIES, side * side).tolist() for side in SCALES]
    (out / 'tokens_input.json').write_text(json.dumps({'patch_nums': SCALES, 'tokens': given}))
    for name, autoregressive in (('teacher', False), ('teacher_ar', True)):
        model = Transformer(w, autoregressive)
        model.begin(context, pooled, valid)
        logits = torch.cat(generate(model, tokenizer, None, given=given)['logits'])
        rows = [0, 1, 4, 5, 13, 14, 29]
        (out / f'{name}.json').write_text(json.dumps({'rows': rows}))
        write_array(out, f'{name}_rows', logits[rows])
    for name, autoregressive, off in (('generate', False, 1000), ('generate_cfg_off', False, 2), ('generate_ar', True, 1000)):
        model = Transformer(w, autoregressive)
        model.begin(context, pooled, valid)
        result = generate(model, tokenizer, 6., off)
        (out / f'{name}.json').write_text(json.dumps({'patch_nums': SCALES, 'cfg': 6., **{key: result[key] for key in ('guidance', 'rows', 'tokens', 'margin')}}))
        write_array(out, f'{name}_f_hat', result['sum'])
        if name == 'generate':
            rows = [[scale, token] for scale, side in enumerate(SCALES) for token in sorted({0, side * side - 1})]
            (out / 'generate_logits_rows.json').write_text(json.dumps({'rows': rows}))
            write_array(out, 'generate_logits', torch.stack([result['logits'][scale][token] for scale, token in rows]))
            write_array(out, 'generate_image_sub', tokenizer.decode(result['sum'])[0, :, 2::4, 2::4])


def write_array(out: Path, name: str, value: Tensor) -> None:
    np.save(out / f'{name}.npy', value.numpy())


def check(folder: Path, vae: Path) -> None:
    from safetensors.torch import load_file
    w, fx = load_file(folder / 'model.safetensors'), folder / 'fx'
    read = lambda name: torch.from_numpy(np.load(fx / f'{name}.npy').astype(np.float32))  # noqa: E731
    context, pooled, valid = read('text_context'), read('text_pooled'), json.loads((fx / 'text.json').read_text())['valid']
    print('crop differs by', float((Transformer(w, False).crop() - read('crop_embed')).abs().max()))
    source = json.loads((fx / 'tokens_input.json').read_text())
    for name, autoregressive in (('teacher', False), ('teacher_ar', True)):
        model = Transformer(w, autoregressive)
        model.begin(context, pooled, valid)
        rows = json.loads((fx / f'{name}.json').read_text())['rows']
        logits = torch.cat(generate(model, Tokenizer(load(vae), source['patch_nums']), None, given=source['tokens'])['logits'])[rows]
        print(f'{name}: logits differ by', float((logits - read(f'{name}_rows')).abs().max()))
    for name in ('generate', 'generate_cfg_off', 'generate_ar', 'generate_512'):
        expected = json.loads((fx / f'{name}.json').read_text())
        model, tokenizer = Transformer(w, name == 'generate_ar'), Tokenizer(load(vae), expected['patch_nums'])
        model.begin(context, pooled, valid)
        result = generate(model, tokenizer, expected['cfg'], expected['settings'].get('turn_off_cfg_start_si', 1000))
        print(f'{name}: tokens equal: {result["tokens"] == expected["tokens"]}, sums differ by', float((result['sum'] - read(f'{name}_f_hat')).abs().max()))


def check_clip(folder: Path) -> None:
    from transformers import CLIPTextConfig, CLIPTextModel
    for name, heads, act in (('clip-l', 1, 'quick_gelu'), ('clip-g', 2, 'gelu')):
        w = load(folder / f'{name}.bin')
        words, width = w['text_model.embeddings.token_embedding.weight'].shape
        layers = rows_of(w, 'text_model.encoder.layers.{}.mlp.fc1.weight')
        config = CLIPTextConfig(vocab_size=words, hidden_size=width, intermediate_size=width, num_hidden_layers=layers, num_attention_heads=heads,
                                hidden_act=act, eos_token_id=words - 1, bos_token_id=words - 2, pad_token_id=words - 1)
        model = CLIPTextModel(config).eval()
        ours = {key.removeprefix('text_model.'): value for key, value in w.items()}
        prefix = 'text_model.' if any(key.startswith('text_model.') for key in model.state_dict()) else ''
        print(model.load_state_dict({prefix + key: value for key, value in ours.items()}, strict=False))
        ids = torch.tensor(json.loads((folder / 'fx/prompts.json').read_text())[3]['ids'])
        padded = torch.cat([ids, torch.full((77 - len(ids),), words - 1)])[None]
        theirs = model(padded, attention_mask=(torch.arange(77) < len(ids))[None].long())
        hidden = clip(w, ids, act == 'quick_gelu')
        print(name, 'hidden states differ by', float((theirs.last_hidden_state[0, :len(ids)] - hidden).abs().max()),
              'pooled by', float((theirs.pooler_output[0] - hidden[-1]).abs().max()))


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('what', choices=['check', 'clip', 'make'])
    parser.add_argument('folder', type=Path)
    parser.add_argument('vae', type=Path, nargs='?')
    options = parser.parse_args()
    if options.what == 'make':
        make(options.folder)
    elif options.what == 'clip':
        check_clip(options.folder)
    else:
        check(options.folder, options.vae)


if __name__ == '__main__':
    main()
