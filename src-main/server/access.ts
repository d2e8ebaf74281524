import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * Who may talk to the server. A web page on some other origin can make this machine's browser send requests
 * to loopback, so an address is no proof: Host and Origin are compared with our own, and every request shows
 * the secret that the printed address was exchanged for.
 */
export class Access {
  readonly #cookieName: string;
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #session: string;
  readonly #tokens = new Set<string>();

  /** `session` is the secret of members; the same one lets those in again who were in before a restart. */
  constructor(port: number, session = newSecret()) {
    this.#session = session;
    // Cookies ignore ports: two servers on one machine need two names.
    this.#cookieName = `scalebrush_${String(port)}`;
    const hosts = ['127.0.0.1', 'localhost'].map((name) => `${name}:${String(port)}`);
    this.#hosts = new Set(port === 80 ? [...hosts, '127.0.0.1', 'localhost'] : hosts);
    this.#origins = new Set([...this.#hosts].map((host) => `http://${host}`));
  }

  /** A token that is good for one exchange. */
  issueToken(token: string = newSecret()): string {
    this.#tokens.add(digest(token));
    return token;
  }

  /** The cookie for a fresh token; undefined when the token is unknown or was used. */
  exchange(token: string): string | undefined {
    // A set of digests: looking one up tells nothing about the token by its timing.
    if (!this.#tokens.delete(digest(token))) return undefined;
    return `${this.#cookieName}=${this.#session}; Path=/; HttpOnly; SameSite=Strict`;
  }

  /** Is this a request of our own page, or of a program, and not of a stranger's page? */
  isOwnSite(headers: IncomingHttpHeaders): boolean {
    if (!this.#hosts.has(headers.host ?? '')) return false;
    if (headers.origin !== undefined && !this.#origins.has(headers.origin)) return false;
    const site = headers['sec-fetch-site'];
    return site === undefined || site === 'same-origin' || site === 'none';
  }

  hasCookie({ cookie = '' }: IncomingHttpHeaders): boolean {
    return cookie.split(';').some((pair) => {
      const [name, ...value] = pair.trim().split('=');
      return name === this.#cookieName && sameSecret(value.join('='), this.#session);
    });
  }
}

export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('base64');
}

function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}
