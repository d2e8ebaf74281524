import type { Timing } from '#farm/settings.js';

/** The farm's times, a quarter as long: what a test waits for. */
export const SHORT: Timing = { lockMs: 5_000, stalledMs: 2_500, backoffMs: 100, drainedMs: 500, sitMs: 2_000, lookMs: 250 };
