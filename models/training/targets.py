"""What a larger pack has to reach beside the one it is to replace, as rows of EVALUATION.md."""
import math
from collections.abc import Callable
from typing import NamedTuple

COLOUR_ERROR = 'colour error in the object, Lab'


class Target(NamedTuple):
    """``value`` reads a pack's results; ``wanted`` is told the baseline's."""
    name: str
    value: Callable[[dict], float]
    wanted: Callable[[dict], float]
    is_error: bool = False


def _edit(kind: str, figure: str) -> Callable[[dict], float]:
    return lambda result: result['edits on scenes'][kind][figure]


def _fill(result: dict) -> float:
    return result['fill']['photographs']['model']['PSNR dB']


def _worst_operator(result: dict) -> float:
    """As the program carries it, where that was measured (evaluate_colour.py)."""
    in_program = result.get('instructions on photographs, in the program')
    if in_program:
        return min(row['PSNR dB'] for row in in_program.values())
    return min(row['carried PSNR dB'] for row in result['instructions on photographs'].values())


def _least_outside(result: dict) -> float:
    rows = (result['edits on scenes'][kind] for kind in ('recolor', 'remove', 'add'))
    return min(row['outside PSNR dB, before compositing'] or math.inf for row in rows)


def _preset_spread(result: dict) -> float:
    """In points of a hundred, from the best preset to fast."""
    presets = result['depth presets']
    return 100 * (presets['best']['success'] - presets['fast']['success'])


def _in_program(figure: str) -> Callable[[dict], float]:
    """Of recoloured objects on scenes (evaluate_colour.py); no number where that was not measured."""
    return lambda result: result.get('recoloured objects on scenes, in the program', {}).get(figure, math.nan)


def _always(value: float) -> Callable[[dict], float]:
    return lambda _baseline: value


def _colour(result: dict) -> float:
    return result['edits on scenes']['recolor'][COLOUR_ERROR]


TARGETS = [
    *(Target(f'{kind} on scenes, success', _edit(kind, 'success'), _always(.85)) for kind in ('recolor', 'remove', 'add')),
    Target('colour error inside the recoloured object, Lab', _colour, lambda baseline: _colour(baseline) / 2, True),
    Target('recolor on scenes in the program, success', _in_program('success'), _always(.85)),
    Target('the same, colour error inside the object, Lab', _in_program(COLOUR_ERROR), lambda baseline: _in_program(COLOUR_ERROR)(baseline) / 2, True),
    Target('outside an object edit, before compositing, dB', _least_outside, _always(31)),
    Target('worst photometric instruction on photographs, dB', _worst_operator, _always(30)),
    Target('fill on photographs, dB', _fill, lambda baseline: _fill(baseline) + 1.5),
    Target('canny F1', lambda result: result['control']['canny F1']['strength 1'], _always(.55)),
    Target('depth error', lambda result: result['control']['depth RMSE']['strength 1'], _always(.045), True),
    Target('held-out wordings, part of trained ones', lambda result: result['wording']['held out, as part of trained']['mean'], _always(.95)),
    Target('preset fast below best, points', _preset_spread, _always(3), True),
    Target('tokenizer on photographs, dB', lambda result: result['tokenizer']['photographs PSNR dB'], _always(26)),
    Target('tokenizer on scenes, dB', lambda result: result['tokenizer']['scenes PSNR dB'], _always(33)),
]


def _row(target: Target, result: dict, baseline: dict) -> str:
    value, wanted = target.value(result), target.wanted(baseline)
    is_met = value <= wanted if target.is_error else value >= wanted
    bound = '≤' if target.is_error else '≥'
    return f"| {target.name} | {value:.3g} | {target.value(baseline):.3g} | {bound} {wanted:.3g} | {'yes' if is_met else 'no'} |"


def target_rows(result: dict, baseline: dict) -> list[str]:
    """A table: this pack, the baseline, what was wanted, and whether it was met. Without photographs it is empty."""
    if 'instructions on photographs' not in result:
        return []
    return ['| | this pack | baseline | wanted | met |', '|---|---|---|---|---|', *(_row(target, result, baseline) for target in TARGETS)]
