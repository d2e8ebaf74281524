"""Procedural scenes as plain numbers, and paired edits with their instructions (after InstructPix2Pix's data idea).

A scene says where the horizon is, what the ground and the time of day are, and which objects stand where. An edit
returns the changed scene with the sentence that asks for it; ``render.py`` turns both into pictures.
"""
from dataclasses import dataclass, field, replace

from dice import Dice
from phrases import phrase
from vocabulary import COLOURS, GROUNDS, KINDS, PHOTOMETRIC, TIMES, synonyms

MAX_OBJECTS = 5
EDITS = ['recolor', 'remove', 'add', 'replace', 'resize', 'move', 'ground', 'time', 'photo', 'keep']
#: Edits that change the whole picture; the others change one object.
GLOBAL_EDITS = ('ground', 'time', 'photo')
#: Default training weights, in the order of EDITS. Replace, resize and move are not learnt at 128 px by this size.
EDIT_WEIGHTS = (36, 26, 16, 0, 0, 0, 8, 8, 20, 2)

_GROUND_WORDS = {
    'grass': ['grass', 'grassy'], 'sand': ['sand', 'desert', 'beach'], 'snow': ['snow', 'snowy'],
    'road': ['road', 'asphalt', 'street'], 'water': ['water', 'lake', 'sea'],
}
#: Part of the training scenes with two objects of one kind, which only their colours or places tell apart.
TWINS = .2
_ORDINALS = ['first', 'second', 'third']
_PLACES = {'left': (.14, .36), 'middle': (.4, .6), 'right': (.64, .86)}


@dataclass(frozen=True)
class SceneObject:
    """``disparity`` places the base between horizon (0) and front (1); lengths are parts of the picture's side."""
    kind: str
    colour: str
    x: float
    disparity: float
    radius: float
    tint: tuple[float, float, float]


@dataclass(frozen=True)
class Scene:
    horizon: float
    ground: str
    time: str
    has_mountains: bool
    mountain_height: float
    mountain_phases: tuple[float, float, float]
    cloudiness: float
    noise_seed: int
    texture: float
    objects: tuple[SceneObject, ...] = field(default=())


@dataclass(frozen=True)
class Edit:
    """``photometric`` names the pixel operator that makes the target, where the scene itself stays."""
    kind: str
    target: Scene
    text: str
    photometric: str | None = None
    slots: dict[str, str] | None = None

    def reworded(self, dice: Dice) -> 'Edit':
        """The same edit, asked for in a phrasing that training never draws."""
        kind = self.photometric or (self.target.time if self.kind == 'time' else self.kind)
        return replace(self, text=phrase(dice, kind, self.slots, held_out=True))


def _edit(dice: Dice, kind: str, target: Scene, **slots: str) -> Edit:
    return Edit(kind, target, phrase(dice, kind, slots), slots=slots)


def random_object(dice: Dice, taken: list[str], x: float | None = None, kind: str | None = None) -> SceneObject:
    kind = kind or dice.choice([kind for kind in KINDS if kind not in taken])
    disparity = dice.between(.12, .85)
    radius = (.10 + .13 * disparity) * dice.between(.9, 1.12)  # nearer objects are larger
    return SceneObject(kind, dice.choice(list(COLOURS)), dice.between(.14, .86) if x is None else x, disparity,
                       min(radius, .27), tuple(dice.between(-.05, .05) for _ in range(3)))


def random_scene(dice: Dice, twins: float = 0.) -> Scene:
    """One to four objects, far enough apart to be told apart; in ``twins`` of the scenes two are of one kind."""
    scene = Scene(
        horizon=dice.between(.38, .6), ground=dice.choice(list(GROUNDS)), time=dice.choices(TIMES, [.6, .2, .2])[0],
        has_mountains=dice.chance(.45), mountain_height=dice.between(.04, .16),
        mountain_phases=tuple(dice.between(0, 6.28) for _ in range(3)),
        cloudiness=dice.between(0, .9) if dice.chance(.6) else 0., noise_seed=dice.randrange(1 << 30),
        texture=dice.between(.03, .12))
    objects: list[SceneObject] = []
    for _ in range(dice.choices([1, 2, 3, 4], [.22, .38, .28, .12])[0]):
        is_twin = twins > 0 and len(objects) == 1 and dice.chance(twins)
        placed = _place(dice, objects, objects[0].kind if is_twin else None)
        if placed:
            objects.append(placed)
    return replace(scene, objects=tuple(objects))


def _place(dice: Dice, others: list[SceneObject], kind: str | None, attempts: int = 12) -> SceneObject | None:
    for _ in range(attempts):
        candidate = random_object(dice, [other.kind for other in others], kind=kind)
        if all(abs(candidate.x - o.x) > .55 * (candidate.radius + o.radius) + .12 for o in others):
            return candidate
    return None


def caption(scene: Scene) -> str:
    """What generation and control are told: the three largest objects, the ground and the time of day."""
    largest = sorted(scene.objects, key=lambda o: -o.radius)[:3]
    return ' and '.join(f'a {o.colour} {o.kind}' for o in largest) + f' on {scene.ground} at {scene.time}'


def random_edit(dice: Dice, scene: Scene, kind: str | None = None, weights: tuple[float, ...] = EDIT_WEIGHTS) -> Edit:
    kind = kind or dice.choices(EDITS, weights)[0]
    if kind == 'add' and not _free_places(scene):
        kind = 'remove' if dice.chance(.5) else 'recolor'
    if kind in ('recolor', 'remove', 'replace', 'resize', 'move'):
        return _OBJECT_EDITS[kind](dice, scene, dice.choice(scene.objects))
    return _SCENE_EDITS[kind](dice, scene)


