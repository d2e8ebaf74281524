import { expect, it } from 'vitest';
import { nextQueue, type Sitting } from '#farm/seat.js';
import { TIMING } from '#farm/settings.js';

const sitting = (sitting: Partial<Sitting>): Sitting => ({ queue: 'a', satMs: 0, idleMs: 0, loadMs: 0, waiting: new Map([['a', 0], ['b', 3]]), ...sitting }); // prettier-ignore

it.each<[string, Partial<Sitting>, string | undefined]>([
  ['takes the longest queue first', { queue: undefined }, 'b'],
  ['stays while it works', { satMs: 59_000 }, undefined],
  ['stays for two seconds after its queue is empty', { idleMs: 1_900 }, undefined],
  ['goes then', { idleMs: 2_000 }, 'b'],
  ['goes from a full queue after a minute', { satMs: 60_000, waiting: new Map([['a', 9], ['b', 1]]) }, 'b'], // prettier-ignore
  ['goes later the longer its pack took to load', { satMs: 60_000, loadMs: 5_000 }, undefined],
  ['and after twenty times that', { satMs: 100_000, loadMs: 5_000 }, 'b'],
  ['stays where nobody waits elsewhere', { satMs: 1e9, idleMs: 1e9, waiting: new Map([['a', 0], ['b', 0]]) }, undefined], // prettier-ignore
  ['leaves a queue that is none of its own any more', { waiting: new Map([['b', 0]]) }, 'b'],
  ['has nowhere to go', { queue: undefined, waiting: new Map() }, undefined],
])('a worker %s', (_, given, expected) => {
  expect(nextQueue(sitting(given), TIMING)).toBe(expected);
});
