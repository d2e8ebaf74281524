import type { Command } from './commands.js';
import type { LanguageTag } from './preferences.js';

/** A file that the desktop opens: from its menus, from the command line, or by a double click. */
export interface OpenedFile {
  readonly name: string;
  /** Where the page can fetch its bytes, once. */
  readonly address: string;
}

/** What the preload script lends the page, as `window.scalebrushDesktop`. Nothing but this crosses over. */
export interface Desktop {
  onCommand(listener: (command: Command) => void): void;
  onFile(listener: (file: OpenedFile) => unknown): void;
  /** Where a chosen or dropped file lies; empty for one that was made in the page. */
  pathOf(file: unknown): string;
  /** Lets the system drag a picture of the service out of the window, as a file. */
  dragOut(picture: string): void;
  /** Where a file was saved, as soon as it is; undefined where the user thought better of it. */
  onSaved(listener: (name: string | undefined) => void): void;
  /** Shows the file that was saved last in its folder. */
  showSaved(): void;
  /** The next file that is saved goes where the last one went, under a name that is free, without a question. */
  saveAsLast(): void;
  /** What the window speaks; menus and dialogs of the system follow. */
  language(tag: LanguageTag): void;
}

/** Main to page. */
export const CHANNELS = { command: 'scalebrush:command', file: 'scalebrush:file', saved: 'scalebrush:saved' } as const;
/** Page to main: these and nothing else. */
export const PAGE_CHANNELS = {
  dragOut: 'scalebrush:drag-out',
  language: 'scalebrush:language',
  showSaved: 'scalebrush:show-saved',
  saveAsLast: 'scalebrush:save-as-last',
} as const;

/** The page's own scheme: neither a file nor an address of the network. */
export const STUDIO = { scheme: 'app', host: 'studio', url: 'app://studio/' } as const;

/** What the service in its utility process asks of the shell, which alone can start processes. */
export type ToShell =
  | {
      readonly kind: 'start';
      readonly id: number;
      /** What the process finds beside the shell's own. */
      readonly env: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'stop' | 'kill'; readonly id: number };

/** What it is told. With `started` comes the port to the new process. */
export type FromShell =
  | { readonly kind: 'started'; readonly id: number; readonly pid: number | undefined }
  | { readonly kind: 'ended'; readonly id: number; readonly how: string };

/** As far as we use Electron's own: only the shell's room may name it. */
export interface MessagePort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): unknown;
  start(): void;
}

type ParentListener = (event: { readonly data: unknown; readonly ports: readonly MessagePort[] }) => void;

/** A utility process's way to the shell. */
export interface ParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: ParentListener): unknown;
  once(event: 'message', listener: ParentListener): unknown;
  off(event: 'message', listener: ParentListener): unknown;
}

/** `process`, which may be that of a utility process. */
export interface MaybeUtility {
  readonly parentPort?: ParentPort;
}
