import path from 'node:path';
import { Menu, type MenuItemConstructorOptions } from 'electron';
import { COMMANDS, type Command } from '#contract/commands.js';
import type { ShellWords } from './words.js';

export interface MenuActions {
  command(command: Command): void;
  openRecent(file: string): void;
  readonly copyDiagnostics: () => void;
  /** Absent where this package has no place to look for updates. */
  readonly updates: { readonly wanted: boolean; change(wanted: boolean): void } | undefined;
  readonly recent: readonly string[];
  readonly words: ShellWords;
  /** Whether this build is for those who make it. */
  readonly forDevelopers: boolean;
}

/** The application's menus; everything that they do goes through the same commands as the window's keys. */
export function showMenus(actions: MenuActions): void {
  const { words, updates } = actions;
  const item = (command: Command): MenuItemConstructorOptions => {
    const { accelerator } = COMMANDS[command];
    const click = (): void => {
      actions.command(command);
    };
    return { id: command, label: words.commands[command], ...(accelerator !== undefined && { accelerator }), click };
  };
  const role = (name: keyof ShellWords['roles']): MenuItemConstructorOptions => ({ role: name, label: words.roles[name] });
  const separator = { type: 'separator' } as const;
  const recent = actions.recent.map((file) => ({
    label: path.basename(file),
    toolTip: file,
    click: () => {
      actions.openRecent(file);
    },
  }));
  const template: MenuItemConstructorOptions[] = [
    ...(process.platform === 'darwin' ? [{ role: 'appMenu' } as const] : []),
    {
      label: words.menus.file,
      submenu: [
        item('open'),
        { id: 'recent', label: words.recent, enabled: recent.length > 0, submenu: recent },
        separator,
        ...[item('save'), item('saveAgain')],
        separator,
        ...[item('openCheckpoint'), item('packs'), item('hardware')],
        separator,
        item('preferences'),
        separator,
        role(process.platform === 'darwin' ? 'close' : 'quit'),
      ],
    },
    {
      label: words.menus.edit,
      submenu: [item('undo'), item('redo'), separator, role('cut'), role('copy'), role('paste'), role('selectAll')],
    },
    {
      label: words.menus.view,
      submenu: [
        ...[item('zoomIn'), item('zoomOut'), item('fit'), item('actualSize')],
        separator,
        role('togglefullscreen'),
        ...(actions.forDevelopers ? [role('toggleDevTools')] : []),
      ],
    },
    {
      label: words.menus.help,
      role: 'help',
      submenu: [
        ...[item('guide'), item('keys')],
        separator,
        { id: 'diagnostics', label: words.diagnostics, click: actions.copyDiagnostics },
        ...(updates
          ? [
              {
                id: 'updates',
                label: words.lookForUpdates,
                type: 'checkbox',
                checked: updates.wanted,
                click: ({ checked }: { readonly checked: boolean }) => { updates.change(checked); }, // prettier-ignore
              } as const,
            ]
          : []),
      ],
    },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}
