import {
  ATTRIBUTE,
  DIMENSION,
  ENTRY,
  GRAPH,
  MODEL,
  NODE,
  OPERATOR_SET,
  SHAPE,
  TENSOR,
  TENSOR_TYPE,
  TYPE,
  VALUE_INFO,
} from './onnx-fields.js';
import { ProtoMessage } from './protobuf.js';

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
    .integer(MODEL.irVersion, IR_VERSION)
    .text(MODEL.producerName, 'scalebrush')
    .message(MODEL.graph, encodeGraph(graph))
    .message(MODEL.opsetImport, encodeOperatorSet('', OPSET))
    .message(MODEL.opsetImport, encodeOperatorSet('com.microsoft', MICROSOFT_OPSET));
}

function encodeOperatorSet(domain: string, version: number): ProtoMessage {
  return new ProtoMessage().text(OPERATOR_SET.domain, domain).integer(OPERATOR_SET.version, version);
}

function encodeGraph({ name, nodes, initializers, inputs, outputs }: GraphContent): ProtoMessage {
  const graph = new ProtoMessage();
  nodes.forEach((node, index) => graph.message(GRAPH.node, encodeNode(node, index)));
  graph.text(GRAPH.name, name);
  for (const initializer of initializers) graph.message(GRAPH.initializer, encodeInitializer(initializer));
  for (const port of inputs) graph.message(GRAPH.input, encodePort(port));
  for (const port of outputs) graph.message(GRAPH.output, encodePort(port));
  return graph;
}

function encodeNode({ operator, domain, inputs, outputs, attributes }: GraphNode, index: number): ProtoMessage {
  const node = new ProtoMessage();
  for (const input of inputs) node.text(NODE.input, input);
  for (const output of outputs) node.text(NODE.output, output);
  node.text(NODE.name, `${operator}_${index}`).text(NODE.opType, operator);
  for (const [name, attribute] of Object.entries(attributes)) node.message(NODE.attribute, encodeAttribute(name, attribute));
  return node.text(NODE.domain, domain);
}

function encodeAttribute(name: string, attribute: Attribute): ProtoMessage {
  const message = new ProtoMessage().text(ATTRIBUTE.name, name);
  if (typeof attribute === 'number') return message.integer(ATTRIBUTE.i, attribute).integer(ATTRIBUTE.type, enumOfAttribute.int);
  if (typeof attribute === 'string') return message.text(ATTRIBUTE.s, attribute).integer(ATTRIBUTE.type, enumOfAttribute.string);
  if ('float' in attribute) return message.float(ATTRIBUTE.f, attribute.float).integer(ATTRIBUTE.type, enumOfAttribute.float);
  for (const value of attribute) message.integer(ATTRIBUTE.ints, value);
  return message.integer(ATTRIBUTE.type, enumOfAttribute.ints);
}

function encodeInitializer(initializer: Initializer): ProtoMessage {
  const tensor = new ProtoMessage();
  for (const dim of initializer.dims) tensor.integer(TENSOR.dims, dim);
  tensor.integer(TENSOR.dataType, DATA_TYPES[initializer.dtype]).text(TENSOR.name, initializer.name);
  if ('bytes' in initializer) return tensor.bytes(TENSOR.rawData, initializer.bytes);
  const place = { location: initializer.location, offset: initializer.offsetBytes, length: initializer.lengthBytes };
  for (const [key, value] of Object.entries(place))
    tensor.message(TENSOR.externalData, new ProtoMessage().text(ENTRY.key, key).text(ENTRY.value, String(value)));
  return tensor.integer(TENSOR.dataLocation, DATA_LOCATION_EXTERNAL);
}

function encodePort({ name, dtype, dims }: GraphPort): ProtoMessage {
  const shape = new ProtoMessage();
  for (const dim of dims) {
    const axis =
      typeof dim === 'number' ? new ProtoMessage().integer(DIMENSION.dimValue, dim) : new ProtoMessage().text(DIMENSION.dimParam, dim);
    shape.message(SHAPE.dim, axis);
  }
  const tensorType = new ProtoMessage().integer(TENSOR_TYPE.elemType, DATA_TYPES[dtype]).message(TENSOR_TYPE.shape, shape);
  return new ProtoMessage().text(VALUE_INFO.name, name).message(VALUE_INFO.type, new ProtoMessage().message(TYPE.tensorType, tensorType));
}
