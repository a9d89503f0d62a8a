/** Commits of many requests as few transactions: those that come while others are on their way go together. */
import type { Commit, CommitAnswer, GroupAnswer, Registry } from "./contract.ts";
import { RegistryUnavailableError } from "./contract.ts";

/** Where commits wait for others to go with. */
export type CommitGroups = {
  /**
   * Carries out a commit that reads no answer. `once` names what at most one commit can do, such as using up a token: when one
   * has, those that wait with the same name are refused as its first step would be, without being tried.
   */
  commit(commit: Commit, once?: string): Promise<CommitAnswer>;
};

/** Commits of one transaction. */
const LARGEST = 50;
/** Transactions on their way at a time. */
const LANES = 3;
/** Refusals in one group after which the rest goes one by one: so many commits that can only be refused do not stop the others. */
const PATIENCE = 2;

type Waiting = {
  readonly commit: Commit;
  readonly once: string | undefined;
  readonly resolve: (answer: CommitAnswer) => void;
  readonly reject: (error: unknown) => void;
};

const usedUp: CommitAnswer = { ok: false, failure: { reason: "PRECONDITION", step: 0 } };

/** Starts without anything on its way: a commit that comes alone goes alone, at once. */
export function createCommitGroups(
  registry: Pick<Registry, "commit" | "commitGroup">,
  largest = LARGEST,
): CommitGroups {
  let waiting: Waiting[] = [];
  let busy = 0;

  const done = (one: Waiting): void => {
    const { once } = one;
    one.resolve({ ok: true, repeated: false });
    if (once === undefined) return;
    for (const other of waiting) if (other.once === once) other.resolve(usedUp);
    waiting = waiting.filter((other) => other.once !== once);
  };

  const alone = async (one: Waiting): Promise<void> => {
    try {
      const answer = await registry.commit(one.commit);
      if (answer.ok) done(one);
      else one.resolve(answer);
    } catch (error) {
      one.reject(error);
    }
  };

  /** Some of those that wait, of each name one: the others could only be refused. */
  const take = (): readonly Waiting[] => {
    const names = new Set<string>();
    const group: Waiting[] = [];
    const left: Waiting[] = [];
    for (const one of waiting) {
      const isTaken = group.length >= largest || (one.once !== undefined && names.has(one.once));
      (isTaken ? left : group).push(one);
      if (one.once !== undefined) names.add(one.once);
    }
    waiting = left;
    return group;
  };

  const together = async (group: readonly Waiting[], refused = 0): Promise<void> => {
    if (group.length === 1 || refused > PATIENCE) {
      await Promise.all(group.map(alone));
      return undefined;
    }
    let answer: GroupAnswer;
    try {
      answer = await registry.commitGroup(group.map(({ commit }) => commit));
    } catch (error) {
      // One that cannot be carried out at all must not take the others with it.
      if (error instanceof RegistryUnavailableError) for (const one of group) one.reject(error);
      else await Promise.all(group.map(alone));
      return undefined;
    }
    if (answer.ok) {
      for (const one of group) done(one);
      return undefined;
    }
    const { at, failure } = answer;
    group[at]?.resolve({ ok: false, failure });
    const others = group.filter((_, place) => place !== at);
    return together(others, refused + 1);
  };

  const work = async (): Promise<void> => {
    busy += 1;
    try {
      for (let group = take(); group.length > 0; group = take()) await together(group);
    } finally {
      busy -= 1;
    }
  };

  return {
    commit: (commit, once) =>
      new Promise((resolve, reject) => {
        waiting.push({ commit, once, resolve, reject });
        if (busy < LANES) void work();
      }),
  };
}
