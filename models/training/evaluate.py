"""Measures a pack on held-out scenes and photographs; writes EVALUATION.md, evaluation.json and contact sheets.

python3 evaluate.py PACK_DIR [--baseline OTHER_PACK_DIR] [--photographs DIR] [--count 32]

Held out: scene seeds that training never draws, and photographs on the validation side of the split by picture.
An edit succeeds where the mean error in the region that should change is below half of the unedited picture's, and, for
edits of objects, the changed areas overlap by more than 0.4. Both are judged between decoded pictures, because the
tokenizer's blur would otherwise decide.
"""
import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from dice import Dice
from generate import Settings, Trace, generate
from pack import Pack, load_pack
from photographs import load as load_photographs
from photographs import edited
from pixels import canny, dilate, gaussian, random_holes
from samples import GREY, Batch, sample_scenes, scene_batch, tokenizer_pictures
from scenes import GLOBAL_EDITS
from transfer import transfer
from vocabulary import PHOTOMETRIC_TEXTS, TIME_TEXTS, word_ids

EDIT_KINDS = ['recolor', 'remove', 'add', 'ground', 'time', 'photo']
PHOTO_OPERATORS = ['warmer', 'cooler', 'bw', 'sepia', 'brighter', 'darker', 'contrast', 'saturate', 'invert', 'fog', 'night']
#: Seeds that training never draws: it counts up from small ones.
HELD_OUT = 9_000_000


