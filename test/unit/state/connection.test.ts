import { expect, test, vi } from 'vitest';
import { ExpectedError } from '#contract/errors.js';
import { Connection } from '#state/connection.svelte.js';
import { FakeLink } from './fake-link.js';

test('that the service goes is noticed at once, and it is asked for until it is back', async () => {
  const link = new FakeLink();
  const never = (): void => undefined;
  let leave = never;
  const arrive = () => Promise.resolve({ ended: new Promise<void>((resolve) => (leave = resolve)) });
  const refuse = (code: 'access.denied' | 'service.unreachable') => () => Promise.reject(new ExpectedError(code, 'No.'));
  link.presence = arrive;
  let returns = 0;
  const onback = (): Promise<void> => {
    returns++;
    return Promise.resolve();
  };
  const connection = new Connection(link, onback, 1);
  const stop = new AbortController();
  void connection.watch(stop.signal);
  await vi.waitUntil(() => leave !== never);
  link.presence = refuse('service.unreachable');
  leave();
  await vi.waitFor(() => {
    expect(connection.state).toBe('gone');
  });
  link.presence = refuse('access.denied');
  await vi.waitFor(() => {
    expect(connection.state).toBe('denied');
  });
  link.presence = arrive;
  await vi.waitFor(() => {
    expect(connection.state).toBe('there');
  });
  expect(returns).toBe(1);
  stop.abort();
  leave();
});
