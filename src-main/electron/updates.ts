import type { Log } from './log.js';

/** As much of electron-updater as is used. */
export interface Updater {
  autoDownload: boolean;
  autoInstallOnAppQuit: boolean;
  checkForUpdates(): Promise<{ readonly isUpdateAvailable: boolean; readonly updateInfo: { readonly version: string } } | null>;
  downloadUpdate(): Promise<unknown>;
}

export interface UpdateParts {
  /** Whether this package was built with a place to look at. */
  readonly isConfigured: boolean;
  /** Whether the user has switched looking on. */
  readonly isWanted: () => boolean;
  /** Loaded only where it is used. */
  readonly load: () => Promise<Updater>;
  /** Resolves while no run goes on. */
  readonly whenIdle: () => Promise<void>;
  readonly ask: (version: string) => Promise<boolean>;
  readonly log: Log;
}

/** Looks for a new version and fetches it where the user says so; it is installed when the application is left. */
export async function lookForUpdate({ isConfigured, isWanted, load, whenIdle, ask, log }: UpdateParts): Promise<void> {
  if (!isConfigured || !isWanted()) return;
  try {
    const updater = await load();
    updater.autoDownload = false;
    updater.autoInstallOnAppQuit = true;
    const found = await updater.checkForUpdates();
    if (!found?.isUpdateAvailable) return;
    await whenIdle();
    if (!(await ask(found.updateInfo.version))) return;
    await updater.downloadUpdate();
    log.info(`Version ${found.updateInfo.version} is ready and is installed when Scalebrush is left.`);
  } catch (error) {
    // No connection, no newer file, no signature: none of them is the user's business now.
    log.warn(`Looking for an update failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
