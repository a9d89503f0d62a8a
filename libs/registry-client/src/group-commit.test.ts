import { expect, it } from "vitest";
import { type Commit, type CommitAnswer, RegistryUnavailableError } from "./contract.ts";
import { createCommitGroups } from "./group-commit.ts";

const commit = (id: string): Commit => ({
  id,
  tenant: "t",
  actor: { type: "USER", id: "u" },
  action: "test",
  steps: [],
  params: {},
});
const refused: CommitAnswer = { ok: false, failure: { reason: "PRECONDITION", step: 0 } };

/** A Registry that refuses commits whose id begins with `bad`, and cannot carry out those that begin with `broken`. */
function registry() {
  const seen: string[][] = [];
  const look = async (ids: readonly string[]): Promise<void> => {
    seen.push([...ids]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (ids.some((id) => id.startsWith("broken"))) throw new Error("broken");
    if (ids.some((id) => id.startsWith("away"))) throw new RegistryUnavailableError("away");
  };
  return {
    seen,
    commit: async ({ id }: Commit): Promise<CommitAnswer> => {
      await look([id]);
      return id.startsWith("bad") ? refused : { ok: true, repeated: false };
    },
    commitGroup: async (commits: readonly Commit[]) => {
      await look(commits.map(({ id }) => id));
      const at = commits.findIndex(({ id }) => id.startsWith("bad"));
      if (at === -1) return { ok: true } as const;
      return { ok: false, at, failure: { reason: "PRECONDITION", step: 0 } } as const;
    },
  };
}

const outcomeOf = async (answer: Promise<CommitAnswer>): Promise<string> => {
  try {
    return (await answer).ok ? "done" : "refused";
  } catch (error) {
    return (error as Error).message;
  }
};

it("a commit that comes alone goes alone and at once; those that come meanwhile go together", async () => {
  const inside = registry();
  const groups = createCommitGroups(inside);
  const answers = ["1", "2", "3", "4", "5", "6"].map((id) => groups.commit(commit(id)));
  expect(await Promise.all(answers.map(outcomeOf))).toEqual(answers.map(() => "done"));
  expect(inside.seen).toEqual([["1"], ["2"], ["3"], ["4", "5", "6"]]);
});

it("one that is refused takes no other with it, and many that are do not stop the others", async () => {
  const inside = registry();
  const groups = createCommitGroups(inside);
  const ids = [
    "x",
    "y",
    "z",
    ...Array.from({ length: 40 }, (_, nr) => `${nr % 2 ? "bad" : "ok"}${nr}`),
  ];
  const answers = ids.map((id) => outcomeOf(groups.commit(commit(id))));
  expect(await Promise.all(answers)).toEqual(
    ids.map((id) => (id.startsWith("bad") ? "refused" : "done")),
  );
  expect(inside.seen.filter((group) => group.length > 1).length).toBeLessThanOrEqual(3);
});

it("one that cannot be carried out at all fails alone", async () => {
  const groups = createCommitGroups(registry());
  const ids = ["x", "y", "z", "a", "broken", "b"];
  const answers = ids.map((id) => outcomeOf(groups.commit(commit(id))));
  expect(await Promise.all(answers)).toEqual(["done", "done", "done", "done", "broken", "done"]);
});

it("none is tried again when the Registry is away: whoever asked tries again", async () => {
  const inside = registry();
  const groups = createCommitGroups(inside);
  const ids = ["x", "y", "z", "a", "away", "b"];
  const answers = ids.map((id) => outcomeOf(groups.commit(commit(id))));
  expect((await Promise.all(answers)).slice(3)).toEqual(["away", "away", "away"]);
  expect(inside.seen).toHaveLength(4);
});

it("of those that only one can do, the others are refused untried once it is done", async () => {
  const inside = registry();
  const groups = createCommitGroups(inside);
  const ids = Array.from({ length: 500 }, (_, nr) => `use${nr}`);
  const answers = await Promise.all(ids.map((id) => outcomeOf(groups.commit(commit(id), "token"))));
  // Three are on their way at the same time: the Registry decides among those.
  expect(answers.slice(3)).toEqual(ids.slice(3).map(() => "refused"));
  expect(inside.seen).toEqual([["use0"], ["use1"], ["use2"]]);
});
