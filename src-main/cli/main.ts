import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tolerateClosedPipes } from '#engine/door/closed-pipes.js';
import { packageRoot } from '#packs/places.js';
import { openService } from '#service/open.js';
import type { Service } from '#service/service.js';
import { EXIT, runCli } from './run.js';

/** The first interrupt asks the work to stop after its scale; the second does not wait. */
function watchInterrupts(): { readonly signal: AbortSignal; readonly watch: (service: Service) => void } {
  const soft = new AbortController();
  let opened: Service | undefined;
  process.on('SIGINT', () => {
    if (soft.signal.aborted) {
      opened?.kill();
      process.exit(EXIT.cancelled);
    }
    soft.abort();
  });
  return {
    signal: soft.signal,
    watch: (service) => {
      opened = service;
    },
  };
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  return version;
}

tolerateClosedPipes();
const interrupts = watchInterrupts();
process.exitCode = await runCli(process.argv.slice(2), {
  version: readVersion(),
  // A library of its own, loaded by whoever asks for other machines.
  openService: () => openService(async (parts) => (await import('#farm/open.js')).openFarm(parts)),
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  signal: interrupts.signal,
  onOpened: interrupts.watch,
});
