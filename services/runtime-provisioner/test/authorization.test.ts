/** Every operation by every type of caller, in its tenant and on another one's: as the authorization table says. */
import { fixedScopes, type OutsideType, scopes as everyScope, scopesFor } from "@sextant/identity";
import { afterAll, beforeAll, expect, it } from "vitest";
import { rules } from "../src/access/rules.ts";
import { startProvisioner, type TestProvisioner } from "./given.ts";

type Ids = { readonly runtime: string; readonly operation: string };

let provisioner: TestProvisioner;
let home: string;
const places = new Map<"own" | "foreign", Ids>();

beforeAll(async () => {
  provisioner = await startProvisioner();
  for (const place of ["own", "foreign"] as const) {
    const tenant = await provisioner.tenant();
    if (place === "own") home = tenant.id;
    const { x } = await tenant.admin.ask(
      `mutation { x: provisionRuntime(config: { name: "r", driver: "fake" }) { id } }`,
    );
    while ((await provisioner.step()) > 0) provisioner.clock.now += 1_000;
    const { y } = await tenant.admin.ask(
      `query($id: String!) { y: runtimeOperationStatus(id: $id) { runtimeID } }`,
      { id: x.id },
    );
    places.set(place, { operation: x.id as string, runtime: y.runtimeID as string });
  }
});
afterAll(() => provisioner.close());

const operations: Readonly<Record<string, (ids: Ids) => string>> = {
  runtimeStatus: ({ runtime }) => `{ x: runtimeStatus(id: "${runtime}") { __typename } }`,
  provisionedRuntimes: () => "{ x: provisionedRuntimes { totalCount } }",
  runtimeOperationStatus: ({ operation }) =>
    `{ x: runtimeOperationStatus(id: "${operation}") { id } }`,
  runtimeOperations: ({ runtime }) =>
    `{ x: runtimeOperations(runtimeID: "${runtime}") { totalCount } }`,
  provisionRuntime: () =>
    `mutation { x: provisionRuntime(config: { name: "no name!", driver: "fake" }) { id } }`,
  upgradeRuntime: ({ runtime }) =>
    `mutation { x: upgradeRuntime(id: "${runtime}", config: { parameters: { wrong: 1 } }) { id } }`,
  cancelOperation: ({ operation }) => `mutation { x: cancelOperation(id: "${operation}") { id } }`,
  reconnectRuntimeAgent: ({ runtime }) =>
    `mutation { x: reconnectRuntimeAgent(id: "${runtime}") { id } }`,
  deprovisionRuntime: ({ runtime }) =>
    `mutation { x: deprovisionRuntime(id: "${runtime}") { id } }`,
};

it("every operation has a rule and a case", () => {
  const { schema } = provisioner;
  const fields = [schema.getQueryType(), schema.getMutationType()]
    .flatMap((type) => Object.keys(type?.getFields() ?? {}))
    .filter((name) => !name.startsWith("_"))
    .toSorted();
  expect(Object.keys(rules).toSorted()).toEqual(fields);
  expect(Object.keys(operations).toSorted()).toEqual(fields);
});

it("what happens is what the table says, for everybody and everything", async () => {
  const wrong: string[] = [];
  const types: readonly OutsideType[] = [
    "USER",
    "INTEGRATION_SYSTEM",
    "APPLICATION",
    "RUNTIME",
    "ONE_TIME_TOKEN",
  ];
  for (const [name, query] of Object.entries(operations)) {
    const rule = rules[name];
    for (const type of types) {
      const held = fixedScopes(type) ?? everyScope;
      const needed = rule === undefined ? [] : scopesFor(rule, type);
      const may = needed.every((scope) => held.includes(scope));
      for (const [place, ids] of places) {
        const consumer = { type, id: provisioner.inside.newID() };
        const speaker = provisioner.as({ tenant: home, consumer, scopes: held });
        const { data, errors } = await speaker.send(query(ids));
        const code = errors?.[0]?.extensions.code;
        const isNothing = data?.x === null || data?.x?.totalCount === 0;
        // What is wrong with the input or the state is told to who may.
        const isReached = ["INVALID_DATA", "INVALID_OPERATION"].includes(String(code));
        const got = isReached ? "allowed" : (code ?? (isNothing ? "NOT_FOUND" : "allowed"));
        const isNamed = rule?.about !== undefined && name !== "provisionedRuntimes";
        const inTenant = isNamed && place === "foreign" ? "NOT_FOUND" : "allowed";
        const said = may ? inTenant : "INSUFFICIENT_SCOPES";
        if (got !== said)
          wrong.push(
            `${name} by ${type} on ${place}: ${got}, not ${said} ${JSON.stringify(errors)}`,
          );
      }
    }
  }
  expect(wrong).toEqual([]);
});
