"""Trains the tokenizer: python3 train_tokenizer.py OUT.pt [--photographs DIR] --minutes 45

``--init FIRST.pt --decoder-only`` trains on from another tokenizer without touching its codes, so that a transformer
that learned them stays valid; the decoder may be given more blocks than it had.
"""
from pathlib import Path

import torch
from torch import Tensor, nn

from checkpoints import read_checkpoint
from dice import Dice
from measures import psnr
from photographs import load as load_photographs
from photographs import views
from samples import tokenizer_pictures
from tokenizer import SCALES, Tokenizer
from training_loop import fit, gradients, options_of

#: Part of the steps that decode only the first scales, so that previews are in the training set.
PREVIEW_SHARE = .15


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument('--photographs', type=Path)
    parser.add_argument('--photograph-share', type=float, default=.5)
    parser.add_argument('--picture-size', type=int, default=128, choices=SCALES)
    parser.add_argument('--widths', type=int, nargs=2, default=(64, 128))
    parser.add_argument('--encoder-blocks', type=int, nargs=2, default=(1, 1))
    parser.add_argument('--decoder-blocks', type=int, nargs=2, default=(1, 2))
    parser.add_argument('--init', type=Path, help='start from this tokenizer')
    parser.add_argument('--decoder-only', action='store_true', help='keep the encoder and the codes as they are')
    options = parser.parse_args()
    dice = Dice(options.seed)
    photographs = load_photographs(options.photographs) if options.photographs else None
    size = options.picture_size
    validation = tokenizer_pictures(Dice(99), 48, size).to(options.device)

    def make(**config) -> Tokenizer:
        shape = dict(size=size, widths=options.widths, encoder_blocks=options.encoder_blocks, decoder_blocks=options.decoder_blocks)
        model = Tokenizer(**(shape | config))
        if options.init:  # residual blocks that it lacks start as the identity
            model.load_state_dict(read_checkpoint(options.init)['ema'], strict=False)
        if options.decoder_only:
            model.encoder.requires_grad_(False)
            model.quantiser.requires_grad_(False)
        return model

    def loss_of(model: nn.Module, _step: int) -> Tensor:
        pictures = tokenizer_pictures(dice, options.batch, size)
        if photographs is not None:
            count = max(1, round(options.batch * options.photograph_share))
            pictures[:count] = views(photographs, count, size, dice)
        pictures = pictures.to(options.device)
        scales = dice.randrange(2, len(model.scales)) if dice.chance(PREVIEW_SHARE) else None
        restored, features, codes = model(pictures, scales)
        loss = (restored - pictures).abs().mean() + 2 * ((restored - pictures) ** 2).mean()
        loss = loss + .5 * sum((a - b).abs().mean() for a, b in zip(gradients(restored), gradients(pictures)))
        if scales is None:  # features and codes are drawn to each other
            loss = loss + .1 * ((features - codes.detach()) ** 2).mean() + ((features.detach() - codes) ** 2).mean()
        return loss

    @torch.no_grad()
    def score_of(model: nn.Module) -> float:
        return psnr(model.reconstruct(validation), validation)

    fit(make, loss_of, score_of, options)


if __name__ == '__main__':
    main()
