"""Edits of objects on photographs: sprites and cut-out things are set onto photographs, in their light and with a shadow.

So "remove the …", "make the … red" and "add a … on the left" are learnt on photographic texture, where the truth is known
because the photograph without the thing is there. Pictures are (3, S, S) in 0..1, alphas (1, S, S).
"""
import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from cutouts import Cutouts
from dice import Dice
from phrases import phrase
from pixels import gaussian, luma
from sprites import SECOND_COLOUR, atlas
from vocabulary import COLOURS, KINDS, synonyms

#: Weights of recolour, remove and add, in this order.
EDITS, WEIGHTS = ('recolor', 'remove', 'add'), (40, 35, 25)
#: Part of the things that are cut out of photographs; of what is added only few, because words do not say how they look.
CUTOUT_SHARE, CUTOUT_SHARE_ADDED = .5, .15
#: Part of the pictures with a second thing, which the edit must leave alone.
SECOND_THING = .4
#: Where a thing stands: its base as part of the picture's height, and its size there, farther ones smaller.
BASE, SIZE_FAR, SIZE_NEAR = (.55, .93), .2, .44
PLACES = {'left': (.14, .34), 'middle': (.42, .58), 'right': (.66, .86)}
#: What is added stands here, because the words do not say how near.
ADDED_BASE, ADDED_SIZE = .78, .34
#: How strongly a sprite wears the texture of some photograph: flat colour looks like a sticker.
MATERIAL = (.15, .5)
#: Grounds that are tried for a thing; the smoothest under it is taken.
GROUND_TRIES = 4
_SHADOW_STRENGTH, _CONTACT_STRENGTH = (.25, .5), .55


@dataclass(frozen=True)
class Thing:
    """``picture`` (4, s, s): colour and alpha of a square that stands on its lower edge. ``colour`` is None where no word
    of the vocabulary says it."""
    name: str
    colour: str | None
    picture: Tensor
    x: float      # centre, part of the width
    base: float   # part of the height
    size: float   # part of the side
    surface: Tensor | None = None  # (1, s, s), of sprites: what they are made of

    @property
    def called(self) -> str:
        return f'{self.colour} {self.name}' if self.colour else self.name


@dataclass(frozen=True)
class Light:
    """How a photograph lights what is set into it: the shadow's direction and depth, brightness and cast."""
    slant: float
    depth: float
    length: float
    gain: float
    cast: Tensor  # (3, 1, 1)


@dataclass
class Composite:
    source: Tensor
    target: Tensor
    text: str


def sprite(kind: str, colour: str, surface: Tensor) -> Tensor:
    """(4, s, s): a shape of the scenes, shaded more strongly than there, of a material (1, s, s)."""
    side = surface.shape[-1]
    maps = F.interpolate(atlas(2 * side, 'cpu')[KINDS.index(kind)][None], size=(side, side), mode='area')[0]
    alpha = maps[:1]
    shade, second, dark = (maps[i:i + 1] / alpha.clamp(min=.05) for i in (1, 2, 3))

    def rgb(values: tuple[float, ...]) -> Tensor:
        return torch.tensor(values).view(3, 1, 1)

    plain = rgb(COLOURS[colour]) * (1 - second - dark) + rgb(SECOND_COLOUR.get(kind, (.5, .5, .5))) * second + .12 * dark
    height = torch.linspace(.1, -.16, side).view(1, side, 1)  # lighter above, darker towards the ground
    lit = plain * (1 + .5 * shade + height) + .12 * shade.clamp(min=0) ** 2
    return torch.cat([(lit * surface).clamp(0, 1), alpha])


def material(photo: Tensor, side: int, strength: float) -> Tensor:
    """(1, side, side) around 1: the light and dark of a photograph, without its large shapes."""
    light = luma(F.interpolate(photo[None], size=(side, side), mode='area'))
    relief = light - gaussian(light, max(1., side / 12))
    return (1 + strength * relief[0] / relief.abs().mean().clamp(min=.02) * .25).clamp(.5, 1.4)


def recoloured(picture: Tensor, colour: str) -> Tensor:
    """(4, s, s) in another colour: shading and texture stay as the ratio to the mean luma, highlights stay light."""
    rgb, alpha = picture[:3], picture[3:]
    light = luma(rgb[None])[0]
    mean = (light * alpha).sum() / alpha.sum().clamp(min=1)
    ratio = light / mean.clamp(min=.08)
    wanted = torch.tensor(COLOURS[colour]).view(3, 1, 1)
    dyed = wanted * ratio.clamp(max=1.6)
    gloss = ((ratio - 1.5) / 1.5).clamp(0, 1)
    return torch.cat([(dyed * (1 - gloss) + gloss).clamp(0, 1), alpha])


