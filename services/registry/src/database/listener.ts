/** One connection that hears notifications. They are hints: whoever needs them polls behind. */
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import type { Logger } from "@sextant/logging";

const RECONNECT_AFTER = 1_000;
const CONNECT_WITHIN = 5_000;
/** A server that does not take a farewell by then gets none. */
const END_WITHIN = 500;

/** Hears notifications on one channel until it is stopped; connects again whenever the connection is lost. */
export class Listener {
  readonly #url: string;
  readonly #channel: string;
  readonly #heard: (payload: string) => void;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  #done: Promise<void> = Promise.resolve();

  /** `channel` is a name of SQL. `heard` must not throw. */
  constructor(url: string, channel: string, heard: (payload: string) => void, log: Logger) {
    this.#url = url;
    this.#channel = channel;
    this.#heard = heard;
    this.#log = log;
  }

  start(): void {
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#listen(signal);
      } catch (error) {
        this.#log.debug(
          { reason: error instanceof Error ? error.message : "" },
          "listening was interrupted",
        );
      }
      await pause(RECONNECT_AFTER, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Ends when the connection does. */
  async #listen(signal: AbortSignal): Promise<void> {
    const client = new Client({
      connectionString: this.#url,
      application_name: "sextant-registry-feed",
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_WITHIN,
    });
    client.on("notification", ({ payload }) => this.#heard(payload ?? ""));
    const ended = new Promise<void>((resolve) => {
      client.on("error", () => resolve());
      client.on("end", () => resolve());
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    const begin = async (): Promise<void> => {
      await client.connect();
      await client.query(`listen ${this.#channel}`);
    };
    try {
      // Whoever stops does not wait for a server that is away.
      await Promise.race([begin(), ended]);
      await ended;
    } finally {
      await Promise.race([client.end(), pause(END_WITHIN, undefined, { ref: false })]);
    }
  }
}
