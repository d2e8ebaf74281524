"""Trains the tokenizer: python3 train_tokenizer.py OUT.pt [--photographs DIR] --minutes 45

``--init`` starts from another tokenizer, a checkpoint or a pack's folder, also one for smaller pictures; residual blocks
that it lacks begin as the identity, and gains of finer scales are fitted. With ``--decoder-only`` its codes stay as they are, so that a
transformer that learnt them stays valid.
"""
import argparse
import shutil
from pathlib import Path

import torch
from torch import Tensor, nn

from checkpoints import read_averaged
from dice import Dice
from losses import picture_loss
from measures import psnr
from photographs import load as load_photographs
from photographs import views
from samples import tokenizer_pictures
from tokenizer import SCALES, Tokenizer
from training_loop import dice_of, fit, options_of

#: Part of the steps that decode only the first scales, so that previews are in the training set.
PREVIEW_SHARE = .15
#: Features are drawn to their codes, and codes, by their gains, to the features.
COMMITMENT, CODEBOOK = .1, 1.
#: Of the pictures that the log is about.
VALIDATION_SEED = 99
#: Pictures that gains of scales which --init lacks are fitted to.
GAINS_SEED, GAINS_COUNT = 78, 96


class TokenizerTask:
    betas, weight_decay = (.9, .98), 1e-4

    def __init__(self, options: argparse.Namespace):
        self.options, self.size = options, options.picture_size
        self.distance = torch.compile(picture_loss) if options.compile else picture_loss
        self.photographs = load_photographs(options.photographs) if options.photographs else None
        self.validation = [tokenizer_pictures(Dice(VALIDATION_SEED), options.validation, self.size)]
        if options.photographs:
            held_out = load_photographs(options.photographs, validation=True)
            self.validation.append(views(held_out, options.validation, self.size, Dice(VALIDATION_SEED)))

    def model(self, config: dict | None) -> Tokenizer:
        options = self.options
        shape = dict(size=self.size, widths=options.widths, encoder_blocks=options.encoder_blocks, decoder_blocks=options.decoder_blocks)
        model = Tokenizer(**(config or shape))
        if options.init and config is None:
            model.start_from(read_averaged(options.init, 'tokenizer'), lambda: self._drawn(Dice(GAINS_SEED), GAINS_COUNT))
        if options.decoder_only:
            model.encoder.requires_grad_(False)
            model.quantiser.requires_grad_(False)
        return model

    def draw(self, number: int) -> Tensor:
        """(B, 3, S, S): photographs first, then scenes and dead leaves."""
        return self._drawn(dice_of(self.options, number), self.options.batch)

    def _drawn(self, dice: Dice, count: int) -> Tensor:
        if self.photographs is None:
            return tokenizer_pictures(dice, count, self.size)
        photographs = max(1, round(count * self.options.photograph_share))
        return torch.cat([views(self.photographs, photographs, self.size, dice), tokenizer_pictures(dice, count - photographs, self.size)])

    def loss(self, model: nn.Module, pictures: Tensor, dice: Dice) -> Tensor:
        scales = dice.randrange(2, len(model.scales)) if dice.chance(PREVIEW_SHARE) else None
        restored, features, codes = model(pictures.contiguous(memory_format=torch.channels_last), scales)
        loss = self.distance(restored.float().contiguous(), pictures)
        if scales is None:
            loss = loss + COMMITMENT * ((features - codes.detach()) ** 2).mean() + CODEBOOK * ((features.detach() - codes) ** 2).mean()
        return loss

    def scores(self, average: nn.Module) -> list[float]:
        """PSNR in dB of held-out scenes and, where there are any, photographs."""
        pictures = [group.to(self.options.device) for group in self.validation]
        return [psnr(average.reconstruct(group), group) for group in pictures]


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument('--photographs', type=Path)
    parser.add_argument('--photograph-share', type=float, default=.5)
    parser.add_argument('--picture-size', type=int, default=128, choices=SCALES)
    parser.add_argument('--widths', type=int, nargs=2, default=(64, 128))
    parser.add_argument('--encoder-blocks', type=int, nargs=2, default=(1, 1))
    parser.add_argument('--decoder-blocks', type=int, nargs=2, default=(1, 2))
    parser.add_argument('--init', type=Path, help='start from this tokenizer')
    parser.add_argument('--compile', action=argparse.BooleanOptionalAction, default=shutil.which('g++') is not None,
                        help='fuse the loss into one loop; default: where there is a C++ compiler')
    parser.add_argument('--decoder-only', action='store_true', help='keep the encoder and the codes as they are')
    options = parser.parse_args()
    fit(TokenizerTask(options), options)


if __name__ == '__main__':
    main()