def placed(thing: Thing, size: int) -> Tensor:
    """(4, S, S): the thing where it stands, transparent elsewhere. Its colours reach beyond its alpha, so that resizing
    mixes no black into the outline."""
    centres = (torch.arange(size) + .5) / size
    y, x = centres.view(size, 1), centres.view(1, size)
    grid = torch.stack(torch.broadcast_tensors((x - thing.x) / (thing.size / 2), (y - thing.base) / (thing.size / 2) + 1), -1)
    shrink = thing.picture.shape[-1] / (thing.size * size)
    picture = thing.picture[None]
    if shrink > 1.5:  # grid_sample does not average
        side = max(8, round(picture.shape[-1] / shrink))
        picture = F.interpolate(picture, size=(side, side), mode='area')
    colour = F.grid_sample(picture[:, :3], grid[None], padding_mode='border', align_corners=False)[0]
    alpha = F.grid_sample(picture[:, 3:], grid[None], padding_mode='zeros', align_corners=False)[0]
    return torch.cat([colour, alpha])


def cast_shadow(thing: Thing, light: Light, size: int) -> Tensor:
    """(1, S, S) darkness: the silhouette laid on the ground, softer farther from the foot, and a contact shadow under it."""
    centres = (torch.arange(size) + .5) / size
    y, x = centres.view(size, 1), centres.view(1, size)
    behind = thing.base - y  # the ground rises in the picture, so a shadow falls upwards or, from behind, downwards
    height = behind / light.length
    grid_x = (x - thing.x - light.slant * behind) / (thing.size / 2)
    grid_y = 1 - 2 * height / thing.size
    grid = torch.stack(torch.broadcast_tensors(grid_x, grid_y), -1)[None]
    laid = F.grid_sample(thing.picture[None, 3:], grid, padding_mode='zeros', align_corners=False)
    fade = (1 - height.abs() / thing.size).clamp(0, 1)
    laid = gaussian(laid * fade, max(1., .012 * size))
    foot = _foot(thing)
    across, down = (x - thing.x) / (foot * thing.size), (y - thing.base + .01) / (.1 * thing.size)
    contact = torch.exp(-(across ** 2) ** 1.5 * 1.6 - down ** 2 * 1.6)
    return (light.depth * laid[0] + _CONTACT_STRENGTH * light.depth / _SHADOW_STRENGTH[1] * contact).clamp(0, .8)


