import * as v from 'valibot';
import { CALL_INPUTS, STREAM_INPUTS, type CallName, type StreamName } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';

const MAX_VALUE_LETTERS = 60;

export type ParsedCalls = { [N in CallName]: v.InferOutput<(typeof CALL_INPUTS)[N]> };
export type ParsedStreams = { [N in StreamName]: v.InferOutput<(typeof STREAM_INPUTS)[N]> };

export function isCallName(name: string): name is CallName {
  return Object.hasOwn(CALL_INPUTS, name);
}

export function isStreamName(name: string): name is StreamName {
  return Object.hasOwn(STREAM_INPUTS, name);
}

export function parseCall<N extends CallName>(name: N, input: unknown): ParsedCalls[N] {
  return parseInput(CALL_INPUTS[name], input) as ParsedCalls[N];
}

export function parseStream<N extends StreamName>(name: N, input: unknown): ParsedStreams[N] {
  return parseInput(STREAM_INPUTS[name], input) as ParsedStreams[N];
}

/** The value as the schema wants it. Throws `request.invalid` with one sentence that names the field. */
export function parseInput<S extends v.GenericSchema>(schema: S, input: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, input, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const field = v.getDotPath(issue) ?? 'the request';
  throw new ExpectedError('request.invalid', sentenceOf(issue, field), { details: { field } });
}

/** Our own sentences name their field; those of the schema library are put into the same shape. */
function sentenceOf(issue: v.BaseIssue<unknown>, field: string): string {
  const received = cut(issue.received);
  if (issue.message.startsWith('Expected ')) return `${issue.message.replace(/\.$/u, '')} (${field}: received ${received}).`;
  return `Expected ${issue.expected ?? 'something else'} for ${field} but received ${received}.`;
}

function cut(received: string): string {
  return received.length <= MAX_VALUE_LETTERS ? received : `${received.slice(0, MAX_VALUE_LETTERS)}…`;
}
