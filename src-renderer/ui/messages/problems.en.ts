import type { ErrorData } from '#contract/errors.js';
import type { Notice } from '#contract/event.js';

/** What is said of a failure: why, what was kept, and what to press. */
export interface ProblemWords {
  readonly cause: string;
  readonly kept: string;
  readonly press: string;
}

export type Problems = Readonly<Record<ErrorData['code'], ProblemWords>>;
export type NoticeWords = Readonly<Record<Notice['code'], string>>;

const TABLE = 'Your picture, its mask and its steps are unchanged.';
const FILES = 'Nothing in the window changed, and no file was written.';
const PACKS = 'Your other models and your picture are unchanged.';

/** Each failure that is foreseen, in English; details stand in the message below it. */
export const problems: Problems = {
  'request.invalid': {
    cause: 'A setting cannot be used.',
    kept: TABLE,
    press: 'Correct the setting that is named, then press the main button.',
  },
  'image.unreadable': {
    cause: 'The file could not be read as a picture.',
    kept: FILES,
    press: 'Save it again in an image editor, then press Open.',
  },
  'image.unsupported': {
    cause: 'This kind of file is not supported.',
    kept: FILES,
    press: 'Convert it to PNG, JPEG, WebP, TIFF or AVIF, then press Open.',
  },
  'image.too-large': {
    cause: 'The picture is too large.',
    kept: FILES,
    press: 'Press Open and choose one of at most 100 megapixels and 65,500 pixels on each side.',
  },
  'output.too-large': {
    cause: 'The picture is too wide or too high for this kind of file.',
    kept: TABLE,
    press: 'Press Save again and choose PNG or TIFF, or a smaller size.',
  },
  'image.too-small': {
    cause: 'The picture is too small.',
    kept: TABLE,
    press: 'Press Open and choose one of at least 16 pixels on each side.',
  },
  'mask.empty': { cause: 'Nothing is masked.', kept: TABLE, press: 'Take the brush and paint the part that should change.' },
  'mask.invalid': {
    cause: 'This picture is no mask.',
    kept: TABLE,
    press: 'Choose one that is white where to repaint and black elsewhere, or the picture with that part erased.',
  },
  'mask.size': {
    cause: 'The mask has another shape than the picture.',
    kept: TABLE,
    press: 'Choose a mask that was made for this picture.',
  },
  'instruction.unknown-words': {
    cause: 'The instruction has words that this model does not know.',
    kept: TABLE,
    press: 'Press one of the words that are proposed below the instruction.',
  },
  'instruction.negated': {
    cause: 'The instruction says what should not happen, and this model would do just that.',
    kept: TABLE,
    press: 'Write what should change instead, or keep the picture as it is.',
  },
  'instruction.missing': { cause: 'There is no instruction yet.', kept: TABLE, press: 'Write what should change, then press Enter.' },
  'pack.unknown': { cause: 'This model is not installed.', kept: PACKS, press: 'Choose another one under More, Models.' },
  'pack.damaged': {
    cause: 'Files of this model are damaged.',
    kept: PACKS,
    press: 'Press Verify under More, Models, and install it again.',
  },
  'pack.unable': { cause: 'This model cannot do that.', kept: TABLE, press: 'Choose another model under More.' },
  'pack.protected': { cause: 'The model came with the program.', kept: PACKS, press: 'Choose another name, or leave it where it is.' },
  'weights.refused': {
    cause: 'These weights are refused; nothing in them was executed.',
    kept: PACKS,
    press: 'Use a published file, or save the state dict alone: torch.save(model.state_dict(), "weights.pth").',
  },
  'weights.changed': {
    cause: 'A weights file changed while it was open.',
    kept: TABLE,
    press: 'Press Try again: the model is loaded anew.',
  },
  'weights.damaged': {
    cause: 'The weights are damaged.',
    kept: TABLE,
    press: 'Press Verify under More, Models, and install the model again.',
  },
  'tokens.invalid': { cause: 'What it is to go on from was made by another model.', kept: TABLE, press: 'Choose that model under More.' },
  'memory.too-little': {
    cause: 'There is too little free memory.',
    kept: TABLE,
    press: 'Choose a faster speed, then press Try again.',
  },
  'provider.unavailable': {
    cause: 'The chosen hardware cannot be used here.',
    kept: TABLE,
    press: 'Choose Automatic under More, Hardware.',
  },
  'inference.died': { cause: 'The process that computes has ended.', kept: TABLE, press: 'Press Try again: a new one is there.' },
  'picture.unknown': { cause: 'The studio does not hold this picture any more.', kept: FILES, press: 'Press Open and choose it again.' },
  'project.unreadable': {
    cause: 'The project could not be read.',
    kept: FILES,
    press: 'Press Open and choose a copy that was saved before.',
  },
  'project.newer': { cause: 'The project was saved by a newer Scalebrush.', kept: FILES, press: 'Open it with that version.' },
  'output.exists': { cause: 'This name is taken.', kept: FILES, press: 'Choose another name.' },
  'output.unwritable': {
    cause: 'The file could not be written.',
    kept: 'Your picture stays open, and older files are as they were.',
    press: 'Make room or choose another folder, then save again.',
  },
  'job.busy': { cause: 'Too many runs are waiting.', kept: TABLE, press: 'Wait for one of them to end, then press Try again.' },
  'job.unknown': { cause: 'This run has ended already.', kept: TABLE, press: 'Press the main button to start another one.' },
  'service.unreachable': {
    cause: 'There is no answer.',
    kept: 'What is in the window is unchanged.',
    press: 'Look whether it runs and is connected, then press Try again.',
  },
  'farm.unreachable': {
    cause: 'The farm does not answer.',
    kept: TABLE,
    press: 'Check in Preferences which farm is meant and whether its Redis runs, then press the main button.',
  },
  'farm.unsafe': {
    cause: 'The farm is not set up safely.',
    kept: TABLE,
    press: 'Have the named setting changed as docs/farm.md says, then press the main button.',
  },
  'access.denied': {
    cause: 'This page has no access to the studio any more.',
    kept: 'What you did until a moment ago is in its journal.',
    press: 'Open the address that the server printed.',
  },
  bug: { cause: 'Something went wrong that should not.', kept: TABLE, press: 'Press Dismiss and go on; please report the line above.' },
};

