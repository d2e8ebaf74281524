import { ExpectedError } from '#contract/errors.js';
import { drawsPictures, type AnyCard } from '#contract/pack-card.js';
import { EditRequest } from '#contract/request.js';
import type { Engine } from '#engine/door/engine.js';
import type { Library } from '#packs/library.js';
import { parseInput } from '#service/parse.js';
import { packDigest } from './digest.js';
import { classesWithin, queueName } from './job.js';

/** What a worker can do: its whole packs, and how large its jobs may be. */
export interface Declared {
  readonly packs: readonly string[];
  /** Names of the queues that it takes, whoever will submit to them. */
  readonly queues: ReadonlySet<string>;
  readonly reachBytes: number;
}

interface Means {
  readonly engine: Pick<Engine, 'forecast'>;
  readonly library: Library;
  readonly version: string;
}

/**
 * Verifies packs to the last byte; a damaged one is none.
 *
 * @param names undefined = all that are installed.
 * @throws ExpectedError `pack.unknown`, `pack.damaged` for packs that were named; `pack.unknown` where none is left.
 */
export async function declare(means: Means, names: readonly string[] | undefined): Promise<Declared> {
  const { library } = means;
  const wanted = names ?? (await library.list()).map(({ name }) => name);
  const cards: AnyCard[] = [];
  for (const name of wanted) {
    const { card } = await library.findAny(name);
    const { ok, files } = await library.verify(name);
    if (ok) cards.push(card);
    else if (names)
      throw new ExpectedError(
        'pack.damaged',
        files.find(({ reason }) => reason !== undefined)?.reason ?? `Expected a whole pack "${name}".`,
      );
  }
  const drawing = cards.filter(drawsPictures);
  const [first] = drawing;
  if (!first) throw new ExpectedError('pack.unknown', 'Expected a whole pack that draws for this worker but found none.');
  const reachBytes = await reachOf(means, first.name);
  const digests = drawing.flatMap((card) => [packDigest([card]), ...cards.map((other) => packDigest([card, other]))]);
  const queues = digests.flatMap((pack) => classesWithin(reachBytes).map((memory) => queueName({ pack, engine: means.version, memory })));
  return { packs: cards.map(({ name }) => name), queues: new Set(queues), reachBytes };
}

/** All that a run may have here: of a request that needs next to nothing, because a forecast says it with every request. */
async function reachOf({ engine, library }: Means, name: string): Promise<number> {
  const request = parseInput(EditRequest, { task: 'generate', pack: name });
  return (await engine.forecast({ request, pack: await library.find(name), pictures: {} })).availableBytes;
}
