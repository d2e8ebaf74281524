import { ProtoMessage } from './protobuf.js';

// Field numbers of onnx.proto (IR version 10), as far as a graph of ours needs them.

/** What our graphs compute with. */
export type GraphType = 'float32' | 'float16' | 'int64';

/** What weights may be stored as besides. */
export type StoredGraphType = GraphType | 'int8' | 'uint8' | 'bfloat16';

/** An axis: a length, or the name of a length that is known only when the graph runs. */
export type Dim = number | string;

/** Plain numbers are integers: a float says so. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

export type Attributes = Readonly<Record<string, Attribute>>;

export interface GraphNode {
  readonly operator: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

export interface GraphPort {
  readonly name: string;
  readonly dtype: GraphType;
  readonly dims: readonly Dim[];
}

export type Initializer = { readonly name: string; readonly dtype: StoredGraphType; readonly dims: readonly number[] } & (
  { readonly bytes: Uint8Array } | { readonly location: string; readonly offsetBytes: number; readonly lengthBytes: number }
);

export interface GraphContent {
  readonly name: string;
  readonly nodes: readonly GraphNode[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
}

const IR_VERSION = 10;
const OPSET = 21;
const MICROSOFT_OPSET = 1;
export const DATA_TYPES: Readonly<Record<StoredGraphType, number>> = { float32: 1, uint8: 2, int8: 3, int64: 7, float16: 10, bfloat16: 16 };
const DATA_LOCATION_EXTERNAL = 1;

const enumOfAttribute = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** A `ModelProto` with this one graph. */
export function encodeModel(graph: GraphContent): ProtoMessage {
  return new ProtoMessage()
    .integer(1, IR_VERSION)
    .text(2, 'scalebrush')
    .message(7, encodeGraph(graph))
    .message(8, new ProtoMessage().text(1, '').integer(2, OPSET))
    .message(8, new ProtoMessage().text(1, 'com.microsoft').integer(2, MICROSOFT_OPSET));
}

function encodeGraph({ name, nodes, initializers, inputs, outputs }: GraphContent): ProtoMessage {
  const graph = new ProtoMessage();
  nodes.forEach((node, index) => graph.message(1, encodeNode(node, index)));
  graph.text(2, name);
  for (const initializer of initializers) graph.message(5, encodeInitializer(initializer));
  for (const port of inputs) graph.message(11, encodePort(port));
  for (const port of outputs) graph.message(12, encodePort(port));
  return graph;
}

function encodeNode({ operator, domain, inputs, outputs, attributes }: GraphNode, index: number): ProtoMessage {
  const node = new ProtoMessage();
  for (const input of inputs) node.text(1, input);
  for (const output of outputs) node.text(2, output);
  node.text(3, `${operator}_${index}`).text(4, operator);
  for (const [name, attribute] of Object.entries(attributes)) node.message(5, encodeAttribute(name, attribute));
  return node.text(7, domain);
}

function encodeAttribute(name: string, attribute: Attribute): ProtoMessage {
  const message = new ProtoMessage().text(1, name);
  if (typeof attribute === 'number') return message.integer(3, attribute).integer(20, enumOfAttribute.int);
  if (typeof attribute === 'string') return message.text(4, attribute).integer(20, enumOfAttribute.string);
  if ('float' in attribute) return message.float(2, attribute.float).integer(20, enumOfAttribute.float);
  for (const value of attribute) message.integer(8, value);
  return message.integer(20, enumOfAttribute.ints);
}

function encodeInitializer(initializer: Initializer): ProtoMessage {
  const tensor = new ProtoMessage();
  for (const dim of initializer.dims) tensor.integer(1, dim);
  tensor.integer(2, DATA_TYPES[initializer.dtype]).text(8, initializer.name);
  if ('bytes' in initializer) return tensor.bytes(9, initializer.bytes);
  const place = { location: initializer.location, offset: initializer.offsetBytes, length: initializer.lengthBytes };
  for (const [entry, value] of Object.entries(place)) tensor.message(13, new ProtoMessage().text(1, entry).text(2, String(value)));
  return tensor.integer(14, DATA_LOCATION_EXTERNAL);
}

function encodePort({ name, dtype, dims }: GraphPort): ProtoMessage {
  const shape = new ProtoMessage();
  for (const dim of dims) {
    const axis = typeof dim === 'number' ? new ProtoMessage().integer(1, dim) : new ProtoMessage().text(2, dim);
    shape.message(1, axis);
  }
  const tensorType = new ProtoMessage().integer(1, DATA_TYPES[dtype]).message(2, shape);
  return new ProtoMessage().text(1, name).message(2, new ProtoMessage().message(1, tensorType));
}
