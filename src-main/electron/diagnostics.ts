import os from 'node:os';
import type { ProviderReport } from '#contract/api.js';

export interface Facts {
  readonly version: string;
  readonly versions: Readonly<Record<string, string | undefined>>;
  readonly providers: readonly ProviderReport[];
  /** The last of the log. */
  readonly lines: readonly string[];
}

const VERSIONS = ['electron', 'chrome', 'node', 'v8'];

/** What helps to find a fault, for the user to read and to send or not: no instructions, no names of files. */
export function diagnosticsOf({ version, versions, providers, lines }: Facts): string {
  return [
    `Scalebrush ${version}`,
    VERSIONS.map((name) => `${name} ${versions[name] ?? 'none'}`).join(', '),
    `${os.platform()} ${os.release()} ${os.arch()}, ${os.cpus()[0]?.model ?? 'unknown processor'} × ${os.cpus().length}, ${(os.totalmem() / 2 ** 30).toFixed(0)} GiB`,
    ...providers.map(
      ({ name, available, whyNot }) => `provider ${name}: ${available ? 'available' : withoutPrivate(whyNot ?? 'not available')}`,
    ),
    '',
    ...lines.map(withoutPrivate),
  ].join('\n');
}

/** Whatever a line quotes, and whatever looks like a path, spaces in it and words after it included: both may be the user's own. */
export function withoutPrivate(line: string): string {
  return line.replace(/"[^"]*"|'[^']*'|“[^”]*”|‘[^’]*’/gu, '"…"').replace(/(?:file:\/\/)?(?:\b[A-Za-z]:)?[/\\][^:()]*/gu, '<path>');
}
