/**
 * The plan of the house as a table: which room may look into which. Every import that is not in
 * it is an error; there are no exceptions. Rooms see themselves, and node_modules unless fenced.
 */
const ENGINE = 'src-main/engine';
const everyEngineRoom = ['tensor', 'weights', 'graph', 'networks', 'runtime', 'sampling', 'image', 'text', 'control', 'pipelines'].map(
  (room) => `${ENGINE}/${room}`,
);
const below = ['src-main/base', 'src-main/contract'];
const host = [...below, `${ENGINE}/door`, 'src-main/packs', 'src-main/jobs', 'src-main/service'];

const rooms = {
  'src-main/base': [],
  'src-main/contract': ['src-main/base'],
  [`${ENGINE}/tensor`]: below,
  [`${ENGINE}/weights`]: [...below, `${ENGINE}/tensor`],
  [`${ENGINE}/graph`]: [...below, `${ENGINE}/tensor`, `${ENGINE}/weights`],
  [`${ENGINE}/image`]: [...below, `${ENGINE}/tensor`],
  [`${ENGINE}/networks`]: [...below, `${ENGINE}/tensor`, `${ENGINE}/weights`, `${ENGINE}/graph`],
  [`${ENGINE}/runtime`]: [...below, `${ENGINE}/tensor`, `${ENGINE}/graph`],
  [`${ENGINE}/sampling`]: [...below, `${ENGINE}/tensor`],
  [`${ENGINE}/control`]: [...below, `${ENGINE}/tensor`, `${ENGINE}/image`],
  [`${ENGINE}/text`]: [...below, `${ENGINE}/tensor`],
  [`${ENGINE}/pipelines`]: [...below, ...['tensor', 'image', 'sampling', 'control', 'text'].map((room) => `${ENGINE}/${room}`)],
  [`${ENGINE}/door`]: [...below, ...everyEngineRoom],
  'src-main/packs': [...below, `${ENGINE}/door`],
  'src-main/jobs': [...below, `${ENGINE}/door`],
  'src-main/service': [...below, `${ENGINE}/door`, 'src-main/packs', 'src-main/jobs'],
  'src-main/server': host,
  'src-main/cli': host,
  'src-main/electron': host,
  'src-renderer/document': below,
  'src-renderer/link': below,
  'src-renderer/canvas': [...below, 'src-renderer/document'],
  'src-renderer/state': [...below, 'src-renderer/document', 'src-renderer/canvas', 'src-renderer/link'],
  'src-renderer/ui/shared': ['src-main/base'],
  'src-renderer/ui/views': [...below, 'src-renderer/document', 'src-renderer/canvas', 'src-renderer/state', 'src-renderer/ui'],
  'src-renderer/ui/(?!shared/|views/)[^/]+': [
    ...below,
    'src-renderer/document',
    'src-renderer/canvas',
    'src-renderer/state',
    'src-renderer/ui/shared',
    'src-renderer/ui/messages',
  ],
};

/** Libraries that live in one room each. */
const fences = [
  { library: 'electron', room: '^src-main/electron/' },
  { library: 'onnxruntime-node', room: `^${ENGINE}/runtime/` },
  { library: 'sharp', room: `^${ENGINE}/image/` },
  { library: 'fastify|@fastify', room: '^src-main/server/' },
  { library: 'bullmq|ioredis', room: '^src-main/farm/' },
  { library: 'svelte', room: '^src-renderer/(state|ui)/|^src-renderer/main\\.ts$' },
];

const roomRules = Object.entries(rooms).map(([room, seen]) => {
  // A topic sees itself, not its sisters: $1 is the topic's own folder.
  const self = room.includes('[^/]+') ? '$1' : room;
  return {
    name: `arrows-of-${room.replace(/[^a-z-]+/giu, '-')}`,
    severity: 'error',
    from: { path: `^(${room})/` },
    to: { path: '^src-', pathNot: [self, ...seen].map((path) => `^${path}/`) },
  };
});

module.exports = {
  forbidden: [
    ...roomRules,
    ...fences.map(({ library, room }) => ({
      name: `one-room-for-${library.replace(/[^a-z]+/gu, '-')}`,
      severity: 'error',
      from: { path: '^src-', pathNot: room },
      to: { path: `(^|/)node_modules/(${library})(/|$)` },
    })),
    { name: 'no-cycles', severity: 'error', from: { path: '^src-' }, to: { circular: true } },
    {
      name: 'no-homeless-code',
      severity: 'error',
      from: { path: '^src-', pathNot: [...Object.keys(rooms).map((room) => `^(${room})/`), '^src-renderer/main\\.ts$'] },
      to: {},
    },
    { name: 'no-unresolved', severity: 'error', from: { path: '^src-' }, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'svelte', 'types', 'node', 'default'],
      extensions: ['.ts', '.svelte', '.js'],
    },
  },
};
