/** A plane with agents under a shifted clock: time passes in steps, and after each everything is looked at. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { newHome, type LocalPlane, startPlane } from "../local-plane.ts";
import type { Caller } from "../story/caller.ts";
import { silent } from "../story/report.ts";
import { openStage, type Stage } from "../story/stage.ts";
import { until } from "../story/until.ts";
import type { HandMadeAgent } from "./agent.ts";
import { type ReadList, readRevocationList } from "./revocation-list.ts";
import { type ShiftedClock, type Timers } from "./shifted-clock.ts";

const ROOT = dirname(dirname(import.meta.dirname));

/** One hour, in milliseconds. */
export const HOUR = 3_600_000;

/** What may be killed. */
export type Victim = "postgres" | "registry" | "director" | "connector" | "api-gateway";

/** A runtime with an agent that runs. */
export interface Watched {
  readonly id: string;
  /** Where its agent writes its plan. */
  readonly directory: string;
  /** Undefined: the Runtime Provisioner's own. */
  readonly agent?: HandMadeAgent;
}

/** How a step is to go. */
export interface Passing {
  /** Killed as soon as the time has passed, while the agents are at work. */
  readonly kill?: Victim;
  /** Nothing changes: agents hear nothing until their polls end by themselves. */
  readonly quiet?: boolean;
}

/** What the agents' and services' log lines of a step were, that are more than information. */
export interface Complaint {
  readonly level: string;
  readonly from: string;
  readonly line: string;
}

/** See the file's comment. */
export class Month {
  readonly clock: ShiftedClock;
  /** Runtimes whose agents run. */
  readonly watched = new Set<Watched>();
  /** Who was killed, in order. */
  readonly killed: Victim[] = [];
  /** Changes that reached every agent, and polls that ended without one. */
  changes = 0;
  quietHours = 0;
  #plane: LocalPlane | undefined;
  #stage: Stage | undefined;
  #admin: Caller | undefined;
  #applicationID = "";
  #read = 0;
  readonly #handRead = new Map<HandMadeAgent, number>();

  constructor(clock: ShiftedClock) {
    this.clock = clock;
  }

