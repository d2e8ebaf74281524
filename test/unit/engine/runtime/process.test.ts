import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build } from 'vite';
import { CancelledError, ExpectedError } from '#contract/errors.js';
import { InferenceProcess } from '#engine/runtime/process.js';

let folder: string;
let entry: string;

/** Plain Node cannot run TypeScript: the child's script is bundled first, as in the product. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-process-'));
  await build({
    configFile: false,
    logLevel: 'error',
    build: { ssr: 'test/support/echo-process.ts', outDir: folder, rolldownOptions: { output: { entryFileNames: 'child.mjs' } } },
  });
  entry = path.join(folder, 'child.mjs');
});

afterAll(() => rm(folder, { recursive: true }));

async function withProcess(use: (process: InferenceProcess) => Promise<void>, hardCancelMs = 5000): Promise<void> {
  const child = new InferenceProcess({ entry, hardCancelMs });
  try {
    await use(child);
  } finally {
    await child.close();
  }
}

const wanted = () => new AbortController().signal;

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error instanceof ExpectedError ? error.code : error),
  );
}

describe('the inference process', () => {
  test('answers calls, typed arrays included', () =>
    withProcess(async (child) => {
      expect(await child.call('echo', [Float32Array.of(1, 2.5)])).toEqual(Float32Array.of(1, 2.5));
    }));

  test('streams values in order', () =>
    withProcess(async (child) => {
      const values: number[] = [];
      for await (const value of child.stream<number>('count', [5], wanted())) values.push(value);
      expect(values).toEqual([0, 1, 2, 3, 4]);
    }));

  test('begins no other once it was closed, asked before or not, which nobody would end', async () => {
    for (const first of [[], ['echo']]) {
      const child = new InferenceProcess({ entry });
      for (const method of first) await child.call(method, []);
      await child.close();
      expect(await codeOf(child.call('echo', []))).toBe('inference.died');
      expect(await codeOf(child.stream('count', [5], wanted()).next())).toBe('inference.died');
      expect(child.pid).toBeUndefined();
    }
  });

  test('keeps the code of an expected error', () =>
    withProcess(async (child) => {
      expect(await codeOf(child.call('refuse', []))).toBe('mask.empty');
    }));

  test('killed in mid-run fails what was running and answers the next question from a new process', () =>
    withProcess(async (child) => {
      const values = child.stream<number>('count', [1_000_000], wanted());
      await values.next();
      const first = child.pid;
      child.kill();
      expect(
        await codeOf(
          (async () => {
            for await (const _ of values);
          })(),
        ),
      ).toBe('inference.died');
      expect(await child.call('echo', ['again'])).toBe('again');
      expect(child.pid).not.toBe(first);
    }));

  test('is cancelled softly between two values', () =>
    withProcess(async (child) => {
      const controller = new AbortController();
      const values = child.stream<number>('count', [1_000_000], controller.signal);
      await values.next();
      controller.abort();
      await expect(
        (async () => {
          for await (const _ of values);
        })(),
      ).rejects.toThrow(CancelledError);
      expect(await child.call('echo', ['alive'])).toBe('alive');
    }));

  test.skipIf(process.platform !== 'linux')('is not waited for where it was stopped: its work is cancelled, and a new one answers', () =>
    withProcess(async (child) => {
      const controller = new AbortController();
      const values = child.stream<number>('count', [1_000_000], controller.signal);
      await values.next();
      process.kill(child.pid!, 'SIGSTOP');
      controller.abort();
      expect(
        await codeOf(
          (async () => {
            for await (const _ of values);
          })(),
        ),
      ).toBe('inference.died');
      expect(await child.call('echo', ['again'])).toBe('again');
    }, 60_000),
  );

  test.skipIf(process.platform !== 'linux')(
    'that was stopped keeps no call waiting, which nobody can cancel: it fails, and a new one answers',
    () =>
      withProcess(async (child) => {
        await child.call('echo', ['here']);
        const { pid } = child;
        process.kill(pid!, 'SIGSTOP');
        expect(await codeOf(child.call('echo', ['lost']))).toBe('inference.died');
        expect(await child.call('echo', ['again'])).toBe('again');
        expect(child.pid).not.toBe(pid);
      }, 60_000),
  );

  test.skipIf(process.platform !== 'linux')('that was stopped fails what it should have begun, cancelled or not', () =>
    withProcess(async (child) => {
      await child.call('echo', ['here']);
      process.kill(child.pid!, 'SIGSTOP');
      expect(await codeOf(child.stream('count', [5], wanted()).next())).toBe('inference.died');
    }, 60_000),
  );

  test.skipIf(process.platform !== 'linux')(
    'is not waited for where it does nothing, as with a driver that hangs, once it is cancelled',
    () =>
      withProcess(async (child) => {
        const controller = new AbortController();
        const values = child.stream<number>('deaf', [], controller.signal);
        await values.next();
        controller.abort();
        expect(await codeOf(values.next())).toBe('inference.died');
      }, 600_000),
  );

  test.skipIf(process.platform !== 'linux')('that was stopped for a moment answers when it goes on', () =>
    withProcess(async (child) => {
      await child.call('echo', ['here']);
      const { pid } = child;
      process.kill(pid!, 'SIGSTOP');
      const answer = child.call('echo', ['late']);
      process.kill(pid!, 'SIGCONT');
      expect(await answer).toBe('late');
      expect(child.pid).toBe(pid);
    }, 60_000),
  );

  test('holds no more memory for having made much: what is short-lived has a small place in it', () =>
    withProcess(async (child) => {
      expect(await child.call<number>('churn', [])).toBeLessThanOrEqual(8 * 2 ** 20);
    }, 60_000));

  test.skipIf(process.platform !== 'linux')('is waited for where it computes: what it holds is worth more than a moment', () =>
    withProcess(async (child) => {
      const controller = new AbortController();
      const values = child.stream<number>('busy', [2500], controller.signal);
      await values.next();
      const { pid } = child;
      controller.abort();
      await expect(values.next()).rejects.toThrow(CancelledError);
      expect(child.pid).toBe(pid);
    }, 60_000),
  );

  test.skipIf(process.platform === 'win32')('that was stopped is closed all the same', async () => {
    const child = new InferenceProcess({ entry });
    await child.call('echo', ['here']);
    process.kill(child.pid!, 'SIGSTOP');
    await child.close();
    expect(child.pid).toBeUndefined();
  });

  test('is killed where it does not listen to a cancel', () =>
    withProcess(async (child) => {
      const controller = new AbortController();
      const values = child.stream<number>('deaf', [], controller.signal);
      await values.next();
      controller.abort();
      expect(await codeOf(values.next())).toBe('inference.died');
    }, 100));

  test('that has nobody left to answer ends without a word', async () => {
    const child = fork(entry, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let said = '';
    child.stderr?.on('data', (piece: Buffer) => (said += piece.toString()));
    child.send({ kind: 'ask', id: 0, method: 'late', args: [500] });
    await once(child, 'message');
    const ended = Promise.all([once(child, 'exit'), once(child.stderr!, 'close')]);
    child.disconnect();
    expect((await ended)[0]).toEqual([0, null]);
    expect(said).toBe('');
  });
});
