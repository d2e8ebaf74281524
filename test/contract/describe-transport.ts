import type { ProjectInput } from '#contract/project.js';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bytesOf } from '#engine/door/encoded-picture.js';
import type { Cancellation } from '#base/cancellation.js';
import { DEFAULT_PREFERENCES } from '#contract/preferences.js';
import { throwIfCancelled } from '#contract/errors.js';
import type { EngineEvent, EngineJob, SelectJob } from '#engine/door/engine.js';
import type { Link } from '#contract/api.js';
import { grayPng, SCALES, threeScales, type Lessons } from '../support/fake-engine.js';
import { openTestService, type TestService } from '../support/service.js';

export interface OpenTransport {
  readonly link: Link<Uint8Array>;
  close(): Promise<void>;
}

const NONE = { notices: [] };
const LOSSES = { png: NONE, jpeg: NONE, webp: { notices: [], longestSide: 16_383 }, tiff: NONE, avif: NONE, layers: NONE };

/** What every wire between a client and the service must do; each transport runs it whole. */
export function describeTransport(name: string, open: (opened: TestService) => Promise<OpenTransport>): void {
  describe(`the transport ${name}`, () => {
    let opened: TestService;
    let transport: OpenTransport;
    let link: Link<Uint8Array>;

    beforeEach(async () => {
      const layers: Lessons['layers'] = async (all) => {
        const read = all.map(async ({ picture, ...layer }) => ({ ...layer, bytes: (await bytesOf(picture)).length }));
        return Buffer.from(JSON.stringify(await Promise.all(read)));
      };
      opened = await openTestService({
        run: broodOrRun,
        providers: () => Promise.resolve([{ name: 'cpu', available: true }]),
        machine: () => Promise.resolve(MACHINE),
        layers,
        losses: () => Promise.resolve(LOSSES),
        select: selectOrBrood,
      });
      transport = await open(opened);
      link = transport.link;
    });

    afterEach(async () => {
      await transport.close();
      await opened.close();
    });

    it('answers a call', async () => {
      expect(await link.call('providers.list', {})).toEqual([{ name: 'cpu', available: true }]);
      expect((await link.call('packs.info', { name: 'studio' })).card.imageSize).toBe(16);
    });

    it('carries pictures beside the messages, byte for byte', async () => {
      const bytes = grayPng(20, 30);
      const info = await link.upload(bytes, '東京 "night".png');
      expect(info).toMatchObject({ name: '東京 _night_.png', size: { width: 20, height: 30 }, format: 'png' });
      expect(Buffer.from(await link.download(info.id)).equals(Buffer.from(bytes))).toBe(true);
      expect(await link.call('picture.describe', { id: info.id })).toEqual(info);
      expect(await link.call('picture.close', { id: info.id })).toBeNull();
      await expect(link.download(info.id)).rejects.toMatchObject({ code: 'picture.unknown' });
    });

    it('says what each kind of file loses of a picture', async () => {
      const { id } = await link.upload(grayPng(2, 3), 'photo.png');
      expect(await link.call('picture.losses', { id })).toEqual(LOSSES);
      await expect(link.call('picture.losses', { id: 'gone' })).rejects.toMatchObject({ code: 'picture.unknown' });
    });

    it('carries projects as files, and journals', async () => {
      const { id } = await link.upload(grayPng(2, 3), 'photo.png');
      const sheets = [{ picture: id, mask: { steps: [{ kind: 'invert' as const }], length: 1 }, blank: false }];
      const project = { sheets, open: 0, settings: { seed: 7 } };
      const back = await link.openProject(await link.saveProject(project));
      expect(back).toMatchObject({ sheets: [{ mask: { steps: [{ kind: 'invert' }] } }], settings: { seed: 7 } });
      expect(Buffer.from(await link.download(back.sheets[0]?.picture ?? '')).equals(Buffer.from(grayPng(2, 3)))).toBe(true);
      await expect(link.openProject(grayPng(2, 3))).rejects.toMatchObject({ code: 'project.unreadable' });
      expect(await link.call('journal.write', { owner: 'window-one', project })).toBeNull();
      expect(await link.call('journal.recover', { owner: 'window-one' })).toMatchObject(project);
      await expect(link.call('journal.recover', { owner: '../etc' })).rejects.toMatchObject({ code: 'request.invalid' });
    });

    it('keeps documents that were closed, until they are removed', async () => {
      const { id: picture } = await link.upload(grayPng(2, 3), 'photo.png');
      const mask = { steps: [{ kind: 'invert' as const }], length: 1 };
      const project = { sheets: [{ picture, mask, blank: false }], open: 0, settings: { seed: 7 } };
      const said = { name: 'photo.png', steps: 0, width: 2, height: 3, thumbnail: '' };
      const { id } = await link.call('recent.keep', { ...said, project });
      await link.call('picture.close', { id: picture });
      expect(await link.call('recent.list', {})).toMatchObject([{ id, ...said }]);
      const back = await link.call('recent.open', { id });
      expect(back).toMatchObject({ sheets: [{ mask }], settings: { seed: 7 } });
      expect(Buffer.from(await link.download(back.sheets[0]?.picture ?? '')).equals(Buffer.from(grayPng(2, 3)))).toBe(true);
      const again = await link.call('recent.keep', { ...said, id, name: 'again.png', project: back as ProjectInput });
      expect(await link.call('recent.list', {})).toEqual([again]);
      await expect(link.call('recent.open', { id: '../../etc' })).rejects.toMatchObject({ code: 'request.invalid' });
      expect(await link.call('recent.remove', { id })).toBeNull();
      expect(await link.call('recent.list', {})).toEqual([]);
      await expect(link.call('recent.open', { id })).rejects.toMatchObject({ code: 'project.unreadable' });
    });

    it('says that there is no farm, and refuses orders for one', async () => {
      expect(await link.call('farm.status', {})).toEqual({ address: null, workers: [], queues: [] });
      await expect(link.call('farm.cancel', { batch: 'b'.repeat(32) })).rejects.toMatchObject({ code: 'farm.unreachable' });
      await expect(link.call('farm.retry', { batch: '../etc' })).rejects.toMatchObject({ code: 'request.invalid' });
      const events: unknown[] = [];
      for await (const event of link.stream('farm.run', { batch: 'b'.repeat(32) })) events.push(event);
      expect(events).toMatchObject([{ type: 'failed', error: { code: 'farm.unreachable' } }]);
    });

    it('keeps preferences', async () => {
      expect(await link.call('preferences.read', {})).toEqual(DEFAULT_PREFERENCES);
      const liked = { ...DEFAULT_PREFERENCES, theme: 'light' as const, keys: { brush: ['Ä'] } };
      expect(await link.call('preferences.write', liked)).toBeNull();
      expect(await link.call('preferences.read', {})).toEqual(liked);
      await expect(link.call('preferences.write', { ...liked, theme: 'pink' } as never)).rejects.toMatchObject({ code: 'request.invalid' });
    });

    it('says what the machine has, and which packs the hub has, without asking it', async () => {
      expect(await link.call('machine.describe', {})).toEqual(MACHINE);
      const known = await link.call('packs.known', {});
      expect(known.find((pack) => pack.name === 'var-d16')).toEqual({ name: 'var-d16', title: 'VAR-d16, 256 px', installed: false });
      await expect(link.call('packs.askHub', { name: 'none' })).rejects.toMatchObject({ code: 'pack.unknown' });
    });

    it('verifies a pack with its progress, and removes none that came with the program', async () => {
      const events = await collect(link.stream('packs.verify', { name: 'studio' }));
      expect(events[0]?.type).toBe('progress');
      expect(events.at(-1)).toMatchObject({ type: 'verified', verification: { name: 'studio', ok: true } });
      await expect(link.call('packs.remove', { name: 'studio' })).rejects.toMatchObject({ code: 'pack.protected' });
      const unknown = await collect(link.stream('packs.verify', { name: 'none' }));
      expect(unknown).toMatchObject([{ type: 'failed', error: { code: 'pack.unknown' } }]);
    });

    it('fetches no pack whose licence was not accepted, and none that is installed', async () => {
      await expect(link.stream('packs.add', { name: 'var-d16' } as never).next()).rejects.toMatchObject({ code: 'request.invalid' });
      const events = await collect(link.stream('packs.add', { name: 'studio', acceptLicence: true }));
      expect(events).toMatchObject([{ type: 'failed', error: { code: 'output.exists' } }]);
    });

    it('asks the hub for a known pack, fetches it, and stops in the middle when it is told to', async () => {
      const hub = await openHub();
      vi.stubEnv('HF_ENDPOINT', hub.address);
      vi.stubEnv('SCALEBRUSH_HOME', opened.root);
      const report = await link.call('packs.askHub', { name: 'var-d16' });
      expect(report.files).toMatchObject([
        { repository: 'FoundationVision/var', path: 'var_d16.pth', bytes: HUB_BYTES, licence: 'mit' },
        { path: 'vae_ch160v4096z32.pth' },
      ]);
      const stop = new AbortController();
      const shares: number[] = [];
      let last: string | undefined;
      for await (const event of link.stream('packs.add', { name: 'var-d16', acceptLicence: true }, stop.signal)) {
        last = event.type;
        if (event.type === 'progress' && event.doneBytes > 0) {
          shares.push(event.doneBytes / event.totalBytes);
          stop.abort();
        }
      }
      expect([last, shares[0]]).toEqual(['cancelled', 0.25]);
      await vi.waitFor(() => {
        expect(hub.left()).toBe(1);
      });
      vi.unstubAllEnvs();
      await hub.close();
    });

    it('finds the object that is pointed at, and gives up when it is told to', async () => {
      const { id: source } = await link.upload(grayPng(4, 3), 'photo.png');
      const events = await collect(link.stream('object.select', { source, pointing: { at: { x: 2, y: 1 } } }));
      expect(events).toMatchObject([{ type: 'selected', mask: { size: { width: 4, height: 3 } } }]);
      const boxless = link.stream('object.select', { source, pointing: { box: { x: 1, y: 1, width: 0, height: 2 } } });
      await expect(boxless.next()).rejects.toMatchObject({ code: 'request.invalid' });
      const unknown = await collect(link.stream('object.select', { source: 'none', pointing: { at: { x: 2, y: 1 } } }));
      expect(unknown).toMatchObject([{ type: 'failed', error: { code: 'picture.unknown' } }]);
      const stop = new AbortController();
      setTimeout(() => {
        stop.abort();
      }, 20);
      const given = link.stream('object.select', { source, pointing: { box: { x: 0, y: 0, width: 2, height: 2 } } }, stop.signal);
      expect((await collect(given)).at(-1)).toEqual({ type: 'cancelled' });
    });

    it('carries documents as layers', async () => {
      const { id } = await link.upload(grayPng(2, 3), 'photo.png');
      const file = await link.saveLayers({ layers: [{ name: 'Photo', picture: id, top: 4 }] });
      expect(JSON.parse(Buffer.from(file).toString())).toEqual([
        { name: 'Photo', left: 0, top: 4, hidden: false, bytes: grayPng(2, 3).length },
      ]);
      await expect(link.saveLayers({ layers: [] })).rejects.toMatchObject({ code: 'request.invalid' });
    });

    it('streams a run in order, with pictures as ids', async () => {
      const source = await link.upload(grayPng(20, 30), 'photo.png');
      const events = await collect(link.stream('edit.run', { task: 'edit', source: source.id, instruction: 'make it red', seed: 9 }));
      const scales = Array.from({ length: SCALES }, () => ['scale', 'preview']).flat();
      expect(events.map(({ type }) => type)).toEqual(['started', ...scales, 'candidate', 'done']);
      const candidate = events.find((event) => event.type === 'candidate')?.candidate;
      expect(candidate).toMatchObject({ seed: 9, changedOutsideMask: 0 });
      expect(Buffer.from(await link.download(candidate?.picture ?? '')).equals(Buffer.from(grayPng(20, 30, 9)))).toBe(true);
    });

    it.each<[string, object, string, RegExp]>([
      [
        'a number out of range',
        { task: 'generate', instruction: 'x', guidance: 99 },
        'request.invalid',
        /Expected a number from 0 to 30 for guidance/u,
      ],
      [
        'a seed beyond 32 bits',
        { task: 'generate', instruction: 'x', seed: 2 ** 32 },
        'request.invalid',
        /Expected a whole number from 0 to 4294967295 for seed/u,
      ],
      ['an unknown task', { task: 'paint' }, 'request.invalid', /for task but received "paint"/u],
      ['an empty instruction', { task: 'generate', instruction: '  ' }, 'instruction.missing', /Expected an instruction for generate/u],
    ])('refuses %s before anything starts', async (_what, input, code, sentence) => {
      const run = link.stream('edit.run', input as never);
      await expect(run.next()).rejects.toMatchObject({ code, message: expect.stringMatching(sentence) as string });
      expect(opened.engine.jobs).toEqual([]);
    });

    it('says in the stream what fails later', async () => {
      const events = await collect(link.stream('edit.run', { task: 'edit', source: 'gone', instruction: 'x' }));
      expect(events).toMatchObject([{ type: 'failed', error: { code: 'picture.unknown', advice: 'Open the picture again.' } }]);
    });

    it('refuses a call with the same code and sentence', async () => {
      await expect(link.call('packs.info', { name: 7 } as never)).rejects.toMatchObject({
        code: 'request.invalid',
        message: 'Expected string for name but received 7.',
      });
      await expect(link.call('packs.info', { name: 'none' })).rejects.toMatchObject({ code: 'pack.unknown' });
    });

    it('cancels when the signal says so', async () => {
      const stop = new AbortController();
      const types: string[] = [];
      for await (const event of link.stream('edit.run', { task: 'generate', instruction: 'x', count: 16 }, stop.signal)) {
        types.push(event.type);
        if (event.type === 'scale') stop.abort();
      }
      expect(types.at(-1)).toBe('cancelled');
      expect(types).not.toContain('candidate');
      await vi.waitFor(() => {
        expect(opened.engine.unfinished).toBe(1);
      });
    });

    it('cancels a run that has nothing to say', async () => {
      const stop = new AbortController();
      const types: string[] = [];
      for await (const event of link.stream('edit.run', { task: 'generate', instruction: 'brood' }, stop.signal)) {
        types.push(event.type);
        setTimeout(() => {
          stop.abort();
        }, 20);
      }
      expect(types).toEqual(['scale', 'cancelled']);
      const events = await collect(link.stream('edit.run', { task: 'generate', instruction: 'y' }));
      expect(events.at(-1)?.type).toBe('done');
    });

    it('carries a curve of temperatures, and a level one as one temperature', async () => {
      for (const temperature of [
        [1, 0.5, 0.1],
        [0.4, 0.4],
      ])
        await collect(link.stream('edit.run', { task: 'generate', instruction: 'x', temperature }));
      expect(opened.engine.jobs.map(({ request }) => request.temperature)).toEqual([[1, 0.5, 0.1], 0.4]);
    });

    it('carries a re-roll of the least certain tokens, and refuses one of none', async () => {
      const redraw = { scale: 2, share: 0.25, seed: 9 };
      await collect(link.stream('edit.run', { task: 'generate', instruction: 'x', redraw }));
      expect(opened.engine.jobs.at(-1)?.request.redraw).toEqual(redraw);
      const none = link.stream('edit.run', { task: 'generate', instruction: 'x', redraw: { ...redraw, share: 0 } });
      await expect(none.next()).rejects.toMatchObject({
        code: 'request.invalid',
        message: expect.stringContaining('Expected a number above 0 and up to 1 for share (redraw.share: received 0).') as string,
      });
    });

    it('cancels when the client leaves the loop, so the next run gets its turn', async () => {
      for await (const event of link.stream('edit.run', { task: 'generate', instruction: 'x', count: 16 }))
        if (event.type === 'scale') break;
      const events = await collect(link.stream('edit.run', { task: 'generate', instruction: 'y' }));
      expect(events.at(-1)?.type).toBe('done');
      expect(opened.engine.jobs.map(({ request }) => request.instruction)).toEqual(['x', 'y']);
      expect(opened.engine.unfinished).toBe(1);
    });
  });
}

