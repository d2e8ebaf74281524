// node test/bench/compare.mjs FOLDER [PYTHON]: VAR-d16 of true sizes and random weights in PyTorch and here; see README.md.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';

const [folder, python = 'python3'] = process.argv.slice(2);
if (!folder) throw new Error('Expected a folder for 1.7 GB of random weights and as much again of packs.');
const root = path.resolve(import.meta.dirname, '../..');
const home = path.resolve(folder, 'home');
const files = ['var_d16.pth', 'vae_ch160v4096z32.pth'].map((name) => path.resolve(folder, name));
const RUNS = 3;

function inPython(what) {
  const args = [path.join(root, 'test/golden/reference/var.py'), what, path.resolve(folder)];
  return execFileSync(python, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

function ours(...args) {
  const options = { env: { ...process.env, SCALEBRUSH_HOME: home }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
  return JSON.parse(execFileSync(process.execPath, [path.join(root, 'dist/main/cli.js'), ...args, '--json'], options));
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

function drawn(pack) {
  const output = path.join(home, `${pack}.png`);
  const runs = Array.from({ length: RUNS }, () => ours('generate', '--pack', pack, '--class', '1', '--argmax', '-o', output));
  const scales = median(runs.map(({ timingsMs }) => timingsMs.scales.reduce((sum, ms) => sum + ms, 0)));
  const [first] = runs;
  return {
    pack,
    scales,
    decode: median(runs.map(({ timingsMs }) => timingsMs.decode)),
    peak: first.peakRssBytes,
    forecast: first.estimateBytes,
  };
}

mkdirSync(home, { recursive: true });
if (!files.every((file) => existsSync(file))) inPython('random');
console.log(`PyTorch: ${inPython('time')}`);
for (const precision of ['float32', 'half', 'int8', 'int4']) {
  const pack = `d16-${precision}`;
  if (!existsSync(path.join(home, 'packs', pack))) ours('packs', 'import', ...files, '--name', pack, '--precision', precision);
  const { scales, decode, peak, forecast } = drawn(pack);
  const memory = `peak ${Math.round(peak / 1e6)} MB, forecast ${Math.round(forecast / 1e6)} MB`;
  console.log(`${pack}: ten scales ${Math.round(scales)} ms, decoding ${Math.round(decode)} ms, ${memory}`);
}
