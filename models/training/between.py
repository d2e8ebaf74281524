"""The weights between two checkpoints of one transformer (WiSE-FT, Wortsman et al. 2022).

python3 between.py OUT.pt BEFORE AFTER.pt [--share .5]

A short training on something else forgets a little of what it began with; between its two ends most of both is there.
BEFORE may be a pack's folder.
"""
import argparse
from pathlib import Path

from checkpoints import read_averaged, read_checkpoint, save_checkpoint
from transformer import EditTransformer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('out', type=Path)
    parser.add_argument('before', type=Path)
    parser.add_argument('after', type=Path)
    parser.add_argument('--share', type=float, default=.5, help='of the way from the first to the second')
    options = parser.parse_args()
    before, after = read_averaged(options.before, 'transformer'), read_averaged(options.after, 'transformer')
    model = EditTransformer(**read_checkpoint(options.after)['config'])
    model.load_state_dict({name: before[name].lerp(tensor, options.share) for name, tensor in after.items()})
    save_checkpoint(options.out, model, model)


if __name__ == '__main__':
    main()
