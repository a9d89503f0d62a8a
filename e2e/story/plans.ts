/** Sees every plan that a runtime gets: in the directory of an agent, or by polling as an agent does. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Caller } from "./caller.ts";
import { until } from "./until.ts";

/** The parts of a plan that the story looks at. */
export interface Plan {
  readonly revision: number;
  readonly cause: string;
  readonly runtime: { readonly id: string; readonly labels: Readonly<Record<string, unknown>> };
  readonly applications: readonly {
    readonly id: string;
    readonly name: string;
    readonly bundles: readonly {
      readonly id: string;
      readonly name: string;
      readonly apiDefinitions: readonly { readonly id: string; readonly targetURL: string }[];
      readonly eventDefinitions: readonly { readonly id: string }[];
      readonly documents: readonly { readonly id: string }[];
      readonly credentials: readonly {
        readonly id: string;
        readonly auth: {
          readonly credential: {
            readonly basic: { readonly username: string; readonly password: string } | null;
          } | null;
        } | null;
      }[];
    }[];
  }[];
}

/** A plan and when it was there, by the clock of `performance.now`. */
export interface SeenPlan {
  readonly plan: Plan;
  readonly at: number;
}

/** Collects plans until it is stopped. */
export interface PlanWatch {
  readonly seen: readonly SeenPlan[];
  newest(): Plan | undefined;
  /** Waits for the newest plan to be one like this. */
  until(what: string, isIt: (plan: Plan) => boolean): Promise<SeenPlan>;
  stop(): Promise<void>;
}

/** Names of the applications in a plan, in order. */
export const namesIn = (plan: Plan): string[] =>
  plan.applications.map(({ name }) => name).toSorted();

/** User names of all credentials in a plan. */
export const usersIn = (plan: Plan): string[] =>
  plan.applications
    .flatMap(({ bundles }) => bundles.flatMap(({ credentials }) => credentials))
    .flatMap(({ auth }) => auth?.credential?.basic?.username ?? []);

const watchOf = (seen: SeenPlan[], stop: () => Promise<void>): PlanWatch => ({
  seen,
  newest: () => seen.at(-1)?.plan,
  until: (what, isIt) =>
    until(
      `a plan ${what}; the newest has ${JSON.stringify(seen.at(-1)?.plan.applications.map(({ name }) => name))}`,
      () => {
        const newest = seen.at(-1);
        return newest !== undefined && isIt(newest.plan) && newest;
      },
      20_000,
      5,
    ),
  stop,
});

/** An agent's directory, looked at so often that no plan is missed. */
export interface DirectoryWatch extends PlanWatch {
  /** How often the file was there and was no whole plan. */
  torn(): number;
  /** Permissions of the file. */
  mode(): string;
}

const GLANCE = 5;

/** Watches an agent's directory. */
export function watchDirectory(directory: string): DirectoryWatch {
  const file = join(directory, "plan.json");
  const seen: SeenPlan[] = [];
  let torn = 0;
  let last = "";
  const look = (): void => {
    const stat = statSync(file, { throwIfNoEntry: false });
    const state = stat === undefined ? "" : `${stat.ino} ${stat.mtimeMs}`;
    if (state === last || state === "") return;
    last = state;
    const at = performance.now();
    try {
      const plan = JSON.parse(readFileSync(file, "utf8")) as Plan;
      if (plan.revision !== seen.at(-1)?.plan.revision) seen.push({ plan, at });
    } catch {
      torn += 1;
    }
  };
  const timer = setInterval(look, GLANCE);
  return {
    ...watchOf(seen, async () => clearInterval(timer)),
    torn: () => torn,
    mode: () => (statSync(file).mode & 0o777).toString(8),
  };
}

/** An agent of the story's own: polls and reports over mTLS. */
export interface Follower extends PlanWatch {
  /** Polls sent so far. */
  polls(): number;
  /** Answers that brought nothing new. */
  unchanged(): number;
  /** Entity tag of the newest plan. */
  etag(): string;
}

/** Begins to follow a runtime's plan. */
export function followPlans(caller: Caller): Follower {
  const seen: SeenPlan[] = [];
  const end = new AbortController();
  let polls = 0;
  let unchanged = 0;
  let etag: string | undefined;
  const turn = async (): Promise<void> => {
    polls += 1;
    const answer = await caller.send({
      method: "GET",
      path: "/v1/runtime/plan",
      headers: { prefer: "wait=30", ...(etag === undefined ? {} : { "if-none-match": etag }) },
      signal: end.signal,
      quiet: true,
    });
    if (answer.status === 304 || answer.status === 204) {
      unchanged += 1;
      return;
    }
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    etag = String(answer.headers["etag"]);
    const plan = JSON.parse(answer.text) as Plan;
    seen.push({ plan, at: performance.now() });
    const report = { revision: plan.revision, applied: true, ready: true, items: [], health: [] };
    await caller.send({
      method: "POST",
      path: "/v1/runtime/status",
      body: JSON.stringify(report),
      signal: end.signal,
      quiet: true,
    });
  };
  const run = async (): Promise<void> => {
    while (!end.signal.aborted) {
      try {
        await turn();
      } catch {
        // The plane may be on its way back; a story that waits in vain says for what.
        if (!end.signal.aborted) await sleep(100);
      }
    }
  };
  const running = run();
  return {
    ...watchOf(seen, async () => {
      end.abort();
      await running;
    }),
    polls: () => polls,
    unchanged: () => unchanged,
    etag: () => etag ?? "",
  };
}
