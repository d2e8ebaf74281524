"""Trains the editing transformer on a frozen tokenizer.

python3 train_transformer.py OUT.pt --tokenizer TOKENIZER.pt [--photographs DIR] [--init OTHER.pt] --minutes 60

Resumes from OUT.pt where it exists. The loss is the binary cross-entropy of every bit, weighted towards coarse scales
and changed tokens, plus the edit map as an auxiliary task of the copy gate. Random bit flips with re-quantisation
(Infinity's self-correction) and random late depth (VARiant's joint training) are part of every run.
"""
import argparse
import copy
import csv
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from checkpoints import read_checkpoint, save_checkpoint
from dice import Dice
from pack import load_checkpoint
from photographs import load as load_photographs
from photographs import photograph_batch
from samples import Batch, sample_scenes, scene_batch
from tokenizer import CELLS_PER_TOKEN_SIDE, Tokenizer
from transformer import EditTransformer, TeacherInputs, patchify
from vocabulary import ADDED_WORDS, VOCABULARY

#: A pixel that differs by more than this was edited.
CHANGED = .06
FLIP_RATE, DROP_RATE = .2, .1
#: Extra weight of tokens that the edit changes, and weight of the edit map.
CHANGED_WEIGHT, EDIT_MAP_WEIGHT = 3., .3


class Encoded:
    """What a step needs of a batch: features, masks, words, control and which cells the edit changes."""

    @torch.no_grad()
    def __init__(self, tokenizer: Tokenizer, batch: Batch):
        grid, device = tokenizer.grid, next(tokenizer.parameters()).device
        batch = batch.to(device)
        self.source, self.target = tokenizer.encoder(batch.source), tokenizer.encoder(batch.target)
        self.mask = F.adaptive_avg_pool2d(batch.mask, grid)
        differs = ((batch.target - batch.source).abs().amax(1, keepdim=True) > CHANGED).float()
        self.changed = torch.maximum(F.adaptive_max_pool2d(differs, grid), (self.mask > .02).float())
        self.words, self.control = batch.words, batch.control

    def dropped(self, rate: float) -> tuple[Tensor, Tensor]:
        """Words and control, each left out of a part of the rows: what guidance and an absent control need."""
        rows = len(self.words)
        words = self.words * (torch.rand(rows, 1, device=self.words.device) > rate).long()
        return words, self.control * (torch.rand(rows, 1, 1, 1, device=self.words.device) > rate).float()


def loss_of(model: EditTransformer, tokenizer: Tokenizer, encoded: Encoded, preset: int | None, train: bool) -> tuple[Tensor, float]:
    """The weighted loss, and the share of right bits among changed tokens."""
    words, control = encoded.dropped(DROP_RATE) if train else (encoded.words, encoded.control)
    teacher = TeacherInputs(tokenizer.quantiser, encoded.target, encoded.source, encoded.mask, FLIP_RATE if train else 0.)
    logits, gates = model(words, teacher, control, preset)
    scales = range(len(model.scales))
    cells = [patchify((tokenizer.quantiser.down(encoded.changed, k) > 0).float()).amax(-1) for k in scales]
    changed = torch.cat(cells, 1)  # (B, Σ side²)
    by_scale = torch.cat([torch.full((side * side,), model.finest / side, device=logits.device) for side in model.scales])
    weights = (by_scale * (1 + CHANGED_WEIGHT * changed)).unsqueeze(-1)
    bits = F.binary_cross_entropy_with_logits(logits.float(), teacher.bits, reduction='none')
    loss = (bits * weights).sum() / (weights.sum() * bits.shape[-1])
    edit_map = F.binary_cross_entropy_with_logits(gates.float(), 1 - changed, reduction='none')
    loss = loss + EDIT_MAP_WEIGHT * (edit_map * by_scale).sum() / (by_scale.sum() * len(changed))
    right = ((logits > 0).float() == teacher.bits).float().mean(-1)
    return loss, ((right * changed).sum() / changed.sum().clamp(min=1)).item()


def grown_vocabulary(checkpoint: dict) -> dict:
    """A checkpoint of an earlier, shorter vocabulary: added words start from the row of the word they mean."""
    table, grown = 'text_encoder.embedding.weight', len(VOCABULARY)
    known = checkpoint['config']['words']
    if known == grown:
        return checkpoint

    def widened(state: dict[str, Tensor]) -> dict[str, Tensor]:
        rows = state[table]
        mean = rows[2:].mean(0)
        added = [rows[VOCABULARY.index(ADDED_WORDS[word])] if ADDED_WORDS[word] else mean for word in VOCABULARY[known:]]
        return {**state, table: torch.cat([rows, torch.stack(added)])}

    return {**checkpoint, 'config': {**checkpoint['config'], 'words': grown}, 'model': widened(checkpoint['model']),
            'ema': widened(checkpoint['ema'])}


