"""Trains the editing transformer on a frozen tokenizer.

python3 train_transformer.py OUT.pt --tokenizer TOKENIZER.pt [--photographs DIR] [--init OTHER] --minutes 60

Resumes from OUT.pt where it exists; ``--init`` starts from another checkpoint or pack, which may be smaller (growth.py).
The loss is the binary cross-entropy of every bit, weighted towards coarse scales and changed tokens, plus the edit map as
an auxiliary task of the copy gate. Random bit flips with re-quantisation (Infinity's self-correction) and random late depth
(VARiant's joint training) are part of every run; ``--rollout`` adds the model's own predictions, for the last stage.
"""
import argparse
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from checkpoints import read_averaged, vocabulary_of
from composites import Composer
from cutouts import Cutouts
from dice import Dice
from encoded import HOLE, ROWS_PER_FILE, Encoded, Store, encode, fingerprint
from generate import Settings, Trace, generate
from growth import grow
from membrane import with_smooth_holes
from pack import load_checkpoint
from photographs import load as load_photographs
from photographs import photograph_batch
from samples import TASK_WEIGHTS, Batch, sample_scenes, scene_batch
from scenes import EDIT_WEIGHTS, TWINS
from tokenizer import CELLS_PER_TOKEN_SIDE, Tokenizer
from training_loop import dice_of, fit, options_of
from transformer import EditTransformer, Spoiler, TeacherInputs, own_bits, patchify, random_flips
from vocabulary import VOCABULARY

FLIP_RATE, DROP_RATE = .2, .1
EDIT_MAP_WEIGHT = .3
#: Part of the steps in which late scales run fewer layers.
THINNED_SHARE = .5
#: Held-out seeds of the log.
VALIDATION_SEED = 77
#: Memory-mapped samples of a batch are this part of a stored file's size on average; 4 GB hold about 40 000 at 256 pixels.
BYTES_PER_CELL = 100.


class Mix(NamedTuple):
    """What a stage of the training is about: shares of photographs, of the tasks and edits of scenes, the extra weight of
    tokens that the edit changes, and the weight of what these say together (``together_of``)."""
    photographs: float
    tasks: tuple[float, ...]
    edits: tuple[float, ...]
    changed: float
    together: float = 0.


MIXES = {
    'all': Mix(.4, TASK_WEIGHTS, EDIT_WEIGHTS, 3.),
    # What is hardest: the form of one thing, drawn anew. The rest is rehearsed.
    'objects': Mix(.3, (.78, .08, .07, .07), (40, 22, 34, 0, 0, 0, 4, 4, 6, 1), 10.),
    # The same, and what it had little of: holes, mostly of photographs, and control.
    'objects-and-holes': Mix(.5, (.54, .16, .17, .13), (40, 22, 34, 0, 0, 0, 4, 4, 6, 1), 8.),
    # Of which colour exactly a thing becomes.
    'colours': Mix(.3, (.8, .08, .06, .06), (70, 12, 14, 0, 0, 0, 2, 2, 3, 1), 10., 4.),
}


def loss_of(model: EditTransformer, teacher: TeacherInputs, encoded: Encoded, outputs: tuple[Tensor, Tensor],
            mix: Mix) -> tuple[Tensor, float]:
    """The weighted loss of logits (B, Σ side², D) and gates (B, Σ side²), and the share of right bits among changed tokens."""
    logits, gates = (output.float() for output in outputs)
    changed = torch.cat([cells_changed(encoded.changed, side) for side in model.scales], 1)  # (B, Σ side²)
    by_scale = torch.cat([torch.full((side * side,), model.finest / side, device=logits.device) for side in model.scales])
    weights = (by_scale * (1 + mix.changed * changed)).unsqueeze(-1)
    bits = F.binary_cross_entropy_with_logits(logits, teacher.bits, reduction='none')
    loss = (bits * weights).sum() / (weights.sum() * bits.shape[-1])
    edit_map = F.binary_cross_entropy_with_logits(gates, 1 - changed, reduction='none') * by_scale
    if model.smooth_holes:  # what is smooth there may well be copied
        edit_map = edit_map * (1 - torch.cat([cells_changed((encoded.mask > HOLE).float(), side) for side in model.scales], 1))
    loss = loss + EDIT_MAP_WEIGHT * edit_map.sum() / (by_scale.sum() * len(changed))
    if mix.together:
        loss = loss + mix.together * together_of(model, logits, teacher.bits, changed)
    right = ((logits > 0).float() == teacher.bits).float().mean(-1)
    return loss, ((right * changed).sum() / changed.sum().clamp(min=1)).item()


