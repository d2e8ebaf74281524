"""Trains a whole pack, stage by stage, exports and measures it.

python3 train.py sketch|studio DATA_DIR RUN_DIR PACK_DIR [--hours 10.5] [--piece 150] [--device cuda] [--dry-run]

Both are made for two CPU cores, in about five hours each: ``sketch``, and ``studio`` (256 pixels), which begins with the
sketch's weights; ``--hours`` gives every stage its share of another budget. DATA_DIR is what photographs.py and cutouts.py
packed. Every stage saves each minute; the same command goes on where it stopped, and ``--piece`` ends a call after so
many minutes. ``--dry-run`` gives every stage a few seconds and a tiny network of the same form, to see that everything
fits together.
"""
import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from checkpoints import read_checkpoint

HERE = Path(__file__).parent
SKETCH = HERE.parent / 'sketch'
#: Of a dry run's stages, in minutes: a few steps.
DRY_MINUTES = .03


class Stage(NamedTuple):
    """One training: its script, what it writes into RUN_DIR, minutes of two cores, and arguments. {run}, {data} and
    {sketch} stand for folders."""
    script: str
    out: str
    minutes: float
    arguments: str
    tiny: str  # arguments that make a dry run small

    def command(self, folders: dict[str, Path], minutes: float, dry: bool) -> list[str]:
        arguments = f'{self.arguments} {self.tiny if dry else ""}'.format(**folders)
        return [self.script, str(folders['run'] / self.out), '--minutes', f'{minutes:g}', *arguments.split()]


TINY = '--batch 4 --validation 4'
_PHOTOGRAPHS = '--photographs {data}'
_STUDIO_TRANSFORMER = f'--span 8 --tokenizer {{run}}/tokenizer.pt {_PHOTOGRAPHS} --batch 4'
STAGES = {
    'sketch': [
        Stage('train_tokenizer.py', 'tokenizer.pt', 45, _PHOTOGRAPHS, f'{TINY} --no-compile --widths 8 16'),
        Stage('train_depth.py', 'depth.pt', 10, '', TINY),
        Stage('train_finder.py', 'finder.pt', 48, f'--tokenizer {{run}}/tokenizer.pt {_PHOTOGRAPHS}', TINY),
        Stage('train_transformer.py', 'transformer.pt', 180, f'--tokenizer {{run}}/tokenizer.pt {_PHOTOGRAPHS}',
              f'{TINY} --width 32 --depth 4 --heads 2'),
    ],
    'studio': [
        # The sketch's codes stay: a transformer that knows them begins where the sketch ended.
        # Its decoder is shallower than the sketch's: it has four times the pixels to make.
        Stage('train_tokenizer.py', 'tokenizer.pt', 21, f'{_PHOTOGRAPHS} --init {{sketch}} --decoder-only --picture-size 256 --decoder-blocks 1 3 '
              '--photograph-share .6 --lr 1e-3 --seed 11', f'{TINY} --no-compile'),
        Stage('train_depth.py', 'depth.pt', 22, '--init {sketch} --picture-size 256 --lr 1e-3 --seed 12', TINY),
        Stage('train_finder.py', 'finder.pt', 18, f'--init {{sketch}} --tokenizer {{run}}/tokenizer.pt {_PHOTOGRAPHS} --lr 1e-3 --seed 16', TINY),
        Stage('train_transformer.py', 'transformer-all.pt', 138, f'--init {{sketch}} {_STUDIO_TRANSFORMER} --lr 5e-4 --seed 14', '--validation 4'),
        Stage('train_transformer.py', 'transformer-objects.pt', 102, f'--init {{run}}/transformer-all.pt {_STUDIO_TRANSFORMER} --mix objects '
              '--rollout .5 --lr 3e-4 --seed 21', '--validation 4'),
        # Control and holes, which the stage before had little of; holes that begin as their surroundings go on.
        Stage('train_transformer.py', 'transformer-holes.pt', 58, f'--init {{run}}/transformer-objects.pt {_STUDIO_TRANSFORMER} --mix objects-and-holes '
              '--smooth-holes --rollout .5 --lr 3e-4 --seed 71', '--validation 4'),
        # Which colour exactly, on what the model draws itself.
        Stage('train_transformer.py', 'transformer-colours.pt', 68, f'--init {{run}}/transformer-even.pt {_STUDIO_TRANSFORMER} --mix colours '
              '--smooth-holes --rollout .8 --lr 3e-4 --seed 91', '--validation 4'),
    ],
}
EXPORT = {'sketch': ['--resolves', 3], 'studio': ['--half', '--resolves', 5, '--control-gain', 1.5]}
#: Behind a stage: the checkpoint that lies between another one and it, and so much of the way.
BETWEEN = {'transformer-holes.pt': ('transformer-even.pt', 'transformer-objects.pt', .5),
           'transformer-colours.pt': ('transformer.pt', 'transformer-even.pt', .75)}


