/** Published models hold some thousand tensors; a table larger than this is an attack or a mistake. */
export const MAX_TENSORS = 100_000;
/** PyTorch itself prints and indexes at most this many dimensions with ease; networks here need 5. */
export const MAX_RANK = 16;
/** Longest tensor name: real ones stay below 200 characters. */
export const MAX_NAME_LENGTH = 1_000;
