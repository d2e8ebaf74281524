/**
 * What menus and keys can ask of the window. Accelerators are written as Electron's menus read them; the window begins
 * with the same table. Where keys are changed there, the menus of the desktop keep these.
 */
export const COMMANDS = {
  open: { accelerator: 'CmdOrCtrl+O' },
  save: { accelerator: 'CmdOrCtrl+S' },
  saveAgain: { accelerator: 'CmdOrCtrl+Shift+S' },
  undo: { accelerator: 'CmdOrCtrl+Z' },
  redo: { accelerator: 'CmdOrCtrl+Shift+Z' },
  openCheckpoint: { accelerator: undefined },
  packs: { accelerator: undefined },
  hardware: { accelerator: undefined },
  preferences: { accelerator: 'CmdOrCtrl+,' },
  zoomIn: { accelerator: 'CmdOrCtrl+Plus' },
  zoomOut: { accelerator: 'CmdOrCtrl+-' },
  fit: { accelerator: 'CmdOrCtrl+0' },
  actualSize: { accelerator: 'CmdOrCtrl+1' },
  keys: { accelerator: 'F1' },
  guide: { accelerator: undefined },
} as const satisfies Record<string, { readonly accelerator: string | undefined }>;

export type Command = keyof typeof COMMANDS;

export function isCommand(name: string): name is Command {
  return Object.hasOwn(COMMANDS, name);
}
