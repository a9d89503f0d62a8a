import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@sextant/logging";
import { Fault } from "./fault.ts";

/** How one process is started, asked and ended. */
export interface ProcessPlan {
  readonly name: string;
  spawn(): ChildProcess;
  /** Undefined when the process serves, else why it does not yet. */
  unready(child: ChildProcess): Promise<string | undefined>;
  /** Asks the process to end in order. */
  end(child: ChildProcess): void;
  /** Ends the process at once. */
  kill(child: ChildProcess): void;
  /** Why the process ended during its first start, when trying again cannot help; else undefined. */
  hopeless(code: number | null): Fault | undefined;
}

/** When a process is started again after it ended by itself, and how long it may take to do as it is told. */
export interface Patience {
  readonly firstDelay: number;
  readonly longestDelay: number;
  /** A process that ran this long had started well: the next delay is the first one again. */
  readonly stableAfter: number;
  readonly startWithin: number;
  readonly endWithin: number;
}

/** For a plane on one machine; in milliseconds. */
export const PATIENCE: Patience = {
  firstDelay: 200,
  longestDelay: 10_000,
  stableAfter: 30_000,
  startWithin: 120_000,
  endWithin: 20_000,
};

const POLL_EVERY = 25;

/** A process that is started again whenever it ends by itself, until it is told to stop. */
export class KeptProcess {
  readonly name: string;
  readonly #plan: ProcessPlan;
  readonly #log: Logger;
  readonly #patience: Patience;
  readonly #served = Promise.withResolvers<void>();
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #hasServed = false;
  #failures = 0;
  #stopping = false;
  #restart: NodeJS.Timeout | undefined;
  #onServing: () => void = () => undefined;

  constructor(plan: ProcessPlan, log: Logger, patience: Patience = PATIENCE) {
    this.name = plan.name;
    this.#plan = plan;
    this.#log = log;
    this.#patience = patience;
    // Stopping before the process served rejects it, and whoever stops need not be the one who waits.
    this.#served.promise.catch(() => undefined);
  }

  /** The running process's id. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Calls back whenever a process serves: the first one and each that replaces it. */
  onServing(callback: () => void): void {
    this.#onServing = callback;
  }

  /** Starts the process; resolves when it serves for the first time, rejects with a Fault when it never will. */
  async start(): Promise<void> {
    const begun = Date.now();
    this.#launch();
    const tooLate = setTimeout(() => {
      void this.#whyUnready().then((reason) =>
        this.#served.reject(
          new Fault(
            `${this.name} is not ready after ${Math.round((Date.now() - begun) / 1000)} s: ${reason}.`,
            "The log lines above say more; LOG_LEVEL=debug says most.",
          ),
        ),
      );
    }, this.#patience.startWithin);
    try {
      await this.#served.promise;
    } finally {
      clearTimeout(tooLate);
    }
  }

  /** Ends the process in order, or by force when that takes too long. */
  async stop(): Promise<void> {
    this.giveUp();
    const child = this.#child;
    if (child === undefined) return;
    this.#plan.end(child);
    const force = setTimeout(() => {
      this.#log.warn(
        { process: this.name, after: this.#patience.endWithin },
        "took too long to end, killed",
      );
      this.kill();
    }, this.#patience.endWithin);
    await this.#ended;
    clearTimeout(force);
  }

  /** Ends the process at once. */
  kill(): void {
    this.giveUp();
    if (this.#child !== undefined) this.#plan.kill(this.#child);
  }

  /** Stops waiting and starting again; a process that runs is left alone. */
  giveUp(): void {
    this.#stopping = true;
    clearTimeout(this.#restart);
    this.#served.reject(new Fault(`${this.name} was stopped before it was ready.`, "Start again."));
  }

  #launch(): void {
    const launched = Date.now();
    const child = this.#plan.spawn();
    const ended = Promise.withResolvers<void>();
    this.#child = child;
    this.#ended = ended.promise;
    const onEnd = (code: number | null, signal: NodeJS.Signals | null): void => {
      if (this.#child !== child) return;
      this.#child = undefined;
      ended.resolve();
      if (!this.#stopping) this.#replace(code, signal, Date.now() - launched);
    };
    child.once("exit", onEnd);
    child.once("error", (error) => {
      // Only a process that could not be started has no id; other errors are about messages to it.
      if (child.pid !== undefined) return;
      this.#log.error({ process: this.name, err: error }, "could not be started");
      onEnd(null, null);
    });
    void this.#watchUntilServing(child);
  }

  #replace(code: number | null, signal: NodeJS.Signals | null, ranFor: number): void {
    const fault = this.#hasServed ? undefined : this.#plan.hopeless(code);
    if (fault !== undefined) {
      this.#served.reject(fault);
      return;
    }
    const { firstDelay, longestDelay, stableAfter } = this.#patience;
    this.#failures = ranFor >= stableAfter ? 0 : this.#failures;
    const delay = Math.min(firstDelay * 2 ** this.#failures, longestDelay);
    this.#failures += 1;
    this.#log.warn({ process: this.name, code, signal, restartIn: delay }, "ended unexpectedly");
    this.#restart = setTimeout(() => this.#launch(), delay);
  }

  async #watchUntilServing(child: ChildProcess): Promise<void> {
    const begun = Date.now();
    while (this.#child === child && !this.#stopping) {
      if ((await this.#plan.unready(child)) === undefined) {
        if (this.#child !== child || this.#stopping) return;
        this.#hasServed = true;
        this.#log.debug(
          { process: this.name, pid: child.pid, after: Date.now() - begun },
          "serves",
        );
        this.#served.resolve();
        this.#onServing();
        return;
      }
      await sleep(POLL_EVERY);
    }
  }

  async #whyUnready(): Promise<string> {
    const child = this.#child;
    return child === undefined
      ? "it keeps ending"
      : ((await this.#plan.unready(child)) ?? "it is busy");
  }
}
