"""Rendering of scene lists with batched torch operations: pictures, exact disparity and per-object alpha."""
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from scenes import MAX_OBJECTS, Scene
from sprites import SECOND_COLOUR, atlas
from vocabulary import COLOURS, GROUNDS, KINDS

_SKY = {'day': ((.36, .62, .92), (.80, .90, .98)), 'sunset': ((.42, .30, .55), (.99, .66, .38)),
        'night': ((.03, .04, .12), (.12, .14, .28))}
_TINT = {'day': (1., 1., 1.), 'sunset': (1.0, .80, .66), 'night': (.34, .38, .58)}


class Rendered(NamedTuple):
    picture: Tensor    # (B, 3, S, S) in 0..1
    disparity: Tensor  # (B, 1, S, S), near = 1
    objects: Tensor    # (B, MAX_OBJECTS, S, S) visible alpha, far to near


class _Objects(NamedTuple):
    present: Tensor    # (B, MAX_OBJECTS)
    geometry: Tensor   # (B, MAX_OBJECTS, 3): x, disparity, radius
    colour: Tensor     # (B, MAX_OBJECTS, 3)
    second: Tensor     # (B, MAX_OBJECTS, 3)
    kind: Tensor       # (B, MAX_OBJECTS) index into KINDS


def _pack_objects(scenes: list[Scene]) -> _Objects:
    count = len(scenes)
    packed = _Objects(torch.zeros(count, MAX_OBJECTS), torch.zeros(count, MAX_OBJECTS, 3),
                      torch.zeros(count, MAX_OBJECTS, 3), torch.zeros(count, MAX_OBJECTS, 3),
                      torch.zeros(count, MAX_OBJECTS, dtype=torch.long))
    packed.geometry[..., 2] = 1.  # absent objects must not divide by zero
    for i, scene in enumerate(scenes):
        for j, thing in enumerate(sorted(scene.objects, key=lambda o: o.disparity)):
            packed.present[i, j] = 1
            packed.geometry[i, j] = torch.tensor([thing.x, thing.disparity, thing.radius])
            packed.colour[i, j] = (torch.tensor(COLOURS[thing.colour]) + torch.tensor(thing.tint)).clamp(0, 1)
            packed.second[i, j] = torch.tensor(SECOND_COLOUR.get(thing.kind, (.5, .5, .5)))
            packed.kind[i, j] = KINDS.index(thing.kind)
    return packed


def _noise(scenes: list[Scene], size: int) -> tuple[Tensor, Tensor]:
    """Smooth and fine noise (B, 1, S, S), fixed by each scene's seed so that source and target share it."""
    draws = [np.random.default_rng(s.noise_seed).standard_normal((1, 8 * 8 + 48 * 48)).astype(np.float32) for s in scenes]
    values = torch.from_numpy(np.stack(draws))
    low = F.interpolate(values[..., :64].view(-1, 1, 8, 8), size=(size, size), mode='bicubic', align_corners=False)
    high = F.interpolate(values[..., 64:].view(-1, 1, 48, 48), size=(size, size), mode='bilinear', align_corners=False)
    return low, high


def _per_scene(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).view(-1, 1, 1, 1)


def _colours(values: list[tuple[float, ...]]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).view(-1, 3, 1, 1)


