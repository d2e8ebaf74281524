import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export interface DoorwayLimits {
  /** Connections that have shown the secret; room for all of them is kept. */
  readonly members: number;
  /** Connections that have not, at one time. */
  readonly strangers: number;
  /** How long one may take to show it. Our own page does so at once. */
  readonly strangerMs: number;
}

/**
 * Who stands at the door. A connection costs its sender nothing, so one that has not shown the session's secret keeps no place
 * for long, and when there are too many the oldest of them goes: those who are in, and those who come with the secret, get through.
 */
export class Doorway {
  readonly #limits: DoorwayLimits;
  /** In the order of arrival. */
  readonly #strangers = new Map<Socket, NodeJS.Timeout>();
  readonly #members = new Set<Socket>();

  constructor(limits: DoorwayLimits) {
    this.#limits = limits;
  }

  watch(server: Server): void {
    server.on('connection', (socket) => {
      this.#arrived(socket);
    });
  }

  /** The connection has shown the secret. False where so many have that there is no place. */
  admit(socket: Socket): boolean {
    if (this.#members.has(socket)) return true;
    if (this.#members.size >= this.#limits.members) return false;
    this.#forget(socket);
    this.#members.add(socket);
    return true;
  }

  #arrived(socket: Socket): void {
    const { strangers, strangerMs } = this.#limits;
    const timer = setTimeout(() => socket.destroy(), strangerMs);
    timer.unref();
    this.#strangers.set(socket, timer);
    socket.once('close', () => {
      this.#forget(socket);
      this.#members.delete(socket);
    });
    const [oldest] = this.#strangers.keys();
    if (this.#strangers.size > strangers) oldest?.destroy();
  }

  #forget(socket: Socket): void {
    clearTimeout(this.#strangers.get(socket));
    this.#strangers.delete(socket);
  }
}
