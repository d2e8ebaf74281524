import { mount } from 'svelte';
import { createHttpLink } from '#link/http.js';
import { Studio } from '#state/studio.svelte.js';
import StudioView from '#ui/views/Studio.svelte';
import './theme.css';

const target = document.getElementById('studio');
if (!target) throw new Error('Expected an element #studio in the page.');
mount(StudioView, { target, props: { studio: new Studio(createHttpLink()) } });
