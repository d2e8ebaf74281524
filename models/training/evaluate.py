"""Measures a pack on held-out scenes and photographs; writes EVALUATION.md, evaluation.json and contact sheets.

python3 evaluate.py PACK_DIR [--baseline OTHER_PACK_DIR] [--photographs DIR] [--count 60]

Held out: scene seeds that training never draws, and photographs on the validation side of the split by picture.
An edit succeeds where the mean error in the region that should change is below half of the unedited picture's, and, for
edits of objects, the changed areas overlap by more than 0.4. Both are judged between decoded pictures, because the
tokenizer's blur would otherwise decide. Two packs stand side by side, each at its own size.
"""
import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from composites import EDITS as COMPOSITE_EDITS
from composites import Composer
from cutouts import Cutouts
from dice import Dice
from generate import Settings, Trace, generate
from membrane import with_smooth_holes
from measures import colour_error, edge_f1, edit_success, global_shift, gmsd, inpainted, psnr, seam_step, ssim, texture
from pack import Pack, load_pack
from photographs import load as load_photographs
from photographs import edited
from phrases import TRAINED
from pixels import dilate, eight_bit, random_holes
from samples import GREY, Batch, SceneSample, sample_scenes, scene_batch, tokenizer_pictures
from scenes import Edit, random_scene
from targets import COLOUR_ERROR, target_rows
from transfer import transfer
from vocabulary import PHOTOMETRIC, word_ids

EDIT_KINDS = ['recolor', 'remove', 'add', 'ground', 'time', 'photo']
#: What a recolouring changes is told by this difference of the renderings.
RECOLOURED = .02
PHOTO_OPERATORS = ['warmer', 'cooler', 'bw', 'sepia', 'brighter', 'darker', 'contrast', 'saturate', 'invert', 'fog', 'night', 'sunset']
STRENGTHS = (.25, .5, .75, 1.)
RESULTS = 'evaluation.json'
#: Seeds that training never draws: it counts up from small ones.
HELD_OUT = 9_000_000


class Runner:
    """One pack, asked as the product asks it."""

    def __init__(self, pack: Pack):
        self.pack, self.size = pack, pack.tokenizer.config['size']

    @torch.no_grad()
    def run(self, batch: Batch, trace: Trace | None = None, **settings) -> Tensor:
        """The batch's texts are read with the pack's own vocabulary."""
        tokenizer, vocabulary = self.pack.tokenizer, self.pack.card['config']['transformer']['text']['vocabulary']
        words = torch.tensor([word_ids(text, vocabulary) for text in batch.texts])
        mask = F.adaptive_avg_pool2d(batch.mask, tokenizer.grid)
        is_smooth = self.pack.transformer.smooth_holes
        features = tokenizer.encoder(with_smooth_holes(batch.source, batch.mask) if is_smooth else batch.source)
        wanted = Settings(control_guidance=self.pack.card['defaults'].get('controlGuidance', 1.), **settings)
        total = generate(self.pack.transformer, tokenizer.quantiser, words, features, mask, batch.control, wanted, trace)
        return tokenizer.decoder(total).clamp(0, 1)


def edited_area(trace: Trace, side: int, size: int) -> Tensor:
    """(B, 1, S, S): where the product touches the source. The edit map of the finest scale widened by one token; all of
    the picture where most tokens were edited (light, colour)."""
    edited_tokens = (trace.gates[-1] < 0).float().view(-1, 1, side, side)
    is_global = (edited_tokens.mean((1, 2, 3), keepdim=True) >= .6).float()
    area = F.interpolate(dilate(edited_tokens, 1), size=(size, size), mode='bilinear', align_corners=False)
    return torch.maximum(area, is_global)