def _foot(thing: Thing) -> float:
    """Half the width of what touches the ground, as part of the size."""
    alpha = thing.picture[3]
    rows = alpha[-max(1, alpha.shape[0] // 6):]
    return max(.1, .5 * (rows.amax(0) > .5).float().mean().item())


def lit(ground: Tensor, thing: Thing, light: Light) -> Tensor:
    """The photograph with the thing on it."""
    size = ground.shape[-1]
    picture = placed(thing, size)
    colour, alpha = picture[:3], picture[3:]
    shaded = ground * (1 - cast_shadow(thing, light, size))
    grain = _grain(ground)
    colour = (colour * light.gain * light.cast + grain).clamp(0, 1)
    return shaded * (1 - alpha) + colour * alpha


def _grain(ground: Tensor) -> Tensor:
    """(3, S, S) noise as strong as the photograph's own finest detail where it is smoothest: a clean thing looks pasted."""
    fine = (ground - gaussian(ground[None], 1.)[0])
    strength = fine.abs().flatten().kthvalue(max(1, fine.numel() // 4)).values
    generator = torch.Generator().manual_seed(int(ground.sum().item() * 1000) % (1 << 30))
    return torch.randn(1, *ground.shape[1:], generator=generator) * strength.clamp(max=.02) * 1.5


def light_of(ground: Tensor, dice: Dice) -> Light:
    """The shadow falls away from the brighter side; bright grounds light a thing more, coloured light tints it."""
    light = luma(ground[None])[0]
    half = ground.shape[-1] // 2
    side = (light[..., half:].mean() - light[..., :half].mean()).item()
    slant = math.copysign(dice.between(.3, 1.3), -side if abs(side) > .02 else dice.between(-1, 1))
    mean = ground.mean((1, 2))
    cast = .8 + .2 * (mean / mean.mean().clamp(min=.05)).clamp(.6, 1.5)
    gain = (.6 + .8 * light.mean().item())
    return Light(slant, dice.between(*_SHADOW_STRENGTH), dice.between(.25, .6), min(1.15, max(.55, gain)), cast.view(3, 1, 1))


def _size_at(base: float) -> float:
    near = (base - BASE[0]) / (BASE[1] - BASE[0])
    return SIZE_FAR + (SIZE_NEAR - SIZE_FAR) * near


def _word(dice: Dice, word: str) -> str:
    return dice.choice(synonyms(word)) if dice.chance(.25) else word


class Composer:
    """Draws composites from packed photographs (N, 3, S, S) and cut-outs, both bytes."""

    def __init__(self, photographs: Tensor, cutouts: Cutouts | None, size: int):
        self.photographs, self.cutouts, self.size = photographs, cutouts, size

    def draw(self, dice: Dice, kind: str | None = None) -> Composite:
        kind = kind or dice.choices(EDITS, WEIGHTS)[0]
        ground = self._ground(dice)
        light = light_of(ground, dice)
        thing = self._added(dice) if kind == 'add' else self._thing(dice, [])
        if dice.chance(SECOND_THING):
            other = self._thing(dice, [thing])
            if other:
                ground = lit(ground, other, light)
        if kind == 'add':
            return self._add(dice, ground, thing, light)
        source = lit(ground, thing, light)
        name = self._naming(dice, thing)
        if kind == 'remove':
            return Composite(source, ground, phrase(dice, 'remove', {'name': name}))
        colour = dice.choice([colour for colour in COLOURS if colour != thing.colour])
        target = lit(ground, self._dyed(thing, colour), light)
        return Composite(source, target, phrase(dice, 'recolor', {'name': name, 'colour': _word(dice, colour)}))

    def _add(self, dice: Dice, ground: Tensor, thing: Thing, light: Light) -> Composite:
        place = next(place for place, (left, right) in PLACES.items() if left <= thing.x <= right)
        what = ' '.join(_word(dice, word) for word in thing.called.split())
        return Composite(ground, lit(ground, thing, light), phrase(dice, 'add', {'what': what, 'place': place}))

    def _ground(self, dice: Dice) -> Tensor:
        """(3, size, size): the photograph whose lower half is the smoothest of a few, in its own detail."""
        rows = self.cutouts.grounds if self.cutouts is not None else range(len(self.photographs))
        tried = [self._view(self.photographs[int(dice.choice(rows))].float() / 255, dice) for _ in range(GROUND_TRIES)]
        return min(tried, key=lambda picture: gaussian(picture[None], 2.)[..., self.size // 2:, :].diff(dim=-1).abs().mean().item())

    def _view(self, photo: Tensor, dice: Dice) -> Tensor:
        if photo.shape[-1] != self.size:
            photo = F.interpolate(photo[None], size=(self.size, self.size), mode='area')[0]
        return photo.flip(-1) if dice.chance(.5) else photo

    def _thing(self, dice: Dice, others: list[Thing]) -> Thing | None:
        """Free of the others; None where no place was found."""
        for _ in range(12):
            base = dice.between(*BASE)
            size = _size_at(base) * dice.between(.85, 1.15)
            x = dice.between(size / 2 + .01, 1 - size / 2 - .01)
            if all(abs(x - other.x) > .55 * (size + other.size) for other in others):
                return self._at(dice, (x, base, size), CUTOUT_SHARE, [other.name for other in others])
        return None

    def _added(self, dice: Dice) -> Thing:
        left, right = dice.choice(list(PLACES.values()))
        return self._at(dice, ((left + right) / 2, ADDED_BASE, ADDED_SIZE), CUTOUT_SHARE_ADDED, [])

    def _at(self, dice: Dice, where: tuple[float, float, float], cutout_share: float, taken: list[str]) -> Thing:
        side = max(16, round(where[2] * self.size))
        if self.cutouts is not None and dice.chance(cutout_share):
            names = [i for i, name in enumerate(self.cutouts.names) if name not in taken]
            i = dice.choice(names)
            picture = self.cutouts.pictures[i].float() / 255
            picture = picture.flip(-1) if dice.chance(.5) else picture
            thing = Thing(self.cutouts.names[i], None, picture, *where)
            return self._dyed(thing, dice.choice(list(COLOURS))) if dice.chance(.4) else thing
        kind, colour = dice.choice([kind for kind in KINDS if kind not in taken]), dice.choice(list(COLOURS))
        photo = self.photographs[dice.randrange(len(self.photographs))].float() / 255
        surface = material(photo, side, dice.between(*MATERIAL))
        return Thing(kind, colour, sprite(kind, colour, surface), *where, surface)

    def _dyed(self, thing: Thing, colour: str) -> Thing:
        """Sprites keep the colours of their second parts."""
        picture = recoloured(thing.picture, colour) if thing.surface is None else sprite(thing.name, colour, thing.surface)
        return replace(thing, colour=colour, picture=picture)

    def _naming(self, dice: Dice, thing: Thing) -> str:
        name = _word(dice, thing.name)
        if thing.colour and dice.chance(.5):
            name = f'{_word(dice, thing.colour)} {name}'
        places = [place for place, (left, right) in PLACES.items() if left <= thing.x <= right]
        return f'{name} on the {places[0]}' if places and dice.chance(.15) else name
