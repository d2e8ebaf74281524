import type { Command } from './commands.js';

/** A file that the desktop opens: from its menus, from the command line, or by a double click. */
export interface OpenedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What the preload script lends the page, as `window.scalebrushDesktop`. Nothing but this crosses over. */
export interface Desktop {
  onCommand(listener: (command: Command) => void): void;
  onFile(listener: (file: OpenedFile) => void): void;
  /** Where a chosen or dropped file lies; empty for one that was made in the page. */
  pathOf(file: unknown): string;
}

/** The two channels, main to page; the page sends nothing. */
export const CHANNELS = { command: 'scalebrush:command', file: 'scalebrush:file' } as const;
