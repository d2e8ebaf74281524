import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { LANGUAGE_TAGS } from '#contract/preferences.js';
import { verdictOn } from '#packs/owner.js';
import { sideFileOf, sweepSideFiles } from '#service/side-files.js';
import { SHELL_WORDS, type ShellWords } from './words.js';

const side = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000));
const place = v.pipe(v.number(), v.integer(), v.minValue(-100_000), v.maxValue(100_000));

const Settings = v.object({
  version: v.literal(1),
  /** Of the window, in screen pixels. */
  bounds: v.optional(v.object({ x: place, y: place, width: side, height: side })),
  maximized: v.optional(v.boolean(), false),
  /** Absolute paths, the last one first. */
  recent: v.optional(v.array(v.string()), []),
  /** Where a picture was saved last. */
  saveFolder: v.optional(v.string()),
  /** Whether to look for a new version at every start. */
  updates: v.optional(v.boolean(), false),
  /** What the window spoke last. */
  language: v.optional(v.picklist(LANGUAGE_TAGS), 'en'),
});
export type Settings = v.InferOutput<typeof Settings>;

const FRESH: Settings = { version: 1, maximized: false, recent: [], updates: false, language: 'en' };
const MOST_RECENT = 10;

/** What the shell remembers from one start to the next. A file that cannot be read is set aside, never fatal. */
export class SettingsFile {
  readonly #file: string;
  #settings: Settings;

  constructor(folder: string) {
    this.#file = path.join(folder, 'settings.json');
    this.#settings = this.#read();
    sweepOlder(folder);
    void sweepSideFiles(folder);
  }

  get current(): Settings {
    return this.#settings;
  }

  /** In the language of the window. */
  get words(): ShellWords {
    return SHELL_WORDS[this.#settings.language];
  }

  /** Written at once: old or new, never half. A folder that cannot be written costs the memory, not the session. */
  change(change: Partial<Settings>): void {
    this.#settings = { ...this.#settings, ...change };
    const unfinished = path.join(path.dirname(this.#file), sideFileOf(this.#file));
    try {
      mkdirSync(path.dirname(this.#file), { recursive: true, mode: 0o700 });
      writeFileSync(unfinished, JSON.stringify(this.#settings, undefined, 2), { flag: 'wx', flush: true, mode: 0o600 });
      renameSync(unfinished, this.#file);
    } catch {
      process.stderr.write(`scalebrush: settings could not be written to ${this.#file}.\n`);
    }
  }

  opened(file: string): void {
    this.change({ recent: [file, ...this.#recentWithout(file)].slice(0, MOST_RECENT) });
  }

  forget(file: string): void {
    this.change({ recent: this.#recentWithout(file) });
  }

  #recentWithout(file: string): string[] {
    return this.#settings.recent.filter((earlier) => earlier !== file);
  }

  #read(): Settings {
    let text: string;
    try {
      text = readFileSync(this.#file, 'utf8');
    } catch {
      return FRESH;
    }
    try {
      return v.parse(Settings, JSON.parse(text));
    } catch {
      renameSync(this.#file, `${this.#file}.damaged`);
      return FRESH;
    }
  }
}

/** Earlier versions put the number of their process behind the name. */
function sweepOlder(folder: string): void {
  try {
    for (const name of readdirSync(folder)) {
      const pid = /^settings\.json\.(\d{1,10})\.tmp$/u.exec(name)?.[1];
      if (pid !== undefined && verdictOn(pid) === 'dead') rmSync(path.join(folder, name));
    }
  } catch {
    // A folder that is not there, or not ours, costs nobody his start.
  }
}
