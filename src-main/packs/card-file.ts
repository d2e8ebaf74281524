import { open } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { ExpectedError } from '#contract/errors.js';
import { AnyCard } from '#contract/pack-card.js';
import { readJsonFile } from './json-file.js';

export const CARD_NAME = 'card.json';
/** The largest vocabulary we know makes a card of 1 MB; a bigger file is not a card. */
const CARD_LIMITS = { maxBytes: 4 * 1024 * 1024, maxDepth: 64 } as const;
const KNOWN_FORMAT = 1;

/** Reads what a folder of weights says about itself. Throws `pack.damaged`, or `pack.unable` for a newer format. */
export async function readCard(folder: string, label: string): Promise<AnyCard> {
  const raw = await readRaw(folder, label);
  refuseNewerFormat(raw, label);
  return parseCard(raw, label);
}

/** On the disk when it returns. */
export async function writeCard(folder: string, card: AnyCard, name = CARD_NAME): Promise<void> {
  const handle = await open(join(folder, name), 'w');
  try {
    await handle.writeFile(JSON.stringify(card, undefined, 2));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Checks what claims to be a card. Throws `pack.damaged`. */
export function parseCard(raw: unknown, label: string): AnyCard {
  const parsed = v.safeParse(AnyCard, raw);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const field = v.getDotPath(issue) ?? CARD_NAME;
  throw new ExpectedError('pack.damaged', `Expected a sound card for pack "${label}" but its ${field} is wrong: ${issue.message}`);
}

async function readRaw(folder: string, label: string): Promise<unknown> {
  try {
    return await readJsonFile(join(folder, CARD_NAME), `the card of pack "${label}"`, CARD_LIMITS);
  } catch (cause) {
    throw new ExpectedError('pack.damaged', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function refuseNewerFormat(raw: unknown, label: string): void {
  if (typeof raw !== 'object' || raw === null || !('format' in raw)) return;
  if (typeof raw.format !== 'number' || raw.format <= KNOWN_FORMAT) return;
  throw new ExpectedError(
    'pack.unable',
    `Expected format ${String(KNOWN_FORMAT)} for pack "${label}" but received format ${String(raw.format)}, which needs a newer Scalebrush.`,
  );
}
