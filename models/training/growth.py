"""Starting a transformer from a smaller one that computes the same (Net2Net, Chen, Goodfellow and Shlens 2016).

Width and heads grow by a whole factor: channels are repeated, and what reads them shares its weights between the
copies, so that every layer norm, head and sum sees what it saw. New blocks begin as the identity. Added words start from
the word they mean, added scales from the finest known one. A little noise lets the copies grow apart.
"""
import torch
from torch import Tensor

from transformer import EditTransformer
from vocabulary import ADDED_WORDS, VOCABULARY

#: Relative to the weights' own deviation.
NOISE = .02
_BLOCK = 'block_chunks.0.module.'
_EMBEDDING = 'text_encoder.embedding.weight'
#: Tensors with a row per scale, on their first axis.
_OF_SCALES = ('lvl_embed.weight', 'gate_beta')
#: What makes a new block the identity: its three branches end in these.
_BRANCH_ENDS = ('sa.proj', 'ca.proj', 'ffn.fc2')


def _repeated(tensor: Tensor, wanted: torch.Size) -> Tensor:
    """Copies along every axis that grew; along axis 1 of a matrix, which is read from, the copies share the sum.

    Stacked parts (q, k, v; AdaLN's six; keys and values) repeat inside each part, not as a whole.
    """
    if tensor.dim() == 2 and tensor.shape[1] != wanted[1]:
        factor = wanted[1] // tensor.shape[1]
        tensor = tensor.repeat(1, factor) / factor
    for axis in range(tensor.dim()):
        if tensor.dim() == 2 and axis == 1:
            continue
        factor = wanted[axis] // tensor.shape[axis]
        if factor > 1:
            tensor = tensor.repeat([factor if i == axis else 1 for i in range(tensor.dim())])
    return tensor


def _parts_of(name: str) -> int:
    """How many stacked parts, each as wide as the model, the rows of a tensor have."""
    if 'mat_qkv' in name or 'in_proj' in name:
        return 3
    if 'mat_kv' in name or 'head_nm.ada_lin' in name:
        return 2
    return 6 if 'shared_ada_lin' in name else 1


def _is_table(name: str) -> bool:
    """Rows that are looked up or added: their channels are written, not read."""
    return name in (_EMBEDDING, 'lvl_embed.weight')


def _widened(name: str, tensor: Tensor, wanted: torch.Size) -> Tensor:
    if tensor.shape == wanted:
        return tensor
    if _is_table(name):
        return tensor.repeat(1, wanted[1] // tensor.shape[1])
    parts = _parts_of(name)
    if parts == 1:
        return _repeated(tensor, wanted)
    part = torch.Size([wanted[0] // parts, *wanted[1:]])
    return torch.cat([_repeated(piece, part) for piece in tensor.chunk(parts)])


def _with_words(state: dict[str, Tensor], vocabulary: list[str]) -> dict[str, Tensor]:
    """The embedding of today's vocabulary from that of ``vocabulary``, word by word."""
    rows = state[_EMBEDDING]
    index = {word: i for i, word in enumerate(vocabulary[:len(rows)])}  # an older checkpoint knew the first ones
    mean = rows[2:].mean(0)

    def row(word: str) -> Tensor:
        known = index.get(word, index.get(ADDED_WORDS.get(word) or ''))
        return mean if known is None else rows[known]

    return {**state, _EMBEDDING: torch.stack([row(word) for word in VOCABULARY])}


def _with_scales(state: dict[str, Tensor], scales: int) -> dict[str, Tensor]:
    def grown(rows: Tensor) -> Tensor:
        return torch.cat([rows[:scales], *([rows[-1:]] * max(0, scales - len(rows)))])
    return {**state, **{name: grown(state[name]) for name in _OF_SCALES}}


def _with_depth(state: dict[str, Tensor], layers: int) -> dict[str, Tensor]:
    """Every block followed by identities, so that the blocks that control joins stay the ones it joins."""
    known = 1 + max(int(name.split('.')[3]) for name in state if name.startswith(_BLOCK))
    repeats = layers // known
    result = {name: tensor for name, tensor in state.items() if not name.startswith(_BLOCK)}
    for name, tensor in state.items():
        if not name.startswith(_BLOCK):
            continue
        number, rest = name.removeprefix(_BLOCK).split('.', 1)
        for i in range(repeats):
            is_new_end = i > 0 and rest.rsplit('.', 1)[0] in _BRANCH_ENDS
            result[f'{_BLOCK}{int(number) * repeats + i}.{rest}'] = torch.zeros_like(tensor) if is_new_end else tensor.clone()
    return result


def _noisy(tensor: Tensor) -> Tensor:
    if tensor.dim() < 2:
        return tensor
    generator = torch.Generator().manual_seed(tensor.numel())
    return tensor + torch.randn(tensor.shape, generator=generator) * tensor.std() * NOISE


@torch.no_grad()
def grow(model: EditTransformer, state: dict[str, Tensor], vocabulary: list[str], noise: bool = True) -> None:
    """Fills ``model`` from the weights of a smaller one that was trained with ``vocabulary``. Throws where it is no whole
    number of times as wide or deep. Residual scales, which are the tokenizer's, stay the model's own."""
    width = state['pos_start'].shape[-1]
    layers = 1 + max(int(name.split('.')[3]) for name in state if name.startswith(_BLOCK))
    if model.width % width or model.depth % layers:
        raise ValueError(f'Expected a multiple of {width} channels and {layers} layers but received {model.width} and {model.depth}.')
    own = model.state_dict()
    state = _with_depth(_with_scales(_with_words(state, vocabulary), len(model.scales)), model.depth)
    grown = {name: _widened(name, tensor, own[name].shape) for name, tensor in state.items()}
    if width != model.width:
        grown = {name: tensor if not noise or name.endswith('ada_gss') else _noisy(tensor) for name, tensor in grown.items()}
    model.load_state_dict({**grown, 'residual_scale': own['residual_scale']})
