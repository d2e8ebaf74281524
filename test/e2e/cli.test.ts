import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  DEEP_EDGE,
  deepMask,
  deepPhoto,
  holdsPlace,
  isNearDeepMask,
  isNearPhoneMask,
  PHONE_TAGS,
  phoneMask,
  phonePhoto,
} from '../support/photographs.js';
import { maskPng, renderScene } from '../support/pictures.js';
import { openService } from '#service/open.js';
import { openCommandLine, scalebrush, scalebrushJson, type CommandLine } from './support/cli.js';
import { differingPixels, rawPicture } from './support/honesty.js';

let folder: string;
const cli = openCommandLine();
/** A program of its own for each command. */
const programs: Pick<CommandLine, 'json'> = { json: scalebrushJson };
const file = (name: string) => path.join(folder, name);
const sha256 = async (name: string) =>
  createHash('sha256')
    .update(await readFile(name))
    .digest('hex');

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-cli-'));
  const raw = { raw: { width: 300, height: 200, channels: 3 as const } };
  const scene = () => sharp(renderScene(300, 200), raw);
  await scene().png().toFile(file('plain.png'));
  await scene().greyscale().png().toFile(file('gray.png'));
  await scene().ensureAlpha(0.6).png().toFile(file('alpha.png'));
  await scene().toColourspace('rgb16').png().toFile(file('deep.png'));
  await scene().withIccProfile('p3').jpeg({ quality: 95 }).toFile(file('p3.jpg'));
  await scene().webp({ quality: 90 }).toFile(file('picture.webp'));
  await scene()
    .withExif({ IFD0: { Make: 'Ours', Orientation: '6' } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toFile(file('turned.jpg'));
});

afterAll(async () => {
  await cli.close();
  await rm(folder, { recursive: true });
});

test('German words say the same as English ones', async () => {
  const edit = (instruction: string, name: string) =>
    cli.json('edit', file('plain.png'), '-i', instruction, '-o', file(name), '--seed', '7');
  await edit('make the car blue', 'english.png');
  await edit('mach das Auto blau', 'german.png');
  expect(differingPixels(await rawPicture(file('german.png')), await rawPicture(file('english.png')), () => false)).toBe(0);
}, 120_000);

test('what should not happen is asked back about instead of done', async () => {
  const { code, stderr } = await scalebrush('edit', file('plain.png'), '-i', "don't make it warmer", '-o', file('not.png'));
  expect(code).toBe(2);
  expect(stderr).toContain('what should not');
  expect(existsSync(file('not.png'))).toBe(false);
});

