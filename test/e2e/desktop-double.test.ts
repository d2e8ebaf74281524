import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { EventEmitter } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import vm from 'node:vm';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

/** What Electron declares: for each type the names of its members, those of what it extends included. */
const DECLARED = declaredTypes(readFileSync('node_modules/electron/electron.d.ts', 'utf8'));
/** Members of the double that are its own workings. */
const WORKINGS = new Set([
  'closeAsked',
  'browserEvent',
  'child',
  'tell',
  'home',
  'started',
  'waiting',
  'take',
  'peer',
  'finish',
  'id',
  'constructor',
]);
const OF_NODE = new Set([...Object.getOwnPropertyNames(EventEmitter.prototype), ...Object.keys(new EventEmitter()), 'domain']);

function declaredTypes(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const own = new Map<string, { readonly names: Set<string>; readonly parents: string[] }>();
  const visit = (node: ts.Node): void => {
    if ((ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node)) && node.name) {
      const known = own.get(node.name.text) ?? { names: new Set<string>(), parents: [] };
      for (const { name } of node.members) if (name) known.names.add(name.getText());
      for (const clause of node.heritageClauses ?? [])
        for (const type of clause.types) known.parents.push(type.expression.getText().replace(/^.*\./u, ''));
      own.set(node.name.text, known);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('electron.d.ts', text, ts.ScriptTarget.Latest, true));
  const all = (name: string): string[] => {
    const type = own.get(name);
    return type ? [...type.names, ...type.parents.flatMap((parent) => (parent === name ? [] : all(parent)))] : [];
  };
  return new Map([...own.keys()].map((name) => [name, new Set(all(name))]));
}

type Members = Record<string, unknown>;
const double = (await import(new URL('../desktop/double/core.mjs', import.meta.url).href)) as Members;

/** A window of a browser that never answers: enough to see what it consists of. */
const silent = { send: () => new Promise(() => undefined), on: () => undefined };
const { PageWindow } = (await import(new URL('../desktop/double/page-window.mjs', import.meta.url).href)) as {
  PageWindow: new (parts: object, options: object, gone: () => void) => Members;
};
const { DownloadItem } = (await import(new URL('../desktop/double/downloads.mjs', import.meta.url).href)) as {
  DownloadItem: new (name: string) => Members;
};
const pageWindow = new PageWindow({ chromium: silent, ipcMain: new EventEmitter() }, {}, () => undefined);

function utility(): Members {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'scalebrush-double-'));
  writeFileSync(path.join(folder, 'empty.mjs'), '');
  const { fork } = double['utilityProcess'] as {
    fork: (module: string) => Members & { kill(): void; once(event: string, done: () => void): void };
  };
  const child = fork(path.join(folder, 'empty.mjs'));
  child.once('exit', () => { rmSync(folder, { recursive: true }); }); // prettier-ignore
  child.kill();
  return child;
}

/** The module that the preload script requires, as its world gives it. */
function preloadModule(): Members {
  const source = readFileSync('test/desktop/double/preload-world.js', 'utf8').replace('PRELOAD', 'globalThis.seen = require("electron")');
  const world: Members = { document: { addEventListener: () => undefined }, CustomEvent };
  vm.runInNewContext(source, world);
  return world['seen'] as Members;
}

const preload = preloadModule();
const channel = new (double['MessageChannelMain'] as new () => Members)();
const { BrowserWindow, Menu, MenuItem, Notification } = double as Record<string, { new (options?: object): Members; prototype: Members }>;
const session = (double['session'] as { defaultSession: Members }).defaultSession;

const MODELLED: readonly (readonly [type: string, object: unknown])[] = [
  ...(['App', 'Clipboard', 'Dialog', 'IpcMain', 'NativeTheme', 'Protocol', 'Shell'] as const).map(
    (type) => [type, double[type[0]!.toLowerCase() + type.slice(1)]] as const,
  ),
  ['Session', session],
  ['BrowserWindow', pageWindow],
  ['BrowserWindow', BrowserWindow],
  ['WebContents', pageWindow['webContents']],
  ['DownloadItem', new DownloadItem('a.png')],
  ['Menu', Menu],
  ['Menu', Menu?.prototype],
  ['MenuItem', new MenuItem!({ label: 'A', submenu: [] })],
  ['Notification', Notification],
  ['Notification', Notification?.prototype],
  ['MessageChannelMain', channel],
  ['MessagePortMain', channel['port1']],
  ['UtilityProcess', double['utilityProcess']],
  ['UtilityProcess', utility()],
  ['IpcRenderer', { ...(preload['ipcRenderer'] as object) }],
  ['ContextBridge', { ...(preload['contextBridge'] as object) }],
  ['WebUtils', { ...(preload['webUtils'] as object) }],
];

function membersOf(object: object): readonly string[] {
  const names = new Set(Object.getOwnPropertyNames(object));
  for (let proto: unknown = Object.getPrototypeOf(object); proto && !isBuiltIn(proto); proto = Object.getPrototypeOf(proto)) {
    for (const name of Object.getOwnPropertyNames(proto)) names.add(name);
  }
  const ofFunctions = typeof object === 'function' ? ['length', 'name', 'prototype'] : [];
  return [...names].filter((name) => !OF_NODE.has(name) && !WORKINGS.has(name) && !ofFunctions.includes(name));
}

function isBuiltIn(proto: unknown): boolean {
  return [Object.prototype, Function.prototype, EventEmitter.prototype, EventEmitter].includes(proto as never);
}

describe('the double of Electron', () => {
  test.each(MODELLED)('has of %s only what Electron declares', (type, object) => {
    const declared = DECLARED.get(type);
    expect(declared?.size).toBeGreaterThan(0);
    const members = membersOf(object as object);
    expect(members.filter((name) => !declared?.has(name))).toEqual([]);
  });

  test('exports only what Electron does', () => {
    const { default: all } = double as { default: Members };
    const exported = new Set(
      [
        ...(DECLARED.get('MainInterface') ?? []),
        ...readFileSync('node_modules/electron/electron.d.ts', 'utf8').matchAll(/^ {4}(?:class|const) (\w+)/gmu),
      ].map((each) => (typeof each === 'string' ? each : each[1])),
    );
    expect(Object.keys(all).filter((name) => !exported.has(name))).toEqual(['permissionHandlers']);
  });

  test.each(['app', 'clipboard', 'dialog', 'ipcMain', 'nativeTheme', 'protocol', 'session', 'shell', 'utilityProcess', 'default'])(
    'throws where %s is asked for more',
    (name) => {
      expect(() => (double[name] as Members)['somethingNew']).toThrow(/The double has no .*somethingNew/u);
    },
  );
});
