import { COMMANDS, type Command } from '#contract/commands.js';

/** What the keys of the window ask for beside the commands, and the chords that they begin with. */
const OWN = {
  run: ['CmdOrCtrl+Enter'],
  another: ['A'],
  instruction: ['I'],
  earlier: ['U'],
  stopHere: ['S'],
  continueRun: ['C'],
  keep: ['K'],
  discard: ['Delete'],
  hand: ['H'],
  brush: ['B'],
  remove: ['J'],
  eraser: ['E'],
  lasso: ['L'],
  polygon: ['P'],
  rectangle: ['R'],
  ellipse: ['O'],
  similar: ['W'],
  object: ['Q'],
  crop: ['X'],
  smaller: ['['],
  larger: [']'],
  softer: ['{'],
  harder: ['}'],
} as const;

export type OwnAction = keyof typeof OWN;
export type Action = Command | OwnAction;

/** Chords that a command has beside its accelerator; Ctrl Y is Windows' other way to redo. */
const MORE: Readonly<Partial<Record<Command, readonly string[]>>> = {
  redo: ['CmdOrCtrl+Y'],
  zoomIn: ['Plus'],
  zoomOut: ['-'],
  fit: ['0'],
  actualSize: ['1'],
  keys: ['?'],
};

export type Bindings = Readonly<Record<Action, readonly string[]>>;

export const DEFAULT_BINDINGS: Bindings = {
  ...ofCommands(),
  ...OWN,
};

function ofCommands(): Readonly<Record<Command, readonly string[]>> {
  const all = Object.entries(COMMANDS).map(([name, { accelerator }]) => {
    const own = accelerator === undefined ? [] : [accelerator];
    return [name, [...own, ...(MORE[name as Command] ?? [])]] as const;
  });
  return Object.fromEntries(all) as unknown as Record<Command, readonly string[]>;
}

export function isAction(name: string): name is Action {
  return Object.hasOwn(DEFAULT_BINDINGS, name);
}

/** A key press, as the browser tells of it. */
export interface KeyPress {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

const MODIFIERS: ReadonlySet<string> = new Set(
  'Alt AltGraph CapsLock Control Dead Fn Meta NumLock OS Process Shift Unidentified'.split(' '),
);

/** What the keys of a US keyboard are called, for layouts without Latin letters. */
const BY_CODE: Readonly<Record<string, string>> = {
  BracketLeft: '[',
  BracketRight: ']',
  Comma: ',',
  Period: '.',
  Slash: '/',
  Semicolon: ';',
  Quote: "'",
  Backquote: '`',
  Backslash: '\\',
  Minus: '-',
  Equal: 'Plus',
};

/**
 * A key press as bindings and Electron's accelerators write it: `CmdOrCtrl+Shift+Z`, `[`, `Plus`, `F1`. The key counts
 * by what it prints, wherever the layout has it; a symbol needs the modifiers that print it, so they are no part of it.
 * Undefined for modifiers alone, and with Alt, which is the system's.
 */
export function chordOf(press: KeyPress): string | undefined {
  const key = nameOf(press);
  if (MODIFIERS.has(press.key) || key === undefined) return undefined;
  const symbol = isSymbol(key);
  // AltGr, and Option on a Mac, print the symbols that a layout has no key of its own for.
  if (press.altKey) return symbol ? key : undefined;
  const command = press.ctrlKey || press.metaKey;
  return [...(command ? ['CmdOrCtrl'] : []), ...(press.shiftKey && !symbol ? ['Shift'] : []), key].join('+');
}

function nameOf({ key, code }: KeyPress): string | undefined {
  if (key === '+' || key === '=') return 'Plus';
  if (key === ' ') return 'Space';
  if (!isCharacter(key)) return key;
  if (/\p{L}/u.test(key) && !/\p{Script=Latin}/u.test(key)) return byCode(code);
  return key.toUpperCase();
}

/** Where Cyrillic or Greek is printed, the place of the key says which Latin letter is meant. */
function byCode(code: string): string | undefined {
  return /^(?:Key|Digit)([A-Z0-9])$/u.exec(code)?.[1] ?? BY_CODE[code];
}

/** Names of keys are longer: `Enter`, `F1`. */
function isCharacter(key: string): boolean {
  return /^.$/u.test(key);
}

function isSymbol(key: string): boolean {
  return key === 'Plus' || (isCharacter(key) && !/\p{L}/u.test(key));
}

/** The keys of a chord one by one, as they are called here. */
export function spelt(chord: string, names: Readonly<Record<string, string>>): readonly string[] {
  return chord.split('+').map((part) => names[part] ?? part);
}

/** Keys that the window or the browser needs for itself. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['Escape', 'Tab', 'Enter', 'Space', 'ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'].flatMap((key) => [key, `Shift+${key}`]),
  ...['A', 'C', 'N', 'Q', 'T', 'V', 'W', 'X'].map((letter) => `CmdOrCtrl+${letter}`),
]);

export function isReserved(chord: string): boolean {
  return RESERVED.has(chord);
}

/** Whether a chord means itself while words are typed. */
export function worksWhileTyping(chord: string): boolean {
  return chord.startsWith('CmdOrCtrl+') || /^F\d+$/u.test(chord);
}
