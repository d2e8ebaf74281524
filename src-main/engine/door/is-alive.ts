/** Whether a process lives: asked by the runtime's sweep, and by all that leave marks of their owners. */
export { isAlive } from '#engine/runtime/is-alive.js';
