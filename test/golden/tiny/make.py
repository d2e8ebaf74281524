"""Writes the small packs and reference arrays beside this file: seeded random weights in half precision, computed with
models/training in single precision. Run: python3 test/golden/tiny/make.py (needs torch, numpy and safetensors)."""
import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2] / 'models' / 'training'))

from depth import DepthNet  # noqa: E402
from finder import Finder  # noqa: E402
from generate import Settings, Trace, generate  # noqa: E402
from membrane import with_smooth_holes  # noqa: E402
from pack import tokenizer_tensors  # noqa: E402
from tokenizer import Tokenizer  # noqa: E402
from transformer import EditTransformer  # noqa: E402

WORDS, SIZE, WIDTH, DEPTH, HEADS, LATE = 12, 64, 32, 4, 2, 2
RUNS = {
    'plain': dict(),
    'guided': dict(guidance=3.),
    'masked': dict(masked=True, guidance=2.),
    'preset': dict(preset=2, guidance=1.5),
    'control': dict(control=True, guidance=2., preset=2),
    'weak-control': dict(control=True, strength=.4),
}


def randomise(module: torch.nn.Module, spread: float) -> torch.nn.Module:
    """Every weight random and representable in half precision: nothing may hide behind an initial zero."""
    for parameter in module.parameters():
        fan_in = parameter[0].numel() if parameter.dim() > 1 else 1
        noise = torch.randn_like(parameter) * (spread / fan_in ** .5 if parameter.dim() > 1 else .1)
        parameter.data = (parameter.data * .5 + noise).half().float()
    return module.eval().requires_grad_(False)


def save_half(tensors: dict, name: str) -> None:
    save_file({key: tensor.half().contiguous() for key, tensor in tensors.items()}, str(HERE / name))


def save_array(name: str, tensor: torch.Tensor) -> None:
    np.save(HERE / f'{name}.npy', np.ascontiguousarray(tensor.numpy()))


def control_picture() -> torch.Tensor:
    canny = (torch.rand(1, 1, SIZE, SIZE) < .1).float()
    return torch.cat([canny, torch.ones(1, 1, SIZE, SIZE), torch.zeros(1, 2, SIZE, SIZE)], 1)


def record(name: str, trace: Trace) -> None:
    save_array(f'{name}-logits', torch.cat([logits[0] for logits in trace.logits]))
    save_array(f'{name}-gates', torch.cat([gates[0] for gates in trace.gates]))
    save_array(f'{name}-bits', torch.cat([bits[0] for bits in trace.bits]).byte())


def main() -> None:
    torch.manual_seed(7)
    tokenizer = randomise(Tokenizer(SIZE, 16, (16, 32)), .8)
    tokenizer.quantiser.log_gain.data = torch.tensor([1., .8, .6, .5]).half().float().log()
    depth = randomise(DepthNet((8, 12, 16)), .8)
    model = EditTransformer(WORDS, 64, tokenizer.scales, WIDTH, DEPTH, HEADS, LATE)
    model.residual_scale.copy_(torch.tensor([.5, .75, 1., 1.5]))
    randomise(model, 1.)
    save_half(tokenizer_tensors(tokenizer), 'tokenizer.safetensors')
    save_half(model.state_dict(), 'transformer.safetensors')
    save_half(depth.state_dict(), 'depth.safetensors')

    picture, mask = torch.rand(1, 3, SIZE, SIZE), torch.zeros(1, 1, 8, 8)
    mask[..., 2:6, 3:] = 1.
    mask[..., 6, 3:] = .5
    features, control = tokenizer.encoder(picture), control_picture()
    save_array('picture', picture)
    save_array('features', features)
    save_array('decoded', tokenizer.decoder(features).clamp(0, 1))
    save_array('small', tokenizer.decoder(features[..., :2, :3]).clamp(0, 1))
    save_array('depth', depth(picture))
    save_array('control', control)
    save_array('mask', mask)
    words = torch.tensor([[3, 5, 1, 9] + [0] * (model.text_encoder.position.shape[1] - 4)])
    for name, run in RUNS.items():
        trace = Trace()
        settings = Settings(run.get('guidance', 1.), preset=run.get('preset'), strength=run.get('strength', 1.))
        holes = mask if run.get('masked') else torch.zeros_like(mask)
        generate(model, tokenizer.quantiser, words, features, holes, control if run.get('control') else None, settings, trace)
        record(name, trace)
        if name == 'guided':
            save_array('pooled', trace.pooled)
    finder = randomise(Finder((8, 12, 16)), .8)
    save_half(finder.state_dict(), 'objects.safetensors')
    save_array('objects', finder(picture).amax((2, 3)))
    hole = torch.zeros(1, 1, SIZE, SIZE)
    hole[..., 10:40, 20:] = hole[..., 50:58, 4:30] = 1.
    save_array('hole', hole)
    save_array('continued', with_smooth_holes(picture, hole))
    (HERE / 'runs.json').write_text(json.dumps(dict(
        config=dict(depth=DEPTH, width=WIDTH, heads=HEADS, normEps=model.norm_eps, lateScales=LATE, scales=tokenizer.scales,
                    controlLayers=model.control_layers, words=words[0, :4].tolist(), maxWords=words.shape[1]),
        runs=RUNS), indent=2) + '\n')


if __name__ == '__main__':
    main()