  get plane(): LocalPlane {
    if (this.#plane === undefined) throw new Error("the plane was not started");
    return this.#plane;
  }

  get stage(): Stage {
    if (this.#stage === undefined) throw new Error("the plane was not started");
    return this.#stage;
  }

  /** On a connection of its own for each request: one that is kept may just have been closed. */
  get admin(): Caller {
    if (this.#admin === undefined) throw new Error("the plane was not started");
    return this.#admin;
  }

  /** Starts the plane, for the first time or again. */
  async start(timers: Timers): Promise<void> {
    const before = this.#plane;
    this.#plane = await startPlane({
      home: before?.home ?? newHome(),
      ...(before === undefined ? {} : { port: before.port }),
      command: [join(ROOT, "node_modules/.bin/node"), "deploy/local/src/main.ts"],
      environment: {
        ...this.clock.environment(timers),
        // As over a network, so that the services' own certificates are looked at too.
        SEXTANT_INTERNAL_TLS: "on",
        // Budgets are counted by the machine's own time, in which an hour is less than a second.
        SEXTANT_RATE_RENEWAL: "client=1000/1000 tenant=1000/1000",
      },
    });
    this.#read = 0;
    // Addresses, keys and the admin's token are the same as before.
    if (before !== undefined) return;
    const stage = await openStage(this.plane.file(), silent);
    this.#stage = stage;
    const authorization = `Bearer ${stage.plane.adminToken}`;
    this.#admin = stage.caller("admin", { authorization, connection: "close" });
  }

  /** Ends the plane in order. */
  async end(): Promise<void> {
    await this.#plane?.end();
  }

  async close(): Promise<void> {
    for (const { agent } of this.watched) await agent?.end();
    await this.#stage?.close();
  }

  /** The application whose label is changed again and again: it is part of the plan of each runtime that is watched. */
  changing(applicationID: string): void {
    this.#applicationID = applicationID;
  }

  /** Puts the clock forward and sees what becomes of it. Answers with what was complained of. */
  async pass(
    milliseconds: number,
    { kill, quiet = false }: Passing = {},
  ): Promise<readonly Complaint[]> {
    await this.#rest();
    await this.clock.shift(milliseconds, this.#roots());
    if (quiet) {
      const since = this.clock.now();
      await until("every agent is heard", () => this.areHeard(since), 90_000, 100);
      this.quietHours += 1;
    } else {
      const killed = kill === undefined ? undefined : this.#kill(kill);
      await this.#changeReachesEverybody(kill !== undefined);
      await killed;
      this.changes += 1;
    }
    return this.complaints();
  }

  /** The revocation list as it is served now. */
  revocationList(): Promise<ReadList> {
    return readRevocationList(this.stage.plane);
  }

  /** Whether the plane has heard all agents between then and now. */
  async areHeard(since: number): Promise<boolean> {
    const { runtimes } = await this.admin.ask<{
      runtimes: { data: { id: string; lastSeen: string | null; online: boolean }[] };
    }>("{ runtimes { data { id lastSeen online } } }", {}, { quiet: true });
    return [...this.watched].every(({ id }) =>
      runtimes.data.some((one) => {
        const heard = Date.parse(one.lastSeen ?? "");
        return one.id === id && one.online && heard >= since && heard <= this.clock.now();
      }),
    );
  }

  /** When an agent means to renew, by what it has said last; in milliseconds since 1970. */
  renewals(): readonly number[] {
    const newest = new Map<string, number>();
    const told = /renewal window told runtime=(\S+) .*renewAt=(\S+)/g;
    for (const [, id = "", at = ""] of this.plane.output().matchAll(told))
      newest.set(id, Date.parse(at));
    return [...newest.values()];
  }

  #roots(): readonly number[] {
    return [this.plane.supervisor(), ...[...this.watched].flatMap(({ agent }) => agent?.pid ?? [])];
  }

  /** Waits until every agent's poll is held: nothing is under way that would see two times. */
  async #rest(): Promise<void> {
    const { opsURL } = this.plane.file().services["api-gateway"] ?? { opsURL: "" };
    const isHeld = async (): Promise<boolean> => {
      const metrics = await fetch(`${opsURL}/metrics`).then((answer) => answer.text());
      const held = Number(/^sextant_held_polls\{[^}]*\} (\d+)/m.exec(metrics)?.[1]);
      return held === this.watched.size;
    };
    await until("every agent's poll is held", isHeld, 90_000, 10).catch((error: Error) => {
      const complaints = this.complaints()
        .map(({ line }) => line)
        .slice(0, 20);
      throw new Error([error.message, ...complaints].join("\n"), { cause: error });
    });
  }

  async #changeReachesEverybody(despiteFaults: boolean): Promise<void> {
    const value = Math.round(this.clock.now() / 1_000);
    const change = (): Promise<unknown> =>
      this.admin.ask(
        'mutation ($id: ID!, $value: Any!) { setApplicationLabel(applicationID: $id, key: "at", value: $value) { key } }',
        { id: this.#applicationID, value },
        { quiet: true },
      );
    if (despiteFaults)
      await until("the change is accepted", () =>
        change().then(
          () => true,
          () => false,
        ),
      );
    else await change();
    for (const { id, directory } of this.watched)
      await until(
        `the change reaches ${id}`,
        () => readFileSync(join(directory, "plan.json"), "utf8").includes(`"at":${value}`),
        90_000,
        10,
      );
  }

  /** Kills at any moment of the work that the change makes; resolves when everything serves again. */
  async #kill(victim: Victim): Promise<void> {
    await sleep(Math.random() * 150);
    const pidOf = (): number =>
      victim === "postgres"
        ? this.plane.postgres()
        : (this.plane.file().services[victim]?.pid ?? 0);
    const before = pidOf();
    process.kill(before, "SIGKILL");
    this.killed.push(victim);
    const isAnother = (): boolean => {
      try {
        return pidOf() !== before;
      } catch {
        // PostgreSQL's own file is written anew.
        return false;
      }
    };
    await until(`${victim} runs again`, isAnother);
    const isReady = ({ opsURL }: { readonly opsURL: string }): Promise<boolean> =>
      fetch(`${opsURL}/readyz`).then(
        ({ status }) => status === 200,
        () => false,
      );
    await until("everything serves again", async () =>
      (await Promise.all(Object.values(this.plane.file().services).map(isReady))).every(Boolean),
    );
  }

  /** What has been complained of since they were asked for last. */
  complaints(): readonly Complaint[] {
    const output = this.plane.output();
    const fresh = output.slice(this.#read, output.lastIndexOf("\n") + 1);
    this.#read += fresh.length;
    const found = [...fresh.matchAll(/^\S+ (warn|error|fatal) +(\S+) .*$/gm)].map(
      ([line, level = "", from = ""]) => ({ level, from, line }),
    );
    for (const { agent } of this.watched) {
      if (agent === undefined) continue;
      const lines = agent.lines();
      for (const line of lines.slice(this.#handRead.get(agent) ?? 0))
        if (line.level >= 40)
          found.push({
            level: line.level >= 50 ? "error" : "warn",
            from: "runtime-agent",
            line: JSON.stringify(line),
          });
      this.#handRead.set(agent, lines.length);
    }
    return found;
  }
}
