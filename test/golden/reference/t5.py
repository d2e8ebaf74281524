"""T5's encoder (Raffel et al. 2020, v1.1: gated GELU) in plain PyTorch, written from the paper and the published layout.

python3 t5.py make FOLDER    write small random weights, a tokenizer file, and the hidden states of some prompts (needs sentencepiece and
                             tokenizers besides: prompts become tokens there as they do in the published code)
"""
import argparse
import base64
import json
import math
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

WIDTH, HEADS, HEAD_WIDTH, HIDDEN, LAYERS, BUCKETS, FARTHEST = 256, 4, 16, 64, 2, 32, 128
WORDS = ['▁make', '▁it', '▁the', '▁car', '▁red', '▁night', '▁a', 'er', 'ing', 's', '▁', ',', '.', '!', '<', '/', '>', 'é', 'ß', '你', '好']
PIECES = ['<pad>', '</s>', '<unk>', *WORDS, *'abcdefghijklmnopqrstuvwxyz', *'0123456789']
#: What people may write, and what they may try; one of the tokenizer's own tokens is broken up, as ours does it.
PROMPTS = ['', ' ', 'make it red', '  make   it  red ', 'make it red, then night! ' * 20, 'make the car ｒｅｄ', 'ﬁne ﬂowers oﬀ', 'cafe\u0301 e\u0301\u0301', 'é ß 你好',
           'make\u00a0it\u3000red', 'ma\u200bke i\u200dt\ufeff red', 'red\u0007\u0001\u001f car', 'line\nbreak\ttab', '\U0001f642 \U0001f469\u200d\U0001f680 red',
           'مرحبا بالعالم', 'שלום\u200f red', '</s>', '<pad> a</s>b <extra_id_0>', '＜／ｓ＞', 'lone \ud83d surrogate', '½ … ① Ⅳ ｶﾞ', 'RED Car', '0123456789 ' * 30]
#: One list of ids per length that matters: buckets are exact up to 7, then logarithmic, then one for all beyond 128.
LENGTHS = [1, 2, 5, 8, 9, 16, 17, 33, 65, 129, 200]


def bucket(distance: Tensor) -> Tensor:
    half, exact = BUCKETS // 2, BUCKETS // 4
    far = distance.abs()
    log = exact + (torch.log(far.float().clamp(min=1) / exact) / math.log(FARTHEST / exact) * (half - exact)).long()
    return (distance > 0).long() * half + torch.where(far < exact, far, log.clamp(max=half - 1))


