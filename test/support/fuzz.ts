/** How many times the runs of `npm test` hostile bytes are tried: `npm run fuzz TIMES`. */
export const FUZZ_FACTOR = Number(process.env['SCALEBRUSH_FUZZ'] ?? 1);