/** Everything that the command line can do to one picture, checked from the outside. */
function describePicture(title: string, locate: () => string, { json }: Pick<CommandLine, 'json'>): void {
  describe(title, () => {
    const out = (name: string) => file(`${path.basename(locate())}-${name}.png`);

    test('is edited by words at its own size, with its profile, and left alone on disk', async () => {
      const before = await sha256(locate());
      const previews = file(`${path.basename(locate())}-previews`);
      const report = await json('edit', locate(), '-i', 'make it warmer', '-o', out('edit'), '--previews', previews);
      const [source, result] = [await rawPicture(locate()), await rawPicture(out('edit'))];
      expect([result.width, result.height]).toEqual([source.width, source.height]);
      expect([report['width'], report['height']]).toEqual([source.width, source.height]);
      expect(result.icc).toEqual(source.icc);
      expect(result.orientation ?? 1).toBe(1);
      expect(await readdir(previews)).toEqual(Array.from({ length: 8 }, (_, scale) => `scale-0${scale + 1}.png`));
      expect(await sha256(locate())).toBe(before);
    });

    test('is filled without a changed sample beyond the mask and its soft edge', async () => {
      const source = await rawPicture(locate());
      const box = {
        x: Math.floor(source.width * 0.4),
        y: Math.floor(source.height * 0.4),
        width: Math.floor(source.width / 8),
        height: Math.floor(source.height / 8),
      };
      const blend = 4;
      await writeFile(out('mask'), await maskPng(source, box));
      const report = await json('fill', locate(), '-m', out('mask'), '--blend', String(blend), '-o', out('fill'));
      const result = await rawPicture(out('fill'));
      const near = (x: number, y: number) =>
        x >= box.x - blend && x < box.x + box.width + blend && y >= box.y - blend && y < box.y + box.height + blend;
      expect(differingPixels(source, result, near)).toBe(0);
      expect(differingPixels(source, result, () => false)).toBeGreaterThan(0);
      expect(report['changedOutsideMask']).toBe(0);
      expect(result.icc).toEqual(source.icc);
      expect(result.samples.BYTES_PER_ELEMENT).toBe(source.samples.BYTES_PER_ELEMENT);
    });

    test('grows by a margin and keeps every old sample', async () => {
      const source = await rawPicture(locate());
      await json('expand', locate(), '--right', '40', '--top', '24', '--blend', '0', '-o', out('expand'));
      const result = await rawPicture(out('expand'));
      expect([result.width, result.height]).toEqual([source.width + 40, source.height + 24]);
      let differing = 0;
      for (let y = 0; y < source.height; y++) {
        for (let x = 0; x < source.width; x++) {
          for (let c = 0; c < Math.min(source.channels, result.channels); c++) {
            const kept = result.samples[((y + 24) * result.width + x) * result.channels + c];
            if (kept !== source.samples[(y * source.width + x) * source.channels + c]) differing += 1;
          }
        }
      }
      expect(differing).toBe(0);
    });

    test('gives control maps of its own size and a picture that they hold', async () => {
      const source = await rawPicture(locate());
      for (const kind of ['canny', 'depth']) {
        await json('control', kind, locate(), '-o', out(kind));
        const map = await rawPicture(out(kind));
        expect([map.width, map.height]).toEqual([source.width, source.height]);
      }
      await json('generate', locate(), '-i', 'a red car on grass at day', '--control', 'canny', '-o', out('generated'));
      const generated = await rawPicture(out('generated'));
      expect(generated.width / generated.height).toBeCloseTo(source.width / source.height, 1);
    });
  });
}

for (const name of ['plain.png', 'gray.png', 'alpha.png', 'deep.png', 'p3.jpg', 'picture.webp', 'turned.jpg']) {
  describePicture(`the rendered picture ${name}`, () => file(name), name === 'plain.png' ? programs : cli);
}

const samples = path.resolve('../shared/samples');
const photographs = existsSync(samples) ? readdirSync(samples).filter((name) => /\.(jpg|png|webp)$/u.test(name)) : [];
for (const name of photographs) describePicture(`the photograph ${name}`, () => path.join(samples, name), cli);
test.skipIf(photographs.length > 0)('photographs beside the checkout (skipped: ../shared/samples is absent)', () => {
  expect(photographs).toEqual([]);
});

describe('a picture is cut before it is edited, and made ready for where it will be seen', () => {
  const box = { x: 150, y: 60, width: 30, height: 30 };
  beforeAll(async () => writeFile(file('cut-mask.png'), await maskPng({ width: 300, height: 200 }, box)));

  test('the mask goes along, and no other sample differs', async () => {
    const args = ['--flip', '--crop', '160x120+40+20', '--blend', '0'];
    const report = await cli.json('fill', file('plain.png'), '-m', file('cut-mask.png'), '-o', file('cut.png'), ...args);
    expect([report['width'], report['height']]).toEqual([160, 120]);
    const [source, result] = [await rawPicture(file('plain.png')), await rawPicture(file('cut.png'))];
    const at = (x: number, y: number) => ({ x: source.width - 1 - (x + 40), y: y + 20 });
    let [within, beyond] = [0, 0];
    for (let i = 0; i < 160 * 120; i++) {
      const { x, y } = at(i % 160, Math.floor(i / 160));
      const differs = [0, 1, 2].some(
        (c) => result.samples[i * result.channels + c] !== source.samples[(y * source.width + x) * source.channels + c],
      );
      const masked = x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
      if (differs && masked) within += 1;
      else if (differs) beyond += 1;
    }
    expect(beyond).toBe(0);
    expect(within).toBeGreaterThan(0);
  });

  test('corners of a straightened one are cut off, its recipe says so, and it is written smaller in another profile', async () => {
    const framing = ['--turn', '90', '--straighten', '-3'];
    const output = ['--resize', '150', '--sharpen', 'print', '--profile', 'srgb', '--quality', '60', '-o', file('web.jpg')];
    const report = await cli.json('edit', file('p3.jpg'), '-i', 'make it warmer', ...framing, ...output);
    const [before, web] = [await sharp(file('p3.jpg')).metadata(), await sharp(file('web.jpg')).metadata()];
    expect([report['width'], report['height']]).toEqual([web.width, 150]);
    expect(web.height).toBe(150);
    expect(web.icc).not.toEqual(before.icc);
    const service = await openService();
    const { recipe } = await service.pictures.add(await readFile(file('web.jpg')), 'web.jpg');
    await service.close();
    expect(recipe?.framings).toMatchObject([{ turns: 1, straighten: -3, crop: { x: 7, width: 185 } }]);
  });
});

