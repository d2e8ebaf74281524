import { mount } from 'svelte';
import type { Desktop } from '#contract/desktop.js';
import { createHttpLink } from '#link/http.js';
import { Batch, type Shelf } from '#state/batch.svelte.js';
import { ChangedArea } from '#state/changed-area.svelte.js';
import { Connection } from '#state/connection.svelte.js';
import { Machine } from '#state/machine.svelte.js';
import { Packs } from '#state/packs.svelte.js';
import { Pictures } from '#state/pictures.js';
import { Preferences } from '#state/preferences.svelte.js';
import { Studio } from '#state/studio.svelte.js';
import StudioView from '#ui/views/Studio.svelte';
import './theme.css';

const target = document.getElementById('studio');
if (!target) throw new Error('Expected an element #studio in the page.');
const link = createHttpLink();
const owner = windowName();
const preferences = new Preferences(link);
const studio = new Studio(link, owner, {
  get variants() {
    return preferences.current.variants;
  },
});
const batch = new Batch(
  link,
  () => ({
    settings: studio.settings,
    draws: studio.serviceInfo.draws,
    mask: studio.mask.painted && studio.mask.use === undefined ? studio.mask.layer : undefined,
  }),
  sessionShelf('scalebrush-batch'),
);
const changed = new ChangedArea(new Pictures(link));
const packs = new Packs({ link, studio, preferences });
const machine = new Machine(link);
const connection = new Connection(link, () => studio.serviceIsBack());
const { scalebrushDesktop: desktop } = window as { readonly scalebrushDesktop?: Desktop };
mount(StudioView, { target, props: { studio, batch, changed, preferences, packs, machine, connection, desktop } });
void preferences.load().then(() => studio.begin(preferences.firstPack));
void batch.recover();
void connection.watch();

/** One text of this window, for as long as it is open; a browser that keeps nothing only forgets. */
function sessionShelf(name: string): Shelf {
  const key = async () => `${name}-${await owner}`;
  return {
    read: async () => sessionStorage.getItem(await key()),
    write: async (text) => {
      if (text === null) sessionStorage.removeItem(await key());
      else sessionStorage.setItem(await key(), text);
    },
  };
}

/** A reload is the same window; a second tab is another, even where it was made as a double of the first. */
async function windowName(): Promise<string> {
  const OWNER = 'scalebrush-window';
  const last = sessionStorage.getItem(OWNER);
  const owner = last !== null && (await isFree(last)) ? last : crypto.randomUUID();
  if (owner !== last) await isFree(owner);
  sessionStorage.setItem(OWNER, owner);
  return owner;
}

/** Takes a name for as long as this page lives. */
function isFree(owner: string): Promise<boolean> {
  return new Promise((resolve) => {
    void navigator.locks.request(owner, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise<never>(() => undefined);
    });
  });
}
