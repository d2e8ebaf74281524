import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, unzipSync, zipSync, type Zippable } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Project } from '#contract/project.js';
import { openPictureStore, type PictureStore } from '#service/pictures.js';
import { readProjectFile, writeProjectFile } from '#service/project-file.js';
import { BodyTooLargeError } from '#service/receive.js';
import { projectBytes } from '../../support/project-bytes.js';
import { fakeEngine, grayPng } from '../../support/fake-engine.js';

const GIBIBYTE = 2 ** 30;
let folder: string;
let store: PictureStore;
let project: Project;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'project-test-'));
  store = await openPictureStore({ engine: fakeEngine(), parent: folder });
  const [photo, result] = [await store.add(grayPng(4, 3, 10), 'photo.png'), await store.add(grayPng(4, 3, 20), 'result.png')];
  const mask = { steps: [{ kind: 'grow' as const, px: 3 }], length: 1 };
  project = {
    sheets: [
      { picture: photo.id, mask, blank: false },
      { picture: result.id, mask: { steps: [], length: 0 }, blank: false },
    ],
    open: 1,
    settings: { instruction: '東京 🌃' },
    results: [],
    chosen: 0,
    others: [],
    done: [],
    undone: [],
  };
});

afterEach(async () => {
  store.close();
  await rm(folder, { recursive: true, force: true });
});

/** The file with its entries changed. */
async function changed(change: (files: Record<string, Uint8Array>) => Zippable): Promise<Uint8Array> {
  return zipSync(change(unzipSync(await projectBytes(project, store))));
}

async function described(change: (description: Record<string, unknown>) => void): Promise<Uint8Array> {
  return changed((files) => {
    const description = JSON.parse(new TextDecoder().decode(files['project.json'])) as Record<string, unknown>;
    change(description);
    return { ...files, 'project.json': strToU8(JSON.stringify(description)) };
  });
}

describe('an archive that another program packed in a way that is not read here', () => {
  /** A method in every record of an entry, or a flag of the first. */
  async function patched(at: number, value: number): Promise<Uint8Array> {
    const file = await projectBytes(project, store);
    const copy = Buffer.from(file);
    copy.writeUInt16LE(value, at);
    return copy;
  }

  it.each<[string, number, number, string]>([
    ['bzip2', 8, 12, 'pack it with Deflate'],
    ['a password', 6, 1, 'it is encrypted'],
  ])('is refused as what it is: %s', async (_, at, value, words) => {
    const file = await patched(at, value);
    await expect(readProjectFile({ body: [file] }, store)).rejects.toThrow(words);
  });
});

