/**
 * What menus and keys can ask of the window. Accelerators are written as Electron's menus read them; the window begins
 * with the same table. Where keys are changed there, the menus of the desktop keep these.
 */
export const COMMANDS = {
  open: { label: 'Open…', accelerator: 'CmdOrCtrl+O' },
  save: { label: 'Save As…', accelerator: 'CmdOrCtrl+S' },
  undo: { label: 'Undo', accelerator: 'CmdOrCtrl+Z' },
  redo: { label: 'Redo', accelerator: 'CmdOrCtrl+Shift+Z' },
  openCheckpoint: { label: 'Open Checkpoint…', accelerator: undefined },
  packs: { label: 'Packs…', accelerator: undefined },
  hardware: { label: 'Hardware…', accelerator: undefined },
  preferences: { label: 'Preferences…', accelerator: 'CmdOrCtrl+,' },
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
