/** Use of a plane while something happens to it: reads and writes that never stop, and a memory of what was acknowledged. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Caller, refusalOf } from "./story/caller.ts";

/** Traffic on one application. */
export interface Traffic {
  /** Keys of the labels whose writing was acknowledged. */
  readonly acknowledged: readonly string[];
  /** Requests that failed, by what they said. */
  readonly failures: ReadonlyMap<string, number>;
  /** Acknowledged reads and writes so far. */
  done(): number;
  stop(): Promise<void>;
}

const PAUSE = 30;
/** Fewer than the label definitions that a tenant may have. */
const KEYS = 500;

/** Starts writing labels to an application and reading it. `pause` between two rounds, in milliseconds. */
export function startTraffic(admin: Caller, applicationID: string, pause = PAUSE): Traffic {
  const acknowledged: string[] = [];
  const failures = new Map<string, number>();
  let done = 0;
  let isStopped = false;
  const attempt = async (document: string, variables: object): Promise<boolean> => {
    let fault: string | undefined;
    try {
      const answer = await admin.post(document, variables, { quiet: true });
      const refusal = refusalOf(answer);
      if (refusal !== undefined) fault = `${refusal.status} ${refusal.code} ${refusal.message}`;
    } catch (error) {
      fault = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    }
    if (fault === undefined) done += 1;
    else failures.set(fault, (failures.get(fault) ?? 0) + 1);
    return fault === undefined;
  };
  const run = async (): Promise<void> => {
    for (let turn = 0; !isStopped; turn += 1) {
      const key = `n_${turn % KEYS}`;
      const written = await attempt(
        "mutation ($id: ID!, $key: String!) { setApplicationLabel(applicationID: $id, key: $key, value: 1) { key } }",
        { id: applicationID, key },
      );
      if (written) acknowledged.push(key);
      await attempt("query ($id: ID!) { application(id: $id) { name } }", { id: applicationID });
      await sleep(pause);
    }
  };
  const running = run();
  return {
    acknowledged,
    failures,
    done: () => done,
    async stop() {
      isStopped = true;
      await running;
    },
  };
}
