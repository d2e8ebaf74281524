import { readPictureFile, saveFile } from '#service/files.js';
import { JSON_OPTION, parseCommandLine } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { expectOutputs } from '../places.js';

/** What any pack's tokenizer keeps of photographs and of small letters. */
export const reportTokenizerCommand: Command = {
  name: 'report-tokenizer',
  summary: "say what a pack's tokenizer keeps of pictures",
  usage: `Usage: scalebrush report-tokenizer PACK PHOTO… [-o PICTURE.png] [--json]

PSNR, SSIM, GMSD (0 = the same), the share of gradients that are left and the height in pixels from which on capital letters are
still told apart (letters; - = none are), scale by scale and at the model's own size; the share that is told, by height, and the
finest detail that is kept. The pack's card remembers both (detail scales are led by the latter). -o writes the first photo and a page of letters beside
what is kept of them.`,
  run,
};

async function run(args: readonly string[], context: Context): Promise<number> {
  const options = { ...JSON_OPTION, output: { type: 'string', short: 'o' } } as const;
  const { values, positionals } = parseCommandLine({ args, options, positionals: ['PACK', 'PHOTO…'] });
  const [pack = '', ...photos] = positionals;
  if (values.output !== undefined) await expectOutputs([values.output], photos);
  const pictures = await Promise.all(photos.map((photo) => readPictureFile(photo, 'PHOTO')));
  const { picture, ...report } = await (await context.service()).reportTokenizer(pack, pictures);
  if (values.output !== undefined) await saveFile(values.output, picture);
  if (values.json) context.print(JSON.stringify({ ...report, ...(values.output !== undefined && { output: values.output }) }));
  else context.print(table(report));
  return 0;
}

type Report = Omit<Awaited<ReturnType<Awaited<ReturnType<Context['service']>>['reportTokenizer']>>, 'picture'>;

function table({ scales, letters, lettersFromPx, resolves }: Report): string {
  const rows = scales.map(({ scale, psnr, ssim, gmsd, sharpness, lettersFromPx: px }) =>
    [String(scale), psnr.toFixed(2), ssim.toFixed(3), gmsd.toFixed(3), sharpness.toFixed(2), px === null ? '-' : `${String(px)} px`]
      .map((cell) => cell.padStart(9))
      .join(''),
  );
  const told = letters.map(({ px, told: share }) => `${String(px)} px ${share.toFixed(2)}`).join(' · ');
  const from = lettersFromPx === null ? 'tells no letters apart' : `keeps letters from ${String(lettersFromPx)} px on`;
  const finest = `resolves details of ${resolves.toFixed(2)} px`;
  return [`    scale     PSNR     SSIM     GMSD    sharp  letters`, ...rows, `letters told apart: ${told}`, from, finest].join('\n');
}