def _background(scenes: list[Scene], size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Sky with clouds or stars, mountains and textured ground: picture, disparity and ground mask."""
    centres = (torch.arange(size) + .5) / size
    y, x = centres.view(1, 1, size, 1), centres.view(1, 1, 1, size)
    low, high = _noise(scenes, size)
    horizon, night = _per_scene([s.horizon for s in scenes]), _per_scene([s.time == 'night' for s in scenes])
    tint = _colours([_TINT[s.time] for s in scenes])
    height = (y / horizon).clamp(0, 1)
    sky = _colours([_SKY[s.time][0] for s in scenes]) * (1 - height) + _colours([_SKY[s.time][1] for s in scenes]) * height
    clouds = ((low * .7 + .1) * _per_scene([s.cloudiness for s in scenes])).clamp(0, 1) * (1 - .7 * night)
    sky = sky * (1 - clouds) + clouds * (.55 * sky + .45)
    sky = sky + night * ((high > 2.1).float() * .7)  # stars

    ground_disparity = ((y - horizon) / (1 - horizon)).clamp(0, 1).expand(len(scenes), 1, size, size)
    texture = _per_scene([s.texture for s in scenes]) * (.6 * high * (.4 + .6 * ground_disparity) + .5 * low)
    waves = _per_scene([s.ground == 'water' for s in scenes]) * .05 * torch.sin(30 / (ground_disparity + .12) + low * 2)
    ground = (_colours([GROUNDS[s.ground] for s in scenes]) * (.78 + .3 * ground_disparity) + texture + waves) * tint

    phase = [_per_scene([s.mountain_phases[i] for s in scenes]) for i in range(3)]
    profile = (.6 + .25 * torch.sin(9 * x + phase[0]) + .15 * torch.sin(23 * x + phase[1]) + .1 * torch.sin(41 * x + phase[2]))
    mountains = _per_scene([s.has_mountains for s in scenes])
    ridge = horizon - mountains * _per_scene([s.mountain_height for s in scenes]) * profile
    is_mountain = ((y - ridge) * size).clamp(0, 1) * mountains
    is_ground = ((y - horizon) * size).clamp(0, 1).expand_as(ground_disparity)
    rock = torch.tensor([.40, .42, .52]).view(1, 3, 1, 1) * tint + .05 * low
    picture = (sky * (1 - is_mountain) + is_mountain * rock) * (1 - is_ground) + ground * is_ground
    disparity = .04 * is_mountain * (1 - is_ground) + (.06 + .94 * ground_disparity) * is_ground
    return picture, disparity, is_ground


@torch.no_grad()
def render(scenes: list[Scene], size: int = 128) -> Rendered:
    """Paints the background, then the objects from far to near, each with a soft shadow."""
    picture, disparity, is_ground = _background(scenes, size)
    objects, sprites = _pack_objects(scenes), atlas(size, 'cpu')
    tint, horizon = _colours([_TINT[s.time] for s in scenes]), _per_scene([s.horizon for s in scenes])
    centres = (torch.arange(size) + .5) / size
    y, x = centres.view(1, 1, size, 1), centres.view(1, 1, 1, size)
    alphas = torch.zeros(len(scenes), MAX_OBJECTS, size, size)
    for j in range(MAX_OBJECTS):
        present = objects.present[:, j].view(-1, 1, 1, 1)
        if not present.any():
            continue
        centre_x, near, radius = (objects.geometry[:, j, i].view(-1, 1, 1, 1) for i in range(3))
        base = horizon + near * (1 - horizon) * .92
        shadow = torch.exp(-((x - centre_x - .25 * radius) / radius) ** 2 * 1.4 - ((y - base) / (.28 * radius)) ** 2 * 1.4)
        picture = picture * (1 - shadow * .5 * present * is_ground)
        grid = torch.stack(torch.broadcast_tensors((x - centre_x) / radius, (y - base + radius) / radius), -1)[:, 0]
        sprite = F.grid_sample(sprites[objects.kind[:, j]], grid, mode='bilinear', align_corners=False)
        alpha, colour = sprite[:, :1] * present, _object_colour(sprite, objects, j, tint)
        picture = picture * (1 - alpha) + colour * alpha
        disparity = disparity * (1 - alpha) + (.08 + .92 * near) * alpha
        alphas = alphas * (1 - alpha)
        alphas[:, j:j + 1] = alpha
    return Rendered(picture.clamp(0, 1), disparity, alphas)


def _object_colour(sprite: Tensor, objects: _Objects, j: int, tint: Tensor) -> Tensor:
    shade, second, dark = (sprite[:, i:i + 1] / sprite[:, :1].clamp(min=.05) for i in (1, 2, 3))
    main, other = objects.colour[:, j].view(-1, 3, 1, 1), objects.second[:, j].view(-1, 3, 1, 1)
    colour = main * (1 - second - dark) + other * second + .13 * dark
    return (colour * (1 + .42 * shade) + .07 * shade.clamp(min=0)) * (tint * .85 + .15)
