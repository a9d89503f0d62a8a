/** Whatever is done to labels, groups and assignments, in whatever order: a runtime is in the groups that a simple model says. */
import { storedRows } from "@sextant/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aRuntime, startDirector, type TestDirector, type TestTenant } from "./given.ts";

let director: TestDirector;
let tenant: TestTenant;

beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
});
afterAll(() => director.close());

type Modelled = { readonly labels: Map<string, unknown>; groups: Set<string> };
type Model = {
  readonly runtimes: Map<string, Modelled>;
  readonly assignments: Map<string, { key: string; value: string }>;
};

/** The same numbers in every run. */
function dice(seed: number): <Item>(items: readonly Item[]) => Item {
  let state = seed;
  return (items) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return items[Math.floor((state / 2_147_483_648) * items.length)] as (typeof items)[number];
  };
}

const holds = (value: unknown, text: string): boolean =>
  Array.isArray(value) ? value.includes(text) : value === text;

/** The groups that labels match, by assignments that select by this key. */
const matched = (model: Model, labels: Map<string, unknown>, key?: string): string[] =>
  [...model.assignments]
    .filter(
      ([, by]) => (key === undefined || by.key === key) && holds(labels.get(by.key), by.value),
    )
    .map(([group]) => group);

function leave(groups: Set<string>, gone: readonly string[]): void {
  const some = gone.filter((group) => groups.delete(group));
  if (some.length > 0 && groups.size === 0) groups.add("default");
}

describe("groups", () => {
  it("are those that were given and those that are assigned, after any changes in any order", async () => {
    const roll = dice(20_261_120);
    const model: Model = { runtimes: new Map(), assignments: new Map() };
    for (const name of ["r1", "r2", "r3"]) {
      const id = await aRuntime(tenant, name);
      model.runtimes.set(id, { labels: new Map(), groups: new Set(["default"]) });
    }
    const { admin } = tenant;
    const label = (id: string, key: string, value: unknown) =>
      admin.ask(
        `mutation($id: ID!, $key: String!, $value: Any!) { setRuntimeLabel(runtimeID: $id, key: $key, value: $value) { key } }`,
        { id, key, value },
      );
    const unlabel = (id: string, key: string) =>
      admin.ask(
        `mutation($id: ID!, $key: String!) { deleteRuntimeLabel(runtimeID: $id, key: $key) { key } }`,
        { id, key },
      );
    const changes = {
      async label(id: string) {
        const { labels, groups } = model.runtimes.get(id) as Modelled;
        const key = roll(["region", "zone"]);
        const before = matched(model, labels, key);
        const value = roll<unknown>([
          undefined,
          "a",
          "b",
          ["a", "b"],
          ["b", 1, null],
          [],
          7,
          { a: "a" },
        ]);
        if (value === undefined) {
          if (!labels.has(key)) return;
          await unlabel(id, key);
          labels.delete(key);
        } else {
          await label(id, key, value);
          labels.set(key, value);
        }
        const now = matched(model, labels, key);
        leave(
          groups,
          before.filter((group) => !now.includes(group)),
        );
        for (const group of now) groups.add(group);
      },
      async group(id: string) {
        const runtime = model.runtimes.get(id) as Modelled;
        const given = roll([
          undefined,
          [],
          ["g1"],
          ["mine"],
          ["mine", "g2", "default"],
          ['q"\\ \u2028'],
        ]);
        await (given === undefined ? unlabel(id, "group") : label(id, "group", given));
        const explicit = given === undefined || given.length === 0 ? ["default"] : given;
        runtime.groups = new Set([...explicit, ...matched(model, runtime.labels)]);
      },
      async assign() {
        const groupName = roll(["g1", "g2", "g3", "default", 'q"\\ \u2028']);
        const selector = { key: roll(["region", "zone"]), value: roll(["a", "b"]) };
        if (model.assignments.has(groupName)) {
          await admin.ask(
            `mutation($g: String!) { deleteAutomaticGroupAssignmentForGroup(groupName: $g) { revision } }`,
            { g: groupName },
          );
          for (const { labels, groups } of model.runtimes.values())
            if (matched(model, labels).includes(groupName)) leave(groups, [groupName]);
          model.assignments.delete(groupName);
          return;
        }
        await admin.ask(
          `mutation($in: AutomaticGroupAssignmentSetInput!) { createAutomaticGroupAssignment(in: $in) { revision } }`,
          { in: { groupName, selector } },
        );
        model.assignments.set(groupName, selector);
        for (const { labels, groups } of model.runtimes.values())
          if (matched(model, labels).includes(groupName)) groups.add(groupName);
      },
    };
    for (let round = 0; round < 250; round += 1) {
      const id = roll([...model.runtimes.keys()]);
      await changes[roll(["label", "label", "group", "assign"] as const)](id);
      const { runtimes } = await admin.ask(`{ runtimes { data { id labels(key: "group") } } }`);
      const stored = (runtimes.data as { id: string; labels: { group: string[] } }[]).map(
        (one) => [one.id, one.labels.group.toSorted()] as const,
      );
      const said = [...model.runtimes].map(
        ([one, { groups }]) => [one, [...groups].toSorted()] as const,
      );
      expect({ round, groups: stored }).toEqual({ round, groups: said });
    }
    expect(await elementsInRows()).toEqual(await elementsInValues());
  });
});

type Row = { readonly kind: string; readonly object_id: string; readonly key: string };
async function rowsOf<Table extends object>(name: string): Promise<readonly (Row & Table)[]> {
  const rows = await storedRows(director.inside.database, tenant.id);
  return rows
    .filter((row) => row.startsWith(`${name} `))
    .map((row) => JSON.parse(row.slice(name.length + 1)) as Row & Table);
}
/** What look-ups go by. */
const elementsInRows = async (): Promise<readonly string[]> =>
  (await rowsOf<{ element: string }>("label_element"))
    .map(({ object_id: id, key, element }) => `${id} ${key} ${element}`)
    .toSorted();
/** What is shown. */
const elementsInValues = async (): Promise<readonly string[]> =>
  (await rowsOf<{ value: string }>("label"))
    .flatMap(({ object_id: id, key, value }) => {
      const parsed: unknown = JSON.parse(value);
      const elements: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
      return elements.map((one) => `${id} ${key} ${JSON.stringify(one)}`);
    })
    .toSorted();
