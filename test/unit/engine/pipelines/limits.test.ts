import sharp from 'sharp';
import { expect, it } from 'vitest';
import * as v from 'valibot';
import { ERROR_CODES } from '#contract/errors.js';
import { EditRequest, type EditRequestInput } from '#contract/request.js';
import { slimmed } from '#engine/image/files/slim/slim.js';
import { Source } from '#engine/image/files/slim/source.js';
import { expectWritableSize } from '#engine/pipelines/pipelines.js';

/** A picture so wide, as much of it as tells its size. */
async function wide(width: number): Promise<ReturnType<typeof slimmed>> {
  const png = await sharp({ create: { width, height: 4, channels: 3, background: '#336699' } })
    .png()
    .toBuffer();
  return slimmed('png', Source.of(png));
}

async function refusal(request: EditRequestInput, width?: number): Promise<string> {
  const picture = width === undefined ? undefined : await wide(width);
  const asked = expectWritableSize(v.parse(EditRequest, request), picture);
  return asked.then(
    () => 'goes',
    (error: unknown) => String(error),
  );
}

const LIMITS = [
  ['webp', 'WebP', 16_383],
  ['avif', 'AVIF', 16_384],
] as const;

it.each(LIMITS)('what a %s cannot hold is refused before the run, by name and number', async (format, name, side) => {
  const output = { format };
  const edit = { task: 'edit', instruction: 'red', source: 'a', output } as const;
  const expand = { task: 'expand', source: 'a', margins: { left: 1 }, output } as const;
  const words = `Expected at most ${String(side)} pixels per side for ${name}`;
  expect(await refusal(edit, side)).toBe('goes');
  expect(await refusal(edit, side + 1)).toContain(words);
  // What to do about it is said of the side, not of megapixels.
  const tooWide = expectWritableSize(v.parse(EditRequest, edit), await wide(side + 1));
  await expect(tooWide).rejects.toMatchObject({ code: 'output.too-large', details: { limit: side } });
  expect(ERROR_CODES['output.too-large'].advice).not.toContain('megapixel');
  expect(await refusal(expand, side - 1)).toBe('goes');
  expect(await refusal(expand, side)).toContain(words);
  for (const other of ['png', 'tiff', 'jpeg'] as const)
    expect(await refusal({ ...edit, output: { format: other } }, side + 1)).toBe('goes');
});

it('the border counts for a JPEG too', async () => {
  const expand = { task: 'expand', source: 'a', output: { format: 'jpeg' } } as const;
  expect(await refusal({ ...expand, margins: { right: 100 } }, 65_400)).toBe('goes');
  expect(await refusal({ ...expand, margins: { right: 101 } }, 65_400)).toContain('65500 pixels per side for JPEG');
});

it('so does the wished size of a picture that is drawn', async () => {
  const draw = { task: 'generate', instruction: 'red', output: { format: 'webp' } } as const;
  expect(await refusal({ ...draw, size: { width: 16_383, height: 16 } })).toBe('goes');
  expect(await refusal({ ...draw, size: { width: 16_384, height: 16 } })).toContain('16383 pixels per side for WebP');
});