def _word(dice: Dice, word: str) -> str:
    return dice.choice(synonyms(word)) if dice.chance(.25) else word


def _naming(dice: Dice, thing: SceneObject, scene: Scene) -> str:
    """"tree", "red tree", "tree on the left" …; "second tree from the left", where there are two."""
    twins = sorted((o for o in scene.objects if o.kind == thing.kind), key=lambda o: o.x)
    if len(twins) > 1:
        return _told_apart(dice, thing, twins)
    kind = _word(dice, thing.kind)
    name = f'{_word(dice, thing.colour)} {kind}' if dice.chance(.5) else kind
    places = [place for place, (left, right) in _PLACES.items() if left <= thing.x <= right]
    return f'{name} on the {places[0]}' if places and dice.chance(.15) else name


def _told_apart(dice: Dice, thing: SceneObject, twins: list[SceneObject]) -> str:
    """By its colour where that is its own, or by where it stands among its kind."""
    kind, i = _word(dice, thing.kind), twins.index(thing)
    if all(o.colour != thing.colour for o in twins if o is not thing) and dice.chance(.5):
        return f'{_word(dice, thing.colour)} {kind}'
    from_right = len(twins) - 1 - i
    ways = [f'{_ORDINALS[i]} {kind}', f'{_ORDINALS[i]} {kind} from the left', f'{_ORDINALS[from_right]} {kind} from the right']
    if i == 0:
        ways += [f'left {kind}', f'leftmost {kind}', f'{kind} on the left']
    if from_right == 0:
        ways += [f'right {kind}', f'rightmost {kind}', f'last {kind}', f'{kind} on the right']
    return dice.choice(ways)


def _swap(scene: Scene, old: SceneObject, new: SceneObject | None) -> Scene:
    kept = [new if o is old else o for o in scene.objects]
    return replace(scene, objects=tuple(o for o in kept if o is not None))


def _recolor(dice: Dice, scene: Scene, thing: SceneObject) -> Edit:
    colour = dice.choice([c for c in COLOURS if c != thing.colour])
    target = _swap(scene, thing, replace(thing, colour=colour))
    return _edit(dice, 'recolor', target, name=_naming(dice, thing, scene), colour=_word(dice, colour))


def _remove(dice: Dice, scene: Scene, thing: SceneObject) -> Edit:
    return _edit(dice, 'remove', _swap(scene, thing, None), name=_naming(dice, thing, scene))


def _replace(dice: Dice, scene: Scene, thing: SceneObject) -> Edit:
    taken, name = [o.kind for o in scene.objects], _naming(dice, thing, scene)
    kind = dice.choice([k for k in KINDS if k not in taken])
    text = dice.choice([f'replace the {name} with a {kind}', f'turn the {name} into a {kind}',
                        f'swap the {name} for a {kind}', f'change the {name} into a {kind}'])
    return Edit('replace', _swap(scene, thing, replace(thing, kind=kind)), text)


def _resize(dice: Dice, scene: Scene, thing: SceneObject) -> Edit:
    grows = thing.radius < .19 if dice.chance(.8) else dice.chance(.5)
    name, radius = _naming(dice, thing, scene), min(.3, thing.radius * (1.5 if grows else .62))
    texts = ([f'make the {name} bigger', f'make the {name} larger', f'grow the {name}'] if grows
             else [f'make the {name} smaller', f'shrink the {name}'])
    return Edit('resize', _swap(scene, thing, replace(thing, radius=radius)), dice.choice(texts))


def _move(dice: Dice, scene: Scene, thing: SceneObject) -> Edit:
    side, name = ('right' if thing.x < .45 else 'left'), _naming(dice, thing, scene)
    moved = replace(thing, x=thing.x + (.3 if side == 'right' else -.3))
    text = dice.choice([f'move the {name} to the {side}', f'shift the {name} {side}', f'move the {name} {side}'])
    return Edit('move', _swap(scene, thing, moved), text)


def _free_places(scene: Scene) -> list[str]:
    if len(scene.objects) >= 4:
        return []
    return [place for place, (left, right) in _PLACES.items()
            if all(not left - .1 < o.x < right + .1 for o in scene.objects)]


def _add(dice: Dice, scene: Scene) -> Edit:
    place = dice.choice(_free_places(scene))
    left, right = _PLACES[place]
    new = random_object(dice, [o.kind for o in scene.objects], x=(left + right) / 2)
    new = replace(new, disparity=.5, radius=.17, tint=(0., 0., 0.))  # the words do not say where or how large
    what = f'{_word(dice, new.colour)} {_word(dice, new.kind)}'
    return _edit(dice, 'add', replace(scene, objects=(*scene.objects, new)), what=what, place=place)


def _ground(dice: Dice, scene: Scene) -> Edit:
    ground = dice.choice([g for g in GROUNDS if g != scene.ground])
    word = _word(dice, dice.choice(_GROUND_WORDS[ground]))
    return _edit(dice, 'ground', replace(scene, ground=ground), ground=word)


def _time(dice: Dice, scene: Scene) -> Edit:
    time = dice.choice([t for t in TIMES if t != scene.time])
    return Edit('time', replace(scene, time=time), phrase(dice, time))


def _photo(dice: Dice, scene: Scene) -> Edit:
    operator = dice.choice(PHOTOMETRIC)
    return Edit('photo', scene, phrase(dice, operator), operator)


def _keep(dice: Dice, scene: Scene) -> Edit:
    return Edit('keep', scene, phrase(dice, 'keep'))


_OBJECT_EDITS = {'recolor': _recolor, 'remove': _remove, 'replace': _replace, 'resize': _resize, 'move': _move}
_SCENE_EDITS = {'add': _add, 'ground': _ground, 'time': _time, 'photo': _photo, 'keep': _keep}
