"""Training samples from procedural scenes: edits, holes to fill, canny and depth control; and tokenizer pictures."""
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dice import Dice
from phrases import phrase
from pixels import canny, photometric, random_holes
from render import render
from scenes import EDIT_WEIGHTS, Edit, Scene, caption, random_edit, random_scene
from sprites import atlas
from vocabulary import KINDS, PHOTOMETRIC, word_ids

TASKS = ['edit', 'fill', 'canny', 'depth']
#: Control is learnt slowly: below a quarter of the samples it stays weak.
TASK_WEIGHTS = (.56, .18, .14, .12)
#: Channels of a control picture.
CANNY, CANNY_FLAG, DEPTH, DEPTH_FLAG = range(4)
GREY = .5  # what the model sees inside a hole


@dataclass
class Batch:
    source: Tensor   # (B, 3, S, S) in 0..1, grey inside the mask
    target: Tensor   # (B, 3, S, S)
    mask: Tensor     # (B, 1, S, S), 1 = to be filled
    control: Tensor  # (B, 4, S, S): canny, canny flag, depth, depth flag
    words: Tensor    # (B, MAX_WORDS) indices into the vocabulary
    texts: list[str]
    disparity: Tensor | None = None  # (B, 1, S, S) of the target, scenes only

    @staticmethod
    def joined(parts: list['Batch']) -> 'Batch':
        rows = [torch.cat([getattr(part, name) for part in parts]) for name in ('source', 'target', 'mask', 'control', 'words')]
        return Batch(*rows, [text for part in parts for text in part.texts])


@dataclass
class SceneSample:
    task: str
    source: Scene
    edit: Edit


def sample_scenes(dice: Dice, count: int, task: str | None = None, kind: str | None = None,
                  task_weights: tuple[float, ...] = TASK_WEIGHTS,
                  edit_weights: tuple[float, ...] = EDIT_WEIGHTS, twins: float = 0.) -> list[SceneSample]:
    samples = []
    for _ in range(count):
        scene = random_scene(dice, twins)
        chosen = task or dice.choices(TASKS, task_weights)[0]
        if chosen == 'edit':
            edit = random_edit(dice, scene, kind, edit_weights)
        elif chosen == 'fill':
            text = phrase(dice, 'fill') if dice.chance(.75) else 'fill with ' + caption(scene)
            edit = Edit('fill', scene, text)
        else:
            edit = Edit(chosen, scene, caption(scene))
        samples.append(SceneSample(chosen, scene, edit))
    return samples


@torch.no_grad()
def scene_batch(dice: Dice, samples: list[SceneSample], size: int = 128) -> Batch:
    """Renders sources and targets and hides what the task hides."""
    source = render([s.source for s in samples], size).picture
    target, disparity, _ = render([s.edit.target for s in samples], size)
    mask, control = torch.zeros_like(source[:, :1]), torch.zeros(len(samples), 4, size, size)
    for i, sample in enumerate(samples):
        row = slice(i, i + 1)
        if sample.edit.photometric:
            target[row] = photometric(sample.edit.photometric, target[row], disparity[row])
        if sample.task == 'fill':
            mask[row] = random_holes(1, size, dice)
        elif sample.task == 'canny':
            mask[row], control[row, CANNY:CANNY + 1], control[row, CANNY_FLAG] = 1, canny(target[row]), 1
        elif sample.task == 'depth':
            mask[row], control[row, DEPTH:DEPTH + 1], control[row, DEPTH_FLAG] = 1, disparity[row], 1
    texts = [s.edit.text for s in samples]
    words = torch.tensor([word_ids(text) for text in texts])
    return Batch(source * (1 - mask) + GREY * mask, target, mask, control, words, texts, disparity)


# --- tokenizer -------------------------------------------------------------------------------------------------------

@torch.no_grad()
def tokenizer_pictures(dice: Dice, count: int, size: int = 128) -> Tensor:
    """(count, 3, S, S), count > 1: two thirds scenes (some with a photometric edit), one third dead leaves, a few with grey holes."""
    scenes = [random_scene(dice) for _ in range(max(1, count * 2 // 3))]
    pictures, disparity, _ = render(scenes, size)
    for i in range(len(scenes)):
        if dice.chance(.3):
            row = slice(i, i + 1)
            pictures[row] = photometric(dice.choice(PHOTOMETRIC), pictures[row], disparity[row])
    pictures = torch.cat([pictures, _dead_leaves(count - len(scenes), size, dice)])
    holes = random_holes(count, size, dice) * torch.tensor([float(dice.chance(.12)) for _ in range(count)]).view(-1, 1, 1, 1)
    return pictures * (1 - holes) + GREY * holes


def _dead_leaves(count: int, size: int, dice: Dice, layers: int = 10) -> Tensor:
    """Overlapping coloured sprites on smooth noise: more varied statistics than the scenes have."""
    generator = torch.Generator().manual_seed(dice.randrange(1 << 30))

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    def enlarged(noise: Tensor, mode: str) -> Tensor:
        return F.interpolate(noise, size=(size, size), mode=mode, align_corners=False)

    x = .5 + .18 * enlarged(torch.randn(count, 3, 4, 4, generator=generator), 'bicubic')
    centres, sprites = (torch.arange(size) + .5) / size, atlas(size, 'cpu')
    for _ in range(layers):
        radius, angle = uniform(count, 1, 1) ** 2 * .35 + .06, uniform(count, 1, 1) * 6.28
        dx = (centres.view(1, 1, -1) - uniform(count, 1, 1)) / radius
        dy = (centres.view(1, -1, 1) - uniform(count, 1, 1)) / radius
        grid = torch.stack([dx * angle.cos() + dy * angle.sin(), dy * angle.cos() - dx * angle.sin()], -1)
        kinds = torch.randint(0, len(KINDS), (count,), generator=generator)
        sprite = F.grid_sample(sprites[kinds], grid, align_corners=False)
        gradient = .25 * (uniform(count, 3, 1, 1) - .5) * (dx + dy).unsqueeze(1)
        colour = uniform(count, 3, 1, 1) + .35 * sprite[:, 1:2] + gradient
        x = x * (1 - sprite[:, :1]) + colour * sprite[:, :1]
    grain = uniform(count, 1, 1, 1) ** 2 * .10
    x = x + grain * enlarged(torch.randn(count, 1, 64, 64, generator=generator) * .58, 'bilinear')
    return (x + .4 * grain * enlarged(torch.randn(count, 3, 32, 32, generator=generator), 'bilinear')).clamp(0, 1)
