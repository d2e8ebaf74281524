// `npm run test:desktop`: every specification of the window in the desktop's own page, and those of the desktop itself.
import { ensureBrowser, ensureBuild, ensurePackages, runTool } from './ensure.mjs';

ensurePackages();
ensureBuild();
const env = { ...process.env, SCALEBRUSH_CHROMIUM: ensureBrowser() };
const { status } = runTool('@playwright/test', ['test', '--project=desktop', '--project=desktop-rest'], { env });
process.exit(status ?? 1);