export const noticeWords: NoticeWords = {
  'instruction.cut': 'The instruction is longer than this model can read; its end was left out.',
  'instruction.unknown-words': 'Words that this model does not know were left out.',
  'image.deep': 'The picture has 16 bits per channel; pixels that no edit touches keep them.',
  'image.animated': 'Only the first frame or page is used.',
  'image.smaller-page': 'The file begins with a smaller copy of its picture; the full picture is used, and no other page.',
  'image.damaged': 'The file is damaged; what could be read of it is open.',
  'image.cmyk': 'The picture was converted from CMYK to sRGB.',
  'image.lab': 'The picture was converted from CIELAB to sRGB.',
  'image.gray': 'The picture is gray and stays gray: only brightness is taken from the result.',
  'image.floats': 'The picture holds numbers of another kind and is worked on with 16 bits per channel.',
  'image.channels':
    'The file has channels that are neither colour nor transparency. Edits in the window do not keep them; a batch or the command line does, in a TIFF.',
  'image.profile': 'The colour profile in the file does not fit its pixels and was left out.',
  'image.hdr': 'The picture is HDR: what is brighter than paper white is kept, but the model sees it as white.',
  'image.metadata': 'A part of the metadata in the file is damaged or too large and was left out.',
  'image.gain-map': 'The gain map for HDR screens is not kept: it would no longer fit the picture.',
  'image.attached': 'Further pictures in the file, such as previews and depth maps, are not kept.',
  'output.alpha': 'JPEG has no transparency: white is put below the picture.',
  'output.depth': 'This format has 8 bits per channel; PNG and TIFF keep 16.',
  'output.channels': 'Further channels of the file are not kept; in a TIFF a batch or the command line keeps them.',
  'output.metadata': 'This format has no room for a part of the metadata.',
  'mask.incomplete': 'Only a part of the mask’s file is used: it is damaged, or holds several pages or frames.',
  'mask.resized': 'The mask was resized to the picture.',
  'mask.labels': 'The mask has few dark values: all but the lowest is repainted.',
  'mask.cleaned': 'Black and white of the mask were not quite that; they count as such.',
  'mask.erased': 'The mask is a picture with a part erased: that part is repainted.',
  'map.incomplete': 'Only a part of the map’s file is used: it is damaged, or holds several pages or frames.',
  'map.stretched': 'The map uses little of its range; it was stretched.',
  'map.fitted': 'The map has another shape than the picture; it was fitted into it.',
  'edit.only-answer':
    'This wish changes colours alone, which has one answer: another seed gives the same picture. Other words give another.',
  'edit.unchanged': 'Nothing was found to change: the picture is as it was.',
  'project.recovered': 'This is where you left off.',
  'queue.put-away': 'The runs of the other document wait with it, and go on when it is open again.',
  'queue.recovered': 'Runs that were not made yet wait here, paused: the queue starts them, or lets go of them.',
  'previews.off': 'Memory is short: the picture is made without previews.',
  'mask.edge': 'The object’s shadow, or a rest of it, is outside the mask.',
  'detail.memory': 'Memory is short: the finest detail was left out.',
  'detail.no-source': 'There is nothing in the photograph that detail could be copied from, so the model’s own pixels are shown.',
  'recipe.ignored': 'The recipe in this file cannot be read and was left out.',
  'recipe.restored': 'Every setting is as it was when this picture was made.',
  'recipe.other-pack': 'It was made with a model of another name or version than is installed.',
  'recipe.other-weights': 'It was made with other weights of this model than are installed: a new run will draw another picture.',
  'steps.dependent': 'A later step builds on this one, so it stays where it is.',
  'steps.stale': 'Steps that build on this one are marked: run them again.',
  'preset.experimental': 'This model was not trained for this speed: experimental.',
};
