import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { InstructionReport } from '#contract/api.js';
import { ServiceInfo } from '#state/service-info.svelte.js';
import { FakeLink } from './fake-link.js';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function report(word: string): InstructionReport {
  return { unknownWords: [{ word, suggestions: [] }], understands: [], known: false, cut: false };
}

test('an instruction is read once typing rests', async () => {
  const link = new FakeLink();
  const serviceInfo = new ServiceInfo(link);
  for (const typed of ['m', 'ma', 'mak']) serviceInfo.readInstruction('studio', typed);
  await vi.runAllTimersAsync();
  expect(link.asked).toEqual(['instruction.check']);
  expect(serviceInfo.wording).toMatchObject({ known: true });
});

test('an answer that comes late says nothing about what was typed since', async () => {
  const link = new FakeLink();
  const answers: ((report: InstructionReport) => void)[] = [];
  link.table['instruction.check'] = () => new Promise((resolve) => answers.push(resolve));
  const serviceInfo = new ServiceInfo(link);
  serviceInfo.readInstruction('studio', 'first');
  await vi.runAllTimersAsync();
  serviceInfo.readInstruction('studio', 'second');
  await vi.runAllTimersAsync();
  answers[1]?.(report('second'));
  answers[0]?.(report('first'));
  await vi.runAllTimersAsync();
  expect(serviceInfo.wording).toEqual(report('second'));
});

test('an emptied box has no unknown words, whatever is still on its way', async () => {
  const link = new FakeLink();
  link.table['instruction.check'] = () => report('unicorn');
  const serviceInfo = new ServiceInfo(link);
  serviceInfo.readInstruction('studio', 'unicorn');
  await vi.runAllTimersAsync();
  expect(serviceInfo.wording).toEqual(report('unicorn'));
  serviceInfo.readInstruction('studio', 'unicorns');
  serviceInfo.readInstruction('studio', ' ');
  await vi.runAllTimersAsync();
  expect(serviceInfo.wording).toBeUndefined();
});

test('a forecast that is refused leaves its place empty', async () => {
  const link = new FakeLink();
  const serviceInfo = new ServiceInfo(link);
  serviceInfo.expectRun({ task: 'edit' });
  await vi.runAllTimersAsync();
  expect(serviceInfo.forecast?.best.ms).toBe(1000);
  link.table['edit.forecast'] = () => Promise.reject(new Error('no'));
  serviceInfo.expectRun({ task: 'edit' });
  await vi.runAllTimersAsync();
  expect(serviceInfo.forecast).toBeUndefined();
});
