/** Looks again and again whether the applications of the plan can be reached. */
import type { PlanHead } from "../plan/plan.ts";
import { type Address, addressesOf } from "./reachability.ts";

/** Whether one application is reached. */
export type Reach = { readonly applicationID: string; readonly fault: string | undefined };

/** See {@link createReachWatch}. */
export type ReachWatch = {
  /** Looks until it is told to stop. */
  run(signal: AbortSignal): Promise<void>;
  /** What is known of the applications of the plan, in the plan's order: nothing of one that was not looked at twice. */
  found(): readonly Reach[];
};

/** Applications that are looked at: those that the plan names first. */
const MAX_APPLICATIONS = 500;
const AT_A_TIME = 8;
const TIMEOUT_MS = 5_000;
/** Failures in a row before an application counts as not reached. */
const FAILURES = 2;

type Known = { failures: number; fault: string | undefined; known: boolean };

/** Makes it. `targets` are those of the plan that is in place. */
export function createReachWatch(dependencies: {
  readonly targets: () => PlanHead["targets"];
  readonly intervalMs: number;
  readonly connectFault: (
    address: Address,
    timeoutMs: number,
    signal: AbortSignal,
  ) => Promise<string | undefined>;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  /** Something is otherwise than it was. */
  readonly onChange: () => void;
}): ReachWatch {
  const { targets, intervalMs, random } = dependencies;
  let known = new Map<string, Known>();

  const look = async (
    { applicationID, urls }: PlanHead["targets"][number],
    signal: AbortSignal,
  ): Promise<boolean> => {
    let fault: string | undefined;
    for (const address of addressesOf(urls))
      fault ??= await dependencies.connectFault(address, TIMEOUT_MS, signal);
    if (signal.aborted) return false;
    const before = known.get(applicationID) ?? { failures: 0, fault: undefined, known: false };
    const failures = fault === undefined ? 0 : before.failures + 1;
    if (fault !== undefined && failures < FAILURES) {
      known.set(applicationID, { ...before, failures });
      return false;
    }
    known.set(applicationID, { failures, fault, known: true });
    return !before.known || (before.fault === undefined) !== (fault === undefined);
  };

  const round = async (signal: AbortSignal): Promise<void> => {
    const looked = targets()
      .filter(({ urls }) => urls.length > 0)
      .slice(0, MAX_APPLICATIONS);
    const ids = new Set(looked.map(({ applicationID }) => applicationID));
    known = new Map([...known].filter(([id]) => ids.has(id)));
    let changed = false;
    const queue = looked.values();
    const worker = async (): Promise<void> => {
      for (const target of queue) {
        if (signal.aborted) return;
        if (await look(target, signal)) changed = true;
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, () => worker()));
    if (changed && !signal.aborted) dependencies.onChange();
  };

  return {
    async run(signal) {
      while (!signal.aborted) {
        await dependencies.sleep(intervalMs * (0.5 + random()), signal);
        if (!signal.aborted) await round(signal);
      }
    },
    found: () =>
      targets().flatMap(({ applicationID }) => {
        const one = known.get(applicationID);
        return one?.known === true ? [{ applicationID, fault: one.fault }] : [];
      }),
  };
}
