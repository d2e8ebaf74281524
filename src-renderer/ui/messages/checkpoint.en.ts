import type { IntegerInstructions } from '#contract/api.js';

/** What the import of published files says. */
export const checkpointWords = {
  title: 'Open a published model',
  help: 'The files as their authors published them: the transformer, its tokenizer and, for models that read sentences, the files of its text encoders with their tokenizer.json. Nothing in them is executed.',
  files: 'Files on this computer, one path per line',
  choose: 'Choose files…',
  control: 'It was trained to hold',
  name: 'Name of the model',
  task: 'It was trained to',
  tasks: { edit: 'Edit photos (VAREdit)', generate: 'Draw from words (Infinity)' },
  pixels: 'At',
  precision: 'Precision',
  disk: 'On disk',
  inPlace: 'Leave weights where they are, without a copy, where their precision stays',
  memory: 'In memory',
  time: 'A picture, about',
  rounding: 'Rounding',
  roundingHelp: 'Rounding: by how much the outputs of its layers change (root mean square), measured on some of them.',
  share: (share: number) => `${(100 * share).toFixed(2)} %`,
  offered: (integers: IntegerInstructions) => `int8 suits this machine, which multiplies 8-bit integers by ${integers}.`,
  integers: (found: IntegerInstructions) => {
    if (found === 'unknown') return 'Whether this machine has instructions for 8-bit integers is not known.';
    if (found === 'none') return 'This machine has no instructions for 8-bit integers: int8 may be no faster here.';
    return `This machine multiplies 8-bit integers by ${found}.`;
  },
  licence: (licence: string) => `Licence: ${licence}. By importing you accept it.`,
  import: 'Import',
};
