// `npm run check`: what CI asks before the tests, as many questions at once as the machine has cores. Each answers in one piece.
import { spawn } from 'node:child_process';
import os from 'node:os';
import { root } from './ensure.mjs';

/** The longest first. */
const QUESTIONS = ['lint', 'types', 'format', 'unused', 'arrows', 'licences'];

/** Whether it found nothing. */
function ask(question) {
  // npm is a script on Windows, which only a shell starts; it gets no word that a user typed.
  const child = spawn('npm', ['run', '--silent', `check:${question}`], { cwd: root, shell: process.platform === 'win32' });
  const said = [];
  child.stdout.on('data', (text) => said.push(text));
  child.stderr.on('data', (text) => said.push(text));
  return new Promise((resolve) => {
    child.once('error', ({ message }) => said.push(message));
    child.once('close', (code) => {
      process.stdout.write(Buffer.concat(said.map((text) => Buffer.from(text))));
      if (code !== 0) console.log(`check:${question} failed.`);
      resolve(code === 0);
    });
  });
}

const waiting = [...QUESTIONS];
async function askAll() {
  let passed = true;
  for (let question = waiting.shift(); question; question = waiting.shift()) passed = (await ask(question)) && passed;
  return passed;
}
const answers = await Promise.all(Array.from({ length: os.availableParallelism() }, askAll));
process.exit(answers.every(Boolean) ? 0 : 1);
