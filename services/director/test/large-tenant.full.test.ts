/** What is done to all runtimes of a tenant at once, with 100,000 of them: each within the time that a statement has. */
import { type LargeTenant, makeLargeTenant } from "@sextant/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDirector, type TestDirector, type TestTenant } from "./given.ts";

const MANY = 100_000;

let director: TestDirector;
let tenant: TestTenant;
let large: LargeTenant;

beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
  large = await makeLargeTenant(director.inside.database, tenant.id, MANY);
}, 300_000);
afterAll(async () => {
  await large?.close();
  await director?.close();
});

/** Milliseconds of an operation, told. */
async function timed(what: string, operation: string, variables = {}): Promise<void> {
  const start = performance.now();
  await tenant.admin.ask(operation, variables);
  // oxlint-disable-next-line no-console -- the time is what is to be known
  console.info(`${what}: ${Math.round(performance.now() - start)} ms`);
}
const inGroup = async (group: string): Promise<number> => {
  const { x } = await tenant.admin.ask(
    `query($q: String) { x: runtimes(filter: [{ key: "group", query: $q }], first: 1) { totalCount } }`,
    { q: JSON.stringify(group) },
  );
  return x.totalCount as number;
};
const create = (group: string) =>
  `mutation { createAutomaticGroupAssignment(in: { groupName: "${group}", selector: { key: "common", value: "yes" } }) { revision } }`;

describe(`all ${MANY} runtimes of a tenant`, () => {
  it("come into a group that is assigned, and leave it", async () => {
    await timed("createAutomaticGroupAssignment", create("assigned"));
    expect(await inGroup("assigned")).toBe(MANY);
    await timed(
      "deleteAutomaticGroupAssignmentForGroup",
      `mutation { deleteAutomaticGroupAssignmentForGroup(groupName: "assigned") { revision } }`,
    );
    expect(await inGroup("assigned")).toBe(0);
    expect(await inGroup("g7")).toBe(MANY / 200);
  });

  it("have their labels checked by a new schema", async () => {
    await timed(
      "updateLabelDefinition",
      `mutation { updateLabelDefinition(in: { key: "zone", schema: { pattern: "^z" } }) { revision } }`,
    );
    const refusal = await tenant.admin.refusal(
      `mutation { updateLabelDefinition(in: { key: "zone", schema: { pattern: "^y" } }) { revision } }`,
    );
    expect(refusal).toMatch(/^INVALID_OPERATION/);
  });

  it("lose a label together with its definition", async () => {
    await timed(
      "deleteLabelDefinition",
      `mutation { deleteLabelDefinition(key: "common", deleteRelatedLabels: true) { revision } }`,
    );
    const { x } = await tenant.admin.ask(
      `{ x: runtimes(filter: [{ key: "common" }], first: 1) { totalCount } }`,
    );
    expect(x.totalCount).toBe(0);
  });
});
