/** The change feed: gives events their positions, keeps the latest in memory, and answers those who watch. */
import type { FeedEvent, WatchAnswer, WatchRequest } from "@sextant/registry-client";
import { RegistryUnavailableError } from "@sextant/registry-client";
import type { Logger } from "@sextant/logging";
import { isUnavailable } from "../database/error.ts";
import { BATCH, type FeedRepository } from "./feed.repository.ts";

/** How a feed behaves. */
export type FeedOptions = {
  readonly repository: FeedRepository;
  readonly log: Logger;
  /** Events that are kept for readers who fell behind. */
  readonly keep?: number;
  /** How often the database is asked when nothing hints at an event, in milliseconds. */
  readonly poll?: number;
};

const KEEP = 100_000;
const POLL = 1_000;
/** Events in memory: who is not further behind is answered without the database. */
const TAIL = 10_000;
/** Batches of positions between two clean-ups. */
const TRIM_EVERY = 50;
/** Events in one answer. */
const LARGEST_ANSWER = 1_000;

/** Watches the database's feed for this process. */
export class Feed {
  readonly #repository: FeedRepository;
  readonly #log: Logger;
  readonly #keep: number;
  readonly #poll: number;
  readonly #watchers = new Set<() => void>();
  /** Events behind `#tailStart`, without a gap, up to `#head`. */
  #tail: FeedEvent[] = [];
  #tailStart = 0;
  #head = 0;
  #removedUpTo = 0;
  #batches = 0;
  #state: "new" | "running" | "closed" = "new";
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;
  #again = false;
  #interrupted = false;

  constructor(options: FeedOptions) {
    this.#repository = options.repository;
    this.#log = options.log;
    this.#keep = options.keep ?? KEEP;
    this.#poll = options.poll ?? POLL;
  }

  /** Finds the end of the feed and goes on from there. */
  async start(): Promise<void> {
    const { last, removedUpTo } = await this.#repository.head();
    this.#head = last;
    this.#tailStart = last;
    this.#removedUpTo = removedUpTo;
    this.#state = "running";
    this.wake();
  }

  /** Something was committed, or another process has given out positions: look. */
  wake(): void {
    if (this.#state !== "running") return;
    if (this.#turn !== undefined) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#turn = this.#work().finally(() => {
      this.#turn = undefined;
      if (this.#again) {
        this.#again = false;
        this.wake();
      } else if (this.#state === "running") {
        this.#timer = setTimeout(() => this.wake(), this.#poll);
      }
    });
  }

  /** Whether the database did not answer the last time it was asked. */
  get interrupted(): boolean {
    return this.#interrupted;
  }

  /** Another process says how far the feed is. */
  hint(payload: string): void {
    if (Number(payload) > this.#head) this.wake();
  }

  async close(): Promise<void> {
    this.#state = "closed";
    clearTimeout(this.#timer);
    for (const answer of this.#watchers) answer();
    await this.#turn;
  }

  /** The events behind a position; see {@link WatchRequest}. */
  async watch(request: WatchRequest, signal?: AbortSignal): Promise<WatchAnswer> {
    const { after } = request;
    if (after === null) return { position: this.#head, events: [], startOver: false };
    if (after > this.#head) {
      // Another process is ahead of this one; or the database is an older one than the reader knows.
      const { last } = await this.#ask(() => this.#repository.head());
      if (after > last) return { position: last, events: [], startOver: true };
    }
    if (after < this.#removedUpTo) return { position: this.#head, events: [], startOver: true };
    if (after < this.#tailStart) {
      const behind = await this.#readBehind(after, request);
      if (behind !== undefined) return behind;
    }
    const now = this.#answer(after, request);
    if (now.events.length > 0 || request.waitSeconds === 0 || signal?.aborted === true) return now;
    return this.#hold(after, request, signal);
  }

  #hold(
    after: number,
    request: WatchRequest,
    signal: AbortSignal | undefined,
  ): Promise<WatchAnswer> {
    return new Promise((resolve) => {
      const finish = (answer: WatchAnswer): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", expired);
        this.#watchers.delete(look);
        resolve(answer);
      };
      const look = (): void => {
        const answer = this.#answer(after, request);
        if (answer.events.length > 0 || this.#state === "closed") finish(answer);
      };
      const expired = (): void => finish(this.#answer(after, request));
      const timer = setTimeout(expired, request.waitSeconds * 1_000);
      signal?.addEventListener("abort", expired);
      this.#watchers.add(look);
    });
  }

  /** What memory has behind a position that is not before its tail. A slow reader may have lost it meanwhile. */
  #answer(after: number, { types }: WatchRequest): WatchAnswer {
    if (after < this.#tailStart) return { position: after, events: [], startOver: false };
    const behind = this.#tail.slice(
      Math.max(0, after - this.#tailStart),
      after - this.#tailStart + LARGEST_ANSWER,
    );
    const events = behind.filter((event) => types.includes(event.type));
    return { position: behind.at(-1)?.position ?? after, events, startOver: false };
  }

  async #readBehind(after: number, { types }: WatchRequest): Promise<WatchAnswer | undefined> {
    const { events, head } = await this.#ask(() => this.#repository.read(after));
    if (after < head.removedUpTo) return { position: head.last, events: [], startOver: true };
    const last = events.at(-1);
    if (last === undefined) return undefined;
    return {
      position: last.position,
      events: events.filter((event) => types.includes(event.type)),
      startOver: false,
    };
  }

  async #ask<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    try {
      return await question();
    } catch (error) {
      if (isUnavailable(error))
        throw new RegistryUnavailableError("the database cannot be reached now", error);
      throw error;
    }
  }

  async #work(): Promise<void> {
    try {
      for (;;) {
        const moved = await this.#repository.sequence();
        if (moved > 0) this.#batches += 1;
        await this.#catchUp();
        if (moved < BATCH) break;
      }
      if (this.#batches >= TRIM_EVERY) {
        this.#batches = 0;
        await this.#repository.trim(this.#keep);
      }
      this.#interrupted = false;
    } catch (error) {
      if (this.#interrupted) return;
      this.#interrupted = true;
      this.#log.warn(
        { reason: error instanceof Error ? error.message : "" },
        "the feed waits for the database",
      );
    }
  }

  /** Reads what is new into memory and tells the watchers. */
  async #catchUp(): Promise<void> {
    for (;;) {
      const { events, head } = await this.#repository.read(this.#head);
      this.#removedUpTo = head.removedUpTo;
      if (head.last < this.#head || head.removedUpTo > this.#head) {
        // An older database was restored, or this process fell behind what is kept: memory says nothing any more.
        this.#tail = [];
        this.#tailStart = head.last;
        this.#head = head.last;
      } else if (events.length > 0) {
        this.#tail.push(...events);
        this.#head = events.at(-1)?.position ?? this.#head;
        const extra = this.#tail.length - TAIL;
        if (extra > TAIL / 10) {
          this.#tail.splice(0, extra);
          this.#tailStart += extra;
        }
      }
      for (const look of this.#watchers) look();
      if (events.length < BATCH) return;
    }
  }
}
