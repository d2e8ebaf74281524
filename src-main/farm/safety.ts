import { isIP } from 'node:net';
import { ExpectedError } from '#contract/errors.js';

/** What is not safe about a farm; each has its test. */
export type UnsafeSetting = 'tls' | 'password' | 'maxmemory-policy' | 'appendonly';

const LOOPBACK_V4 = /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/u;

export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/gu, '');
  return host === 'localhost' || (isIP(host) === 4 && LOOPBACK_V4.test(host)) || host === '::1';
}

/** Before anything is sent: whoever listens on the way would read instructions and the secret. Throws `farm.unsafe`. */
export function expectSafeAddress({ protocol, hostname, password }: URL): void {
  if (isLoopback(hostname)) return;
  if (protocol !== 'rediss:') throw unsafe('tls', 'rediss:// for a farm beyond this machine', protocol);
  if (password === '') throw unsafe('password', 'a password for a farm beyond this machine', 'none');
}

/** What Redis says of itself. A queue that evicts loses jobs, and one without its log loses them with the power. Throws `farm.unsafe`. */
export function expectSafeServer(info: string): void {
  const policy = fieldOf(info, 'maxmemory_policy');
  if (policy !== 'noeviction') throw unsafe('maxmemory-policy', 'maxmemory-policy noeviction', policy);
  const log = fieldOf(info, 'aof_enabled');
  if (log !== '1') throw unsafe('appendonly', 'appendonly yes', log === '0' ? 'no' : log);
}

/** Beyond this machine a server that answers without the password is open to everyone, whatever we send. */
export function expectClosed(answeredWithoutPassword: boolean): void {
  if (answeredWithoutPassword) throw unsafe('password', 'a Redis that asks for its password', 'an answer without one');
}

function fieldOf(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'mu').exec(info)?.[1] ?? 'nothing';
}

function unsafe(setting: UnsafeSetting, expected: string, received: string): ExpectedError {
  return new ExpectedError('farm.unsafe', `Expected ${expected} but received ${received}.`, { details: { setting } });
}
