"""Trains a whole pack, stage by stage, exports and measures it.

python3 train.py sketch|studio DATA_DIR RUN_DIR PACK_DIR [--device cuda] [--dry-run]

``sketch`` is made for two CPU cores in about four hours, ``studio`` for one data-centre GPU in about forty minutes.
DATA_DIR is what photographs.py packed. A run that was interrupted goes on where it stopped. ``--dry-run`` gives every
stage a few seconds and a tiny network of the same form, to see that everything fits together.
"""
import argparse
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Recipe(NamedTuple):
    """Arguments of the three stages."""
    tokenizer: str
    depth: str
    transformer: str
    export: str = ''


RECIPES = {
    'sketch': Recipe('--minutes 45', '--minutes 10', '--minutes 180 --bf16'),
    'studio': Recipe(
        '--minutes 10 --picture-size 256 --widths 96 192 --encoder-blocks 2 2 --decoder-blocks 2 3 --batch 64',
        '--minutes 3 --batch 64',
        '--minutes 25 --bf16 --width 320 --depth 12 --heads 10 --batch 96 --lr 4e-4', '--half'),
}
DRY_RUN = Recipe('--minutes .05 --widths 8 16 --batch 4', '--minutes .05 --batch 4', '--minutes .05 --width 32 --depth 4 --heads 2 --batch 4')


def run(script: str, *arguments: object) -> None:
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    print('→', *command[1:], flush=True)
    subprocess.run(command, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('size', choices=RECIPES)
    parser.add_argument('photographs', type=Path)
    parser.add_argument('run', type=Path)
    parser.add_argument('pack', type=Path)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--dry-run', action='store_true')
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)
    recipe, tiny = RECIPES[options.size], DRY_RUN if options.dry_run else Recipe('', '', '')
    device, photographs = ['--device', options.device], ['--photographs', options.photographs]
    tokenizer = options.run / 'tokenizer.pt'
    run('train_tokenizer.py', tokenizer, *photographs, *device, *recipe.tokenizer.split(), *tiny.tokenizer.split())
    run('train_depth.py', options.run / 'depth.pt', *device, *recipe.depth.split(), *tiny.depth.split())
    run('train_transformer.py', options.run / 'transformer.pt', '--tokenizer', tokenizer, *photographs, *device,
        *recipe.transformer.split(), *tiny.transformer.split())
    run('export.py', options.run, options.pack, *recipe.export.split())
    if not options.dry_run:
        run('evaluate.py', options.pack, *photographs)
        run('export.py', options.run, options.pack, '--evaluation', options.pack / 'evaluation.json', *recipe.export.split())


if __name__ == '__main__':
    main()
