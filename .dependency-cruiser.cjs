/** Turns the plan in scripts/rooms.cjs into rules. Every import that is not in it is an error; there are no exceptions. */
const { rooms, fences, TOPIC, compositionRoot, seenByCompositionRoot } = require('./scripts/rooms.cjs');

const within = (paths) => paths.map((path) => `^${path}/`);
const ROOT_FILE = `^${compositionRoot.replace('.', '\\.')}$`;
const HOME = [...Object.keys(rooms).map((room) => `^(${room})/`), ROOT_FILE];

const roomRules = Object.entries(rooms).map(([room, seen]) => ({
  name: `arrows-of-${room === TOPIC ? 'src-renderer-ui-topic' : room.replaceAll('/', '-')}`,
  severity: 'error',
  from: { path: `^(${room})/` },
  // $1 is the importing topic's own folder.
  to: { path: '^src-', pathNot: within([room === TOPIC ? '$1' : room, ...seen]) },
}));

/** Names say which room a thing comes from; a path of dots does not. */
const nameRules = Object.keys(rooms)
  .filter((room) => room !== TOPIC)
  .map((room) => ({
    name: `by-name-from-${room.replaceAll('/', '-')}`,
    severity: 'error',
    from: { path: `^${room}/` },
    to: { path: '^src-', pathNot: `^${room}/`, dependencyTypesNot: ['aliased'] },
  }));

const fenceRules = fences.map(({ library, room }) => ({
  name: `one-room-for-${library.replace(/[^a-z]+/gu, '-')}`,
  severity: 'error',
  from: { path: '^src-', pathNot: room },
  to: { path: `(^|/)node_modules/(${library})(/|$)` },
}));

module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: 'arrows-of-the-composition-root',
      severity: 'error',
      from: { path: ROOT_FILE },
      // The theme is the root's own.
      to: { path: '^src-', pathNot: [ROOT_FILE, '^src-renderer/theme\\.css$', ...within(seenByCompositionRoot)] },
    },
    ...fenceRules,
    ...nameRules,
    { name: 'no-cycles', severity: 'error', from: { path: '^src-' }, to: { circular: true } },
    // A rule is about an import, so a homeless file is caught by what it imports, by who imports it, or as an orphan.
    { name: 'no-homeless-code', severity: 'error', from: { path: '^src-', pathNot: HOME }, to: {} },
    { name: 'no-homeless-code', severity: 'error', from: { path: '^src-' }, to: { path: '^src-.*\\.(ts|svelte)$', pathNot: HOME } },
    { name: 'no-homeless-code', severity: 'error', from: { orphan: true, path: '^src-', pathNot: [...HOME, '\\.d\\.ts$'] }, to: {} },
    { name: 'no-tests-in-the-product', severity: 'error', from: { path: '^src-' }, to: { path: '^(test|scripts|models)/' } },
    { name: 'no-unresolved', severity: 'error', from: { path: '^src-' }, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Made by the build: scripts/kernels.mjs.
    builtInModules: { add: ['virtual:kernels/composite', 'virtual:kernels/detail', 'virtual:kernels/transfer'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'svelte', 'types', 'node', 'default'],
      extensions: ['.ts', '.svelte', '.js'],
    },
  },
};
