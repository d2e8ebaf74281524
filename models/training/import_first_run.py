"""Reads the checkpoints of the first training run, whose modules had other names and split rotary halves.

python3 import_first_run.py FIRST_RUN_DIR OUT_DIR [--edit OTHER_EDIT.pt]

FIRST_RUN_DIR holds tokenizer.pt, edit.pt and depth.pt; OUT_DIR gets the same in today's form.
"""
import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from checkpoints import save_checkpoint
from depth import DepthNet
from tokenizer import Tokenizer
from transformer import EditTransformer

_PLAIN = {
    'mask_embed': 'mask_embed', 'source_fusion': 'src_fuse', 'shared_ada_lin.1': 'shared_ada', 'head': 'head', 'gate': 'gate',
    'head_nm.ada_lin.1': 'head_ada', 'control_encoder.conv1': 'control.a', 'control_encoder.conv2': 'control.b',
    'control_encoder.conv3': 'control.c', 'control_encoder.proj': 'control.o', 'text_encoder.norm': 'text.n',
    'text_encoder.pool_query': 'text.pq', 'text_encoder.pool_proj': 'text.po', 'text_encoder.layer.norm1': 'text.l.norm1',
    'text_encoder.layer.norm2': 'text.l.norm2', 'text_encoder.layer.fc1': 'text.l.linear1',
    'text_encoder.layer.fc2': 'text.l.linear2', 'text_encoder.layer.attention.out_proj': 'text.l.self_attn.out_proj',
    **{f'control_fuse.{i}': f'ctrl_fc.{i}' for i in range(3)},
}
_BLOCK = {'sa.proj': 'sa.proj', 'ca_norm': 'n2', 'ca.mat_q': 'ca.q', 'ca.proj': 'ca.proj', 'ffn.fc1': 'fc1', 'ffn.fc2': 'fc2'}


def _interleaved(rows: Tensor, heads: int) -> Tensor:
    """Rows of q or k: rotary pairs (i, i + c/2) of every head become neighbours (2i, 2i + 1)."""
    width = rows.shape[0] // heads
    order = torch.stack([torch.arange(width // 2), torch.arange(width // 2) + width // 2], 1).flatten()
    return rows.view(heads, width, *rows.shape[1:])[:, order].reshape(rows.shape)


def _pairs(new: str, old: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f'{new}.{part}': state[f'{old}.{part}'] for part in ('weight', 'bias')}


def transformer_state(state: dict[str, Tensor], config: dict) -> dict[str, Tensor]:
    width, heads = config['C'], config['H']
    result = {'pos_start': state['pos_start'], 'gate_beta': state['beta'], 'lvl_embed.weight': state['lvl'],
              'residual_scale': torch.tensor(config['rnorm']), 'text_encoder.position': state['text.pos'],
              'text_encoder.embedding.weight': state['text.emb.weight'],
              'word_embed.weight': state['word.weight'] * config['instd'], 'word_embed.bias': state['word.bias']}
    for part in ('weight', 'bias'):
        result[f'text_encoder.layer.attention.in_proj.{part}'] = state[f'text.l.self_attn.in_proj_{part}']
    for new, old in _PLAIN.items():
        result |= _pairs(new, old, state)
    for i in range(config['depth']):
        new, old = f'block_chunks.0.module.{i}', f'blocks.{i}'
        query, key, value = state[f'{old}.sa.qkv.weight'].split(width)
        result |= {f'{new}.ada_gss': state[f'{old}.ada'].unsqueeze(1),
                   f'{new}.sa.mat_qkv.weight': torch.cat([_interleaved(query, heads), _interleaved(key, heads), value]),
                   f'{new}.sa.q_bias': _interleaved(state[f'{old}.sa.qb'], heads), f'{new}.sa.v_bias': state[f'{old}.sa.vb'],
                   f'{new}.sa.zero_k_bias': torch.zeros(width), f'{new}.sa.scale_mul_1H11': state[f'{old}.sa.scale'],
                   # The old key bias of cross-attention adds the same to all keys of a query: softmax drops it.
                   f'{new}.ca.mat_kv.weight': state[f'{old}.ca.kv.weight'], f'{new}.ca.v_bias': state[f'{old}.ca.kv.bias'][width:]}
        for a, b in _BLOCK.items():
            result |= _pairs(f'{new}.{a}', f'{old}.{b}', state)
    return result


def _in_order(module: nn.Module, state: dict[str, Tensor]) -> nn.Module:
    """The convolutional networks have the same tensors in the same order under other names."""
    own = module.state_dict()
    module.load_state_dict({name: value.reshape(own[name].shape) for name, value in zip(own, state.values(), strict=True)})
    return module


def _depth_order(state: dict[str, Tensor]) -> dict[str, Tensor]:
    refine = [name for name in state if name.startswith('d2.')]
    rest = [name for name in state if name not in refine]
    split = rest.index('u1.b') + 1
    return {name: state[name] for name in rest[:split] + refine + rest[split:]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('first', type=Path)
    parser.add_argument('out', type=Path)
    parser.add_argument('--edit', type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)

    def read(path: Path) -> dict:
        return torch.load(path, map_location='cpu', weights_only=True)

    tokenizer = _in_order(Tokenizer(), read(arguments.first / 'tokenizer.pt')['ema'])
    depth = _in_order(DepthNet(), _depth_order(read(arguments.first / 'depth.pt')['ema']))
    old = read(arguments.edit or arguments.first / 'edit.pt')
    config = old['cfg']
    model = EditTransformer(config['V'], 4 * config['d'], tuple(config['scales']), config['C'], config['depth'], config['H'],
                            config['late'])
    average = EditTransformer(**model.config)
    model.load_state_dict(transformer_state(old['model'], config))
    average.load_state_dict(transformer_state(old['ema'], config))
    save_checkpoint(arguments.out / 'tokenizer.pt', tokenizer, tokenizer, step=0, spent=0.)
    save_checkpoint(arguments.out / 'depth.pt', depth, depth, step=0, spent=0.)
    save_checkpoint(arguments.out / 'transformer.pt', model, average, step=0, spent=0.)


if __name__ == '__main__':
    main()
