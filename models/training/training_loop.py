"""The loop that the convolutional networks share: schedule, moving average, log, resumable checkpoint."""
import argparse
import copy
import csv
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from checkpoints import read_checkpoint, save_checkpoint

SAVE_EVERY_SECONDS = 60


def options_of(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('out', type=Path)
    parser.add_argument('--minutes', type=float, default=30)
    parser.add_argument('--batch', type=int, default=8)
    parser.add_argument('--lr', type=float, default=2e-3)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--device', default='cpu')
    return parser


def fit(make: Callable[..., nn.Module], loss_of: Callable[[nn.Module, int], Tensor], score_of: Callable[[nn.Module], float],
        options: argparse.Namespace) -> None:
    """``loss_of(model, step)`` draws its own batch; ``score_of`` judges the moving average for the log."""
    torch.set_num_threads(options.threads)
    checkpoint = read_checkpoint(options.out)
    model = make(**(checkpoint['config'] if checkpoint else {})).to(options.device)
    average = copy.deepcopy(model)
    optimiser = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=options.lr, betas=(.9, .98), weight_decay=1e-4)
    step, spent = 0, 0.
    if checkpoint:
        model.load_state_dict(checkpoint['model'])
        average.load_state_dict(checkpoint['ema'])
        step, spent = checkpoint['step'], checkpoint['spent']
        if 'optimiser' in checkpoint:
            optimiser.load_state_dict(checkpoint['optimiser'])
    torch.manual_seed(options.seed + step)
    last = saved = time.time()
    while True:
        is_over = spent >= options.minutes * 60
        if is_over or time.time() - saved > SAVE_EVERY_SECONDS:
            save_checkpoint(options.out, model, average, optimiser=optimiser.state_dict(), step=step, spent=spent)
            with options.out.with_suffix('.csv').open('a', newline='') as file:
                csv.writer(file).writerow([step, round(spent / 60, 2), round(score_of(average), 4)])
            last = saved = time.time()
        if is_over:
            return
        remaining = 1 - spent / (options.minutes * 60)
        for group in optimiser.param_groups:
            group['lr'] = options.lr * min(1., (step + 1) / 100) * max(.02, remaining)
        loss = loss_of(model, step)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
        optimiser.step()
        step += 1
        with torch.no_grad():
            for mean, now in zip(average.parameters(), model.parameters()):
                mean.lerp_(now, 1 - min(.998, step / (step + 20.)))
        spent, last = spent + time.time() - last, time.time()


def gradients(x: Tensor) -> tuple[Tensor, Tensor]:
    """Differences between neighbouring columns and rows."""
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]
