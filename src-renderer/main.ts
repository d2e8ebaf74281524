import { mount } from 'svelte';
import type { Desktop } from '#contract/desktop.js';
import { createHttpLink } from '#link/http.js';
import { Batch } from '#state/batch.svelte.js';
import { ChangedArea } from '#state/changed-area.svelte.js';
import { Pictures } from '#state/pictures.js';
import { Studio } from '#state/studio.svelte.js';
import StudioView from '#ui/views/Studio.svelte';
import './theme.css';

const target = document.getElementById('studio');
if (!target) throw new Error('Expected an element #studio in the page.');
/** A reload is the same window; a second tab is another. */
const OWNER = 'scalebrush-window';
const owner = sessionStorage.getItem(OWNER) ?? crypto.randomUUID();
sessionStorage.setItem(OWNER, owner);
const link = createHttpLink();
const studio = new Studio(link, owner);
const batch = new Batch(link, () => ({ settings: studio.settings, draws: studio.advice.draws }));
const changed = new ChangedArea(new Pictures(link));
const { scalebrushDesktop: desktop } = window as { readonly scalebrushDesktop?: Desktop };
mount(StudioView, { target, props: { studio, batch, changed, desktop } });
void studio.begin();
