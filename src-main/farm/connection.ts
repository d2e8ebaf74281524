import { Redis } from 'ioredis';
import { ExpectedError } from '#contract/errors.js';
import { shownAddress, type FarmAddress } from './address.js';
import { expectClosed, expectSafeAddress, expectSafeServer, isLoopback } from './safety.js';

const CONNECT_MS = 10_000;
const LONGEST_PAUSE_MS = 2_000;

/**
 * A connection that was looked over and that stays: a Redis that is away for a while is waited for. Only the first answer
 * must come at once, so that a wrong address is said.
 *
 * @throws ExpectedError `farm.unreachable`, `farm.unsafe`.
 */
export async function openConnection(address: FarmAddress): Promise<Redis> {
  expectSafeAddress(address.url);
  if (!isLoopback(address.url.hostname)) expectClosed(await answersWithoutPassword(address));
  let reached = false;
  const redis = new Redis(address.url.href, {
    lazyConnect: true,
    // BullMQ's blocking commands wait for as long as it takes.
    maxRetriesPerRequest: null,
    connectTimeout: CONNECT_MS,
    retryStrategy: (times) => (reached ? Math.min(50 * 2 ** times, LONGEST_PAUSE_MS) : null),
  });
  let why = 'no answer';
  redis.on('error', (error) => (why = reasonOf(error)));
  try {
    await redis.connect();
    expectSafeServer(await redis.info());
    reached = true;
    return redis;
  } catch (cause) {
    redis.disconnect();
    if (cause instanceof ExpectedError) throw cause;
    throw unreachable(address, why === 'no answer' ? reasonOf(cause) : why, cause);
  }
}

/** Asks without user and secret. */
export async function answersWithoutPassword({ url }: FarmAddress): Promise<boolean> {
  const stranger = new URL(url);
  stranger.username = stranger.password = '';
  const redis = new Redis(stranger.href, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: CONNECT_MS,
    enableReadyCheck: false,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    await redis.ping();
    return true;
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}

function unreachable(address: FarmAddress, why: string, cause: unknown): ExpectedError {
  return new ExpectedError('farm.unreachable', `Expected Redis at ${shownAddress(address)} but it could not be reached (${why}).`, {
    cause,
  });
}

/** The system's short name, or Redis's first word: never a line that might repeat the secret. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return /^[A-Z]{2,}\b/u.exec(error.message)?.[0] ?? 'unknown reason';
}
