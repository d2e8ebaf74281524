import { PickleMachine } from './pickle-machine.js';
import { construct, findGlobal, resolveStorage } from './pickle-globals.js';
import type { PickleValue } from './pickle-values.js';
import { isTensor, PickleDict, PickleList, PickleSet, PickleTuple } from './pickle-values.js';
import { refused } from './refusal.js';

/** A trainer's file with optimiser state for a thousand tensors needs 10⁵. */
const MAX_OPCODES = 1_000_000;
const STOP = 0x2e;
const MAX_PROTOCOL = 3;

type Step = (machine: PickleMachine) => void;

/** Every opcode that we know, by its byte. All others refuse the file. */
const STEPS: ReadonlyMap<number, Step> = new Map<number, Step>([
  [0x80, protocol],
  [0x28, (m) => m.mark()],
  [0x29, (m) => m.push(new PickleTuple([]))], // EMPTY_TUPLE
  [0x5d, (m) => m.push(new PickleList())], // EMPTY_LIST
  [0x7d, (m) => m.push(new PickleDict(false))], // EMPTY_DICT
  [0x8f, (m) => m.push(new PickleSet())], // EMPTY_SET
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4b, (m) => m.push(m.bytes(1).readUInt8(0))], // BININT1
  [0x4d, (m) => m.push(m.bytes(2).readUInt16LE(0))], // BININT2
  [0x4a, (m) => m.push(m.bytes(4).readInt32LE(0))], // BININT
  [0x8a, long1],
  [0x47, (m) => m.push(m.bytes(8).readDoubleBE(0))], // BINFLOAT
  [0x55, (m) => m.push(m.text(m.bytes(1).readUInt8(0)))], // SHORT_BINSTRING
  [0x58, (m) => m.push(m.text(m.bytes(4).readUInt32LE(0)))], // BINUNICODE
  [0x71, (m) => m.remember(m.bytes(1).readUInt8(0))], // BINPUT
  [0x72, (m) => m.remember(m.bytes(4).readUInt32LE(0))], // LONG_BINPUT
  [0x68, (m) => m.recall(m.bytes(1).readUInt8(0))], // BINGET
  [0x6a, (m) => m.recall(m.bytes(4).readUInt32LE(0))], // LONG_BINGET
  [0x74, (m) => m.push(new PickleTuple(m.popToMark()))], // TUPLE
  [0x85, (m) => m.push(new PickleTuple(m.popMany(1)))], // TUPLE1
  [0x86, (m) => m.push(new PickleTuple(m.popMany(2)))], // TUPLE2
  [0x87, (m) => m.push(new PickleTuple(m.popMany(3)))], // TUPLE3
  [0x61, (m) => append(m, m.popMany(1))], // APPEND
  [0x65, (m) => append(m, m.popToMark())], // APPENDS
  [0x73, (m) => setItems(m, m.popMany(2))], // SETITEM
  [0x75, (m) => setItems(m, m.popToMark())], // SETITEMS
  [0x63, (m) => m.push(findGlobal(m.line(), m.line(), m.label))], // GLOBAL
  [0x51, (m) => m.push(resolveStorage(m.pop(), m.label))], // BINPERSID
  [0x52, build], // REDUCE
  [0x81, build], // NEWOBJ
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
    const step = STEPS.get(opcode);
    if (step === undefined) throw refused(`Expected only plain tensors in ${label} but received pickle opcode 0x${opcode.toString(16)}.`);
    step(machine);
  }
  throw refused(`Expected at most ${String(MAX_OPCODES)} pickle opcodes in ${label} but received more.`);
}

function protocol(machine: PickleMachine): void {
  const version = machine.bytes(1).readUInt8(0);
  if (version > MAX_PROTOCOL) {
    throw refused(
      `Expected pickle protocol 2 or 3 in ${machine.label} but received ${String(version)}; re-save with torch.save's default.`,
    );
  }
}

function long1(machine: PickleMachine): void {
  const bytes = machine.bytes(machine.bytes(1).readUInt8(0));
  const hex = Buffer.from(bytes).reverse().toString('hex');
  const value = BigInt.asIntN(8 * bytes.length, hex === '' ? 0n : BigInt(`0x${hex}`));
  const number = Number(value);
  machine.push(Number.isSafeInteger(number) ? number : value);
}

function append(machine: PickleMachine, values: readonly PickleValue[]): void {
  const list = machine.top();
  if (!(list instanceof PickleList)) throw refused(`Expected APPEND on a list in ${machine.label} but received another target.`);
  for (const value of values) list.append(value);
  machine.assertDepth(list);
}

function setItems(machine: PickleMachine, values: readonly PickleValue[]): void {
  const dict = machine.top();
  if (!(dict instanceof PickleDict)) throw refused(`Expected SETITEM on a dict in ${machine.label} but received another target.`);
  if (values.length % 2 !== 0) throw refused(`Expected a value for every key in ${machine.label} but received a lone key.`);
  for (let i = 0; i < values.length; i += 2) {
    const [key, value] = [values[i] as PickleValue, values[i + 1] as PickleValue];
    if (typeof key === 'object' && key !== null)
      throw refused(`Expected text or a number as key in ${machine.label} but received a structure.`);
    dict.set(key, value);
  }
  machine.assertDepth(dict);
}

function build(machine: PickleMachine): void {
  const args = machine.pop();
  machine.push(construct(machine.pop(), args, machine.label));
}

/** State of an OrderedDict (`_metadata`) or tensor: of no use here, dropped. */
function applyState(machine: PickleMachine): void {
  machine.pop();
  const target = machine.top();
  const accepted = isTensor(target) || (target instanceof PickleDict && target.ordered);
  if (!accepted) throw refused(`Expected BUILD on a tensor or OrderedDict in ${machine.label} but received another target.`);
}
