import type { PickleValue } from './pickle-values.js';
import { depthOf } from './pickle-values.js';
import { refused, shown } from './refusal.js';

const MAX_STRING_BYTES = 2 ** 20;
const MAX_GLOBAL_BYTES = 256;
const MAX_DEPTH = 1_000;
const NEWLINE = 0x0a;

/** Bytes, stack, marks and memo of the pickle machine. Nothing in here interprets a value. */
export class PickleMachine {
  readonly label: string;
  readonly #bytes: Buffer;
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #position = 0;

  constructor(bytes: Buffer, label: string) {
    this.#bytes = bytes;
    this.label = label;
  }

  bytes(length: number): Buffer {
    const end = this.#position + length;
    if (end > this.#bytes.length) throw refused(`Expected a whole pickle in ${this.label} but it ends too early.`);
    const bytes = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return bytes;
  }

  text(length: number): string {
    if (length > MAX_STRING_BYTES)
      throw refused(`Expected strings of at most 1 MiB in ${this.label} but received ${String(length)} bytes.`);
    return this.bytes(length).toString('utf8');
  }

  /** Text up to the next newline, as GLOBAL writes its two names. */
  line(): string {
    const window = this.#bytes.subarray(this.#position, this.#position + MAX_GLOBAL_BYTES);
    const length = window.indexOf(NEWLINE);
    if (length < 0) throw refused(`Expected a short global name in ${this.label} but received ${shown(window.toString('latin1'))}.`);
    this.#position += length + 1;
    return window.toString('latin1', 0, length);
  }

  push(value: PickleValue): void {
    this.assertDepth(value);
    this.#stack.push(value);
  }

  pop(): PickleValue {
    const value = this.#stack.length > this.#floor() ? this.#stack.pop() : undefined;
    if (value === undefined) throw this.#underflow();
    return value;
  }

  popMany(count: number): PickleValue[] {
    if (this.#stack.length - count < this.#floor()) throw this.#underflow();
    return this.#stack.splice(-count);
  }

  top(): PickleValue {
    const value = this.#stack.length > this.#floor() ? this.#stack.at(-1) : undefined;
    if (value === undefined) throw this.#underflow();
    return value;
  }

  mark(): void {
    if (this.#marks.length >= MAX_DEPTH) throw this.#tooDeep();
    this.#marks.push(this.#stack.length);
  }

  popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#underflow();
    return this.#stack.splice(mark);
  }

  remember(index: number): void {
    this.#memo.set(index, this.top());
  }

  recall(index: number): PickleValue {
    const value = this.#memo.get(index);
    if (value === undefined) throw refused(`Expected a remembered value in ${this.label} but memo ${String(index)} is empty.`);
    return value;
  }

  /** The one value that is left at STOP, which ends the pickle. */
  finish(): PickleValue {
    const value = this.pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) throw refused(`Expected one value in ${this.label} but the pickle leaves more.`);
    return value;
  }

  assertDepth(value: PickleValue): void {
    if (depthOf(value) > MAX_DEPTH) throw this.#tooDeep();
  }

  /** Values below the last mark belong to an outer structure. */
  #floor(): number {
    return this.#marks.at(-1) ?? 0;
  }

  #underflow(): Error {
    return refused(`Expected a well-formed pickle in ${this.label} but it takes more than it gave.`);
  }

  #tooDeep(): Error {
    return refused(`Expected at most ${String(MAX_DEPTH)} nested structures in ${this.label} but received more.`);
  }
}
