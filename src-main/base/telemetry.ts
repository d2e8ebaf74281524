/**
 * What every process that loads ONNX Runtime must have in its environment, whatever its user's says. Without it version 1.30
 * writes down how it is used, under an identity that it gives the machine, and reports it to its vendor over the network.
 */
export const NO_TELEMETRY = { ORT_DISABLE_TELEMETRY: '1' } as const;
