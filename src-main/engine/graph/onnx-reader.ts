import { refused, shown } from '#engine/weights/refusal.js';
import { ATTRIBUTE, DIMENSION, ENTRY, GRAPH, MODEL, NODE, SHAPE, TENSOR, TENSOR_TYPE, TYPE, VALUE_INFO } from './onnx-fields.js';
import { ProtoReader, type ByteSource, type ProtoField } from './protobuf-reader.js';

// What has no number in onnx-fields is not looked at, and holds nothing that is run or opened.

/** What a model takes or gives. */
export interface OnnxPort {
  readonly name: string;
  /** ONNX's number of the element type; undefined where it is no tensor. */
  readonly type: number | undefined;
  /** Undefined = a length that is known only when the model runs; absent = not even the rank is known. */
  readonly dims?: readonly (number | undefined)[];
}

/** A tensor's bytes in another file. */
export interface ExternalData {
  /** A plain base name, beside the model. */
  readonly location: string;
  readonly endBytes: number;
}

/** What a foreign model holds, as far as one must know before it is run. */
export interface OnnxModel {
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  readonly parameters: number;
  readonly external: readonly ExternalData[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** A protocol-buffer message cannot be larger. */
const MAX_ONNX_BYTES = 2 ** 31 - 1;
/** Published networks have some thousand of each. */
const MAX_NODES = 100_000;
const MAX_TENSORS = 100_000;
/** Branches inside branches; exporters write one or two. */
const MAX_DEPTH = 8;
const MAX_RANK = 16;

const STANDARD = ['', 'ai.onnx'];
const MICROSOFT = 'com.microsoft';
/** Operators that run other code or open other files, and those that need not end: a run cannot be stopped from inside. */
const REFUSED_OPERATORS: ReadonlySet<string> = new Set(['EPContext', 'PythonOp', 'PythonOpGrad', 'ATen', 'Loop', 'Scan', 'SequenceMap']);
/** Bytes per element, by ONNX's number of the type. Texts (8) and complex numbers have no place in a picture network. */
const ITEM_BYTES: Readonly<Record<number, number>> = { 1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2 };
/** As the file system of every machine takes it: what a pack's card can name. */
const BASE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/u;

/** Whether bytes begin as ONNX models do: a version below 32, then another of the first fields, and no safetensors header's brace. */
export function looksLikeOnnx(head: Uint8Array): boolean {
  const [first = 0, version = 0, next = 0] = head;
  const isSafetensors = head[7] === 0 && head[8] === '{'.charCodeAt(0);
  return first === 0x08 && version > 0 && version < 32 && [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42].includes(next) && !isSafetensors;
}

/**
 * Reads a foreign ONNX model from outermost to innermost, data left out, and refuses whatever could run, open or hide
 * something: own operators and functions, loops, locations that are no plain base names.
 *
 * @throws ExpectedError `weights.refused` naming the first thing that is wrong.
 */
export function readOnnx(source: ByteSource): OnnxModel {
  expectSize(source);
  return new OnnxReader(source).model();
}

/** @throws ExpectedError `weights.refused` where there is more than one message can hold. */
export function expectSize({ label, sizeBytes }: Pick<ByteSource, 'label' | 'sizeBytes'>): void {
  if (sizeBytes > MAX_ONNX_BYTES) throw refused(`Expected at most ${MAX_ONNX_BYTES} bytes in ${label} but received ${sizeBytes}.`);
}

class OnnxReader {
  readonly #proto: ProtoReader;
  readonly #external: ExternalData[] = [];
  #nodes = 0;
  #tensors = 0;
  #parameters = 0;

  constructor(source: ByteSource) {
    this.#proto = new ProtoReader(source);
  }

  model(): OnnxModel {
    const metadata = new Map<string, string>();
    let graph: ProtoField | undefined;
    for (const field of this.#proto.fields(this.#proto.whole)) {
      if (field.number === MODEL.trainingInfo || field.number === MODEL.functions)
        throw this.#refused('no functions and no training', 'a model with them');
      if (field.number === MODEL.graph && graph) throw this.#refused('one graph', 'two');
      if (field.number === MODEL.graph) graph = field;
      if (field.number === MODEL.metadataProps) this.#entry(field, metadata);
    }
    if (!graph) throw this.#refused('an ONNX graph', 'none');
    const ports = this.#graph(graph, 0);
    return { ...ports, parameters: this.#parameters, external: this.#external, metadata: Object.fromEntries(metadata) };
  }

  /** Old exporters list the weights among the inputs too: those are none. */
  #graph(graph: ProtoField, depth: number): Pick<OnnxModel, 'inputs' | 'outputs'> {
    if (depth > MAX_DEPTH) throw this.#refused(`at most ${MAX_DEPTH} graphs inside each other`, 'more');
    const [inputs, outputs]: [OnnxPort[], OnnxPort[]] = [[], []];
    const weights = new Set<string>();
    for (const field of this.#proto.fields(graph)) {
      if (field.number === GRAPH.node) this.#node(field, depth);
      if (field.number === GRAPH.initializer) weights.add(this.#tensor(field));
      if (field.number === GRAPH.input) inputs.push(this.#port(field));
      if (field.number === GRAPH.output) outputs.push(this.#port(field));
      if (field.number === GRAPH.sparseInitializer) throw this.#refused('dense weights', 'sparse ones');
    }
    return { inputs: inputs.filter(({ name }) => !weights.has(name)), outputs };
  }

  #node(node: ProtoField, depth: number): void {
    if (++this.#nodes > MAX_NODES) throw this.#refused(`at most ${MAX_NODES} operators`, 'more');
    for (const field of this.#proto.fields(node)) {
      if (field.number === NODE.opType) this.#expectOperator(this.#proto.text(field));
      if (field.number === NODE.domain) this.#expectDomain(this.#proto.text(field));
      if (field.number === NODE.attribute) this.#attribute(field, depth);
    }
  }

  #expectOperator(operator: string): void {
    if (REFUSED_OPERATORS.has(operator)) throw this.#refused('operators that only compute, and end', shown(operator));
  }

  #expectDomain(domain: string): void {
    if (STANDARD.includes(domain) || domain === MICROSOFT) return;
    throw this.#refused(`operators of ONNX or ${MICROSOFT}`, `some of "${shown(domain)}"`);
  }

  #attribute(attribute: ProtoField, depth: number): void {
    for (const field of this.#proto.fields(attribute)) {
      if (field.number === ATTRIBUTE.t || field.number === ATTRIBUTE.tensors) this.#tensor(field);
      if (field.number === ATTRIBUTE.g || field.number === ATTRIBUTE.graphs) this.#graph(field, depth + 1);
      if (field.number === ATTRIBUTE.sparseTensor || field.number === ATTRIBUTE.sparseTensors)
        throw this.#refused('dense weights', 'sparse ones');
    }
  }

  /** Its name. */
  #tensor(tensor: ProtoField): string {
    if (++this.#tensors > MAX_TENSORS) throw this.#refused(`at most ${MAX_TENSORS} tensors`, 'more');
    const dims: number[] = [];
    const external = new Map<string, string>();
    let [name, type, rawBytes]: [string, number, number | undefined] = ['', 0, undefined];
    for (const field of this.#proto.fields(tensor)) {
      if (field.number === TENSOR.dims) for (const dim of this.#proto.integers(field)) dims.push(this.#length(dim));
      if (field.number === TENSOR.dataType) type = Number(field.value);
      if (field.number === TENSOR.name) name = this.#proto.text(field);
      if (field.number === TENSOR.rawData) rawBytes = field.end - field.start;
      if (field.number === TENSOR.externalData) this.#entry(field, external);
    }
    const bytes = this.#bytesOf(name, dims, type);
    if (rawBytes !== undefined && rawBytes !== bytes) throw this.#refused(`${bytes} bytes for ${shown(name)}`, String(rawBytes));
    if (external.size > 0) this.#external.push(this.#externalData(external, bytes));
    return name;
  }

  #bytesOf(name: string, dims: readonly number[], type: number): number {
    const itemBytes = ITEM_BYTES[type];
    if (itemBytes === undefined) throw this.#refused(`numbers for ${shown(name)}`, `elements of ONNX's type ${type}`);
    if (dims.length > MAX_RANK) throw this.#refused(`at most ${MAX_RANK} axes for ${shown(name)}`, String(dims.length));
    const count = dims.reduce((product, dim) => product * dim, 1);
    if (!Number.isSafeInteger(count * itemBytes))
      throw this.#refused(`a shape that fits in memory for ${shown(name)}`, `[${dims.join(', ')}]`);
    this.#parameters += count;
    return count * itemBytes;
  }

  #externalData(entries: ReadonlyMap<string, string>, bytes: number): ExternalData {
    const location = entries.get('location') ?? '';
    if (!BASE_NAME.test(location)) throw this.#refused('weights in plainly named files beside it', `a location "${shown(location)}"`);
    const length = this.#natural(entries.get('length') ?? String(bytes));
    if (length !== bytes) throw this.#refused(`${bytes} bytes in ${location}`, String(length));
    return { location, endBytes: this.#natural(entries.get('offset') ?? '0') + length };
  }

  #natural(text: string): number {
    const value = /^\d{1,15}$/u.test(text) ? Number(text) : NaN;
    if (!Number.isSafeInteger(value)) throw this.#refused('a whole number of bytes', `"${shown(text)}"`);
    return value;
  }

  /** A key and its value; of two with one key neither counts. */
  #entry(entry: ProtoField, into: Map<string, string>): void {
    let [key, value] = ['', ''];
    for (const field of this.#proto.fields(entry)) {
      if (field.number === ENTRY.key) key = this.#proto.text(field);
      if (field.number === ENTRY.value) value = this.#proto.text(field);
    }
    if (into.has(key)) throw this.#refused('each key once', `"${shown(key)}" twice`);
    into.set(key, value);
  }

