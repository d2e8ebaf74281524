/** A TIFF by hand: one strip, whatever its samples are, so that no library's habits stand between a test and the bytes. */
export interface TiffOfHand {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly samples: number;
  readonly photometric: number;
  /** The strip as it is to lie in the file. */
  readonly data: Uint8Array;
  /** 1 unsigned, 2 signed, 3 float. */
  readonly format?: number;
  readonly extras?: readonly number[];
  readonly compression?: number;
  readonly predictor?: number;
  readonly separate?: boolean;
  readonly little?: boolean;
  /** Further fields: tag, type, and the value's bytes. */
  readonly more?: readonly (readonly [tag: number, type: number, count: number, value: Uint8Array])[];
}

export function tiffOfHand(wish: TiffOfHand): Uint8Array {
  const {
    width,
    height,
    bits,
    samples,
    photometric,
    data,
    format,
    extras = [],
    compression = 1,
    predictor,
    separate,
    little = true,
  } = wish;
  const shorts = (values: readonly number[]) => {
    const bytes = Buffer.alloc(values.length * 2);
    values.forEach((value, i) => (little ? bytes.writeUInt16LE(value, i * 2) : bytes.writeUInt16BE(value, i * 2)));
    return bytes;
  };
  const longs = (values: readonly number[]) => {
    const bytes = Buffer.alloc(values.length * 4);
    values.forEach((value, i) => (little ? bytes.writeUInt32LE(value, i * 4) : bytes.writeUInt32BE(value, i * 4)));
    return bytes;
  };
  const planes = separate ? samples : 1;
  const plane = data.length / planes;
  const fields: (readonly [number, number, number, Uint8Array])[] = [
    [256, 4, 1, longs([width])],
    [257, 4, 1, longs([height])],
    [258, 3, samples, shorts(Array<number>(samples).fill(bits))],
    [259, 3, 1, shorts([compression])],
    [262, 3, 1, shorts([photometric])],
    [273, 4, planes, longs(Array.from({ length: planes }, (_, i) => 8 + i * plane))],
    [277, 3, 1, shorts([samples])],
    [278, 4, 1, longs([height])],
    [279, 4, planes, longs(Array<number>(planes).fill(plane))],
    [284, 3, 1, shorts([separate ? 2 : 1])],
    ...(predictor ? [[317, 3, 1, shorts([predictor])] as const] : []),
    ...(extras.length > 0 ? [[338, 3, extras.length, shorts(extras)] as const] : []),
    ...(format ? [[339, 3, samples, shorts(Array<number>(samples).fill(format))] as const] : []),
    ...(wish.more ?? []),
  ];
  fields.sort((a, b) => a[0] - b[0]);
  const parts: Uint8Array[] = [data];
  let end = 8 + data.length;
  const entries = fields.map(([tag, type, count, value]) => {
    const inside = value.length <= 4;
    const entry = Buffer.concat([
      shorts([tag, type]),
      longs([count]),
      inside ? Buffer.concat([value, Buffer.alloc(4 - value.length)]) : longs([end]),
    ]);
    if (!inside) {
      parts.push(value);
      end += value.length;
    }
    return entry;
  });
  const head = Buffer.concat([Buffer.from(little ? 'II' : 'MM', 'latin1'), shorts([42]), longs([end])]);
  return Buffer.concat([head, ...parts, shorts([fields.length]), ...entries, longs([0])]);
}
