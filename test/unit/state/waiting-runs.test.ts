// @vitest-environment jsdom
import { beforeEach, describe, expect, test, vi } from 'vitest';
import * as v from 'valibot';
import type { Calls } from '#contract/api.js';
import { Project } from '#contract/project.js';
import type { EditEvent } from '#contract/event.js';
import { Studio } from '#state/studio.svelte.js';
import { tinyCard } from '../../support/tiny-card.js';
import { FakeLink, STARTED, wholeRun } from './fake-link.js';

beforeEach(() => {
  vi.stubGlobal('createImageBitmap', async () => ({ width: 40, height: 30, close: () => undefined }));
  vi.stubGlobal('URL', { createObjectURL: () => 'blob:x', revokeObjectURL: () => undefined });
  HTMLCanvasElement.prototype.getContext = () => null;
});

const strokeAt = (x: number) => ({ points: [{ x, y: 10 }], radiusPx: 3, erase: false });

/** A link that keeps documents, of which a later window hears nothing else. */
function keepingLink(): FakeLink {
  const link = new FakeLink();
  const kept = new Map<string, Project>();
  link.table['packs.info'] = ({ name }) => ({ name, card: tinyCard }) as unknown as Calls['packs.info']['out'];
  link.table['recent.keep'] = ({ project, id = `recent-document-${kept.size + 1}`, ...said }) => {
    kept.set(id, v.parse(Project, JSON.parse(JSON.stringify(project))));
    return { ...said, id, closedMs: 1 };
  };
  link.table['recent.open'] = ({ id }) => kept.get(id)!;
  link.table['recent.list'] = () =>
    [...kept.keys()].map((id) => ({ id, closedMs: 1, name: `${id}.png`, steps: 0, width: 40, height: 30, thumbnail: '' }));
  return link;
}

/** One run at work that never ends, one of the words behind it that are held to a mask, and a stroke that removes. */
async function withWaiting(link: FakeLink): Promise<Studio> {
  const studio = new Studio(link, 'window-one');
  await studio.begin();
  await studio.opener.openFile(new Blob(['x']), 'photo.png');
  link.events = [STARTED, new Promise<EditEvent>(() => undefined)];
  studio.change({ instruction: 'make it night' });
  void studio.runner.press();
  await vi.waitUntil(() => link.requests.length === 1);
  studio.mask.add({ kind: 'stroke', stroke: strokeAt(8) });
  studio.change({
    instruction: 'make it warmer',
    control: { ...studio.settings.control, kind: 'canny', map: { id: 'own-map', name: 'map.png' } },
  });
  void studio.runner.press();
  await vi.waitUntil(() => studio.queue.waiting.length === 1);
  void studio.remover.lifted(strokeAt(30));
  return studio;
}

const wordsOf = (studio: Studio) => studio.queue.waiting.map(({ order }) => order.settings.instruction);
const stored = (studio: Studio) => v.parse(Project, JSON.parse(JSON.stringify(studio.project)));

describe('runs that are not made yet', () => {
  test('are in the journal, come back paused, and do then what they were asked for', async () => {
    const link = keepingLink();
    const project = stored(await withWaiting(link));
    expect(project.waiting?.map(({ settings, removes }) => [settings.instruction, removes])).toEqual([
      ['make it night', undefined],
      ['make it warmer', undefined],
      ['', true],
    ]);
    const again = keepingLink();
    again.table['journal.recover'] = () => project;
    const studio = new Studio(again, 'window-two');
    await studio.begin();
    expect([wordsOf(studio), studio.queue.paused, studio.phase]).toEqual([['make it night', 'make it warmer', ''], true, 'ready']);
    expect(studio.notices.map(({ code }) => code)).toEqual(['project.recovered', 'queue.recovered']);
    expect(studio.remover.waiting).toEqual([strokeAt(30)]);
    expect(again.requests).toEqual([]);
    again.events = wholeRun('made');
    await studio.queue.resume();
    await vi.waitUntil(() => studio.document.sheets.length === 3);
    expect(again.requests.map(({ task, instruction, mask, control }) => [task, instruction, mask !== undefined, control?.map])).toEqual([
      ['edit', 'make it night', false, undefined],
      ['edit', 'make it warmer', true, 'own-map'],
      ['fill', '', true, undefined],
    ]);
    expect(stored(studio).waiting).toBeUndefined();
  });

  test('stay with a document that is put away: they go on in the same session, and wait in the next', async () => {
    const link = keepingLink();
    const studio = await withWaiting(link);
    await studio.opener.openFile(new Blob(['y']), 'other.png');
    const { tabs } = studio.opener;
    expect([tabs.all.map(({ waiting }) => waiting), studio.queue.waiting, studio.queue.paused]).toEqual([[3, 0], [], false]);
    const journal = { ...stored(studio), tabs: JSON.parse(JSON.stringify(tabs.kept)) as NonNullable<Project['tabs']> };
    const recover = () => v.parse(Project, journal);

    link.table['journal.recover'] = recover;
    const next = new Studio(link, 'window-two');
    await next.begin();
    expect(next.opener.tabs.all.map(({ name, waiting }) => [name, waiting])).toEqual([['photo.png', 3], ['other.png', 0]]); // prettier-ignore
    await next.opener.switchTo(next.opener.tabs.all[0]!.key);
    expect([wordsOf(next).length, next.queue.paused, next.notices.map(({ code }) => code)]).toEqual([3, true, ['queue.recovered']]);

    link.events = wholeRun('made');
    await studio.opener.switchTo(tabs.all[0]!.key);
    await vi.waitUntil(() => studio.document.sheets.length === 3);
    expect([studio.queue.waiting, tabs.all.map(({ waiting }) => waiting)]).toEqual([[], [0, 0]]);
  });

  test('keep the control map that they were asked for with', async () => {
    const link = keepingLink();
    const studio = await withWaiting(link);
    studio.wish.dropMap();
    expect(link.closed).not.toContain('own-map');
    studio.queue.clear();
  });

  test('that are paused are not dropped with a run that is cancelled', async () => {
    const link = keepingLink();
    const studio = await withWaiting(link);
    studio.queue.pause();
    studio.cancel();
    await vi.waitUntil(() => studio.phase === 'ready');
    expect(wordsOf(studio)).toEqual(['make it warmer', '']);
  });

  test('say so where the picture that was painted on has become another', async () => {
    const link = keepingLink();
    const project = stored(await withWaiting(link));
    const [, masked] = project.waiting!;
    const again = keepingLink();
    again.table['journal.recover'] = () => ({ ...project, waiting: [{ ...masked!, size: { width: 400_000, height: 300_000 } }] });
    const studio = new Studio(again, 'window-two');
    await studio.begin();
    await studio.queue.resume();
    expect([studio.phase, studio.error?.code, again.requests]).toEqual(['failed', 'mask.size', []]);
  });
});

test('what a file of the user’s holds is known after a restart', async () => {
  const link = keepingLink();
  const studio = new Studio(link);
  await studio.begin();
  await studio.opener.openFile(new Blob(['x']), 'photo.png');
  studio.change({ instruction: 'make it night' });
  link.events = wholeRun('made');
  await studio.run();
  expect(studio.exporter.isUnsaved).toBe(true);
  studio.exporter.filed.add('made').add('of another document');
  const project = stored(studio);
  expect(project.filed).toEqual(['made']);
  link.table['journal.recover'] = () => project;
  const next = new Studio(link, 'window-two');
  await next.begin();
  expect(next.exporter.isUnsaved).toBe(false);
});
