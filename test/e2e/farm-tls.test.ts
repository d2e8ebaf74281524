import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { BatchReport } from '#contract/batch.js';
import { killed } from '../support/farm.js';
import { scenePng } from '../support/pictures.js';
import { freePort, programOf, REDIS_SERVER, startRedis, type TestRedis } from '../support/redis.js';
import { scalebrush } from './support/cli.js';

const OPENSSL = programOf('openssl');
/** Leads to this machine, and is not its name for itself: whoever is given it takes it for another machine. */
const BEYOND = '0.0.0.0';

/** As docs/farm.md sets up two machines: TLS, a user with the rights that it gives, nobody without a name. */
describe.skipIf(REDIS_SERVER === undefined || OPENSSL === undefined || process.platform !== 'linux')(
  'a farm beyond this machine, with redis-server and openssl',
  { timeout: 120_000 },
  () => {
    let root: string;
    let redis: TestRedis | undefined;
    let worker: ChildProcess | undefined;
    const at = (...names: string[]) => path.join(root, ...names);

    beforeAll(async () => {
      root = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-farm-tls-'));
      const names = ['-subj', '/CN=farm', '-addext', `subjectAltName=IP:${BEYOND}`, '-keyout', at('farm.key'), '-out', at('farm.crt')];
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
      await promisify(execFile)(OPENSSL ?? '', ['req', '-x509', ...key, ...names]);
      await mkdir(at('in'));
      await writeFile(at('in', 'a.png'), await scenePng(96, 80));
      process.env['SCALEBRUSH_FARM_STORE'] = at('store');
    });

    afterEach(async () => {
      for (const name of ['SCALEBRUSH_FARM', 'NODE_EXTRA_CA_CERTS']) Reflect.deleteProperty(process.env, name);
      if (worker) await killed(worker, 'SIGKILL');
      await redis?.kill();
    });

    afterAll(async () => {
      delete process.env['SCALEBRUSH_FARM_STORE'];
      await rm(root, { recursive: true, force: true });
    });

    /** Its port for TLS; `startRedis` itself asks at the plain one, on loopback, whether it is there. */
    async function start(users: readonly string[]): Promise<number> {
      const port = await freePort();
      const files = ['--tls-cert-file', at('farm.crt'), '--tls-key-file', at('farm.key'), '--tls-auth-clients', 'no'];
      redis = await startRedis(root, ['--tls-port', String(port), ...files, ...users]);
      return port;
    }

    async function refusalOf(address: string): Promise<string> {
      process.env['SCALEBRUSH_FARM'] = address;
      const { code, stdout } = await scalebrush('farm', 'status', '--json');
      expect(code).toBe(2);
      const { error } = JSON.parse(stdout) as { readonly error: { readonly code: string; readonly message: string } };
      return `${error.code}: ${error.message}`;
    }

    test('does its pictures through TLS, with the rights of the recipe; a certificate that nobody vouches for, or of another name, is refused', async () => {
      const recipe = await readFile('docs/farm.md', 'utf8');
      const [, rights = ''] = /^ *user farm on >A-LONG-SECRET (.*)$/mu.exec(recipe) ?? [];
      const port = await start(['--user', 'default', 'off', '--user', 'farm', 'on', '>secret', ...rights.split(' ')]);
      const address = `rediss://farm:secret@${BEYOND}:${String(port)}`;
      const unreachable = (host: string, why: string) =>
        `farm.unreachable: Expected Redis at rediss://${host}:${String(port)} but it could not be reached (${why}).`;
      expect(await refusalOf(address)).toBe(unreachable(BEYOND, 'DEPTH_ZERO_SELF_SIGNED_CERT'));
      process.env['NODE_EXTRA_CA_CERTS'] = at('farm.crt');
      expect(await refusalOf(address.replace(BEYOND, '127.0.0.1'))).toBe(unreachable('127.0.0.1', 'ERR_TLS_CERT_ALTNAME_INVALID'));
      expect(await refusalOf(address.replace('secret', 'wrong'))).toBe(unreachable(BEYOND, 'WRONGPASS'));

      process.env['SCALEBRUSH_FARM'] = address;
      worker = spawn(process.execPath, ['dist/main/cli.js', 'farm', 'worker', '--threads', '1'], { stdio: ['ignore', 'ignore', 'pipe'] });
      const said: string[] = [];
      if (worker.stderr) createInterface(worker.stderr).on('line', (line) => said.push(line));
      const { code, stdout } = await scalebrush('farm', 'submit', at('in'), '-i', 'make it warmer', '-o', at('out'), '--json');
      expect(code).toBe(0);
      expect(JSON.parse(stdout) as BatchReport).toMatchObject({ done: 1, refused: 0 });
      const ended = once(worker, 'exit');
      worker.kill('SIGTERM');
      await ended;
      expect(said.join('\n')).toContain(`farm rediss://${BEYOND}:${String(port)}, store `);
      expect(said.join('\n')).not.toContain('secret');
    });

    test('refuses a Redis that answers without the password that it was given', async () => {
      const port = await start(['--user', 'farm', 'on', '>secret', '~*', '&*', '+@all']);
      process.env['NODE_EXTRA_CA_CERTS'] = at('farm.crt');
      const refusal = await refusalOf(`rediss://farm:secret@${BEYOND}:${String(port)}`);
      expect(refusal).toBe('farm.unsafe: Expected a Redis that asks for its password but received an answer without one.');
    });
  },
);