def measure_tokenizer(runner: Runner, photographs: Tensor | None, count: int) -> dict:
    scenes = tokenizer_pictures(Dice(HELD_OUT), count, runner.size)[:count * 2 // 3]
    restored = runner.pack.tokenizer.reconstruct(scenes)
    result = {'scenes PSNR dB': psnr(restored, scenes), 'scenes SSIM': ssim(restored, scenes), 'scenes GMSD': gmsd(restored, scenes)}
    if photographs is not None:
        pictures = _photographs(photographs, len(photographs), runner.size)
        restored = runner.pack.tokenizer.reconstruct(pictures)
        result |= {'photographs PSNR dB': psnr(restored, pictures), 'photographs SSIM': ssim(restored, pictures),
                   'photographs GMSD': gmsd(restored, pictures)}
    return result


def edit_scenes(kind: str, count: int, size: int) -> Batch:
    """The held-out scenes of a kind of edit."""
    dice = Dice(HELD_OUT + 100 + EDIT_KINDS.index(kind))
    return scene_batch(dice, sample_scenes(dice, count, 'edit', kind), size)


def recoloured_mask(batch: Batch) -> Tensor:
    """(B, 1, S, S), 1 where a recolouring changes the renderings, which are exact."""
    return ((batch.target - batch.source).abs().amax(1, keepdim=True) > RECOLOURED).float()


def measure_edits(runner: Runner, count: int) -> tuple[dict, list]:
    tokenizer, result, rows = runner.pack.tokenizer, {}, []
    for kind in EDIT_KINDS:
        batch, trace = edit_scenes(kind, count, runner.size), Trace()
        after, before, truth = runner.run(batch, trace), tokenizer.reconstruct(batch.source), tokenizer.reconstruct(batch.target)
        good = edit_success(before, after, truth, kind)
        touched = edited_area(trace, runner.pack.transformer.finest, runner.size)
        carried = batch.source + touched * (transfer(batch.source, before, after).picture - batch.source)
        far = 1 - dilate(((batch.target - batch.source).abs().amax(1, keepdim=True) > .06).float(), 3)
        has_outside = far.mean((1, 2, 3)) > .05
        outside = psnr(carried[has_outside], batch.source[has_outside], far[has_outside]) if has_outside.any() else None
        decoded = psnr(after[has_outside], batch.source[has_outside], far[has_outside]) if has_outside.any() else None
        result[kind] = {'success': good.float().mean().item(), 'PSNR dB': psnr(carried, batch.target),
                        'unedited PSNR dB': psnr(batch.source, batch.target), 'outside PSNR dB': outside,
                        'outside PSNR dB, before compositing': decoded, 'global shift px': global_shift(carried, batch.source)}
        if kind == 'recolor':
            result[kind][COLOUR_ERROR] = colour_error(carried, batch.target, recoloured_mask(batch))
        order = [*torch.nonzero(good).flatten().tolist()[:2], *torch.nonzero(~good).flatten().tolist()[:1]]
        rows += [([batch.source[j], batch.target[j], after[j], carried[j]], f"{'ok' if good[j] else 'FAILED'}: {batch.texts[j]}")
                 for j in order]
    return result, rows


def measure_composites(runner: Runner, composer: Composer, count: int) -> tuple[dict, list]:
    """Things on held-out photographs (the cut-outs themselves are those of training): recolour, remove, add."""
    tokenizer, result, rows = runner.pack.tokenizer, {}, []
    for i, kind in enumerate(COMPOSITE_EDITS):
        dice = Dice(HELD_OUT + 800 + i)
        drawn = [composer.draw(dice, kind) for _ in range(count)]
        source, target = (torch.stack([getattr(made, name) for made in drawn]) for name in ('source', 'target'))
        batch = replace(_photograph_batch(source, target, ''), texts=[made.text for made in drawn])
        after, before, truth = runner.run(batch), tokenizer.reconstruct(source), tokenizer.reconstruct(target)
        good = edit_success(before, after, truth, kind)
        result[kind] = {'success': good.float().mean().item(), 'decoded PSNR dB': psnr(after, target), 'unedited PSNR dB': psnr(source, target)}
        rows += [([source[j], target[j], after[j]], f"{'ok' if good[j] else 'FAILED'}: {batch.texts[j]}") for j in range(min(4, count))]
    return result, rows


def measure_presets(runner: Runner, count: int) -> dict:
    """Success only: how long a preset takes is the engine's matter and stands in test/bench/RESULTS.md."""
    tokenizer, result = runner.pack.tokenizer, {}
    for name, layers in runner.pack.card['presets'].items():
        successes = []
        for i, kind in enumerate(['recolor', 'remove', 'ground', 'photo']):
            dice = Dice(HELD_OUT + 200 + i)
            batch = scene_batch(dice, sample_scenes(dice, count // 2, 'edit', kind), runner.size)
            after = runner.run(batch, preset=layers)
            successes.append(edit_success(tokenizer.reconstruct(batch.source), after, tokenizer.reconstruct(batch.target), kind))
        result[name] = {'layers': layers, 'success': torch.cat(successes).float().mean().item()}
    return result


def measure_twins(runner: Runner, count: int) -> dict:
    """Recolouring one of two alike, told by its place, its number or its colour."""
    tokenizer, dice = runner.pack.tokenizer, Dice(HELD_OUT + 560)
    drawn = sample_scenes(dice, 12 * count, 'edit', 'recolor', twins=1.)
    samples = [s for s in drawn if len({thing.kind for thing in s.source.objects}) < len(s.source.objects)][:count]
    batch = scene_batch(dice, samples, runner.size)
    good = edit_success(tokenizer.reconstruct(batch.source), runner.run(batch), tokenizer.reconstruct(batch.target), 'recolor')
    return {'recolor': {'success': good.float().mean().item()}}


def measure_paraphrases(runner: Runner, count: int) -> dict:
    """The same edits asked for in trained phrasings and in held-out ones."""
    tokenizer, result = runner.pack.tokenizer, {}
    for i, kind in enumerate(EDIT_KINDS):
        samples = sample_scenes(Dice(HELD_OUT + 500 + i), count, 'edit', kind)
        dice = Dice(HELD_OUT + 600 + i)
        held_out = [SceneSample(s.task, s.source, s.edit.reworded(dice)) for s in samples]
        batch = scene_batch(dice, samples, runner.size)
        before, truth = tokenizer.reconstruct(batch.source), tokenizer.reconstruct(batch.target)
        success = [edit_success(before, runner.run(replace(batch, texts=[s.edit.text for s in asked])), truth, kind).float().mean().item()
                   for asked in (samples, held_out)]
        result[kind] = {'trained': success[0], 'held out': success[1]}
    means = [sum(row[name] for row in result.values()) / len(result) for name in ('trained', 'held out')]
    return {**result, 'held out, as part of trained': {'mean': means[1] / max(means[0], 1e-6)}}


def measure_operators(runner: Runner, count: int) -> dict:
    """Success of each photometric instruction on scenes."""
    tokenizer, result = runner.pack.tokenizer, {}
    for i, operator in enumerate(PHOTOMETRIC):
        dice = Dice(HELD_OUT + 700 + i)
        scenes = [random_scene(dice) for _ in range(count)]
        samples = [SceneSample('edit', scene, Edit('photo', scene, TRAINED[operator][0], operator)) for scene in scenes]
        batch = scene_batch(dice, samples, runner.size)
        before, truth = tokenizer.reconstruct(batch.source), tokenizer.reconstruct(batch.target)
        result[operator] = {'success': edit_success(before, runner.run(batch), truth, 'photo').float().mean().item()}
    return result


def _hole_scores(runner: Runner, batch: Batch) -> tuple[dict, Tensor, Tensor]:
    """By filler: PSNR and SSIM in the hole, texture relative to the truth's, step across the hole's border."""
    mask, pasted = batch.mask, batch.source * (1 - batch.mask)
    mean = pasted.sum((2, 3), keepdim=True) / (1 - mask).sum((2, 3), keepdim=True)
    fillings = {'model': runner.run(batch, keep_outside=True), 'mean fill': mean.expand_as(batch.target)}
    for name, method in (('Telea', cv2.INPAINT_TELEA), ('Navier-Stokes', cv2.INPAINT_NS)):
        fillings[name] = torch.stack([inpainted(source, hole, method) for source, hole in zip(batch.source, mask)])
    pictures = {name: filling * mask + pasted for name, filling in fillings.items()}
    scores = {name: {'PSNR dB': psnr(picture, batch.target, mask), 'SSIM': ssim(picture, batch.target, mask),
                     'texture': texture(picture, batch.target, mask), 'seam step': seam_step(picture, mask)}
              for name, picture in pictures.items()}
    scores['truth'] = {'seam step': seam_step(batch.target, mask)}
    return scores, pictures['model'], pictures['Telea']


def _square_holes(count: int, side: int, dice: Dice, size: int) -> Tensor:
    masks = torch.zeros(count, 1, size, size)
    for mask in masks[:, 0]:
        x, y = dice.randrange(size - side), dice.randrange(size - side)
        mask[y:y + side, x:x + side] = 1
    return masks


def measure_fill(runner: Runner, photographs: Tensor | None, count: int) -> tuple[dict, list]:
    dice = Dice(HELD_OUT + 300)
    batch = scene_batch(dice, sample_scenes(dice, count, 'fill'), runner.size)
    scores, filled, telea = _hole_scores(runner, batch)
    rows = [([batch.source[i], batch.target[i], filled[i], telea[i]], batch.texts[i]) for i in range(min(8, count))]
    result = {'scenes': scores}
    if photographs is not None:
        target = _photographs(photographs, len(photographs), runner.size)
        holes = {'photographs': random_holes(len(target), runner.size, Dice(HELD_OUT + 301), scratch_share=.25),
                 'photographs, squares of a third of the side': _square_holes(len(target), 40 * runner.size // 128, Dice(HELD_OUT + 302), runner.size)}
        for name, mask in holes.items():
            result[name] = _hole_scores(runner, _photograph_batch(target * (1 - mask) + GREY * mask, target, 'fill the empty area', mask))[0]
    return result, rows


def _photograph_batch(source: Tensor, target: Tensor, text: str, mask: Tensor | None = None) -> Batch:
    empty = torch.zeros_like(source[:, :1])
    texts = [text] * len(source)
    return Batch(source, target, empty if mask is None else mask, empty.expand(-1, 4, -1, -1),
                 torch.tensor([word_ids(text) for text in texts]), texts)


def measure_photometric(runner: Runner, photographs: Tensor) -> dict:
    tokenizer, result = runner.pack.tokenizer, {}
    pictures = _photographs(photographs, len(photographs), runner.size)
    before = tokenizer.reconstruct(pictures)
    for name in PHOTO_OPERATORS:
        target = torch.cat([edited(name, picture[None]) for picture in pictures])
        text = TRAINED[name][0]
        after = runner.run(_photograph_batch(pictures, target, text))
        carried = transfer(pictures, before, after).picture
        result[text] = {'carried PSNR dB': psnr(carried, target), 'decoded PSNR dB': psnr(after, target), 'unedited PSNR dB': psnr(pictures, target)}
    return result


def measure_control(runner: Runner, count: int) -> tuple[dict, list]:
    result, rows = {}, []
    for i, task in enumerate(['canny', 'depth']):
        dice = Dice(HELD_OUT + 400 + i)
        batch = scene_batch(dice, sample_scenes(dice, count, task), runner.size)
        pictures = {'no control': runner.run(replace(batch, control=torch.zeros_like(batch.control)))}
        pictures |= {f'strength {strength:g}': runner.run(batch, strength=strength) for strength in STRENGTHS}
        limit = {'tokenizer limit': runner.pack.tokenizer.reconstruct(batch.target)}
        score = (lambda x: edge_f1(x, batch.control[:, :1])) if task == 'canny' else (lambda x: _depth_error(runner, x, batch.disparity))
        result[f'{task} {"F1" if task == "canny" else "RMSE"}'] = {name: score(picture) for name, picture in {**pictures, **limit}.items()}
        channel = 0 if task == 'canny' else 2
        rows += [([batch.control[j, channel:channel + 1], batch.target[j], *(picture[j] for picture in pictures.values())], batch.texts[j])
                 for j in range(min(4, count))]
    return result, rows


def _depth_error(runner: Runner, picture: Tensor, disparity: Tensor) -> float:
    return ((runner.pack.depth(picture) - disparity) ** 2).mean((1, 2, 3)).sqrt().mean().item()


def _photographs(photographs: Tensor, count: int, size: int) -> Tensor:
    return F.interpolate(photographs[:count].float() / 255, size=(size, size), mode='area')


def sheet(rows: list, heads: list[str], path: Path) -> None:
    """One row of pictures per case under its text, two cases side by side; all pictures as large as the first."""
    side, columns = rows[0][0][0].shape[-1] + 2, len(heads)
    image = Image.new('RGB', (2 * columns * side + 10, (len(rows) + 1) // 2 * (side + 14) + 14), 'white')
    draw = ImageDraw.Draw(image)
    for i, (pictures, text) in enumerate(rows):
        x, y = (i % 2) * (columns * side + 10), i // 2 * (side + 14) + 14
        draw.text((x + 2, y), text[:80], fill='black')
        for j, picture in enumerate(pictures):
            image.paste(Image.fromarray(eight_bit(picture.expand(3, -1, -1))), (x + j * side, y + 13))
    for half in range(2):
        for j, head in enumerate(heads):
            draw.text((half * (columns * side + 10) + j * side + 2, 1), head, fill=(180, 0, 0))
    image.save(path, quality=90)


class HeldOut(NamedTuple):
    """Photographs (N, 3, S, S) of bytes, things to set onto them, and a folder for sheets that show them: it is outside
    the repository, as they are."""
    photographs: Tensor
    cutouts: Cutouts | None
    folder: Path


def measure(folder: Path, held_out: HeldOut | None, count: int, sheets: Path | None) -> dict:
    runner, photographs = Runner(load_pack(folder)), held_out and held_out.photographs
    edits, edit_rows = measure_edits(runner, count)
    fill, fill_rows = measure_fill(runner, photographs, count)
    control, control_rows = measure_control(runner, count)
    if sheets:
        sheets.mkdir(parents=True, exist_ok=True)
        sheet(edit_rows, ['source', 'truth', 'decoded', 'carried'], sheets / 'edits.jpg')
        sheet(fill_rows, ['source', 'truth', 'filled', 'Telea'], sheets / 'fill.jpg')
        sheet(control_rows, ['control', 'truth', 'no control', *(f'strength {strength:g}' for strength in STRENGTHS)], sheets / 'control.jpg')
    result = {'tokenizer': measure_tokenizer(runner, photographs, 96), 'edits on scenes': edits,
              'photometric instructions on scenes': measure_operators(runner, count),
              'wording': measure_paraphrases(runner, count), 'one of two alike': measure_twins(runner, count),
              'depth presets': measure_presets(runner, count), 'fill': fill, 'control': control}
    if photographs is not None:
        composites, composite_rows = measure_composites(runner, Composer(photographs, held_out.cutouts, runner.size), count)
        sheet(composite_rows, ['source', 'truth', 'decoded'], held_out.folder / f'composites-{folder.name}.jpg')
        result['things on photographs'] = composites
        result['instructions on photographs'] = measure_photometric(runner, photographs)
    return result


def _flat(tree: dict, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], float | None]]:
    pairs = []
    for key, value in tree.items():
        pairs += _flat(value, (*path, key)) if isinstance(value, dict) else [((*path, key), value)]
    return pairs


def write_evaluation(folder: Path, results: dict) -> None:
    (folder / RESULTS).write_text(json.dumps(results, indent=1) + '\n')
    (folder / 'EVALUATION.md').write_text(report(results))


def report(results: dict) -> str:
    counts = next(iter(results.values()))['counts']
    lines = ['# Evaluation', '', f'Made by `models/training/evaluate.py`: {counts["scenes"]} held-out scenes per row (seeds that training never draws), '
             f'{counts["photographs"]} held-out photographs. Higher is better but for errors (RMSE, Lab); '
             'PyTorch, arg-max, no guidance but that by a control map. *Carried* is what the map per window of `transfer.py` makes of the photograph; the program '
             'carries colour and light by simpler maps, and a thing\'s colour by its own (*in the program*, by `evaluate_colour.py`, 50 photographs and the scenes). '
             'Times per preset stand in `test/bench/RESULTS.md`.', '']
    names = list(results)
    flat = {name: dict(_flat({key: rows for key, rows in results[name].items() if key != 'counts'})) for name in names}
    if len(names) > 1:
        lines += ['## Targets', '', *target_rows(results[names[0]], results[names[1]]), '']
    section = None
    for path in flat[names[0]]:
        if path[0] != section:
            section = path[0]
            lines += ['', f'## {section[0].upper()}{section[1:]}', '', f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
        values = [flat[name].get(path) for name in names]
        lines.append(f"| {', '.join(path[1:])} | {' | '.join('–' if value is None else f'{value:.3g}' for value in values)} |")
    lines += ['', '## Pictures', 'Rendered scenes only, failures among them.', '', '![edits](sheets/edits.jpg)', '', '![fill](sheets/fill.jpg)', '',
              '![control](sheets/control.jpg)', '']
    return '\n'.join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('pack', type=Path)
    parser.add_argument('--baseline', type=Path, help='another pack, shown beside it')
    parser.add_argument('--photographs', type=Path)
    parser.add_argument('--count', type=int, default=60, help='scenes per row')
    parser.add_argument('--photograph-count', type=int, default=100)
    parser.add_argument('--threads', type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    held_out = None
    if arguments.photographs:
        pictures = load_photographs(arguments.photographs, validation=True)[:arguments.photograph_count]
        cutouts = Cutouts.load(arguments.photographs)
        held_out = HeldOut(pictures, cutouts and cutouts._replace(grounds=torch.arange(len(pictures))), arguments.photographs)
    results = {arguments.pack.name: measure(arguments.pack, held_out, arguments.count, arguments.pack / 'sheets')}
    if arguments.baseline:
        results[arguments.baseline.name] = measure(arguments.baseline, held_out, arguments.count, None)
    for result in results.values():
        result['counts'] = {'scenes': arguments.count, 'photographs': arguments.photograph_count}
    write_evaluation(arguments.pack, results)


if __name__ == '__main__':
    main()