describe('a photograph from a phone', () => {
  const photo = () => file('phone.jpg');
  const edit = (output: string, ...more: string[]) => [
    'edit',
    photo(),
    '-i',
    'make it warmer',
    '-m',
    file('top.png'),
    ...more,
    '-o',
    file(output),
  ];

  beforeAll(async () => {
    await writeFile(photo(), await phonePhoto());
    await writeFile(file('top.png'), await phoneMask());
  });

  test('is edited at its top, upright, with tags, place and profile kept', async () => {
    const before = await sha256(photo());
    await cli.json(...edit('phone-out.jpg'));
    const [source, result] = [await sharp(photo()).metadata(), await sharp(file('phone-out.jpg')).metadata()];
    expect([result.width, result.height, result.orientation]).toEqual([3000, 4000, 1]);
    expect(result.icc).toEqual(source.icc);
    const exif = Buffer.from(result.exif!).toString('latin1');
    for (const kept of PHONE_TAGS) expect(exif).toContain(kept);
    const report = await cli.json(...edit('phone-out.png'));
    expect(report['changedOutsideMask']).toBe(0);
    const [upright, edited] = [await rawPicture(photo()), await rawPicture(file('phone-out.png'))];
    expect(differingPixels(upright, edited, isNearPhoneMask)).toBe(0);
    expect(differingPixels(upright, edited, () => false)).toBeGreaterThan(0);
    expect(await sha256(photo())).toBe(before);
  });

  test('loses its place alone with --strip-location', async () => {
    for (const name of ['placed.jpg', 'stripped.jpg'])
      await cli.json(...edit(name, ...(name === 'placed.jpg' ? [] : ['--strip-location'])));
    const [placed, stripped] = await Promise.all(
      ['placed.jpg', 'stripped.jpg'].map(async (name) => (await sharp(file(name)).metadata()).exif!),
    );
    expect([holdsPlace(placed!), holdsPlace(stripped!)]).toEqual([true, false]);
    for (const kept of PHONE_TAGS) expect(stripped!.toString('latin1')).toContain(kept);
  });
});

test('twenty edits in a row of a 16-bit photograph in P3 leave every sample beside the mask', async () => {
  const start = await deepPhoto();
  // Twenty programs would take a minute to start.
  const service = await openService();
  try {
    const mask = await service.pictures.add(await deepMask(), 'mask.png');
    let picture = (await service.pictures.add(start, 'start.png')).id;
    for (let k = 1; k <= 20; k++) {
      const instruction = k % 2 ? 'make it warmer' : 'make it cooler';
      const wish = { task: 'edit' as const, source: picture, mask: mask.id, instruction, blend: DEEP_EDGE, previews: false };
      for await (const event of service.stream('edit.run', wish)) if (event.type === 'candidate') picture = event.candidate.picture;
    }
    const [source, result] = [await rawPicture(start), await rawPicture((await service.pictures.get(picture)).bytes)];
    expect([source, result].map(({ samples: { BYTES_PER_ELEMENT } }) => BYTES_PER_ELEMENT)).toEqual([2, 2]);
    expect(result.icc).toEqual(source.icc);
    expect(differingPixels(source, result, isNearDeepMask)).toBe(0);
    expect(differingPixels(source, result, () => false)).toBeGreaterThan(0);
  } finally {
    await service.close();
  }
}, 180_000);

