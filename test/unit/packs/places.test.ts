import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtInPacksFolder, packageRoot, userDataFolder, userPacksFolder } from '#packs/places.js';

describe('places', () => {
  it('finds the package from any depth below it', () => {
    const root = packageRoot();
    expect(existsSync(join(root, 'src-main', 'packs', 'places.ts'))).toBe(true);
    expect(packageRoot(join(root, 'dist', 'main', 'chunks'))).toBe(root);
    expect(builtInPacksFolder()).toBe(join(root, 'models'));
    expect(builtInPacksFolder(join('/opt', 'app.asar'))).toBe(join('/opt', 'app.asar.unpacked', 'models'));
  });

  it('lets SCALEBRUSH_HOME move everything', () => {
    expect(userPacksFolder({ SCALEBRUSH_HOME: '/elsewhere', XDG_DATA_HOME: '/data' })).toBe(join('/elsewhere', 'packs'));
  });

  it('follows the custom of each system', () => {
    expect(userDataFolder({ XDG_DATA_HOME: '/data' }, 'linux')).toBe(join('/data', 'scalebrush'));
    expect(userDataFolder({}, 'linux')).toMatch(/\.local.share.scalebrush$/u);
    expect(userDataFolder({}, 'darwin')).toMatch(/Library.Application Support.Scalebrush$/u);
    expect(userDataFolder({ LOCALAPPDATA: 'C:\\Local' }, 'win32')).toContain('C:\\Local');
  });
});
