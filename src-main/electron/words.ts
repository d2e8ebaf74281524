import type { Command } from '#contract/commands.js';
import type { LanguageTag } from '#contract/preferences.js';

/** What the shell itself says, in menus and in the system's dialogs. The window has a catalogue of its own. */
export interface ShellWords {
  readonly menus: Readonly<Record<'file' | 'edit' | 'view' | 'help', string>>;
  readonly commands: Readonly<Record<Command, string>>;
  readonly roles: Readonly<
    Record<'quit' | 'close' | 'cut' | 'copy' | 'paste' | 'selectAll' | 'togglefullscreen' | 'toggleDevTools', string>
  >;
  readonly recent: string;
  readonly diagnostics: string;
  readonly lookForUpdates: string;
  readonly save: (name: string) => string;
  readonly ended: Readonly<Record<'done' | 'failed', string>>;
  /** Before a run is lost. */
  readonly leaving: { readonly message: string; readonly detail: string; readonly stay: string; readonly leave: string };
  readonly update: {
    readonly message: (version: string) => string;
    readonly detail: string;
    readonly fetch: string;
    readonly later: string;
  };
  readonly notOpened: string;
  readonly notStarted: string;
  readonly anew: {
    readonly title: string;
    readonly serviceEnded: string;
    readonly windowEnded: (reason: string) => string;
    readonly comesBack: string;
  };
}

const en: ShellWords = {
  menus: { file: 'File', edit: 'Edit', view: 'View', help: 'Help' },
  commands: {
    open: 'Open…',
    save: 'Save…',
    saveAgain: 'Save as Last Time',
    undo: 'Undo',
    redo: 'Redo',
    openCheckpoint: 'Open Model File…',
    packs: 'Models…',
    hardware: 'Hardware…',
    preferences: 'Preferences…',
    zoomIn: 'Zoom In',
    zoomOut: 'Zoom Out',
    fit: 'Fit in Window',
    actualSize: 'Actual Size',
    keys: 'Keys',
    guide: 'Guide',
  },
  roles: {
    quit: 'Quit',
    close: 'Close Window',
    cut: 'Cut',
    copy: 'Copy',
    paste: 'Paste',
    selectAll: 'Select All',
    togglefullscreen: 'Full Screen',
    toggleDevTools: 'Developer Tools',
  },
  recent: 'Open Recent',
  diagnostics: 'Copy Diagnostics',
  lookForUpdates: 'Look for Updates at Start',
  save: (name) => `Save ${name}`,
  ended: { done: 'Your picture is ready.', failed: 'The work ended early; the window says why.' },
  leaving: {
    message: 'An edit is still running.',
    detail: 'If you quit now, its result is lost. Your picture is not touched.',
    stay: 'Keep Running',
    leave: 'Quit',
  },
  update: {
    message: (version) => `Scalebrush ${version} is there.`,
    detail: 'It is fetched now and installed when you leave Scalebrush.',
    fetch: 'Fetch',
    later: 'Not Now',
  },
  notOpened: 'The file could not be opened',
  notStarted: 'Scalebrush could not start',
  anew: {
    title: 'Scalebrush had to start anew',
    serviceEnded: 'The process that held your pictures ended.',
    windowEnded: (reason) => `The window ended (${reason}).`,
    comesBack: 'What was on your table comes back.',
  },
};

const de: ShellWords = {
  menus: { file: 'Datei', edit: 'Bearbeiten', view: 'Ansicht', help: 'Hilfe' },
  commands: {
    open: 'Öffnen…',
    save: 'Speichern…',
    saveAgain: 'Speichern wie zuletzt',
    undo: 'Rückgängig',
    redo: 'Wiederholen',
    openCheckpoint: 'Modelldatei öffnen…',
    packs: 'Modelle…',
    hardware: 'Hardware…',
    preferences: 'Einstellungen…',
    zoomIn: 'Vergrößern',
    zoomOut: 'Verkleinern',
    fit: 'Ins Fenster einpassen',
    actualSize: 'Tatsächliche Größe',
    keys: 'Tasten',
    guide: 'Anleitung',
  },
  roles: {
    quit: 'Beenden',
    close: 'Fenster schließen',
    cut: 'Ausschneiden',
    copy: 'Kopieren',
    paste: 'Einfügen',
    selectAll: 'Alles auswählen',
    togglefullscreen: 'Vollbild',
    toggleDevTools: 'Entwicklerwerkzeuge',
  },
  recent: 'Zuletzt geöffnet',
  diagnostics: 'Diagnose kopieren',
  lookForUpdates: 'Beim Start nach Aktualisierungen suchen',
  save: (name) => `${name} speichern`,
  ended: { done: 'Das Bild ist fertig.', failed: 'Die Arbeit endete vorzeitig; das Fenster sagt, warum.' },
  leaving: {
    message: 'Eine Bearbeitung läuft noch.',
    detail: 'Wird Scalebrush jetzt beendet, geht ihr Ergebnis verloren. Das Bild bleibt, wie es ist.',
    stay: 'Weiterlaufen lassen',
    leave: 'Beenden',
  },
  update: {
    message: (version) => `Scalebrush ${version} ist da.`,
    detail: 'Es wird jetzt geholt und beim Beenden von Scalebrush installiert.',
    fetch: 'Holen',
    later: 'Nicht jetzt',
  },
  notOpened: 'Die Datei ließ sich nicht öffnen',
  notStarted: 'Scalebrush konnte nicht starten',
  anew: {
    title: 'Scalebrush musste neu beginnen',
    serviceEnded: 'Der Prozess, der die Bilder hielt, ist zu Ende gegangen.',
    windowEnded: (reason) => `Das Fenster ist zu Ende gegangen (${reason}).`,
    comesBack: 'Was auf dem Tisch lag, kommt zurück.',
  },
};

export const SHELL_WORDS: Readonly<Record<LanguageTag, ShellWords>> = { en, de };