describe('the recipe in a file', () => {
  const words = 'a red car on grass at day';

  test.each(['png', 'jpg', 'webp', 'tiff', 'avif'])(
    'is written unless it is not wanted, and its tokens decode to the drawn picture: %s',
    async (format) => {
      const args = ['generate', '-i', words, '--seed', '5', '--size', '256x256'];
      const [plain, told, decoded] = [file(`plain-${format}.png`), file(`told.${format}`), file(`decoded-${format}.png`)];
      await cli.json(...args, '--no-recipe', '-o', plain);
      await cli.json(...args, '-o', told);
      await cli.json('decode', told, '-o', decoded);
      expect(differingPixels(await rawPicture(plain), await rawPicture(decoded), () => false)).toBe(0);
      const bytes = await readFile(told);
      expect([bytes.includes(words), bytes.includes(folder)]).toEqual([true, false]);
    },
  );

  test.each(['png', 'jpg', 'webp', 'tiff', 'avif'])('leaves nothing of itself where it is not wanted: %s', async (format) => {
    await cli.json('edit', file('plain.png'), '-i', 'make it warmer', '--no-recipe', '-o', file(`silent.${format}`));
    const bytes = await readFile(file(`silent.${format}`));
    for (const secret of ['make it', 'warmer', folder, 'tokens', 'studio']) expect(bytes.includes(secret)).toBe(false);
  });

  test('of a picture without one, no tokens come', async () => {
    const { code, stderr } = await scalebrush('decode', file('plain.png'), '-o', file('x.png'));
    expect({ code, line: stderr.trim().split('\n')[0] }).toMatchObject({ code: 2, line: expect.stringContaining('it has none') as string });
  });
});

describe('repeating and continuing', () => {
  test('two runs with one seed give the same bytes', async () => {
    const args = ['edit', file('plain.png'), '-i', 'make it night', '--temperature', '0.8', '--seed', '11'];
    await scalebrushJson(...args, '-o', file('a.png'));
    await scalebrushJson(...args, '-o', file('b.png'));
    expect(await sha256(file('a.png'))).toBe(await sha256(file('b.png')));
  });

  test('what a tokenizer keeps is said scale by scale, of letters too, and shown', async () => {
    const report = await cli.json('report-tokenizer', 'sketch', file('plain.png'), '-o', file('kept.png'));
    const { scales, letters, resolves } = report as {
      scales: { psnr: number; ssim: number; letters: { px: number; told: number }[] }[];
      letters: { px: number; told: number }[];
      resolves: number;
    };
    expect(scales).toHaveLength(6);
    expect(scales.at(-1)!.psnr).toBeGreaterThan(scales[0]!.psnr);
    for (const { ssim } of scales) expect(ssim).toBeLessThan(1);
    expect(letters.at(-1)!.told).toBeGreaterThan(letters[0]!.told);
    expect(scales.at(-1)!.letters).toEqual(letters);
    expect(scales[0]!.letters.at(-1)!.told).toBeLessThan(letters.at(-1)!.told);
    expect(resolves).toBeGreaterThan(1);
    expect((await rawPicture(file('kept.png'))).width).toBe(256);
    expect((await cli.run('report-tokenizer', 'nope', file('plain.png'))).code).toBe(2);
  });

  test('tokens decode to what was decoded before', async () => {
    await cli.json('tokenize', file('plain.png'), '--tokens-out', file('tokens.json'));
    await cli.json('decode', file('tokens.json'), '-o', file('decoded.png'));
    const { width, height } = await rawPicture(file('decoded.png'));
    expect([width, height]).toEqual([256, 256]);
  });

  test('strength 0 equals no control byte for byte', async () => {
    const args = ['edit', file('plain.png'), '-i', 'make it warmer'];
    await scalebrushJson(...args, '-o', file('free.png'));
    await scalebrushJson(...args, '--control', 'canny', '--strength', '0', '-o', file('zero.png'));
    expect(await sha256(file('zero.png'))).toBe(await sha256(file('free.png')));
  });
});

