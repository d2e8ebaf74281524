"""Measures what the built program makes of holes, borders and removals at full resolution; writes DETAIL.md and sheets.

python3 evaluate_detail.py WORK --photographs DATA --samples FOLDER --out ../sketch [--variants today auto] [--groups …]

WORK, outside the repository, keeps every result, so that a run that was stopped goes on
(``--again VARIANT`` makes that one's anew), and the sheets of photographs. Only sheets of rendered scenes go to the pack's folder.
"""
import argparse
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

import classical
from detail_cases import Case, crop_cases, photograph_cases, scene_cases
from detail_measures import measure
from detail_report import report
from detail_sheets import Sheet
from photographs import load as load_photographs
from product import BUILT, Product, ProductError

#: How the program is asked; "today" is its result without detail scales.
VARIANTS = {'today': {'detail': 'off'}, 'detail scales': {'detail': 'auto'}, 'detail 0': {'detail': 0},
            'detail 0.3': {'detail': .3}, 'detail 1': {'detail': 1}, 'detail 3': {'detail': 3}}
SEED = 3
#: Of OpenCV's fillers, those that do not take minutes for a group's windows.
AFFORDABLE = {'holes in crops': tuple(classical.FILLERS), 'expanded crops': ('Telea', 'Navier–Stokes', 'shift map'),
              'holes in scenes': ('Telea', 'Navier–Stokes', 'shift map'), 'holes in photographs': ('Telea',), 'expanded photographs': ('Telea',)}
#: Groups whose pictures anyone may see.
RENDERED = ('removed from scenes', 'holes in scenes')


class Results:
    """Pictures and figures of every case, on disk."""

    def __init__(self, folder: Path):
        self._folder = folder

    def _file(self, case: Case, filler: str, ending: str) -> Path:
        digest = hashlib.sha256(case.source + (case.mask or b'') + json.dumps(case.request).encode()).hexdigest()[:10]
        return self._folder / case.group / f'{case.name} {digest}' / f'{filler}{ending}'

    def has(self, case: Case, filler: str) -> bool:
        return any(self._file(case, filler, ending).exists() for ending in ('.png', '.none'))

    def put(self, case: Case, filler: str, picture: np.ndarray | None) -> None:
        """None where the filler gives up."""
        file = self._file(case, filler, '.none' if picture is None else '.png')
        file.parent.mkdir(parents=True, exist_ok=True)
        if picture is None:
            file.touch()
        else:
            Image.fromarray(picture).save(file, compress_level=1)

    def forget(self, case: Case, filler: str) -> None:
        for ending in ('.png', '.none', '.json'):
            self._file(case, filler, ending).unlink(missing_ok=True)

    def picture(self, case: Case, filler: str) -> np.ndarray | None:
        file = self._file(case, filler, '.png')
        return np.array(Image.open(file)) if file.exists() else None

    def figures(self, case: Case, filler: str) -> dict[str, float] | None:
        """Measured once per picture."""
        file = self._file(case, filler, '.json')
        if file.exists():
            return json.loads(file.read_text())
        picture = self.picture(case, filler)
        if picture is None:
            return None
        figures = measure(picture, case.truth, case.hole)
        file.write_text(json.dumps(figures))
        return figures


def fill_with_program(product: Product, case: Case, variant: str, pack: str) -> np.ndarray | None:
    request = {**case.request, **VARIANTS[variant], 'pack': pack, 'seed': SEED, 'previews': False}
    try:
        picture, _ = product.edit(case.source, request, case.mask)
    except ProductError as error:
        print(f'{case.group}, {case.name}, {variant}: {error}')
        return None
    return picture if picture.shape == case.truth.shape else None


def fillers_of(case: Case, variants: list[str], others: list[str]) -> list[str]:
    """The classical ones read no instructions."""
    return [*variants, *(filler for filler in others if filler in AFFORDABLE.get(case.group, ()))]


def make_all(cases: list[Case], arguments: argparse.Namespace, results: Results) -> None:
    with Product(arguments.program) as product:
        for case in cases:
            for variant in arguments.variants:
                if not results.has(case, variant):
                    results.put(case, variant, fill_with_program(product, case, variant, arguments.out.name))
    for case in cases:
        for filler in fillers_of(case, [], arguments.fillers):
            if not results.has(case, filler):
                results.put(case, filler, classical.filled(filler, case.truth, case.hole))


def all_cases(arguments: argparse.Namespace) -> Iterator[Case]:
    if arguments.photographs:
        yield from crop_cases(load_photographs(arguments.photographs, validation=True))
    if arguments.samples:
        yield from photograph_cases(arguments.samples)
    yield from scene_cases()


def write_sheets(cases: list[Case], arguments: argparse.Namespace, results: Results) -> None:
    for group in dict.fromkeys(case.group for case in cases):
        sheet = Sheet(fillers_of(next(case for case in cases if case.group == group), arguments.variants, arguments.fillers))
        for case in cases:
            if case.group == group:
                sheet.add(case, {filler: results.picture(case, filler) for filler in sheet.fillers})
        folder = arguments.out / 'sheets' if group in RENDERED else arguments.work / arguments.out.name / 'sheets'
        folder.mkdir(parents=True, exist_ok=True)
        sheet.save(folder / f"detail-{group.replace(' ', '-')}.jpg")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('work', type=Path)
    parser.add_argument('--photographs', type=Path, help='tensors that photographs.py packed')
    parser.add_argument('--samples', type=Path, help='a folder of photographs of any size')
    parser.add_argument('--out', type=Path, required=True, help="the folder of the built-in pack that is measured")
    parser.add_argument('--variants', nargs='+', choices=VARIANTS, default=['today', 'detail scales'])
    parser.add_argument('--again', nargs='+', choices=VARIANTS, default=[], help='forget what was made before')
    parser.add_argument('--program', type=Path, default=BUILT, help='another built command line')
    parser.add_argument('--fillers', nargs='*', choices=classical.FILLERS, default=list(classical.FILLERS), help="of OpenCV's")
    parser.add_argument('--groups', nargs='+', help='only these')
    parser.add_argument('--threads', type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(arguments.threads)
    results = Results(arguments.work / arguments.out.name)
    cases = [case for case in all_cases(arguments) if arguments.groups is None or case.group in arguments.groups]
    for case in cases:
        for variant in arguments.again:
            results.forget(case, variant)
    make_all(cases, arguments, results)
    figures = [(case.group, case.name, {filler: results.figures(case, filler) for filler in fillers_of(case, arguments.variants, arguments.fillers)})
               for case in cases]
    write_sheets(cases, arguments, results)
    (arguments.out / 'DETAIL.md').write_text(report(figures, arguments.out.name))


if __name__ == '__main__':
    main()
