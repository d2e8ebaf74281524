import { PickleMachine } from './pickle-machine.js';
import { construct, findGlobal, resolveStorage } from './pickle-globals.js';
import type { PickleValue } from './pickle-values.js';
import { isScalar, isTensor, PickleDict, PickleList, PickleSet, PickleTuple } from './pickle-values.js';
import { refused } from './refusal.js';

/** A trainer's file with optimiser state for a thousand tensors needs 10⁵. */
const MAX_OPCODES = 1_000_000;
const STOP = 0x2e;
const MAX_PROTOCOL = 3;

/** Opcodes that put a value on the stack, by their byte. */
const VALUES: ReadonlyMap<number, (machine: PickleMachine) => PickleValue> = new Map<number, (m: PickleMachine) => PickleValue>([
  [0x29, () => new PickleTuple([])], // EMPTY_TUPLE
  [0x5d, () => new PickleList()], // EMPTY_LIST
  [0x7d, () => new PickleDict(false)], // EMPTY_DICT
  [0x8f, () => new PickleSet()], // EMPTY_SET
  [0x4e, () => null], // NONE
  [0x88, () => true], // NEWTRUE
  [0x89, () => false], // NEWFALSE
  [0x4b, (m) => m.bytes(1).readUInt8(0)], // BININT1
  [0x4d, (m) => m.bytes(2).readUInt16LE(0)], // BININT2
  [0x4a, (m) => m.bytes(4).readInt32LE(0)], // BININT
  [0x8a, long1],
  [0x47, (m) => m.bytes(8).readDoubleBE(0)], // BINFLOAT
  [0x55, (m) => m.text(m.bytes(1).readUInt8(0))], // SHORT_BINSTRING
  [0x58, (m) => m.text(m.bytes(4).readUInt32LE(0))], // BINUNICODE
  [0x68, (m) => m.recall(m.bytes(1).readUInt8(0))], // BINGET
  [0x6a, (m) => m.recall(m.bytes(4).readUInt32LE(0))], // LONG_BINGET
  [0x74, (m) => new PickleTuple(m.popToMark())], // TUPLE
  [0x85, (m) => new PickleTuple(m.popMany(1))], // TUPLE1
  [0x86, (m) => new PickleTuple(m.popMany(2))], // TUPLE2
  [0x87, (m) => new PickleTuple(m.popMany(3))], // TUPLE3
  [0x63, (m) => findGlobal(m.line(), m.line(), m.label)], // GLOBAL
  [0x51, (m) => resolveStorage(m.pop(), m.label)], // BINPERSID
  [0x52, build], // REDUCE
  [0x81, build], // NEWOBJ
]);

/** Opcodes that only change what is there. What is in neither table refuses the file. */
const EFFECTS: ReadonlyMap<number, (machine: PickleMachine) => void> = new Map([
  [0x80, protocol],
  [0x28, mark],
  [0x71, binput],
  [0x72, longBinput],
  [0x61, append],
  [0x65, appends],
  [0x73, setItem],
  [0x75, setItems],
  [0x62, applyState], // BUILD
]);

/**
 * Reads the pickle of a PyTorch checkpoint as data. There is no callable anywhere: a closed list of
 * opcodes, a closed list of names, and records in place of objects.
 *
 * @param label the file's name, for complaints
 * @throws ExpectedError `weights.refused`
 */
export function unpickle(bytes: Buffer, label: string): PickleValue {
  const machine = new PickleMachine(bytes, label);
  for (let i = 0; i < MAX_OPCODES; i++) {
    const opcode = machine.bytes(1).readUInt8(0);
    if (opcode === STOP) return machine.finish();
    step(machine, opcode);
  }
  throw refused(`Expected at most ${String(MAX_OPCODES)} pickle opcodes in ${label} but received more.`);
}

function step(machine: PickleMachine, opcode: number): void {
  const make = VALUES.get(opcode);
  const effect = EFFECTS.get(opcode);
  if (make !== undefined) machine.push(make(machine));
  else if (effect !== undefined) effect(machine);
  else throw refused(`Expected only plain tensors in ${machine.label} but received pickle opcode 0x${opcode.toString(16)}.`);
}

function protocol(machine: PickleMachine): void {
  const version = machine.bytes(1).readUInt8(0);
  if (version > MAX_PROTOCOL) {
    throw refused(
      `Expected pickle protocol 2 or 3 in ${machine.label} but received ${String(version)}; re-save with torch.save's default.`,
    );
  }
}

function long1(machine: PickleMachine): PickleValue {
  const bytes = machine.bytes(machine.bytes(1).readUInt8(0));
  const hex = Buffer.from(bytes).reverse().toString('hex');
  const value = BigInt.asIntN(8 * bytes.length, hex === '' ? 0n : BigInt(`0x${hex}`));
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function mark(machine: PickleMachine): void {
  machine.mark();
}

function binput(machine: PickleMachine): void {
  machine.remember(machine.bytes(1).readUInt8(0));
}

function longBinput(machine: PickleMachine): void {
  machine.remember(machine.bytes(4).readUInt32LE(0));
}

function append(machine: PickleMachine): void {
  appendAll(machine, machine.popMany(1));
}

function appends(machine: PickleMachine): void {
  appendAll(machine, machine.popToMark());
}

function appendAll(machine: PickleMachine, values: readonly PickleValue[]): void {
  const list = machine.top();
  if (!(list instanceof PickleList)) throw refused(`Expected APPEND on a list in ${machine.label} but received another target.`);
  for (const value of values) list.append(value);
  machine.assertDepth(list);
}

function setItem(machine: PickleMachine): void {
  setAll(machine, machine.popMany(2));
}

function setItems(machine: PickleMachine): void {
  setAll(machine, machine.popToMark());
}

function setAll(machine: PickleMachine, values: readonly PickleValue[]): void {
  const dict = machine.top();
  if (!(dict instanceof PickleDict)) throw refused(`Expected SETITEM on a dict in ${machine.label} but received another target.`);
  if (values.length % 2 !== 0) throw refused(`Expected a value for every key in ${machine.label} but received a lone key.`);
  for (let i = 0; i < values.length; i += 2) {
    const [key, value] = [values[i] as PickleValue, values[i + 1] as PickleValue];
    if (!isScalar(key)) throw refused(`Expected text or a number as key in ${machine.label} but received a structure.`);
    dict.set(key, value);
  }
  machine.assertDepth(dict);
}

function build(machine: PickleMachine): PickleValue {
  const args = machine.pop();
  return construct(machine.pop(), args, machine.label);
}

/** State of an OrderedDict (`_metadata`) or tensor: of no use here, dropped. */
function applyState(machine: PickleMachine): void {
  machine.pop();
  const target = machine.top();
  const accepted = isTensor(target) || (target instanceof PickleDict && target.ordered);
  if (!accepted) throw refused(`Expected BUILD on a tensor or OrderedDict in ${machine.label} but received another target.`);
}
