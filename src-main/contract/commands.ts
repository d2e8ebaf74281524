/**
 * What menus and keys can ask of the window. Accelerators are written as Electron's menus read them; the window reads
 * the same table.
 */
export const COMMANDS = {
  open: { label: 'Open…', accelerator: 'CmdOrCtrl+O' },
  save: { label: 'Save As…', accelerator: 'CmdOrCtrl+S' },
  undo: { label: 'Undo', accelerator: 'CmdOrCtrl+Z' },
  redo: { label: 'Redo', accelerator: 'CmdOrCtrl+Shift+Z' },
  openCheckpoint: { label: 'Open Checkpoint…', accelerator: undefined },
  zoomIn: { label: 'Zoom In', accelerator: 'CmdOrCtrl+Plus' },
  zoomOut: { label: 'Zoom Out', accelerator: 'CmdOrCtrl+-' },
  fit: { label: 'Fit in Window', accelerator: 'CmdOrCtrl+0' },
  actualSize: { label: 'Actual Size', accelerator: 'CmdOrCtrl+1' },
  keys: { label: 'Keys', accelerator: 'F1' },
} as const satisfies Record<string, { readonly label: string; readonly accelerator: string | undefined }>;

export type Command = keyof typeof COMMANDS;

export function isCommand(name: string): name is Command {
  return Object.hasOwn(COMMANDS, name);
}

/** What a key press is called in the table: modifiers in its order, letters as they are printed on the key. */
export function acceleratorOf(event: {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}): string | undefined {
  if (event.altKey) return undefined;
  const key = event.key === '+' || event.key === '=' ? 'Plus' : event.key.length === 1 ? event.key.toUpperCase() : event.key;
  // A plus needs Shift on many layouts.
  const shift = event.shiftKey && key !== 'Plus';
  return [...(event.ctrlKey || event.metaKey ? ['CmdOrCtrl'] : []), ...(shift ? ['Shift'] : []), key].join('+');
}
