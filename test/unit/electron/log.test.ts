import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diagnosticsOf, withoutPrivate } from '../../../src-main/electron/diagnostics.js';
import { openLog } from '../../../src-main/electron/log.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'scalebrush-log-'))));
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('the log', () => {
  it('tells its last lines, the latest last', () => {
    const log = openLog(folder);
    for (let i = 0; i < 5; i++) log.info(`line ${i}`);
    log.warn('%s stays as it is');
    expect(log.tail(2).map((line) => line.replace(/^\S+ /u, ''))).toEqual(['info line 4', 'warn %s stays as it is']);
  });

  const onUnix = it.skipIf(process.platform === 'win32');

  onUnix('is this user’s alone, the folder as well, whatever they were before', () => {
    const logs = path.join(folder, 'logs');
    mkdirSync(logs, { mode: 0o755 });
    writeFileSync(path.join(logs, 'scalebrush.log'), 'before\n', { mode: 0o644 });
    openLog(logs).info('begins');
    expect(statSync(logs).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(logs, 'scalebrush.log')).mode & 0o777).toBe(0o600);
  });

  onUnix('does not follow a link that was planted in its place, or in that of its folder', () => {
    const [theirs, logs] = [path.join(folder, 'theirs'), path.join(folder, 'logs')];
    mkdirSync(theirs);
    writeFileSync(path.join(theirs, 'file'), 'theirs');
    symlinkSync(theirs, logs);
    openLog(logs).info('begins');
    expect(readdirSync(theirs)).toEqual(['file']);
    rmSync(logs, { recursive: true });
    mkdirSync(logs);
    symlinkSync(path.join(theirs, 'file'), path.join(logs, 'scalebrush.log'));
    openLog(logs).info('begins');
    expect(readFileSync(path.join(theirs, 'file'), 'utf8')).toBe('theirs');
    expect(readFileSync(path.join(logs, 'scalebrush.log'), 'utf8')).toContain('begins');
  });

  it('is turned over when it is full, and keeps one old file', () => {
    const log = openLog(folder, 1000);
    for (let i = 0; i < 100; i++) log.info(`line ${i}`);
    expect(readdirSync(folder).sort()).toEqual(['scalebrush.log', 'scalebrush.old.log']);
    for (const name of readdirSync(folder)) expect(statSync(path.join(folder, name)).size).toBeLessThan(1200);
    expect(log.tail(30).at(0)).toMatch(/line 70$/u);
  });
});

describe('the diagnostics', () => {
  it.each([
    ['could not read /home/ann/Pictures/our cat.png: ENOENT', 'could not read <path>: ENOENT'],
    ['open C:\\Users\\Ann\\cat.png failed', 'open <path>'],
    ['at run (file:///opt/app/main.js:3:1)', 'at run (<path>:3:1)'],
    ['Expected a word but received "make ann blue".', 'Expected a word but received "…".'],
    ['plain words stay', 'plain words stay'],
  ])('of %j tell %j', (line, told) => {
    expect(withoutPrivate(line)).toContain(told);
    expect(withoutPrivate(line)).not.toMatch(/ann|cat/iu);
  });

  it('hold versions, providers and the last lines', () => {
    const text = diagnosticsOf({
      version: '1.2.3',
      versions: { electron: '45', chrome: '150', node: '24' },
      providers: [
        { name: 'cpu', available: true },
        { name: 'cuda', available: false, whyNot: 'no library at /usr/lib/x.so' },
      ],
      lines: ['one', 'two'],
    });
    expect(text).toMatch(/^Scalebrush 1\.2\.3\nelectron 45, chrome 150, node 24, v8 none\n/u);
    expect(text).toContain('provider cpu: available\nprovider cuda: no library at <path>\n\none\ntwo');
  });
});