class Source:
    """Batches of scenes and photographs; encoded ones are used again, because encoding is a quarter of a step."""

    def __init__(self, tokenizer: Tokenizer, dice: Dice, options: argparse.Namespace):
        self.tokenizer, self.dice, self.options = tokenizer, dice, options
        self.photographs = load_photographs(options.photographs) if options.photographs else None
        self.size: int = tokenizer.config['size']
        self.stored: list[Encoded] = []

    def fresh(self) -> Encoded:
        share = self.options.photograph_share if self.photographs is not None else 0.
        photographs = int(self.options.batch * share + self.dice.random())
        batch = scene_batch(self.dice, sample_scenes(self.dice, self.options.batch - photographs), self.size)
        if photographs:
            batch = Batch.joined(photograph_batch(self.dice, self.photographs, photographs, self.size), batch)
        return Encoded(self.tokenizer, batch)

    def next(self) -> Encoded:
        if len(self.stored) < 4 or self.dice.chance(1 / self.options.replay):
            self.stored = [*self.stored[-200:], self.fresh()]
            return self.stored[-1]
        return self.dice.choice(self.stored)


def learning_rate(options: argparse.Namespace, spent: float, step: int) -> float:
    remaining = max(0., 1 - spent / (options.minutes * 60))
    return options.lr * min(1., (step + 1) / 60) * max(.03, remaining)


def _config(options: argparse.Namespace, tokenizer: Tokenizer) -> dict:
    token_bits = CELLS_PER_TOKEN_SIDE ** 2 * tokenizer.config['code_bits']
    return dict(words=len(VOCABULARY), token_bits=token_bits, scales=tokenizer.scales, width=options.width, depth=options.depth,
                heads=options.heads)


def train(options: argparse.Namespace) -> None:
    torch.set_num_threads(options.threads)
    tokenizer = load_checkpoint(options.tokenizer, Tokenizer).to(options.device)
    checkpoint = read_checkpoint(options.out) or read_checkpoint(options.init)
    checkpoint = checkpoint and grown_vocabulary(checkpoint)
    model = EditTransformer(**(checkpoint['config'] if checkpoint else _config(options, tokenizer)))
    average = copy.deepcopy(model)
    if checkpoint:
        model.load_state_dict(checkpoint['model'])
        average.load_state_dict(checkpoint['ema'])
    else:
        model.residual_scale.copy_((tokenizer.quantiser.code_bits ** .5 / tokenizer.quantiser.gains()).cpu())
    model, average = model.to(options.device), average.to(options.device)
    resumed = options.out.exists()
    step, spent = (checkpoint['step'], checkpoint['spent']) if resumed else (0, 0.)
    optimiser = torch.optim.AdamW(model.parameters(), lr=options.lr, betas=(.9, .97), weight_decay=.02)
    if resumed:
        optimiser.load_state_dict(checkpoint['optimiser'])
    torch.manual_seed(options.seed + step)
    source = Source(tokenizer, Dice(options.seed + step), options)
    validation = Encoded(tokenizer, scene_batch(Dice(77), sample_scenes(Dice(77), 48), source.size))
    last, saved = time.time(), time.time()

    def save() -> None:
        with torch.no_grad():
            loss, right = loss_of(average.eval(), tokenizer, validation, None, train=False)
        save_checkpoint(options.out, model, average, optimiser=optimiser.state_dict(), step=step, spent=spent)
        with options.out.with_suffix('.csv').open('a', newline='') as file:
            csv.writer(file).writerow([step, round(spent / 60, 2), round(loss.item(), 4), round(right, 4)])

    while spent < options.minutes * 60:
        for group in optimiser.param_groups:
            group['lr'] = learning_rate(options, spent, step)
        preset = None if random.random() < .5 else random.choice([2, model.depth // 2, model.depth * 3 // 4])
        with torch.autocast(torch.device(options.device).type, torch.bfloat16, enabled=options.bf16):
            loss, _ = loss_of(model, tokenizer, source.next(), preset, train=True)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
        optimiser.step()
        step += 1
        with torch.no_grad():
            for mean, now in zip(average.parameters(), model.parameters()):
                mean.lerp_(now, 1 - min(.998, step / (step + 30.)) if not options.init else .002)
        spent, last = spent + time.time() - last, time.time()
        if time.time() - saved > 60:
            save()
            saved = time.time()
    save()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('out', type=Path)
    parser.add_argument('--tokenizer', type=Path, required=True)
    parser.add_argument('--init', type=Path)
    parser.add_argument('--photographs', type=Path)
    parser.add_argument('--photograph-share', type=float, default=.375)
    parser.add_argument('--minutes', type=float, default=60)
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--replay', type=float, default=1.5)
    parser.add_argument('--lr', type=float, default=6e-4)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--bf16', action='store_true')
    parser.add_argument('--width', type=int, default=128)
    parser.add_argument('--depth', type=int, default=6)
    parser.add_argument('--heads', type=int, default=4)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--seed', type=int, default=1)
    train(parser.parse_args())


if __name__ == '__main__':
    main()
