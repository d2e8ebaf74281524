/**
 * The plan of the house as a table: which room may look into which. dependency-cruiser enforces it
 * for every import; ESLint repeats the window's rows, because `import type` inside a .svelte script
 * is invisible to dependency-cruiser. Rooms see themselves, and node_modules unless fenced.
 */
const ENGINE = 'src-main/engine';
const WINDOW = 'src-renderer';
const engine = (...rooms) => rooms.map((room) => `${ENGINE}/${room}`);
const window = (...rooms) => rooms.map((room) => `${WINDOW}/${room}`);
const below = ['src-main/base', 'src-main/contract'];
const tensor = [...below, ...engine('tensor')];
const host = [...below, ...engine('door'), 'src-main/packs', 'src-main/jobs', 'src-main/service'];
/** Pixels, from the file inwards: each sees those before it. */
const image = (last) => {
  const order = ['sampling', 'files', 'colour', 'working', 'compositing'];
  return engine(...order.slice(0, order.indexOf(last) + 1).map((room) => `image/${room}`));
};
const everyEngineRoom = engine(
  'tensor',
  'weights',
  'graph',
  'networks',
  'runtime',
  'sampling',
  'image',
  'text',
  'control',
  'kernels',
  'detail',
  'pipelines',
  'families',
);

/** A topic sees what every topic sees, never a sister topic. */
const TOPIC = `${WINDOW}/ui/(?!shared/|views/)[^/]+`;

const rooms = {
  'src-main/base': [],
  'src-main/contract': ['src-main/base'],
  [`${ENGINE}/tensor`]: below,
  [`${ENGINE}/weights`]: tensor,
  [`${ENGINE}/graph`]: [...tensor, ...engine('weights')],
  [`${ENGINE}/image/sampling`]: tensor,
  [`${ENGINE}/image/files`]: [...tensor, ...image('sampling')],
  [`${ENGINE}/image/colour`]: [...tensor, ...image('files')],
  [`${ENGINE}/image/working`]: [...tensor, ...image('colour')],
  [`${ENGINE}/image/compositing`]: [...tensor, ...image('working'), ...engine('kernels')],
  [`${ENGINE}/kernels`]: below,
  [`${ENGINE}/detail`]: [...tensor, ...engine('kernels', 'image')],
  [`${ENGINE}/networks`]: [...tensor, ...engine('weights', 'graph')],
  [`${ENGINE}/runtime`]: [...tensor, ...engine('graph')],
  [`${ENGINE}/sampling`]: tensor,
  [`${ENGINE}/control`]: [...tensor, ...engine('image')],
  [`${ENGINE}/text`]: tensor,
  [`${ENGINE}/pipelines`]: [...tensor, ...engine('image', 'sampling', 'control', 'text', 'detail')],
  [`${ENGINE}/families`]: [...tensor, ...engine('weights', 'networks', 'sampling', 'text', 'pipelines')],
  [`${ENGINE}/door`]: [...below, ...everyEngineRoom],
  'src-main/packs': [...below, ...engine('door')],
  'src-main/jobs': [...below, ...engine('door')],
  'src-main/service': [...below, ...engine('door'), 'src-main/packs', 'src-main/jobs'],
  'src-main/farm': host,
  'src-main/server': [...host, 'src-main/farm'],
  'src-main/cli': [...host, 'src-main/farm'],
  'src-main/electron': [...host, 'src-main/farm'],
  [`${WINDOW}/document`]: below,
  [`${WINDOW}/link`]: below,
  [`${WINDOW}/canvas`]: [...below, ...window('document')],
  [`${WINDOW}/state`]: [...below, ...window('document', 'canvas', 'link')],
  [`${WINDOW}/ui/shared`]: ['src-main/base'],
  [TOPIC]: [...below, ...window('document', 'canvas', 'state', 'ui/shared', 'ui/messages')],
  [`${WINDOW}/ui/views`]: [...below, ...window('document', 'canvas', 'state', 'ui')],
};

/** The composition root is a file, not a room. */
const compositionRoot = `${WINDOW}/main.ts`;
const seenByCompositionRoot = [...below, ...window('document', 'link', 'canvas', 'state', 'ui')];

/** Libraries that live in one room each. */
const fences = [
  { library: 'electron', room: '^src-main/electron/' },
  { library: 'electron-log|electron-updater', room: '^src-main/electron/' },
  { library: 'onnxruntime-node', room: `^${ENGINE}/runtime/(onnx-runtime|ort-runner|device-memory)\\.ts$` },
  { library: '@huggingface/tokenizers', room: `^${ENGINE}/text/` },
  { library: 'sharp|ag-psd', room: `^${ENGINE}/image/(files|colour|compositing)/` },
  { library: 'fastify|@fastify', room: '^src-main/server/' },
  { library: 'bullmq|ioredis', room: '^src-main/farm/' },
  { library: 'svelte', room: '^src-renderer/(state|ui)/|^src-renderer/main\\.ts$' },
];

module.exports = { rooms, fences, TOPIC, compositionRoot, seenByCompositionRoot };