const MACHINE = { processor: 'A processor', threads: 2, memoryBytes: 8e9, freeBytes: 4e9, integers: 'unknown' as const, gflops: null };
const HUB_BYTES = 1000;

/** A hub that answers what it is asked and then sends half of each file, never the rest. */
async function openHub() {
  let left = 0;
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/api/models/')) {
      const siblings = ['var_d16.pth', 'vae_ch160v4096z32.pth'].map((rfilename) => ({ rfilename, size: HUB_BYTES }));
      response.end(JSON.stringify({ cardData: { license: 'mit' }, siblings }));
      return;
    }
    response.once('close', () => (left += 1));
    response.writeHead(200, { 'content-length': HUB_BYTES });
    response.write(Buffer.alloc(HUB_BYTES / 2));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { address: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, left: () => left, close };
}

/** Asked to brood, it gives one event and then waits for its end. */
async function* broodOrRun(job: EngineJob, signal: Cancellation): AsyncGenerator<EngineEvent, void> {
  if (job.request.instruction !== 'brood') return yield* threeScales(job, signal);
  yield { type: 'scale', candidate: 0, scale: 1, of: SCALES, tokens: 1, ms: 1 };
  while (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
  yield { type: 'cancelled' };
}

/** Of a box it finds nothing until it is told to stop. */
async function* selectOrBrood({ pointing }: SelectJob, signal: Cancellation): AsyncGenerator<Uint8Array, void> {
  while ('box' in pointing && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
  throwIfCancelled(signal);
  yield grayPng(4, 3);
}

async function collect<E>(events: AsyncGenerator<E, void>): Promise<E[]> {
  const all: E[] = [];
  for await (const event of events) all.push(event);
  return all;
}