def together_of(model: EditTransformer, logits: Tensor, bits: Tensor, changed: Tensor) -> Tensor:
    """How far the changed tokens of a scale are from right *together*: the squared difference of the means of what they say
    and of what they should, per code channel. A colour that is wrong all over a thing is a small error of each token and a
    large one of their mean. Logits and bits (B, Σ side², D), changed (B, Σ side²)."""
    channels = logits.shape[-1] // CELLS_PER_TOKEN_SIDE ** 2
    wrong = (torch.sigmoid(logits) - bits).unflatten(-1, (channels, -1)).mean(-1)  # over a token's cells
    sizes = [side * side for side in model.scales]
    means = [(part * inside.unsqueeze(-1)).sum(1) / inside.sum(1, keepdim=True).clamp(min=1)
             for part, inside in zip(wrong.split(sizes, 1), changed.split(sizes, 1))]
    return torch.stack(means).square().mean()


def cells_changed(changed: Tensor, side: int) -> Tensor:
    """(B, 1, G, G) → (B, side²), 1 where any cell of a token is changed."""
    return patchify((F.adaptive_avg_pool2d(changed, CELLS_PER_TOKEN_SIDE * side) > 0).float()).amax(-1)


def dropped(encoded: Encoded, dice: Dice) -> tuple[Tensor, Tensor]:
    """Words (B, T) and control (B, 4, S, S), each left out of a part of the rows: what guidance and an absent control need."""
    words, control = encoded.words.clone(), encoded.full_control()
    for row in range(len(words)):
        if dice.chance(DROP_RATE):
            words[row] = 0
        if dice.chance(DROP_RATE):
            control[row] = 0
    return words, control


