const core = new URL('./core.mjs', import.meta.url).href;

export function resolve(specifier, context, next) {
  return specifier === 'electron' ? { url: core, shortCircuit: true } : next(specifier, context);
}
