/**
 * Connections that short reads share: reads of one turn of the event loop go out over one in one write, and PostgreSQL answers them
 * one behind the other. It is woken up once for all of them, and so is this process.
 */
import type { PoolClient } from "pg";
import { ConnectionLostError, isOutdated, StatementError } from "./error.ts";
import { type Line, lineOf } from "./line.ts";

/** Reads on their way over one connection. */
const TOGETHER = 8;

type Shared = {
  readonly client: PoolClient;
  readonly line: Line;
  users: number;
  isRetired: boolean;
};

/** Whether a connection is of no use after an error: it is lost, or holds statements that are. */
export function isSpoilt(error: unknown): boolean {
  return !(error instanceof StatementError) || isOutdated(error);
}

/** Takes connections of a pool while there is something to read, and gives them back. */
export class SharedLines {
  readonly #connect: () => Promise<PoolClient>;
  readonly #most: number;
  readonly #open: Shared[] = [];
  readonly #waiting: {
    readonly start: (shared: Shared) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  #isGrowing = false;

  /** `most` may wait for a connection. */
  constructor(connect: () => Promise<PoolClient>, most: number) {
    this.#connect = connect;
    this.#most = most;
  }

  /** Reads that wait for a connection. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Calls `read` with a line as soon as there is room on one; it has to send one batch before it returns. */
  use<Result>(read: (line: Line) => Promise<Result>): Promise<Result> {
    const room = this.#withRoom();
    if (room !== undefined) return this.#run(room, read);
    if (this.#waiting.length >= this.#most) return Promise.reject(tooManyWait());
    return new Promise((resolve, reject) => {
      const start = (shared: Shared): void => void this.#run(shared, read).then(resolve, reject);
      this.#waiting.push({ start, reject });
      void this.#grow();
    });
  }

  /** Lets no other read onto the connections that are open now. */
  retire(): void {
    for (const shared of this.#open) shared.isRetired = true;
  }

  /** The first with room: another is used only when that one is full. */
  #withRoom(): Shared | undefined {
    return this.#open.find(
      ({ line, users, isRetired }) => !isRetired && users < TOGETHER && line.isClear,
    );
  }

  async #run<Result>(shared: Shared, read: (line: Line) => Promise<Result>): Promise<Result> {
    shared.users += 1;
    try {
      return await read(shared.line);
    } catch (error) {
      if (isSpoilt(error)) shared.isRetired = true;
      throw error;
    } finally {
      shared.users -= 1;
      this.#serve();
      this.#giveBack(shared);
    }
  }

  /** Lets those that wait start, where there is room. */
  #serve(): void {
    while (this.#waiting.length > 0) {
      const room = this.#withRoom();
      if (room === undefined) return void this.#grow();
      this.#waiting.shift()?.start(room);
    }
  }

  async #grow(): Promise<void> {
    if (this.#isGrowing) return;
    this.#isGrowing = true;
    let client: PoolClient;
    try {
      client = await this.#connect();
    } catch (error) {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      return;
    } finally {
      this.#isGrowing = false;
    }
    const shared = { client, line: lineOf(client), users: 0, isRetired: false };
    this.#open.push(shared);
    this.#serve();
    this.#giveBack(shared);
  }

  #giveBack(shared: Shared): void {
    const place = this.#open.indexOf(shared);
    if (shared.users > 0 || place < 0) return;
    this.#open.splice(place, 1);
    shared.client.release(shared.isRetired);
  }
}

/** The error for a caller that is turned away. */
export const tooManyWait = (): Error =>
  new ConnectionLostError("too many callers wait for a connection to the database");
