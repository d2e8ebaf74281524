import { expect, it } from 'vitest';
import { remember } from '#base/remember.js';

it('makes what is asked for once per key, and once more where it failed', async () => {
  const known = new Map<string, Promise<string>>();
  const made: string[] = [];
  const make = (name: string, fails = false) =>
    remember(known, name, async () => {
      made.push(name);
      await Promise.resolve();
      if (fails) throw new Error(name);
      return name;
    });
  expect(await Promise.all([make('a'), make('a'), make('b')])).toEqual(['a', 'a', 'b']);
  const failed = await Promise.allSettled([make('c', true), make('c')]);
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await make('c')).toBe('c');
  expect(made).toEqual(['a', 'b', 'c', 'c']);
});