  #port(port: ProtoField): OnnxPort {
    let name = '';
    let found: Omit<OnnxPort, 'name'> = { type: undefined };
    for (const field of this.#proto.fields(port)) {
      if (field.number === VALUE_INFO.name) name = this.#proto.text(field);
      if (field.number === VALUE_INFO.type)
        for (const kind of this.#proto.fields(field)) if (kind.number === TYPE.tensorType) found = this.#tensorType(kind);
    }
    return { name, ...found };
  }

  #tensorType(tensorType: ProtoField): Omit<OnnxPort, 'name'> {
    let type: number | undefined;
    let dims: (number | undefined)[] | undefined;
    for (const field of this.#proto.fields(tensorType)) {
      if (field.number === TENSOR_TYPE.elemType) type = Number(field.value);
      if (field.number === TENSOR_TYPE.shape)
        dims = [...this.#proto.fields(field)].filter(({ number }) => number === SHAPE.dim).map((dim) => this.#dim(dim));
    }
    return { type, ...(dims && { dims }) };
  }

  #dim(dim: ProtoField): number | undefined {
    const [field] = [...this.#proto.fields(dim)].filter(({ number }) => number === DIMENSION.dimValue);
    return field && this.#length(field.value);
  }

  #length(value: bigint): number {
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#refused('lengths of axes', BigInt.asIntN(64, value).toString());
    return Number(value);
  }

  #refused(expected: string, received: string): Error {
    return this.#proto.complaint(expected, received);
  }
}