describe('bad input gets one line and exit code 2', () => {
  beforeAll(async () => {
    await writeFile(file('empty.png'), '');
    await writeFile(file('page.png'), '<!doctype html><title>not a picture</title>');
    await writeFile(file('drawing.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
    await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .png()
      .toFile(file('tiny.png'));
    await sharp({ create: { width: 16_400, height: 16, channels: 3, background: 'red' } })
      .png()
      .toFile(file('wide.png'));
    await writeFile(file('black.png'), await maskPng({ width: 300, height: 200 }, { x: 0, y: 0, width: 0, height: 0 }));
    await writeFile(file('evil.pth'), Buffer.from('80027d710028580100000061630a6f730a73797374656d0a', 'hex'));
  });

  const edit = (name: string) => ['edit', name, '-i', 'make it warmer', '-o', 'out.png'];
  test.each([
    ['an empty file', () => edit(file('empty.png')), /empty/iu],
    ['a page named .png', () => edit(file('page.png')), /HTML|web page/iu],
    ['a drawing', () => edit(file('drawing.svg')), /SVG/u],
    ['a picture below 16 pixels', () => edit(file('tiny.png')), /at least 16 pixels/u],
    [
      'a side that WebP cannot hold',
      () => ['edit', file('wide.png'), '-i', 'make it warmer', '-o', file('x.webp')],
      /at most 16383 pixels per side for WebP/u,
    ],
    ['a missing file', () => edit(file('none.png')), /none\.png/u],
    ['no instruction', () => ['edit', file('plain.png'), '-o', file('x.png')], /instruction/iu],
    ['words that nobody knows', () => ['edit', file('plain.png'), '-i', 'xyzzy plugh', '-o', file('x.png')], /xyzzy/u],
    ['an empty mask', () => ['fill', file('plain.png'), '-m', file('black.png'), '-o', file('x.png')], /painted part|empty|selected/iu],
    [
      'a temperature that is no number',
      () => ['edit', file('plain.png'), '-i', 'make it warmer', '-o', file('x.png'), '--temperature', 'hot'],
      /temperature/u,
    ],
    ['an unknown pack', () => ['edit', file('plain.png'), '-i', 'make it warmer', '-o', file('x.png'), '--pack', 'nope'], /nope/u],
    [
      'an unknown provider',
      () => ['edit', file('plain.png'), '-i', 'make it warmer', '-o', file('x.png'), '--provider', 'abacus'],
      /provider/u,
    ],
    ['the source as its own result', () => ['edit', file('plain.png'), '-i', 'make it warmer', '-o', file('plain.png')], /never touched/u],
    ['a part beyond the picture', () => [...edit(file('plain.png')), '--crop', '300x200+1+0'], /beyond/u],
    ['a part that is none', () => [...edit(file('plain.png')), '--crop', '300x200'], /WIDTHxHEIGHT\+X\+Y for --crop/u],
    ['an eighth of a turn', () => [...edit(file('plain.png')), '--turn', '45'], /90, 180, 270 for --turn/u],
    ['too much to be straightened', () => [...edit(file('plain.png')), '--straighten', '50'], /straighten/u],
    ['a size of nothing', () => [...edit(file('plain.png')), '--resize', '0'], /from 1 to 65535 for longSide/u],
    ['an unknown sharpening', () => [...edit(file('plain.png')), '--sharpen', 'loud'], /screen, print for --sharpen/u],
    ['a hostile pickle', () => ['inspect', file('evil.pth')], /pickle|PyTorch/iu],
    ['an unknown command', () => ['paint'], /paint/u],
  ])('%s', async (_, args, reason) => {
    const before = await sha256(file('plain.png'));
    const { code, stdout, stderr } = await scalebrush(...args());
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.trim().split('\n')[0]).toMatch(reason);
    expect(await sha256(file('plain.png'))).toBe(before);
  });

  test('inspect names the built-in pack’s network', async () => {
    const report = await scalebrushJson('inspect', path.resolve('models/sketch/transformer.safetensors'));
    expect(report).toMatchObject({ rounding: { float32: 0 }, integers: expect.any(String) as string });
    expect(report['model']).toMatchObject({ family: 'infinity', width: 128, tokenBits: 64 });
  });
});