describe('the file of a project', () => {
  it('brings back every picture byte for byte, every step and every setting', async () => {
    const file = await projectBytes(project, store);
    const back = await readProjectFile({ body: [file] }, store);
    expect(back.sheets.map(({ mask }) => mask)).toEqual(project.sheets.map(({ mask }) => mask));
    expect([back.open, back.settings]).toEqual([1, { instruction: '東京 🌃' }]);
    const bytes = await Promise.all(back.sheets.map(async ({ picture }) => (await store.get(picture)).bytes));
    expect(bytes.map((b) => Buffer.from(b))).toEqual([grayPng(4, 3, 10), grayPng(4, 3, 20)].map((b) => Buffer.from(b)));
    expect((await store.describe(back.sheets[0]!.picture)).name).toBe('photo.png');
  });

  it('brings back runs that wait, with their control maps, and which pictures a file holds', async () => {
    const map = await store.add(grayPng(4, 3, 30), 'map.png');
    const control = { kind: 'canny', strength: 1, fromScale: 1, low: 1, high: 2, blur: 0, near: 1, far: 0, invert: false } as const;
    const settings = { instruction: 'make it night', control: { ...control, map: { id: map.id, name: 'map.png' } } };
    const run = { verb: 'edit' as const, settings, size: { width: 4, height: 3 }, mask: project.sheets[0]!.mask, detour: { seed: 7 } };
    project = { ...project, waiting: [run], filed: [project.sheets[1]!.picture] };
    const back = await readProjectFile({ body: [await projectBytes(project, store)] }, store);
    const id = back.waiting?.[0]?.settings.control?.map?.id;
    expect(id).not.toBe(map.id);
    expect((await store.describe(id!)).name).toBe('map.png');
    expect(back.waiting).toEqual([{ ...run, settings: { ...settings, control: { ...settings.control, map: { id, name: 'map.png' } } } }]);
    expect(back.filed).toEqual([back.sheets[1]!.picture]);
  });

  it('of version 1 is read with every step', async () => {
    const back = await readProjectFile({ body: [await readFile('test/fixtures/projects/version-1.scalebrush')] }, store);
    expect(back).toMatchObject({
      sheets: [{ mask: { steps: [{ kind: 'invert' }, { kind: 'grow', px: -1 }], length: 1 } }, { recipe: { seed: 7 } }],
      open: 1,
      settings: { instruction: '東京 🌃', seed: 7 },
      others: [],
      done: [],
    });
    expect(Buffer.from((await store.get(back.sheets[1]!.picture)).bytes)).toEqual(Buffer.from(grayPng(4, 3, 20)));
  });

  it('keeps steps that only undoing brings back, with what they were made of', async () => {
    const other = await store.add(grayPng(4, 3, 30), 'other.png');
    const [first, second] = project.sheets as [Project['sheets'][number], Project['sheets'][number]];
    const change = { before: first.picture, after: other.id };
    const deed = { before: { sheets: [0, 2], open: 1 }, after: { sheets: [0, 1], open: 1 } };
    const rich: Project = { ...project, others: [{ ...second, picture: other.id, change, hidden: true }], done: [deed] };
    const back = await readProjectFile({ body: [await projectBytes(rich, store)] }, store);
    const kept = back.others[0]!;
    expect(back.done).toEqual([deed]);
    expect(kept).toMatchObject({ hidden: true, change: { before: back.sheets[0]!.picture, after: kept.picture } });
    expect(Buffer.from((await store.get(kept.picture)).bytes)).toEqual(Buffer.from(grayPng(4, 3, 30)));
    const lost = { ...rich, done: [{ ...deed, before: { sheets: [0, 9], open: 1 } }] };
    await expect(readProjectFile({ body: [await projectBytes(lost, store)] }, store)).rejects.toMatchObject({
      code: 'project.unreadable',
    });
  });

  it('names no path of this machine', async () => {
    const file = Buffer.from(await projectBytes(project, store));
    expect(file.includes(folder)).toBe(false);
  });

  it('packed anew by another program is the same', async () => {
    const again = await changed((files) => files);
    expect((await readProjectFile({ body: [again] }, store)).sheets).toHaveLength(2);
  });

  it.each([
    ['with its folders as entries', (f: Record<string, Uint8Array>) => ({ 'pictures/': new Uint8Array(), ...f })],
    [
      'with notes of the system',
      (f: Record<string, Uint8Array>) => ({
        ...f,
        '.DS_Store': strToU8('x'),
        '__MACOSX/pictures/._0.png': strToU8('x'),
        'Thumbs.db': strToU8('x'),
      }),
    ],
    [
      'inside the folder that it was unpacked into',
      (f: Record<string, Uint8Array>) => Object.fromEntries(Object.entries(f).map(([name, bytes]) => [`my project/${name}`, bytes])),
    ],
  ])('packed anew %s is the same', async (_, change) => {
    expect((await readProjectFile({ body: [await changed(change)] }, store)).sheets).toHaveLength(2);
  });

  const picture = 'pictures/0.png';
  it.each<[string, () => Promise<Uint8Array>, string, RegExp]>([
    ['of a newer version', () => described((d) => (d['scalebrush'] = 3)), 'project.newer', /version 2 but received version 3/u],
    ['with a picture missing', () => changed(({ [picture]: _, ...files }) => files), 'project.unreadable', /photo\.png is missing/u],
    [
      'with other bytes',
      () => changed((f) => ({ ...f, [picture]: grayPng(9, 9) })),
      'project.unreadable',
      /photo\.png is not what it was/u,
    ],
    [
      'with a stranger entry',
      () => changed((f) => ({ ...f, '../../evil.sh': strToU8('x') })),
      'project.unreadable',
      /an entry "..\/..\/evil.sh"/u,
    ],
    ['with a bomb', () => changed((f) => ({ ...f, 'pictures/9.png': new Uint8Array(64 * 1024 ** 2) })), 'project.unreadable', /larger/u],
    ['without a description', () => changed(({ 'project.json': _, ...f }) => f), 'project.unreadable', /no project.json/u],
    ['that is cut', async () => (await projectBytes(project, store)).subarray(0, -40), 'project.unreadable', /cut or damaged/u],
    ['that is none', () => Promise.resolve(strToU8('PK not really')), 'project.unreadable', /cut or damaged/u],
    [
      'that reaches for prototypes',
      () => changed((f) => ({ ...f, 'project.json': strToU8('{"__proto__":{}}') })),
      'project.unreadable',
      /cannot be read/u,
    ],
    ['with a sheet too few', () => described((d) => ((d['project'] as Project).open = 7)), 'project.unreadable', /not as it should be/u],
    [
      'that names a picture of nobody',
      () => described((d) => ((d['project'] as Project).sheets[0]!.picture = 'ghost')),
      'project.unreadable',
      /ghost is missing/u,
    ],
  ])('%s is refused in one line, and leaves nothing open', async (_what, make, code, sentence) => {
    const file = await make();
    const before = await Promise.all(project.sheets.map(({ picture: id }) => store.describe(id)));
    await expect(readProjectFile({ body: [file] }, store)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(sentence) as string,
    });
    expect(await Promise.all(project.sheets.map(({ picture: id }) => store.describe(id)))).toEqual(before);
  });

  it.each([
    ['by far', GIBIBYTE + 1],
    ['by what stands around its pictures', GIBIBYTE - 500],
  ])('that would be larger than what opens again is not written, and none of its pictures is read: %s', async (_what, bytes) => {
    const id = project.sheets[0]!.picture;
    const gone = { file: (each: string) => ({ ...store.file(each), file: join(folder, 'gone'), ...(each === id && { bytes }) }) };
    await expect(writeProjectFile(project, gone)).rejects.toMatchObject({
      code: 'output.unwritable',
      message: expect.stringMatching(/^Expected at most 1073741824 bytes for a project, which is what opens again, but/u) as string,
    });
  });

  it.each([
    ['by what its sender says', GIBIBYTE + 1, []],
    [
      'where its sender says nothing',
      undefined,
      [strToU8('PK\x03\x04'), { byteLength: GIBIBYTE, subarray: () => new Uint8Array() } as unknown as Uint8Array],
    ],
  ])('of more than 1 GiB is refused %s, as a project', async (_how, declaredBytes, body) => {
    const refused = { code: 'project.unreadable', message: 'Expected at most 1073741824 bytes for the project but received more.' };
    await expect(readProjectFile({ body, declaredBytes }, store)).rejects.toMatchObject(refused);
    await expect(readProjectFile({ body, declaredBytes }, store)).rejects.toBeInstanceOf(BodyTooLargeError);
  });
});
