import { describe, expect, test } from 'vitest';
import { Tabs } from '#state/tabs.svelte.js';

const names = ({ all }: Tabs) => all.map(({ name }) => name);

function threeTabs(): Tabs {
  const tabs = new Tabs();
  for (const name of ['a', 'b', 'c']) {
    tabs.opened(name);
    tabs.putAway(`recent-${name}`, 0);
  }
  return tabs;
}

describe('tabs', () => {
  test('stay in their order, also when one comes back', () => {
    const tabs = threeTabs();
    tabs.opened('a', 'recent-a');
    expect([names(tabs), tabs.active]).toEqual([['a', 'b', 'c'], 0]);
    tabs.opened('d', 'recent-d');
    expect([names(tabs), tabs.active]).toEqual([['a', 'b', 'c', 'd'], 3]);
  });

  test('come back as they were written down', () => {
    const [tabs, again] = [threeTabs(), new Tabs()];
    tabs.opened('b', 'recent-b');
    again.restore(tabs.kept);
    expect([names(again), again.kept.map(({ id, open }) => [id, open])]).toEqual([
      ['a', 'b', 'c'],
      [['recent-a', undefined], ['recent-b', true], ['recent-c', undefined]], // prettier-ignore
    ]);
  });

  test('give the one beside the one that is closed, where that lay on the table', () => {
    const tabs = threeTabs();
    expect(tabs.close(0)).toBeUndefined();
    expect(tabs.close(2)?.id).toBe('recent-b');
    expect([names(tabs), tabs.active]).toEqual([['b'], undefined]);
    tabs.opened('b', 'recent-b');
    expect(tabs.close(1)).toBeUndefined();
    expect(names(tabs)).toEqual([]);
  });
});