def psnr(a: Tensor, b: Tensor, weight: Tensor | None = None) -> float:
    """dB, averaged over pictures; with a weight (B, 1, H, W) only where it is 1."""
    squared = ((a - b) ** 2).mean(1, keepdim=True)
    weight = torch.ones_like(squared) if weight is None else weight
    mean = (squared * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp(min=1)
    return (-10 * torch.log10(mean.clamp(min=1e-8))).mean().item()


def ssim(a: Tensor, b: Tensor) -> float:
    mean_a, mean_b = gaussian(a, 1.5), gaussian(b, 1.5)
    var_a, var_b = gaussian(a * a, 1.5) - mean_a ** 2, gaussian(b * b, 1.5) - mean_b ** 2
    covariance = gaussian(a * b, 1.5) - mean_a * mean_b
    top = (2 * mean_a * mean_b + 1e-4) * (2 * covariance + 9e-4)
    return (top / ((mean_a ** 2 + mean_b ** 2 + 1e-4) * (var_a + var_b + 9e-4))).mean().item()


class Runner:
    """One pack, asked as the product asks it."""

    def __init__(self, pack: Pack):
        self.pack = pack

    @torch.no_grad()
    def run(self, batch: Batch, trace: Trace | None = None, **settings) -> Tensor:
        tokenizer = self.pack.tokenizer
        mask = F.adaptive_avg_pool2d(batch.mask, tokenizer.grid)
        features = tokenizer.encoder(batch.source)
        total = generate(self.pack.transformer, tokenizer.quantiser, batch.words, features, mask, batch.control,
                         Settings(**settings), trace)
        return tokenizer.decoder(total).clamp(0, 1)


def edit_success(before: Tensor, after: Tensor, truth: Tensor, kind: str) -> Tensor:
    """(B,) bool; all three decoded."""
    changed = ((truth - before).abs().amax(1, keepdim=True) > .06).float()

    def error(a: Tensor) -> Tensor:
        return ((a - truth).abs().mean(1, keepdim=True) * changed).sum((1, 2, 3))

    ratio = error(after) / error(before).clamp(min=1e-4)
    mine = ((after - before).abs().amax(1) > .12).float()
    true = ((truth - before).abs().amax(1) > .12).float()
    overlap = (mine * true).sum((1, 2)) / torch.maximum(mine, true).sum((1, 2)).clamp(min=1)
    return (ratio < .5) & ((overlap > .4) | (kind in GLOBAL_EDITS))


def edited_area(trace: Trace, side: int, size: int = 128) -> Tensor:
    """(B, 1, S, S): where the product touches the source. The edit map of the finest scale widened by one token; all of
    the picture where most tokens were edited (light, colour)."""
    edited_tokens = (trace.gates[-1] < 0).float().view(-1, 1, side, side)
    is_global = (edited_tokens.mean((1, 2, 3), keepdim=True) >= .6).float()
    area = F.interpolate(dilate(edited_tokens, 1), size=(size, size), mode='bilinear', align_corners=False)
    return torch.maximum(area, is_global)


def measure_tokenizer(runner: Runner, photographs: Tensor | None, count: int) -> dict:
    scenes = tokenizer_pictures(Dice(HELD_OUT), count)[:count * 2 // 3]
    result = {'scenes PSNR dB': psnr(runner.pack.tokenizer.reconstruct(scenes), scenes),
              'scenes SSIM': ssim(runner.pack.tokenizer.reconstruct(scenes), scenes)}
    if photographs is not None:
        pictures = _photographs(photographs, 100)
        restored = runner.pack.tokenizer.reconstruct(pictures)
        result |= {'photographs PSNR dB': psnr(restored, pictures), 'photographs SSIM': ssim(restored, pictures)}
    return result


def measure_edits(runner: Runner, count: int) -> tuple[dict, list]:
    tokenizer, result, rows = runner.pack.tokenizer, {}, []
    for i, kind in enumerate(EDIT_KINDS):
        dice = Dice(HELD_OUT + 100 + i)
        batch = scene_batch(dice, sample_scenes(dice, count, 'edit', kind))
        trace = Trace()
        after, before, truth = runner.run(batch, trace), tokenizer.reconstruct(batch.source), tokenizer.reconstruct(batch.target)
        good = edit_success(before, after, truth, kind)
        touched = edited_area(trace, runner.pack.transformer.finest)
        carried = batch.source + touched * (transfer(batch.source, before, after).picture - batch.source)
        far = 1 - dilate(((batch.target - batch.source).abs().amax(1, keepdim=True) > .06).float(), 3)
        has_outside = far.mean((1, 2, 3)) > .05
        outside = psnr(carried[has_outside], batch.source[has_outside], far[has_outside]) if has_outside.any() else None
        result[kind] = {'success': good.float().mean().item(), 'PSNR dB': psnr(carried, batch.target),
                        'unedited PSNR dB': psnr(batch.source, batch.target), 'outside PSNR dB': outside}
        order = [*torch.nonzero(good).flatten().tolist()[:2], *torch.nonzero(~good).flatten().tolist()[:1]]
        rows += [([batch.source[j], batch.target[j], after[j], carried[j]], f"{'ok' if good[j] else 'FAILED'}: {batch.texts[j]}")
                 for j in order]
    return result, rows


def measure_presets(runner: Runner, count: int) -> dict:
    """Success only: how long a preset takes is the engine's matter and stands in test/bench/RESULTS.md."""
    tokenizer, result = runner.pack.tokenizer, {}
    for name, layers in runner.pack.card['presets'].items():
        successes = []
        for i, kind in enumerate(['recolor', 'remove', 'ground', 'photo']):
            dice = Dice(HELD_OUT + 200 + i)
            batch = scene_batch(dice, sample_scenes(dice, count // 2, 'edit', kind))
            after = runner.run(batch, preset=layers)
            successes.append(edit_success(tokenizer.reconstruct(batch.source), after, tokenizer.reconstruct(batch.target), kind))
        result[name] = {'layers': layers, 'success': torch.cat(successes).float().mean().item()}
    return result


def _hole_scores(runner: Runner, batch: Batch) -> tuple[dict, Tensor, Tensor]:
    mask = batch.mask
    filled = runner.run(batch, keep_outside=True)
    mean = (batch.source * (1 - mask)).sum((2, 3), keepdim=True) / (1 - mask).sum((2, 3), keepdim=True)
    telea = torch.stack([_telea(source, hole) for source, hole in zip(batch.source, mask)])
    scores = {'model PSNR dB': psnr(filled, batch.target, mask), 'mean fill PSNR dB': psnr(mean.expand_as(filled), batch.target, mask),
              'Telea PSNR dB': psnr(telea, batch.target, mask)}
    return scores, filled * mask + batch.source * (1 - mask), telea


def _telea(source: Tensor, hole: Tensor) -> Tensor:
    picture = (source.permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    filled = cv2.inpaint(picture, (hole[0].numpy() * 255).astype(np.uint8), 3, cv2.INPAINT_TELEA)
    return torch.from_numpy(filled).permute(2, 0, 1).float() / 255


def measure_fill(runner: Runner, photographs: Tensor | None, count: int) -> tuple[dict, list]:
    dice = Dice(HELD_OUT + 300)
    batch = scene_batch(dice, sample_scenes(dice, count, 'fill'))
    scores, filled, telea = _hole_scores(runner, batch)
    rows = [([batch.source[i], batch.target[i], filled[i], telea[i]], batch.texts[i]) for i in range(8)]
    result = {'scenes': scores}
    if photographs is not None:
        target = _photographs(photographs, 100)
        mask = random_holes(100, 128, Dice(HELD_OUT + 301), scratch_share=.25)
        words = torch.tensor([word_ids('fill the empty area')] * 100)
        holes = Batch(target * (1 - mask) + GREY * mask, target, mask, torch.zeros(100, 4, 128, 128), words, [])
        result['photographs'] = _hole_scores(runner, holes)[0]
    return result, rows


def measure_photometric(runner: Runner, photographs: Tensor) -> dict:
    tokenizer, result = runner.pack.tokenizer, {}
    pictures = _photographs(photographs, 50)
    before = tokenizer.reconstruct(pictures)
    for name in PHOTO_OPERATORS:
        target = torch.cat([edited(name, picture[None]) for picture in pictures])
        text = (PHOTOMETRIC_TEXTS.get(name) or TIME_TEXTS[name])[0]
        words = torch.tensor([word_ids(text)] * len(pictures))
        zeros = torch.zeros_like(pictures[:, :1])
        after = runner.run(Batch(pictures, target, zeros, zeros.expand(-1, 4, -1, -1), words, []))
        carried = transfer(pictures, before, after).picture
        result[text] = {'carried PSNR dB': psnr(carried, target), 'decoded PSNR dB': psnr(after, target), 'unedited PSNR dB': psnr(pictures, target)}
    return result


def measure_control(runner: Runner, count: int) -> tuple[dict, list]:
    result, rows = {}, []
    for i, task in enumerate(['canny', 'depth']):
        dice = Dice(HELD_OUT + 400 + i)
        batch = scene_batch(dice, sample_scenes(dice, count, task))
        free = Batch(batch.source, batch.target, batch.mask, torch.zeros_like(batch.control), batch.words, batch.texts)
        pictures = {'strength 1': runner.run(batch), 'strength 0.5': runner.run(batch, strength=.5), 'no control': runner.run(free),
                    'tokenizer limit': runner.pack.tokenizer.reconstruct(batch.target)}
        score = (lambda x: _edge_f1(x, batch.control[:, :1])) if task == 'canny' else (lambda x: _depth_error(runner, x, batch.disparity))
        result[f'{task} {"F1" if task == "canny" else "RMSE"}'] = {name: score(picture) for name, picture in pictures.items()}
        channel = 0 if task == 'canny' else 2
        rows += [([batch.control[j, channel:channel + 1], batch.target[j], pictures['strength 1'][j], pictures['no control'][j]], batch.texts[j])
                 for j in range(4)]
    return result, rows


def _edge_f1(picture: Tensor, wanted: Tensor) -> float:
    edges = canny(picture)
    precision = (edges * dilate(wanted, 1)).sum((1, 2, 3)) / edges.sum((1, 2, 3)).clamp(min=1)
    recall = (wanted * dilate(edges, 1)).sum((1, 2, 3)) / wanted.sum((1, 2, 3)).clamp(min=1)
    return (2 * precision * recall / (precision + recall).clamp(min=1e-6)).mean().item()


def _depth_error(runner: Runner, picture: Tensor, disparity: Tensor) -> float:
    return ((runner.pack.depth(picture) - disparity) ** 2).mean((1, 2, 3)).sqrt().mean().item()


def _photographs(photographs: Tensor, count: int) -> Tensor:
    return F.interpolate(photographs[:count].float() / 255, size=(128, 128), mode='area')


def sheet(rows: list, heads: list[str], path: Path) -> None:
    """One row of pictures per case under its text, two cases side by side."""
    side, columns = 130, len(heads)
    image = Image.new('RGB', (2 * columns * side + 10, (len(rows) + 1) // 2 * (side + 14) + 14), 'white')
    draw = ImageDraw.Draw(image)
    for i, (pictures, text) in enumerate(rows):
        x, y = (i % 2) * (columns * side + 10), i // 2 * (side + 14) + 14
        draw.text((x + 2, y), text[:80], fill='black')
        for j, picture in enumerate(pictures):
            array = (picture.clamp(0, 1).expand(3, -1, -1).permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
            image.paste(Image.fromarray(array), (x + j * side, y + 13))
    for half in range(2):
        for j, head in enumerate(heads):
            draw.text((half * (columns * side + 10) + j * side + 2, 1), head, fill=(180, 0, 0))
    image.save(path, optimize=True)


def measure(folder: Path, photographs: Tensor | None, count: int, sheets: Path | None) -> dict:
    runner = Runner(load_pack(folder))
    edits, edit_rows = measure_edits(runner, count)
    fill, fill_rows = measure_fill(runner, photographs, count)
    control, control_rows = measure_control(runner, count)
    if sheets:
        sheets.mkdir(parents=True, exist_ok=True)
        sheet(edit_rows, ['source', 'truth', 'decoded', 'carried'], sheets / 'edits.png')
        sheet(fill_rows, ['source', 'truth', 'filled', 'Telea'], sheets / 'fill.png')
        sheet(control_rows, ['control', 'truth', 'held', 'no control'], sheets / 'control.png')
    result = {'tokenizer': measure_tokenizer(runner, photographs, 96), 'edits on scenes': edits,
              'depth presets': measure_presets(runner, count), 'fill': fill, 'control': control}
    if photographs is not None:
        result['instructions on photographs'] = measure_photometric(runner, photographs)
    return result


def _flat(tree: dict, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], float | None]]:
    pairs = []
    for key, value in tree.items():
        pairs += _flat(value, (*path, key)) if isinstance(value, dict) else [((*path, key), value)]
    return pairs


def report(results: dict, count: int) -> str:
    lines = ['# Evaluation', '', f'Made by `models/training/evaluate.py`: {count} held-out scenes per row (seeds that training never draws), 100 '
             'held-out photographs (50 for instructions). Higher is better but for errors (RMSE); '
             'PyTorch, arg-max, no guidance. Times per preset stand in `test/bench/RESULTS.md`.', '']
    names = list(results)
    flat = {name: dict(_flat(results[name])) for name in names}
    section = None
    for path in flat[names[0]]:
        if path[0] != section:
            section = path[0]
            lines += ['', f'## {section[0].upper()}{section[1:]}', '', f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
        values = [flat[name].get(path) for name in names]
        lines.append(f"| {', '.join(path[1:])} | {' | '.join('–' if value is None else f'{value:.3g}' for value in values)} |")
    lines += ['', '## Pictures', 'Rendered scenes only, failures among them.', '', '![edits](sheets/edits.png)', '', '![fill](sheets/fill.png)', '',
              '![control](sheets/control.png)', '']
    return '\n'.join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('pack', type=Path)
    parser.add_argument('--baseline', type=Path, help='another pack, shown as "first checkpoint"')
    parser.add_argument('--photographs', type=Path)
    parser.add_argument('--count', type=int, default=34)
    parser.add_argument('--threads', type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    photographs = load_photographs(arguments.photographs, validation=True) if arguments.photographs else None
    results = {'this pack': measure(arguments.pack, photographs, arguments.count, arguments.pack / 'sheets')}
    if arguments.baseline:
        results['first checkpoint'] = measure(arguments.baseline, photographs, arguments.count, None)
    (arguments.pack / 'evaluation.json').write_text(json.dumps(results, indent=1) + '\n')
    (arguments.pack / 'EVALUATION.md').write_text(report(results, arguments.count))


if __name__ == '__main__':
    main()
