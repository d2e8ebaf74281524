/** Whether a process lives, and since when: asked by the runtime's sweep, and by all that leave marks of their owners. */
export { beganAt, isAlive } from '#engine/runtime/is-alive.js';
