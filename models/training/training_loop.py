"""The loop that every training shares: data made ahead of the step by a second process, half precision, schedule,
moving average, log and a checkpoint that a later call goes on from.

Batch ``n`` is drawn from the seed and ``n`` alone, so a resumed run sees the data that an uninterrupted one would have.
"""
import argparse
import copy
import csv
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from checkpoints import read_checkpoint, save_checkpoint
from dice import Dice
from step_profile import report

SAVE_EVERY_SECONDS = 60
#: Batches that wait, ready, for each data process.
AHEAD = 4
WARM_UP_STEPS = 100
#: The learning rate falls in a line to this part of its peak at the end of the budget.
LAST_RATE = .02
CLIP_NORM = 1.
#: The moving average forgets the start quickly, then looks back over about 500 steps.
AVERAGE_DECAY, AVERAGE_WARM_UP = .998, 20.


class Task(Protocol):
    """What one network brings to the loop; a batch is a NamedTuple or dataclass of tensors with a method ``to``."""
    betas: tuple[float, float]
    weight_decay: float

    def model(self, config: dict[str, Any] | None) -> nn.Module:
        """The network: of a checkpoint's configuration, or as the training begins it."""

    def draw(self, number: int) -> Any:
        """Batch ``number``, made in a data process on the CPU."""

    def loss(self, model: nn.Module, batch: Any, dice: Dice) -> Tensor:
        """A scalar, run under autocast."""

    def scores(self, average: nn.Module) -> list[float]:
        """What the log says of the moving average."""


class _Batches(Dataset):
    def __init__(self, task: Task):
        self._task = task

    def __getitem__(self, number: int) -> Any:
        return self._task.draw(number)


def dice_of(options: argparse.Namespace, number: int) -> Dice:
    """The chance that batch ``number`` of this run is drawn with."""
    return Dice(f'{options.seed} {number}')


def batches(task: Task, first: int, workers: int) -> Iterator[Any]:
    """Batches ``first``, ``first + 1`` … in order; each data process keeps a few ready, and waits when nobody takes them."""
    ahead = dict(prefetch_factor=AHEAD, persistent_workers=True) if workers else {}
    return iter(DataLoader(_Batches(task), batch_size=None, sampler=itertools.count(first), num_workers=workers, **ahead))


def options_of(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('out', type=Path)
    parser.add_argument('--minutes', type=float, default=30, help='of the whole training')
    parser.add_argument('--piece', type=float, default=float('inf'), help='minutes of this call; a later one goes on')
    parser.add_argument('--batch', type=int, default=8)
    parser.add_argument('--lr', type=float, default=2e-3)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--workers', type=int, default=1, help='processes that make data; 0: the step makes its own')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--bf16', action=argparse.BooleanOptionalAction, default=has_bfloat16(), help='default: where the processor multiplies it')
    parser.add_argument('--validation', type=int, default=48, help='held-out pictures that the log is about')
    parser.add_argument('--profile', type=int, default=0, metavar='STEPS', help='measure so many steps, keep nothing')
    return parser


def has_bfloat16() -> bool:
    """AVX-512 BF16 (AMD, Intel), AMX, or a graphics card."""
    return torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


class Training:
    """A network on its way: weights, moving average, optimiser and how far it came."""

    def __init__(self, task: Task, options: argparse.Namespace):
        torch.set_num_threads(options.threads)
        self.task, self.options = task, options
        checkpoint = read_checkpoint(options.out)
        model = task.model(checkpoint['config'] if checkpoint else None)
        self.model = model.to(options.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        trained = [weight for weight in self.model.parameters() if weight.requires_grad]
        self.optimiser = torch.optim.AdamW(trained, lr=options.lr, betas=task.betas, weight_decay=task.weight_decay, fused=True)
        self.step, self.spent = 0, 0.
        if checkpoint:
            self._resume(checkpoint)
        torch.manual_seed(options.seed + self.step)

    def _resume(self, checkpoint: dict[str, Any]) -> None:
        self.model.load_state_dict(checkpoint['model'])
        self.average.load_state_dict(checkpoint['ema'])
        self.step, self.spent = checkpoint['step'], checkpoint['spent']
        if 'optimiser' in checkpoint:
            self.optimiser.load_state_dict(checkpoint['optimiser'])

    @property
    def is_over(self) -> bool:
        return self.spent >= self.options.minutes * 60

    def learning_rate(self) -> float:
        remaining = 1 - self.spent / (self.options.minutes * 60)
        return self.options.lr * min(1., (self.step + 1) / WARM_UP_STEPS) * max(LAST_RATE, remaining)

    def take(self, batch: Any) -> float:
        """One step; returns its loss."""
        options = self.options
        for group in self.optimiser.param_groups:
            group['lr'] = self.learning_rate()
        with torch.autocast(torch.device(options.device).type, torch.bfloat16, enabled=options.bf16):
            loss = self.task.loss(self.model, batch.to(options.device), dice_of(options, -1 - self.step))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
        self.optimiser.step()
        self.step += 1
        keep = min(AVERAGE_DECAY, self.step / (self.step + AVERAGE_WARM_UP))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - keep)
        return loss.item()

    def save(self) -> None:
        """A checkpoint, and a line of the log: step, minutes, scores."""
        out = self.options.out
        save_checkpoint(out, self.model, self.average, optimiser=self.optimiser.state_dict(), step=self.step, spent=self.spent)
        with torch.no_grad():
            scores = self.task.scores(self.average.eval())
        with out.with_suffix('.csv').open('a', newline='') as file:
            csv.writer(file).writerow([self.step, round(self.spent / 60, 2), *(round(score, 4) for score in scores)])


def fit(task: Task, options: argparse.Namespace) -> bool:
    """Trains until the budget or this call's piece of it is spent; True where the training is over."""
    training = Training(task, options)
    if options.profile:
        print(report(training.take, batches(task, training.step, options.workers), options.profile, options.batch), flush=True)
        return False
    if training.is_over:
        return True
    began, stop = training.spent, training.spent + options.piece * 60
    saved = last = time.time()
    first, waited = training.step, 0.
    for batch in batches(task, training.step, options.workers):
        waited += time.time() - last
        training.take(batch)
        training.spent, last = training.spent + time.time() - last, time.time()
        is_last = training.is_over or training.spent >= stop
        if is_last or time.time() - saved > SAVE_EVERY_SECONDS:
            training.save()
            saved = last = time.time()
        if is_last:
            break
    seconds = training.spent - began
    print(f'{options.out.name}: {training.step - first} steps, {(training.step - first) * options.batch / seconds:.1f} samples/s, '
          f'{waited / seconds:.0%} of the time waiting for data', flush=True)
    return training.is_over
