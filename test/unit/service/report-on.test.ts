import { expect, it } from 'vitest';
import { reportOn } from '#service/report-on.js';

it('reports at least once and returns what came of the work', async () => {
  const reports = reportOn(Promise.resolve(7), () => 'half');
  expect(await reports.next()).toEqual({ done: false, value: 'half' });
  expect(await reports.next()).toEqual({ done: true, value: 7 });
});

it('throws what the work fails with', async () => {
  await expect(reportOn(Promise.reject(new Error('full')), () => 0).next()).rejects.toThrow('full');
});