def encode(w: dict[str, Tensor], ids: Tensor) -> Tensor:
    """(T) → (T, width)"""
    def norm(name: str, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * w[f'{name}.weight']

    place = torch.arange(len(ids))
    table = w['encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight']
    bias = table[bucket(place[None] - place[:, None])].permute(2, 0, 1)  # (H, T, T)
    x = w['shared.weight'][ids]
    for i in range(LAYERS):
        attention, feed = f'encoder.block.{i}.layer.0', f'encoder.block.{i}.layer.1'
        normed = norm(f'{attention}.layer_norm', x)
        q, k, v = (F.linear(normed, w[f'{attention}.SelfAttention.{n}.weight']).view(len(ids), HEADS, HEAD_WIDTH).transpose(0, 1) for n in 'qkv')
        seen = ((q @ k.transpose(1, 2) + bias).softmax(-1) @ v).transpose(0, 1).reshape(len(ids), -1)
        x = x + F.linear(seen, w[f'{attention}.SelfAttention.o.weight'])
        normed = norm(f'{feed}.layer_norm', x)
        gate = F.gelu(F.linear(normed, w[f'{feed}.DenseReluDense.wi_0.weight']), approximate='tanh')
        x = x + F.linear(gate * F.linear(normed, w[f'{feed}.DenseReluDense.wi_1.weight']), w[f'{feed}.DenseReluDense.wo.weight'])
    return norm('encoder.final_layer_norm', x)


def random_weights(seed: int) -> dict[str, Tensor]:
    inner = HEADS * HEAD_WIDTH
    shapes = {'shared.weight': (len(PIECES), WIDTH), 'encoder.final_layer_norm.weight': (WIDTH,)}
    for i in range(LAYERS):
        attention, feed = f'encoder.block.{i}.layer.0', f'encoder.block.{i}.layer.1'
        shapes |= {f'{attention}.SelfAttention.{n}.weight': (inner, WIDTH) for n in 'qkv'}
        shapes |= {f'{attention}.SelfAttention.o.weight': (WIDTH, inner), f'{attention}.layer_norm.weight': (WIDTH,),
                   f'{feed}.DenseReluDense.wi_0.weight': (HIDDEN, WIDTH), f'{feed}.DenseReluDense.wi_1.weight': (HIDDEN, WIDTH),
                   f'{feed}.DenseReluDense.wo.weight': (WIDTH, HIDDEN), f'{feed}.layer_norm.weight': (WIDTH,)}
    shapes['encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight'] = (BUCKETS, HEADS)
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes.items():
        noise = torch.randn(shape, generator=generator)
        scale = 1 if 'shared' in name or 'bias' in name else shape[-1] ** -.5
        weights[name] = (1 + .1 * noise if 'norm' in name else noise * scale).half()
    return weights


def charsmap() -> str:
    """A small table of the kind that T5's own has: some of NFKC's replacements, blanks, and controls that vanish."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2 as model_format
    rules = {chr(c): chr(c - 0xfee0) for c in range(0xff01, 0xff5f)}
    rules |= {chr(c): ' ' for c in [9, 10, 12, 13, 0xa0, 0x1680, *range(0x2000, 0x200d), 0x200e, 0x200f, 0x2028, 0x2029, 0x202f, 0x3000, 0xfeff, 0xfffd]}
    rules |= {chr(c): '' for c in [*range(1, 9), 0xb, *range(0xe, 0x20), 0x7f]}
    rules |= {'ﬀ': 'ff', 'ﬁ': 'fi', 'ﬂ': 'fl', 'e\u0301': 'é', 'E\u0301': 'É', '½': '1⁄2', '…': '...', '①': '1', 'Ⅳ': 'IV', 'ｶ': 'カ', 'ｶﾞ': 'ガ'}
    codes = lambda text: ' '.join(f'{ord(letter):X}' for letter in text)  # noqa: E731
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, 'rules.tsv').write_text(''.join(f'{codes(old)}\t{codes(new)}\n' for old, new in rules.items()))
        Path(folder, 'text').write_text('make it red\n' * 100)
        sentencepiece.SentencePieceTrainer.train(input=f'{folder}/text', model_prefix=f'{folder}/model', vocab_size=20, hard_vocab_limit=False,
                                                 normalization_rule_tsv=f'{folder}/rules.tsv', minloglevel=2)
        model = model_format.ModelProto.FromString(Path(folder, 'model.model').read_bytes())
    return base64.b64encode(model.normalizer_spec.precompiled_charsmap).decode()


def tokens_of(file: Path) -> list[dict]:
    """The prompts as the published tokenizer library cuts them."""
    from tokenizers import Tokenizer
    tokenizer, found = Tokenizer.from_file(str(file)), []
    for prompt in PROMPTS:
        # A lone half of a pair is no text; the tokenizer's own tokens are broken up where they appear.
        whole = ''.join('\ufffd' if '\ud800' <= letter < '\ue000' else letter for letter in prompt)
        for token in '</s>', '<pad>', '<extra_id_0>', '＜／ｓ＞':
            whole = whole.replace(token, token[0] + '\u2009' + token[1:])
        found.append({'prompt': prompt, 'ids': tokenizer.encode(whole).ids})
    return found


def tokenizer_file() -> dict:
    """The kinds of parts that T5's own tokenizer.json has: a table of characters, unigram pieces, a metaspace, </s> at the end."""
    special = [{'id': i, 'content': piece, 'single_word': False, 'lstrip': False, 'rstrip': False, 'normalized': False, 'special': True}
               for i, piece in enumerate(PIECES[:3])]
    template = {'type': 'TemplateProcessing', 'single': [{'Sequence': {'id': 'A', 'type_id': 0}}, {'SpecialToken': {'id': '</s>', 'type_id': 0}}],
                'pair': [], 'special_tokens': {'</s>': {'id': '</s>', 'ids': [1], 'tokens': ['</s>']}}}
    scores = [0., 0., -20., *(-3. for _ in WORDS), *(-8. for _ in PIECES[3 + len(WORDS):])]
    return {'version': '1.0', 'truncation': None, 'padding': None, 'added_tokens': special, 'normalizer': {'type': 'Precompiled', 'precompiled_charsmap': charsmap()},
            'pre_tokenizer': {'type': 'Metaspace', 'replacement': '▁', 'prepend_scheme': 'always', 'add_prefix_space': True},
            'post_processor': template, 'decoder': {'type': 'Metaspace', 'replacement': '▁', 'prepend_scheme': 'always', 'add_prefix_space': True},
            'model': {'type': 'Unigram', 'unk_id': 2, 'vocab': [list(entry) for entry in zip(PIECES, scores)]}}


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('what', choices=['make'])
    parser.add_argument('folder', type=Path)
    out = parser.parse_args().folder / 't5-mini'
    out.mkdir(parents=True, exist_ok=True)
    torch.save(random_weights(5), out / 't5.pth')
    (out / 'tokenizer.json').write_text(json.dumps(tokenizer_file(), ensure_ascii=False))
    weights = {name: tensor.float() for name, tensor in torch.load(out / 't5.pth', weights_only=True).items()}
    generator = torch.Generator().manual_seed(6)
    cases = [{'ids': torch.randint(len(PIECES), (length,), generator=generator).tolist()} for length in LENGTHS]
    prompts = tokens_of(out / 'tokenizer.json')
    for case in cases + prompts:
        hidden = encode(weights, torch.tensor(case['ids']))
        # First, middle and last rows.
        rows = sorted({0, len(hidden) // 2, len(hidden) - 1})
        case.update(rows=rows, hidden=[[round(x, 6) for x in row] for row in hidden[rows].tolist()])
    (out / 'hidden.json').write_text(json.dumps(cases))
    (out / 'prompts.json').write_text(json.dumps(prompts))


if __name__ == '__main__':
    main()
