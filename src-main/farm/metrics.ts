import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ExpectedError } from '#contract/errors.js';

export type Outcome = 'done' | 'found' | 'failed' | 'retried' | 'cancelled' | 'lost' | 'returned';

export interface QueueDepth {
  readonly queue: string;
  readonly pack: string;
  readonly waiting: number;
}

/** What a worker has done since it started, as Prometheus reads it. */
export class Metrics {
  readonly #outcomes = new Map<Outcome, number>();
  #waitS = 0;
  #waits = 0;
  #runS = 0;
  #runs = 0;
  #loadS = 0;
  #loads = 0;
  #stalls = 0;
  #depths: readonly QueueDepth[] = [];

  get done(): number {
    return (this.#outcomes.get('done') ?? 0) + (this.#outcomes.get('found') ?? 0);
  }

  ended(outcome: Outcome, runMs: number): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    this.#runS += runMs / 1000;
    this.#runs++;
  }

  waited(ms: number): void {
    this.#waitS += ms / 1000;
    this.#waits++;
  }

  loaded(ms: number): void {
    this.#loadS += ms / 1000;
    this.#loads++;
  }

  stalled(count: number): void {
    this.#stalls += count;
  }

  depths(depths: readonly QueueDepth[]): void {
    this.#depths = depths;
  }

  text(): string {
    const outcomes = [...this.#outcomes].map(([outcome, count]) => [`{outcome="${outcome}"}`, count] as const);
    const depths = this.#depths.map(({ queue, pack, waiting }) => [`{queue="${queue}",pack=${JSON.stringify(pack)}}`, waiting] as const);
    return [
      family(['jobs_total', 'counter', 'Jobs by what became of them.'], outcomes),
      summary(['wait_seconds', 'From submission to start.'], this.#waitS, this.#waits),
      summary(['run_seconds', 'Time inside jobs.'], this.#runS, this.#runs),
      summary(['pack_load_seconds', 'Time that jobs spent on loading a pack.'], this.#loadS, this.#loads),
      family(['stalls_total', 'counter', 'Jobs of dead workers that this one put back.'], [['', this.#stalls]]),
      family(['waiting_jobs', 'gauge', 'Jobs that wait in the queues that this worker takes.'], depths),
      family(['memory_bytes', 'gauge', 'Memory of the worker, without its inference process.'], [['', process.memoryUsage.rss()]]),
    ].join('');
  }
}

type Sample = readonly [labels: string, value: number];

function family([name, type, help]: readonly [string, 'counter' | 'gauge', string], samples: readonly Sample[]): string {
  const full = `scalebrush_farm_${name}`;
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${samples.map(([labels, value]) => `${full}${labels} ${String(value)}\n`).join('')}`;
}

function summary([name, help]: readonly [string, string], sum: number, count: number): string {
  const full = `scalebrush_farm_${name}`;
  return `# HELP ${full} ${help}\n# TYPE ${full} summary\n${full}_sum ${String(sum)}\n${full}_count ${String(count)}\n`;
}

/** On this machine only, as everything that we serve. Throws `request.invalid` for a port that cannot be had. */
export async function serveMetrics(metrics: Metrics, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    const isOurs = request.method === 'GET' && request.url === '/metrics';
    response.writeHead(isOurs ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(isOurs ? metrics.text() : '');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new ExpectedError('request.invalid', `Expected a free port for --metrics but ${String(port)} cannot be used.`, { cause }));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
