import type { SceneName } from '#document/examples.js';

/** Small scenes in the manner of those that the built-in pack learned from, drawn here so that nobody needs a photo to begin. */
export interface SampleScene {
  readonly name: SceneName;
  draw(context: CanvasRenderingContext2D): void;
}

export const SCENE_SIDE = 512;
const HORIZON = 250;

type Context = CanvasRenderingContext2D;

function sky(context: Context, top: string, bottom: string): void {
  const gradient = context.createLinearGradient(0, 0, 0, HORIZON);
  gradient.addColorStop(0, top);
  gradient.addColorStop(1, bottom);
  context.fillStyle = gradient;
  context.fillRect(0, 0, SCENE_SIDE, HORIZON);
}

function ground(context: Context, far: string, near: string): void {
  const gradient = context.createLinearGradient(0, HORIZON, 0, SCENE_SIDE);
  gradient.addColorStop(0, far);
  gradient.addColorStop(1, near);
  context.fillStyle = gradient;
  context.fillRect(0, HORIZON, SCENE_SIDE, SCENE_SIDE - HORIZON);
  const random = dice(far);
  for (let i = 0; i < 1500; i++) {
    const depth = random() ** 1.5;
    const [x, y] = [random() * SCENE_SIDE, HORIZON + 4 + depth * (SCENE_SIDE - HORIZON)];
    context.fillStyle = random() < 0.5 ? 'rgba(0, 0, 0, 0.045)' : 'rgba(255, 255, 255, 0.045)';
    context.beginPath();
    context.ellipse(x, y, 3 + 16 * depth, 1 + 4 * depth, 0, 0, 2 * Math.PI);
    context.fill();
  }
}

/** The same numbers for the same word: a scene never changes. */
function dice(seed: string): () => number {
  let state = Array.from(seed).reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 2147483647, 7);
  return () => {
    // The minimal standard generator (Park and Miller, 1988).
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

function clouds(context: Context, colour: string, places: readonly (readonly [x: number, y: number, size: number])[]): void {
  context.fillStyle = colour;
  for (const [x, y, size] of places) {
    for (const [dx, dy, radius] of [
      [-0.9, 0.2, 0.5],
      [-0.2, -0.1, 0.75],
      [0.6, 0.1, 0.6],
      [1.2, 0.3, 0.35],
    ] as const) {
      context.beginPath();
      context.ellipse(x + dx * size, y + dy * size, radius * size, radius * size * 0.55, 0, 0, 2 * Math.PI);
      context.fill();
    }
  }
}

function mountains(context: Context, colour: string, phase: number): void {
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(0, HORIZON);
  for (let x = 0; x <= SCENE_SIDE; x += 4) {
    const along = x / SCENE_SIDE;
    context.lineTo(x, HORIZON - 52 * (0.6 + 0.25 * Math.sin(9 * along + phase) + 0.15 * Math.sin(23 * along + 2 * phase)));
  }
  context.lineTo(SCENE_SIDE, HORIZON);
  context.fill();
}

function shadow(context: Context, x: number, y: number): void {
  context.fillStyle = 'rgba(0, 0, 0, 0.28)';
  context.beginPath();
  context.ellipse(x + 18, y, 100, 20, 0, 0, 2 * Math.PI);
  context.fill();
}

function polygon(context: Context, colour: string, points: readonly (readonly [number, number])[]): void {
  context.fillStyle = colour;
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.closePath();
  context.fill();
}

function disc(context: Context, colour: string, [x, y, radius]: readonly [number, number, number]): void {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function car(context: Context): void {
  shadow(context, 256, 420);
  polygon(context, '#d9241f', [
    [158, 366],
    [158, 340],
    [204, 338],
    [222, 284],
    [300, 284],
    [326, 338],
    [354, 342],
    [354, 402],
    [158, 402],
  ]);
  polygon(context, '#b8dbed', [
    [220, 334],
    [232, 296],
    [294, 296],
    [312, 334],
  ]);
  for (const x of [205, 307]) {
    disc(context, '#212121', [x, 404, 30]);
    disc(context, '#555555', [x, 404, 12]);
  }
}

function house(context: Context): void {
  shadow(context, 256, 430);
  context.fillStyle = '#2952db';
  context.fillRect(184, 316, 144, 112);
  polygon(context, '#8c3d2e', [
    [256, 232],
    [356, 322],
    [156, 322],
  ]);
  context.fillStyle = '#212121';
  context.fillRect(238, 370, 36, 58);
  context.fillRect(200, 340, 28, 30);
  context.fillRect(284, 340, 28, 30);
}

function tree(context: Context): void {
  shadow(context, 180, 430);
  context.fillStyle = '#6b4729';
  context.fillRect(166, 356, 28, 74);
  for (const place of [
    [180, 290, 56],
    [142, 330, 46],
    [218, 330, 46],
  ] as const) {
    disc(context, '#299e3d', place);
  }
}

function star(context: Context): void {
  const points = Array.from({ length: 10 }, (_, i): [number, number] => {
    const radius = i % 2 === 0 ? 62 : 26;
    const angle = -Math.PI / 2 + (i * Math.PI) / 5;
    return [372 + radius * Math.cos(angle), 366 + radius * Math.sin(angle)];
  });
  polygon(context, '#f5db2e', points);
}

export const SAMPLE_SCENES: readonly SampleScene[] = [
  {
    name: 'car',
    draw(context) {
      sky(context, '#5c9eeb', '#cce6fa');
      clouds(context, 'rgba(255, 255, 255, 0.8)', [
        [120, 82, 46],
        [390, 132, 34],
      ]);
      mountains(context, '#6f7d92', 1);
      ground(context, '#3d7634', '#5aa048');
      car(context);
    },
  },
  {
    name: 'house',
    draw(context) {
      sky(context, '#6b4d8c', '#fca861');
      clouds(context, 'rgba(255, 214, 170, 0.55)', [
        [150, 110, 44],
        [400, 76, 38],
      ]);
      mountains(context, '#5e4a63', 3.2);
      ground(context, '#a98a62', '#cca578');
      house(context);
    },
  },
  {
    name: 'tree',
    draw(context) {
      sky(context, '#5c9eeb', '#cce6fa');
      clouds(context, 'rgba(255, 255, 255, 0.7)', [[350, 90, 42]]);
      ground(context, '#c9a873', '#e0c48a');
      tree(context);
      star(context);
    },
  },
];

/** A scene as a PNG file. */
export async function renderSampleScene(scene: SampleScene): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SCENE_SIDE;
  const context = canvas.getContext('2d');
  if (context) scene.draw(context);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob) resolve(blob);
      else reject(new Error('Expected the canvas to give a picture.'));
    }, 'image/png');
  });
}
