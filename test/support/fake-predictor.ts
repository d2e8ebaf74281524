import type { Grid } from '#base/geometry.js';
import type { Conditioning, ScaleInput, ScalePredictor } from '#engine/tensor/predictor.js';
import { floats } from '#engine/tensor/tensor.js';

export interface Asked {
  readonly scale: number;
  readonly input: ScaleInput;
  readonly layers: readonly number[];
  /** Rows: 2 while the run is guided. */
  readonly batch: number;
}

export interface FakePredictor extends ScalePredictor {
  /** Every question of the run at hand, in order. */
  readonly asked: Asked[];
  readonly begun: Conditioning[];
  /** Scales that were asked for when a run was ended. */
  readonly ended: number[];
}

export interface FakeOptions {
  readonly schedule: readonly Grid[];
  readonly tokenBits: number;
  readonly depth: number;
  /** logit(1) − logit(0) of a bit; row 1 is the unconditional one. */
  logit(place: { scale: number; index: number; row: number }): number;
}

/** A transformer with known logits. Refuses scales out of order and tensors of the wrong shape. */
export function fakePredictor({ schedule, tokenBits, depth, logit }: FakeOptions): FakePredictor {
  const asked: Asked[] = [];
  const begun: Conditioning[] = [];
  const ended: number[] = [];
  return {
    schedule,
    depth,
    asked,
    begun,
    ended,
    begin(conditioning) {
      begun.push(conditioning);
      let expected = 0;
      let batch = conditioning.guided || conditioning.control?.guided ? 2 : 1;
      return Promise.resolve({
        predict(scale, input, layers) {
          if (scale !== expected++) throw new Error(`Expected scale ${expected - 1} but was asked for ${scale}.`);
          const [rows, columns] = schedule[scale]!;
          const tokens = rows * columns;
          if (input.codes && input.codes.data.length !== tokens * tokenBits) throw new Error('Expected codes of the right size.');
          if (!input.codes && scale > 0) throw new Error('Expected codes after the first scale.');
          asked.push({ scale, input, layers, batch });
          const logits = floats([batch, tokens, tokenBits]);
          const size = tokens * tokenBits;
          logits.data.forEach((_, i) => (logits.data[i] = logit({ scale, index: i % size, row: Math.floor(i / size) })));
          return Promise.resolve({ logits });
        },
        endGuidance() {
          batch = 1;
          return Promise.resolve();
        },
        end() {
          ended.push(expected);
        },
      });
    },
    release: () => Promise.resolve(),
  };
}
