/** Claims of one queue: those who find nothing due wait here, one look at the database serving them all. */
import type { ClaimRequest, Queue, SettleRequest } from "@sextant/registry-client";
import type { WorkRepository } from "./work.repository.ts";

type Waiter = {
  readonly request: ClaimRequest;
  readonly answer: (work: readonly string[]) => void;
};

/** How often the database is asked while somebody waits and nothing hints at work, in milliseconds. */
const POLL = 1_000;

/** One queue in this process. */
export class WorkQueue {
  readonly queue: Queue;
  readonly #repository: WorkRepository;
  readonly #poll: number;
  /** First come, first served. */
  readonly #waiters = new Set<Waiter>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #again = false;
  #closed = false;

  constructor(queue: Queue, repository: WorkRepository, poll: number = POLL) {
    this.queue = queue;
    this.#repository = repository;
    this.#poll = poll;
  }

  /** Claims what is due; waits for it as long as the request says. */
  async claim(request: ClaimRequest, signal?: AbortSignal): Promise<readonly string[]> {
    const found = await this.#repository.claim(request);
    if (found.length > 0 && signal?.aborted === true) {
      await this.#giveBack(found);
      return [];
    }
    if (found.length > 0 || request.waitSeconds === 0 || this.#closed || signal?.aborted === true)
      return found;
    return new Promise((resolve) => {
      const answer = (work: readonly string[]): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", nothing);
        this.#waiters.delete(waiter);
        resolve(work);
      };
      const nothing = (): void => answer([]);
      const timer = setTimeout(nothing, request.waitSeconds * 1_000);
      const waiter: Waiter = { request, answer };
      signal?.addEventListener("abort", nothing);
      this.#waiters.add(waiter);
      this.#schedule();
    });
  }

  /** Something was put into the queue. */
  wake(): void {
    if (this.#looking) this.#again = true;
    else if (this.#waiters.size > 0) void this.#look();
  }

  /** Everybody who waits gets nothing. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { answer } of this.#waiters) answer([]);
  }

  /** Whoever asked has gone: another may have the work at once, not only when the lease is over. */
  async #giveBack(work: readonly string[]): Promise<void> {
    const items = work.map((text) => {
      const { tenant, id, leaseToken, version } = JSON.parse(
        text,
      ) as SettleRequest["items"][number];
      return { tenant, id, leaseToken, version, done: false, values: {} };
    });
    await this.#repository.settle({ queue: this.queue, items });
    this.#again = true;
  }

  #schedule(): void {
    if (this.#timer === undefined && !this.#looking && this.#waiters.size > 0) {
      this.#timer = setTimeout(() => void this.#look(), this.#poll);
    }
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#looking = true;
    try {
      do {
        this.#again = false;
        for (const waiter of [...this.#waiters]) {
          if (!this.#waiters.has(waiter)) continue;
          const found = await this.#repository.claim(waiter.request);
          if (found.length === 0) break;
          if (this.#waiters.has(waiter)) waiter.answer(found);
          else await this.#giveBack(found);
        }
      } while (this.#again && !this.#closed);
    } catch {
      // The database is away: those who wait go on waiting, and the next look finds out.
    } finally {
      this.#looking = false;
      this.#schedule();
    }
  }
}