class TransformerTask:
    betas, weight_decay = (.9, .97), .02

    def __init__(self, options: argparse.Namespace):
        self.options, self.mix = options, MIXES[options.mix]
        self.tokenizer = load_checkpoint(options.tokenizer, Tokenizer)
        self.size = self.tokenizer.config['size']
        self.photographs = load_photographs(options.photographs) if options.photographs else None
        self.composer = Composer(self.photographs, Cutouts.load(options.photographs), self.size) if options.photographs else None
        name = '-'.join(['encoded', str(self.size), fingerprint(self.tokenizer), options.mix, *(['smooth'] if options.smooth_holes else [])])
        self.store = Store(options.out.parent / name, self.fresh, self._most_files())
        dice = Dice(VALIDATION_SEED)
        self.validation = self._encoded(scene_batch(dice, sample_scenes(dice, options.validation), self.size))

    def _encoded(self, batch: Batch) -> Encoded:
        if self.options.smooth_holes:
            batch = replace(batch, source=with_smooth_holes(batch.source, batch.mask))
        return encode(self.tokenizer, batch)

    def _most_files(self) -> int:
        return max(1, round(self.options.keep_gb * 1e9 / (BYTES_PER_CELL * self.tokenizer.grid ** 2 * ROWS_PER_FILE)))

    def config(self) -> dict:
        options, tokenizer = self.options, self.tokenizer
        token_bits = CELLS_PER_TOKEN_SIDE ** 2 * tokenizer.config['code_bits']
        return dict(words=len(VOCABULARY), token_bits=token_bits, scales=tokenizer.scales, width=options.width, depth=options.depth,
                    heads=options.heads, span=options.span, smooth_holes=options.smooth_holes)

    def model(self, config: dict | None) -> EditTransformer:
        model = EditTransformer(**(config or self.config()))
        quantiser = self.tokenizer.quantiser
        model.residual_scale.copy_(quantiser.code_bits ** .5 / quantiser.gains())
        if self.options.init and config is None:
            is_pack = self.options.init.is_dir()
            grow(model, read_averaged(self.options.init, 'transformer'), vocabulary_of(self.options.init) if is_pack else VOCABULARY)
        return model

    def fresh(self, dice: Dice, count: int) -> Encoded:
        """Scenes, photographs and composites, rendered and encoded; the shares are met on average."""
        photographs = sum(dice.chance(self.mix.photographs) for _ in range(count)) if self.photographs is not None else 0
        batches = []
        if photographs:
            batches.append(photograph_batch(dice, self.photographs, photographs, self.size, self.composer))
        if count > photographs:
            batches.append(self._scenes(dice, count - photographs))
        return self._encoded(Batch.joined(batches))

    def _scenes(self, dice: Dice, count: int) -> Batch:
        return scene_batch(dice, sample_scenes(dice, count, task_weights=self.mix.tasks, edit_weights=self.mix.edits, twins=TWINS), self.size)

    def draw(self, number: int) -> Encoded:
        options, files = self.options, self.options.batch // ROWS_PER_FILE
        dice = dice_of(options, number)
        names = [options.seed * 10 ** 8 + number * files + i for i in range(files)]  # of files that stages share
        return Encoded.joined([self.store.draw(dice, name, options.replay) for name in names])

    def _teacher(self, encoded: Encoded, spoil: Spoiler | None) -> TeacherInputs:
        with torch.autocast(encoded.source.device.type, enabled=False):
            return TeacherInputs(self.tokenizer.quantiser, (encoded.target, encoded.source, encoded.mask), spoil)

    def loss(self, model: EditTransformer, encoded: Encoded, dice: Dice) -> Tensor:
        self.tokenizer.quantiser.to(encoded.source.device)
        words, control = dropped(encoded, dice)
        layers = dice.choice([2, model.depth // 2, model.depth * 3 // 4]) if dice.chance(THINNED_SHARE) else None
        spoil = random_flips(FLIP_RATE)
        if dice.chance(self.options.rollout):
            trace = Trace()
            generate(model, self.tokenizer.quantiser, words, encoded.source, encoded.mask, control, Settings(preset=layers), trace)
            spoil = own_bits(trace.bits, model.scales, self.options.rollout)
        teacher = self._teacher(encoded, spoil)
        return loss_of(model, teacher, encoded, model(words, teacher, control, layers), self.mix)[0]

    def scores(self, average: EditTransformer) -> list[float]:
        """Loss, and share of right bits among changed tokens, of held-out scenes."""
        encoded = Encoded.joined([self.validation]).to(self.options.device)
        self.tokenizer.quantiser.to(self.options.device)
        teacher = self._teacher(encoded, None)
        loss, right = loss_of(average, teacher, encoded, average(encoded.words, teacher, encoded.full_control()), MIXES['all'])
        return [loss.item(), right]


def main() -> None:
    parser = options_of(__doc__.split('\n')[0])
    parser.set_defaults(batch=16, lr=6e-4, minutes=60)
    parser.add_argument('--tokenizer', type=Path, required=True)
    parser.add_argument('--init', type=Path, help='start from this checkpoint or pack, as large or smaller')
    parser.add_argument('--photographs', type=Path)
    parser.add_argument('--mix', choices=MIXES, default='all', help='what the samples are about')
    parser.add_argument('--span', type=int, help='of positions, in tokens; that of --init, where its pictures were smaller')
    parser.add_argument('--smooth-holes', action='store_true', help='holes begin as a smooth continuation instead of grey')
    parser.add_argument('--replay', type=float, default=3, help='how often a stored sample is drawn, on average')
    parser.add_argument('--keep-gb', type=float, default=4, help='of encoded samples on disk')
    parser.add_argument('--rollout', type=float, default=0, help='share of steps, and of their rows, on its own predictions')
    parser.add_argument('--width', type=int, default=128)
    parser.add_argument('--depth', type=int, default=6)
    parser.add_argument('--heads', type=int, default=4)
    options = parser.parse_args()
    fit(TransformerTask(options), options)


if __name__ == '__main__':
    main()