def run(*command: object) -> None:
    print('→', *command, flush=True)
    subprocess.run([sys.executable, str(HERE / str(command[0])), *map(str, command[1:])], check=True)


def is_done(out: Path, minutes: float) -> bool:
    checkpoint = read_checkpoint(out)
    return checkpoint is not None and checkpoint['spent'] >= minutes * 60


class Plan:
    """The stages of one pack, each given its share of the hours."""

    def __init__(self, options: argparse.Namespace):
        self.options, self.end = options, time.time() + options.piece * 60
        self.folders = {'run': options.run, 'data': options.photographs, 'sketch': SKETCH}
        whole = sum(stage.minutes for stage in STAGES[options.size])
        self.scale = options.hours * 60 / whole if options.hours else 1.

    def minutes(self, planned: float) -> float:
        return DRY_MINUTES if self.options.dry_run else planned * self.scale

    def train(self) -> None:
        """Goes on with the first stage that is not done; ends the call where the piece is over."""
        for stage in STAGES[self.options.size]:
            minutes, out = self.minutes(stage.minutes), self.options.run / stage.out
            if not is_done(out, minutes):
                self.go_on(stage, minutes)
            self.go_back(out)

    def go_on(self, stage: Stage, minutes: float) -> None:
        left = max(0., (self.end - time.time()) / 60)
        if left:
            run(*stage.command(self.folders, minutes, self.options.dry_run), '--device', self.options.device, '--threads', self.options.threads,
                '--piece', f'{left:.2f}')
        if not is_done(self.options.run / stage.out, minutes):
            sys.exit(f'This piece is over in {stage.out}; the same command goes on.')

    def go_back(self, stage: Path) -> None:
        """Made anew by every call, as the stages may have gone on since the last."""
        if stage.name in BETWEEN:
            name, before, share = BETWEEN[stage.name]
            run('between.py', self.options.run / name, self.options.run / before, stage, '--share', share)

    def export(self, *arguments: object) -> None:
        run('export.py', self.options.run, self.options.pack, *EXPORT[self.options.size], *arguments)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('size', choices=STAGES)
    parser.add_argument('photographs', type=Path)
    parser.add_argument('run', type=Path)
    parser.add_argument('pack', type=Path)
    parser.add_argument('--hours', type=float, help='of two cores, shared out between the stages')
    parser.add_argument('--piece', type=float, default=float('inf'), help='minutes of this call')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--threads', type=int, default=2, help='of the step; 1 where the machine does something else too')
    parser.add_argument('--dry-run', action='store_true')
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)
    plan = Plan(options)
    plan.train()
    plan.export()
    baseline = [] if options.size == 'sketch' else ['--baseline', SKETCH]
    count = ['--count', 2, '--photograph-count', 2] if options.dry_run else []
    run('evaluate.py', options.pack, '--photographs', options.photographs, *baseline, *count)
    plan.export('--evaluation', options.pack / 'evaluation.json')


if __name__ == '__main__':
    main()
