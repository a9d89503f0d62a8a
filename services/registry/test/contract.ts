/** The Registry's contract as tests: whatever implements it has to pass them. */
import { createHash, randomBytes } from "node:crypto";
import type { ServiceName } from "@sextant/identity";
import {
  type Commit,
  type Condition,
  create,
  cursorOf,
  type NewRecord,
  type Params,
  type PageSelection,
  type Read,
  type ReadPlan,
  readList,
  readOne,
  type Registry,
  type Step,
  update,
} from "@sextant/registry-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** One implementation to be tested. */
export type Implementation = {
  registryFor(service: ServiceName): Registry;
  seedTenant(): Promise<string>;
  newID(): string;
  close(): Promise<void>;
};

const at = "2026-01-02T03:04:05.000Z";
const byID: Condition = { op: "equals", field: "id", value: { param: "id" } };
const everything: Condition = { op: "all", of: [] };
const equals = (field: string, param: string): Condition => ({
  op: "equals",
  field,
  value: { param },
});
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const newHash = () => sha256(randomBytes(16).toString("hex"));

/** Declares the tests of one implementation. */
export function describeContract(name: string, make: () => Promise<Implementation>): void {
  describe(name, () => {
    let implementation: Implementation;
    let director: Registry;
    let connector: Registry;
    let gateway: Registry;
    let provisioner: Registry;
    const newID = () => implementation.newID();

    beforeAll(async () => {
      implementation = await make();
      director = implementation.registryFor("director");
      connector = implementation.registryFor("connector");
      gateway = implementation.registryFor("api-gateway");
      provisioner = implementation.registryFor("runtime-provisioner");
    });
    afterAll(() => implementation?.close());

    const commitOf = (
      tenant: string,
      steps: readonly Step[],
      more: Partial<Commit> = {},
    ): Commit => ({
      id: newID(),
      tenant,
      actor: { type: "USER", id: "somebody" },
      action: "test",
      steps,
      params: {},
      ...more,
    });
    const carryOut = async (
      tenant: string,
      steps: readonly Step[],
      more: Partial<Commit> = {},
      by = director,
    ) => {
      const answer = await by.commit(commitOf(tenant, steps, more));
      if (!answer.ok) throw new Error(`refused: ${JSON.stringify(answer.failure)}`);
      return answer;
    };
    const newApplication = (values: Partial<NewRecord<"application">> = {}) => {
      const id = newID();
      return {
        id,
        step: create("application", id, {
          name: `application-${id}`,
          statusCondition: "INITIAL",
          statusTimestamp: at,
          ...values,
        }),
      };
    };
    const newRuntime = (values: Partial<NewRecord<"runtime">> = {}) => {
      const id = newID();
      return {
        id,
        step: create("runtime", id, {
          name: `runtime-${id}`,
          statusCondition: "INITIAL",
          statusTimestamp: at,
          ...values,
        }),
      };
    };
    const application = async (
      tenant: string,
      values: Partial<NewRecord<"application">> = {},
    ): Promise<string> => {
      const { id, step } = newApplication(values);
      await carryOut(tenant, [step]);
      return id;
    };
    const runtime = async (
      tenant: string,
      values: Partial<NewRecord<"runtime">> = {},
    ): Promise<string> => {
      const { id, step } = newRuntime(values);
      await carryOut(tenant, [step]);
      return id;
    };
    const label = (
      kind: "application" | "runtime",
      id: string,
      key: string,
      value: unknown,
    ): Step => ({
      op: "label",
      kind,
      id,
      key,
      value: value === null ? null : JSON.stringify(value),
    });
    const ask = async (
      tenant: string | null,
      read: Read,
      params: Params,
      by = director,
    ): Promise<any> => {
      const { text } = await by.read({ tenant, plan: { select: [{ as: "x", read }] }, params });
      return (JSON.parse(text) as { x: unknown }).x;
    };
    const names = async (
      tenant: string,
      where: Condition,
      params: Params,
      kind: "application" | "runtime" = "application",
    ) =>
      (await readList(director, tenant, kind, where, ["name"], params, 1000)).map(
        (one) => one.name,
      );

    describe("a read", () => {
      it("answers with the keys in the order of the plan, each value in its JSON form", async () => {
        const tenant = await implementation.seedTenant();
        const name = `quote " backslash \\ apostrophe ' tab \t umlaut ü`;
        const id = await application(tenant, { name, lastSeen: "2026-01-02T04:04:05.25+01:00" });
        const plan: ReadPlan = {
          select: [
            {
              as: "z",
              read: {
                one: "application",
                where: byID,
                select: [
                  { as: "name", field: "name" },
                  { as: "description", field: "description" },
                  { as: "a", field: "revision" },
                  { as: "seen", field: "lastSeen" },
                  { as: "id", field: "id" },
                  { as: "owner", field: "integrationSystemID" },
                  { as: "__typename", constant: '"Application"' },
                ],
              },
            },
            { as: "b", constant: "[1, null]" },
          ],
        };
        const { text, missing } = await director.read({ tenant, plan, params: { id } });
        expect(missing).toEqual([]);
        expect(text).toBe(
          `{"z":{"name":${JSON.stringify(name)},"description":null,"a":1,"seen":"2026-01-02T03:04:05.25+00:00","id":"${id}","owner":null,"__typename":"Application"},"b":[1, null]}`,
        );
      });

      it("answers with null for an object that does not exist, and for an id that is none", async () => {
        const tenant = await implementation.seedTenant();
        const read: Read = { one: "application", where: byID, select: [{ as: "id", field: "id" }] };
        expect(await ask(tenant, read, { id: newID() })).toBeNull();
        expect(await ask(tenant, read, { id: "shop" })).toBeNull();
        expect(await ask(tenant, read, { id: "a\0b" })).toBeNull();
      });

      it("takes any text as an alias, and none of it becomes SQL", async () => {
        const tenant = await implementation.seedTenant();
        const id = await application(tenant);
        const aliases = [
          `'; drop table application; --`,
          `\\`,
          `"`,
          "'",
          "\0",
          "$1",
          "ключ",
          "\u{1F600}",
          "a".repeat(400),
        ];
        const select = aliases.map((as) => ({ as, field: "id" }));
        const found = await ask(tenant, { one: "application", where: byID, select }, { id });
        expect(found).toEqual(Object.fromEntries(aliases.map((as) => [as, id])));
      });

      it("makes objects with more keys than a function of SQL takes arguments", async () => {
        const tenant = await implementation.seedTenant();
        const id = await application(tenant);
        const select = Array.from({ length: 700 }, (_, place) => ({
          as: `key${place}`,
          field: "revision",
        }));
        const found = await ask(tenant, { one: "application", where: byID, select }, { id });
        expect(Object.keys(found as object)).toEqual(select.map(({ as }) => as));
      });

      it("nests objects of objects, with the object around as the condition's parent", async () => {
        const tenant = await implementation.seedTenant();
        const id = await application(tenant);
        const bundles = [newID(), newID()];
        await carryOut(
          tenant,
          bundles.map((bundle, place) =>
            create("bundle", bundle, { applicationID: id, name: `bundle ${place}` }),
          ),
        );
        const text = "# text";
        await carryOut(tenant, [
          { op: "content", hash: sha256(text), text },
          ...bundles.map((bundle) =>
            create("document", newID(), {
              applicationID: id,
              bundleID: bundle,
              title: "t",
              displayName: "d",
              description: "",
              format: "MARKDOWN",
              content: sha256(text),
            }),
          ),
        ]);
        const found = await ask(
          tenant,
          {
            one: "application",
            where: byID,
            select: [
              {
                as: "bundles",
                read: {
                  list: "bundle",
                  where: { op: "equals", field: "applicationID", value: { parent: "id" } },
                  max: 10,
                  select: [
                    { as: "name", field: "name" },
                    {
                      as: "documents",
                      read: {
                        list: "document",
                        where: {
                          op: "all",
                          of: [
                            { op: "equals", field: "bundleID", value: { parent: "id" } },
                            {
                              op: "equals",
                              field: "applicationID",
                              value: { parent: "id", up: 1 },
                            },
                          ],
                        },
                        max: 10,
                        select: [
                          {
                            as: "data",
                            lookup: {
                              kind: "content",
                              where: { op: "equals", field: "hash", value: { parent: "content" } },
                              field: "text",
                            },
                          },
                        ],
                      },
                    },
                  ],
                },
              },
            ],
          },
          { id },
        );
        expect(found).toEqual({
          bundles: [
            { name: "bundle 0", documents: [{ data: text }] },
            { name: "bundle 1", documents: [{ data: text }] },
          ],
        });
      });

      it("knows constants, embedded objects, choices and the first that is not null", async () => {
        const tenant = await implementation.seedTenant();
        const id = await application(tenant, { description: "described" });
        const bare = await application(tenant);
        const read: Read = {
          one: "application",
          where: byID,
          select: [
            { as: "constant", constant: "null" },
            { as: "status", object: [{ as: "condition", field: "statusCondition" }] },
            {
              as: "about",
              object: [{ as: "text", field: "description" }],
              unlessNull: "description",
            },
            { as: "empty", object: [] },
            {
              as: "chosen",
              choose: [{ when: { op: "isNull", field: "description" }, then: '"bare"' }],
              otherwise: '"described"',
            },
            {
              as: "first",
              coalesce: [
                { field: "providerName" },
                { constant: "null" },
                { field: "description" },
                { constant: '"none"' },
              ],
            },
          ],
        };
        const common = { constant: null, status: { condition: "INITIAL" }, empty: {} };
        expect(await ask(tenant, read, { id })).toEqual({
          ...common,
          about: { text: "described" },
          chosen: "described",
          first: "described",
        });
        expect(await ask(tenant, read, { id: bare })).toEqual({
          ...common,
          about: null,
          chosen: "bare",
          first: "none",
        });
      });

      it("says which requirements are not met", async () => {
        const tenant = await implementation.seedTenant();
        const id = await application(tenant);
        const plan: ReadPlan = {
          select: [{ as: "x", constant: "1" }],
          require: [
            { kind: "runtime", where: byID },
            { kind: "application", where: byID },
            { kind: "bundle", where: byID },
          ],
        };
        expect(await director.read({ tenant, plan, params: { id } })).toEqual({
          text: '{"x":1}',
          missing: [0, 2],
        });
      });

      it("is refused when the plan or a parameter is wrong", async () => {
        const tenant = await implementation.seedTenant();
        const read = (plan: unknown, params: Params = { id: newID() }) =>
          director.read({ tenant, plan: plan as ReadPlan, params });
        const one = (select: unknown, where: unknown = byID) => ({
          select: [{ as: "x", read: { one: "application", where, select } }],
        });
        const wrong: [unknown, Params?][] = [
          [{ select: [] }],
          [{ select: [{ as: "x", read: { one: "nothing", where: byID, select: [] } }] }],
          [one([{ as: "x", field: "nothing" }])],
          [one([{ as: "x", field: "toString" }])],
          [one([{ as: "x", field: "id", constant: "1" }])],
          [one([{ as: "x", constant: "{" }])],
          [one([{ as: "x", labels: { key: { parent: "id" } } }])],
          [one([], { op: "equals", field: "id", value: { parent: "id" } })],
          [one([], byID), {}],
          [one([], { op: "in", field: "id", values: { param: "id" } }), { id: "text" }],
        ];
        for (const [plan, params] of wrong) {
          await expect(read(plan, params), JSON.stringify(plan)).rejects.toMatchObject({
            code: "INVALID_DATA",
          });
        }
      });

      it("of tenants needs no tenant, and of anything else does", async () => {
        const tenant = await implementation.seedTenant();
        expect(await readOne(director, null, "tenant", byID, ["id"], { id: tenant })).toEqual({
          id: tenant,
        });
        await expect(
          readOne(director, null, "application", byID, ["id"], { id: tenant }),
        ).rejects.toMatchObject({
          code: "INVALID_DATA",
        });
      });
    });

    describe("a page", () => {
      const page: PageSelection = [
        { as: "data", part: "data", select: [{ as: "id", field: "id" }] },
        {
          as: "pageInfo",
          part: "pageInfo",
          select: [
            { as: "startCursor", part: "startCursor" },
            { as: "endCursor", part: "endCursor" },
            { as: "hasNextPage", part: "hasNextPage" },
            { as: "__typename", constant: '"PageInfo"' },
          ],
        },
        { as: "totalCount", part: "totalCount" },
        { as: "__typename", constant: '"ApplicationPage"' },
      ];
      const read = (select: PageSelection): Read => ({
        page: "application",
        where: everything,
        select,
        first: { param: "first" },
        after: { param: "after" },
      });

      it("goes through all objects in the order of their creation, with cursors of the contract", async () => {
        const tenant = await implementation.seedTenant();
        const ids: string[] = [];
        for (let count = 0; count < 5; count += 1) ids.push(await application(tenant));
        const pageOf = (first: number, after: string | null) =>
          ask(tenant, read(page), { first, after });
        expect(await pageOf(2, null)).toEqual({
          data: [{ id: ids[0] }, { id: ids[1] }],
          pageInfo: {
            startCursor: cursorOf(ids[0] as string),
            endCursor: cursorOf(ids[1] as string),
            hasNextPage: true,
            __typename: "PageInfo",
          },
          totalCount: 5,
          __typename: "ApplicationPage",
        });
        const last = await pageOf(2, ids[2] as string);
        expect(last).toMatchObject({
          data: [{ id: ids[3] }, { id: ids[4] }],
          pageInfo: { hasNextPage: false },
          totalCount: 5,
        });
        expect(await pageOf(5, null)).toMatchObject({ pageInfo: { hasNextPage: false } });
        expect(await pageOf(1, ids[4] as string)).toEqual({
          data: [],
          pageInfo: { startCursor: "", endCursor: "", hasNextPage: false, __typename: "PageInfo" },
          totalCount: 5,
          __typename: "ApplicationPage",
        });
      });

      it("answers with what is selected alone, and under any alias", async () => {
        const tenant = await implementation.seedTenant();
        const id = await application(tenant);
        const params = { first: 1, after: null };
        expect(await ask(tenant, read([{ as: "n", part: "totalCount" }]), params)).toEqual({
          n: 1,
        });
        expect(
          await ask(
            tenant,
            read([{ as: "d", part: "data", select: [{ as: "i", field: "id" }] }]),
            params,
          ),
        ).toEqual({ d: [{ i: id }] });
        const info: PageSelection = [
          { as: "p", part: "pageInfo", select: [{ as: "more", part: "hasNextPage" }] },
        ];
        expect(await ask(tenant, read(info), params)).toEqual({ p: { more: false } });
        const end: PageSelection = [
          { as: "p", part: "pageInfo", select: [{ as: "end", part: "endCursor" }] },
        ];
        expect(await ask(tenant, read(end), params)).toEqual({ p: { end: cursorOf(id) } });
      });

      it("does not count what is on other pages when its size or cursor is wrong, but refuses", async () => {
        const tenant = await implementation.seedTenant();
        for (const params of [
          { first: -1, after: null },
          { first: 1.5, after: null },
          { first: "1", after: null },
          { first: 1, after: "x" },
        ]) {
          await expect(ask(tenant, read(page), params)).rejects.toMatchObject({
            code: "INVALID_DATA",
          });
        }
      });
    });

    describe("entities", () => {
      it("come in the order of the ids, with null where there is none", async () => {
        const tenant = await implementation.seedTenant();
        const first = await application(tenant, { name: "first" });
        const second = await application(tenant, { name: "second" });
        const ids = [second, newID(), first, "no id", second];
        const select = [{ as: "name", field: "name" }];
        const found = await ask(
          tenant,
          { entities: "application", ids: { param: "ids" }, select },
          { ids },
        );
        expect(found).toEqual([
          { name: "second" },
          null,
          { name: "first" },
          null,
          { name: "second" },
        ]);
        const where: Condition = equals("name", "name");
        const some = await ask(
          tenant,
          { entities: "application", ids: { param: "ids" }, where, select },
          { ids, name: "first" },
        );
        expect(some).toEqual([null, null, { name: "first" }, null, null]);
        expect(
          await ask(
            tenant,
            { entities: "application", ids: { param: "ids" }, select },
            { ids: [] },
          ),
        ).toEqual([]);
      });

      it("without a kind are their ids, from which other objects can be reached", async () => {
        const tenant = await implementation.seedTenant();
        const id = await application(tenant, { name: "reached" });
        const select = [
          { as: "id", field: "id" },
          {
            as: "stored",
            read: {
              one: "application",
              where: { op: "equals", field: "id", value: { parent: "id" } },
              select: [{ as: "name", field: "name" }],
            },
          },
        ] as const;
        const other = newID();
        expect(
          await ask(
            tenant,
            { entities: null, ids: { param: "ids" }, select },
            { ids: [id, other] },
          ),
        ).toEqual([
          { id, stored: { name: "reached" } },
          { id: other, stored: null },
        ]);
      });
    });

    describe("conditions", () => {
      it("compare fields, and are two-valued where a field is null", async () => {
        const tenant = await implementation.seedTenant();
        await application(tenant, {
          name: "a",
          description: "x",
          lastSeen: "2020-01-01T00:00:00Z",
        });
        await application(tenant, {
          name: "b",
          lastSeen: new Date(Date.now() + 3_600_000).toISOString(),
        });
        const x = { x: "x" };
        expect(await names(tenant, equals("description", "x"), x)).toEqual(["a"]);
        expect(
          await names(tenant, { op: "not", condition: equals("description", "x") }, x),
        ).toEqual(["b"]);
        expect(await names(tenant, { op: "isNull", field: "description" }, {})).toEqual(["b"]);
        expect(
          await names(
            tenant,
            { op: "in", field: "name", values: { param: "all" } },
            { all: ["b", "c"] },
          ),
        ).toEqual(["b"]);
        expect(await names(tenant, { op: "past", field: "lastSeen" }, {})).toEqual(["a"]);
        expect(
          await names(
            tenant,
            { op: "within", field: "lastSeen", seconds: { param: "s" } },
            { s: 60 },
          ),
        ).toEqual(["b"]);
        expect(await names(tenant, { op: "any", of: [] }, {})).toEqual([]);
        const either: Condition = { op: "any", of: [equals("name", "a"), equals("name", "b")] };
        expect(
          await names(
            tenant,
            { op: "all", of: [either, { op: "isNull", field: "description" }] },
            { a: "a", b: "b" },
          ),
        ).toEqual(["b"]);
      });

      it("ask whether there is another object", async () => {
        const tenant = await implementation.seedTenant();
        const id = await application(tenant, { name: "with" });
        await application(tenant, { name: "without" });
        await carryOut(tenant, [create("bundle", newID(), { applicationID: id, name: "bundle" })]);
        const where: Condition = {
          op: "exists",
          kind: "bundle",
          where: { op: "equals", field: "applicationID", value: { parent: "id" } },
        };
        expect(await names(tenant, where, {})).toEqual(["with"]);
        expect(await names(tenant, { op: "not", condition: where }, {})).toEqual(["without"]);
      });
    });

    describe("labels", () => {
      it("are read as one object, or the one that is asked for, with the value as it was sent", async () => {
        const tenant = await implementation.seedTenant();
        const id = await application(tenant);
        const step: Step = {
          op: "label",
          kind: "application",
          id,
          key: "b",
          value: '{"z": 1.10, "a":[]}',
        };
        await carryOut(tenant, [label("application", id, "group", ["x", "y"]), step]);
        const read: Read = {
          one: "application",
          where: byID,
          select: [{ as: "labels", labels: { key: { param: "key" } } }],
        };
        const plan: ReadPlan = { select: [{ as: "x", read }] };
        const all = await director.read({ tenant, plan, params: { id, key: null } });
        expect(all.text).toBe('{"x":{"labels":{"b":{"z": 1.10, "a":[]},"group":["x","y"]}}}');
        expect(await ask(tenant, read, { id, key: "group" })).toEqual({
          labels: { group: ["x", "y"] },
        });
        expect(await ask(tenant, read, { id, key: "none" })).toEqual({ labels: null });
        const bare = await application(tenant);
        expect(await ask(tenant, read, { id: bare, key: null })).toEqual({ labels: {} });
      });

      it("are found by key, by element and by what their value contains", async () => {
        const tenant = await implementation.seedTenant();
        const values: Record<string, unknown> = {
          array: ["a", "b", 1, 2.5, null, { k: [1] }],
          text: "a",
          number: 1,
          object: { a: "a", n: { m: [1, 2] } },
          nested: [["a"]],
          long: ["l".repeat(5000)],
          truth: true,
        };
        for (const [name, value] of Object.entries(values)) {
          const { id, step } = newApplication({ name });
          await carryOut(tenant, [
            step,
            label("application", id, "k", value),
            label("application", id, `only_${name}`, 1),
          ]);
        }
        const sorted = async (where: Condition, params: Params) =>
          (await names(tenant, where, params)).toSorted();
        const key = { param: "key" };
        expect(await sorted({ op: "hasLabel", key }, { key: "only_text" })).toEqual(["text"]);
        const inAny: Condition = { op: "labelIn", key, elements: { param: "elements" } };
        expect(await sorted(inAny, { key: "k", elements: ['"a"', "true"] })).toEqual([
          "array",
          "text",
          "truth",
        ]);
        expect(await sorted(inAny, { key: "k", elements: ['"\\u0061"'] })).toEqual([
          "array",
          "text",
        ]);
        expect(await sorted(inAny, { key: "k", elements: [" 1.0 "] })).toEqual(["array", "number"]);
        expect(
          await sorted(inAny, { key: "k", elements: [JSON.stringify("l".repeat(5000))] }),
        ).toEqual(["long"]);
        expect(await sorted(inAny, { key: "k", elements: [] })).toEqual([]);
        expect(await sorted(inAny, { key: "other", elements: ['"a"'] })).toEqual([]);

        const contains: Condition = { op: "labelContains", key, json: { param: "json" } };
        // As PostgreSQL's @> says: an array contains a scalar that is its element; a scalar contains no array.
        const expected: [string, string[]][] = [
          ['"a"', ["array", "text"]],
          ["1", ["array", "number"]],
          ["1.0", ["array", "number"]],
          ["null", ["array"]],
          ["true", ["truth"]],
          ['["a"]', ["array"]],
          ['["b","a"]', ["array"]],
          ['["b","z"]', []],
          ['[["a"]]', ["nested"]],
          ['[{"k":[]}]', ["array"]],
          ["[]", ["array", "long", "nested"]],
          ["{}", ["object"]],
          ['{"n":{"m":[2]}}', ["object"]],
          ['{"a":"b"}', []],
          [JSON.stringify(["l".repeat(5000)]), ["long"]],
        ];
        for (const [json, found] of expected) {
          expect(await sorted(contains, { key: "k", json }), json).toEqual(found.toSorted());
        }
        await expect(sorted(contains, { key: "k", json: "{" })).rejects.toMatchObject({
          code: "INVALID_DATA",
        });
      });

      it("connect applications and runtimes that share an element", async () => {
        const tenant = await implementation.seedTenant();
        const [one, two] = [newApplication({ name: "one" }), newApplication({ name: "two" })];
        const target = newRuntime();
        await carryOut(tenant, [
          one.step,
          label("application", one.id, "group", ["a", "b"]),
          two.step,
          label("application", two.id, "group", ["c"]),
          label("application", two.id, "other", ["a"]),
          target.step,
          label("runtime", target.id, "group", ["b", "d"]),
        ]);
        const where: Condition = {
          op: "sharesLabel",
          key: { param: "key" },
          kind: "runtime",
          id: { param: "runtime" },
        };
        expect(await names(tenant, where, { key: "group", runtime: target.id })).toEqual(["one"]);
        await carryOut(tenant, [label("runtime", target.id, "group", ["c"])]);
        expect(await names(tenant, where, { key: "group", runtime: target.id })).toEqual(["two"]);
        await carryOut(tenant, [label("runtime", target.id, "group", null)]);
        expect(await names(tenant, where, { key: "group", runtime: target.id })).toEqual([]);
      });

      it("are refused on an object that does not exist, and when the value is no JSON or cannot be compared", async () => {
        const tenant = await implementation.seedTenant();
        const step: Step = { op: "label", kind: "application", id: newID(), key: "k", value: "1" };
        expect(await director.commit(commitOf(tenant, [step]))).toEqual({
          ok: false,
          failure: { reason: "NOT_FOUND", step: 0 },
        });
        const id = await application(tenant);
        for (const value of [
          "{",
          '"\\u0000"',
          '"\\ud800"',
          "1e999",
          `${"[".repeat(200)}${"]".repeat(200)}`,
        ]) {
          const wrong: Step = { op: "label", kind: "application", id, key: "k", value };
          await expect(director.commit(commitOf(tenant, [wrong])), value).rejects.toMatchObject({
            code: "INVALID_DATA",
          });
        }
      });

      it("go with their object", async () => {
        const tenant = await implementation.seedTenant();
        const { id, step } = newApplication();
        await carryOut(tenant, [step, label("application", id, "group", ["a"])]);
        await carryOut(tenant, [{ op: "delete", kind: "application", id }]);
        await carryOut(tenant, [step]);
        const read: Read = {
          one: "application",
          where: byID,
          select: [{ as: "labels", labels: { key: { param: "key" } } }],
        };
        expect(await ask(tenant, read, { id, key: null })).toEqual({ labels: {} });
        expect(
          await names(
            tenant,
            { op: "labelIn", key: { param: "key" }, elements: { param: "e" } },
            { key: "group", e: ['"a"'] },
          ),
        ).toEqual([]);
      });
    });

    describeCommits();
    describeFeedAndWork();

    function describeCommits(): void {
      describe("a commit", () => {
        it("is all or nothing, and answers with what was before and after", async () => {
          const tenant = await implementation.seedTenant();
          const { id, step } = newApplication({ name: "new" });
          const plan: ReadPlan = {
            select: [
              {
                as: "x",
                read: { one: "application", where: byID, select: [{ as: "name", field: "name" }] },
              },
            ],
          };
          const reads = { before: { plan, params: { id } }, after: { plan, params: { id } } };
          const made = await carryOut(tenant, [step], reads);
          expect(made).toEqual({
            ok: true,
            before: '{"x":null}',
            after: '{"x":{"name":"new"}}',
            repeated: false,
          });
          const refused = await director.commit(
            commitOf(tenant, [
              update("application", id, { description: "changed" }),
              newApplication({ name: "new" }).step,
            ]),
          );
          expect(refused).toEqual({
            ok: false,
            failure: { reason: "UNIQUE", step: 1, constraint: "application_name_key" },
          });
          expect(
            await readOne(director, tenant, "application", byID, ["description", "revision"], {
              id,
            }),
          ).toEqual({
            description: null,
            revision: 1,
          });
        });

        it("says why an object was not changed", async () => {
          const tenant = await implementation.seedTenant();
          const id = await application(tenant);
          const failure = async (step: Step, params: Params = {}) => {
            const answer = await director.commit(
              commitOf(tenant, [newApplication().step, step], { params }),
            );
            return answer.ok ? "carried out" : `${answer.failure.reason} ${answer.failure.step}`;
          };
          expect(await failure(update("application", newID(), { name: "x" }))).toBe("NOT_FOUND 1");
          expect(
            await failure(update("application", id, { name: "x" }, { expectedRevision: 2 })),
          ).toBe("CONCURRENT_UPDATE 1");
          const where = equals("statusCondition", "status");
          expect(
            await failure(update("application", id, { name: "x" }, { where }), {
              status: "CONNECTED",
            }),
          ).toBe("PRECONDITION 1");
          expect(await failure({ op: "delete", kind: "application", id: newID() })).toBe(
            "NOT_FOUND 1",
          );
          expect(
            await failure({ op: "delete", kind: "application", id, expectedRevision: 7 }),
          ).toBe("CONCURRENT_UPDATE 1");
          const check: Step = { op: "check", kind: "application", where: byID, expect: "none" };
          expect(await failure(check, { id })).toBe("PRECONDITION 1");
          expect(await failure({ ...check, expect: "some" }, { id: newID() })).toBe(
            "PRECONDITION 1",
          );
          expect(await failure(check, { id: newID() })).toBe("carried out");
          expect(await failure({ ...check, expect: "some" }, { id })).toBe("carried out");
          expect(
            await failure(
              update("application", id, { name: "x" }, { where, expectedRevision: 1 }),
              { status: "INITIAL" },
            ),
          ).toBe("carried out");
        });

        it("names the constraint that it would break", async () => {
          const tenant = await implementation.seedTenant();
          const reference = create("bundle", newID(), { applicationID: newID(), name: "bundle" });
          expect(await director.commit(commitOf(tenant, [reference]))).toEqual({
            ok: false,
            failure: { reason: "REFERENCE", step: 0, constraint: "bundle_application_fkey" },
          });
          const check = newApplication({ statusCondition: "LOST" }).step;
          expect(await director.commit(commitOf(tenant, [check]))).toEqual({
            ok: false,
            failure: { reason: "CHECK", step: 0, constraint: "application_status_condition_value" },
          });
          const schema = create("bundle", newID(), {
            applicationID: await application(tenant),
            name: "bundle",
            instanceAuthRequestInputSchema: "{",
          });
          expect(await director.commit(commitOf(tenant, [schema]))).toMatchObject({
            ok: false,
            failure: { reason: "CHECK" },
          });
        });

        it("counts revisions, but for what was only observed", async () => {
          const tenant = await implementation.seedTenant();
          const id = await application(tenant);
          const revision = async () =>
            (await readOne(director, tenant, "application", byID, ["revision", "updatedAt"], {
              id,
            })) as { revision: number; updatedAt: string };
          const first = await revision();
          expect(first.revision).toBe(1);
          await carryOut(tenant, [update("application", id, { lastSeen: at }, { quiet: true })], {
            observed: true,
          });
          expect(await revision()).toEqual(first);
          await carryOut(tenant, [update("application", id, {})]);
          const second = await revision();
          expect(second.revision).toBe(2);
          expect(second.updatedAt > first.updatedAt).toBe(true);
          const all: Step = {
            op: "updateAll",
            kind: "application",
            where: everything,
            values: { description: "same" },
          };
          await carryOut(tenant, [all, { ...all, quiet: true }]);
          expect((await revision()).revision).toBe(3);
        });

        it("is carried out once under its id, however often it is sent", async () => {
          const tenant = await implementation.seedTenant();
          const { id, step } = newApplication();
          const plan: ReadPlan = {
            select: [
              {
                as: "x",
                read: { one: "application", where: byID, select: [{ as: "r", field: "revision" }] },
              },
            ],
          };
          const commit = commitOf(tenant, [step], { after: { plan, params: { id } } });
          const answers = await Promise.all([
            director.commit(commit),
            director.commit(commit),
            director.commit(commit),
          ]);
          expect(answers.filter((answer) => answer.ok && !answer.repeated)).toHaveLength(1);
          expect(answers.every((answer) => answer.ok && answer.after === '{"x":{"r":1}}')).toBe(
            true,
          );
          await carryOut(tenant, [update("application", id, { description: "later" })]);
          expect(await director.commit(commit)).toEqual({
            ok: true,
            after: '{"x":{"r":2}}',
            repeated: true,
          });
          const observed = commitOf(tenant, [newApplication().step], { observed: true });
          expect(await director.commit(observed)).toMatchObject({ repeated: false });
          expect(await director.commit(observed)).toMatchObject({ ok: true, repeated: true });
        });

        it("leaves an audit entry that says who did what to what, and no value", async () => {
          const tenant = await implementation.seedTenant();
          const { id, step } = newApplication({ name: "confidential" });
          const commit = commitOf(tenant, [step, label("application", id, "group", ["secret"])], {
            action: "registerApplication",
          });
          await director.commit(commit);
          const fields = ["actorType", "actorID", "action", "objects"] as const;
          const entry = await readOne(director, tenant, "auditEntry", byID, fields, {
            id: commit.id,
          });
          expect(entry).toEqual({
            actorType: "USER",
            actorID: "somebody",
            action: "registerApplication",
            objects: [
              { kind: "application", id, change: "create" },
              { kind: "application", id, change: "set label", key: "group" },
            ],
          });
          const refused = commitOf(tenant, [{ op: "delete", kind: "application", id: newID() }]);
          await director.commit(refused);
          expect(
            await readOne(director, tenant, "auditEntry", byID, ["id"], { id: refused.id }),
          ).toBeUndefined();
          const observed = commitOf(tenant, [update("application", id, {})], { observed: true });
          await director.commit(observed);
          expect(
            await readOne(director, tenant, "auditEntry", byID, ["id"], { id: observed.id }),
          ).toBeUndefined();
        });

        it("removes what belongs to what it removes", async () => {
          const tenant = await implementation.seedTenant();
          const [app, rt] = [newApplication(), newRuntime()];
          const [bundle, api, auth, hook] = [newID(), newID(), newID(), newID()];
          const owner = { applicationID: app.id, bundleID: bundle };
          const status = {
            statusCondition: "PENDING",
            statusTimestamp: at,
            statusMessage: "",
            statusReason: "",
          };
          await carryOut(
            tenant,
            [
              app.step,
              rt.step,
              create("bundle", bundle, { applicationID: app.id, name: "b" }),
              create("apiDefinition", api, {
                ...owner,
                name: "api",
                targetURL: "https://example.com",
              }),
              create("bundleInstanceAuth", auth, { ...owner, runtimeID: rt.id, ...status }),
              create("webhook", hook, {
                applicationID: app.id,
                type: "CONFIGURATION_CHANGED",
                signingSecret: "sealed",
              }),
              { op: "deliver", webhooks: byID, type: "test", body: "{}" },
              create("syncState", rt.id, {
                desiredRevision: 0,
                appliedRevision: 0,
                applied: false,
                ready: false,
              }),
            ],
            { params: { id: hook } },
          );
          const count = async (kind: Kinds) =>
            (await readList(director, tenant, kind, everything, ["id"], {}, 10)).length;
          type Kinds =
            | "apiDefinition"
            | "bundleInstanceAuth"
            | "webhook"
            | "delivery"
            | "syncState";
          expect(
            await Promise.all(
              (
                ["apiDefinition", "bundleInstanceAuth", "webhook", "delivery", "syncState"] as const
              ).map(count),
            ),
          ).toEqual([1, 1, 1, 1, 1]);
          await carryOut(tenant, [{ op: "delete", kind: "runtime", id: rt.id }]);
          expect(
            await Promise.all(
              (["bundleInstanceAuth", "syncState", "apiDefinition"] as const).map(count),
            ),
          ).toEqual([0, 0, 1]);
          await carryOut(tenant, [{ op: "delete", kind: "application", id: app.id }]);
          expect(
            await Promise.all((["apiDefinition", "webhook", "delivery"] as const).map(count)),
          ).toEqual([0, 0, 0]);
        });

        it("keeps a content once, and only under its own hash", async () => {
          const tenant = await implementation.seedTenant();
          const text = `specification ${newID()} \u{1F600}`;
          const step: Step = { op: "content", hash: sha256(text), text };
          await carryOut(tenant, [step]);
          await carryOut(tenant, [step]);
          const byHash = equals("hash", "hash");
          expect(
            await readOne(director, tenant, "content", byHash, ["text"], { hash: sha256(text) }),
          ).toEqual({ text });
          const wrong = await director.commit(
            commitOf(tenant, [{ op: "content", hash: sha256("other"), text }]),
          );
          expect(wrong).toMatchObject({
            ok: false,
            failure: { reason: "CHECK", constraint: "content_hash_of_text" },
          });
        });

        it("is refused when a value does not fit its field", async () => {
          const tenant = await implementation.seedTenant();
          const id = newID();
          const good = { name: "n", statusCondition: "INITIAL", statusTimestamp: at };
          const wrong: Record<string, unknown>[] = [
            { ...good, name: null },
            { ...good, name: 1 },
            { ...good, name: "a\0b" },
            { ...good, nothing: 1 },
            { ...good, id: newID() },
            { ...good, revision: 7 },
            { ...good, statusTimestamp: "yesterday" },
            { ...good, integrationSystemID: "x" },
            { statusCondition: "INITIAL", statusTimestamp: at },
          ];
          for (const values of wrong) {
            const step: Step = { op: "create", kind: "application", id, values };
            await expect(
              director.commit(commitOf(tenant, [step])),
              JSON.stringify(values),
            ).rejects.toMatchObject({ code: "INVALID_DATA" });
          }
          for (const kind of ["auditEntry", "content"] as const) {
            const step: Step = { op: "delete", kind, id };
            await expect(director.commit(commitOf(tenant, [step]))).rejects.toThrow();
          }
        });

        it("that relabels and one that fans out to a group never miss each other", async () => {
          const tenant = await implementation.seedTenant();
          const bundle = newID();
          const app = newApplication();
          await carryOut(tenant, [
            app.step,
            label("application", app.id, "group", ["g"]),
            create("bundle", bundle, { applicationID: app.id, name: "b" }),
          ]);
          const shares: Condition = {
            op: "sharesLabel",
            key: { param: "key" },
            kind: "application",
            id: { param: "application" },
          };
          const params = { key: "group", application: app.id };
          for (let round = 0; round < 10; round += 1) {
            const rt = await runtime(tenant);
            // The one sees the runtime in the group and marks it; or the other comes second, and its reader sees the new name.
            const relabel: Step[] = [label("runtime", rt, "group", ["g"])];
            const rename: Step[] = [
              update("bundle", bundle, { name: `round ${round}` }),
              { op: "stale", runtimes: shares, cause: "bundle" },
            ];
            const plan: ReadPlan = {
              select: [
                {
                  as: "x",
                  read: { one: "bundle", where: byID, select: [{ as: "name", field: "name" }] },
                },
              ],
            };
            const [relabelled] = await Promise.all([
              carryOut(tenant, relabel, { after: { plan, params: { id: bundle } } }),
              carryOut(tenant, rename, { params }),
            ]);
            const marked = await readOne(director, tenant, "staleRuntime", byID, ["version"], {
              id: rt,
            });
            const seen =
              (JSON.parse(String(relabelled.after)) as { x: { name: string } }).x.name ===
              `round ${round}`;
            expect(marked !== undefined || seen, `round ${round}`).toBe(true);
          }
        });
      });

      describe("tenants", () => {
        it("do not see, change, count or refer to each other's objects", async () => {
          const [mine, theirs] = [
            await implementation.seedTenant(),
            await implementation.seedTenant(),
          ];
          const { id, step } = newApplication({ name: "theirs" });
          const bundle = newID();
          await carryOut(theirs, [
            step,
            create("bundle", bundle, { applicationID: id, name: "b" }),
            label("application", id, "group", ["g"]),
          ]);
          expect(
            await readOne(director, mine, "application", byID, ["id"], { id }),
          ).toBeUndefined();
          expect(await names(mine, everything, {})).toEqual([]);
          expect(
            await names(mine, { op: "hasLabel", key: { param: "k" } }, { k: "group" }),
          ).toEqual([]);
          const page: Read = {
            page: "application",
            where: everything,
            first: { param: "f" },
            after: { param: "a" },
            select: [{ as: "n", part: "totalCount" }],
          };
          expect(await ask(mine, page, { f: 1, a: null })).toEqual({ n: 0 });
          const refused = async (one: Step) => director.commit(commitOf(mine, [one]));
          expect(await refused(update("application", id, { name: "mine" }))).toMatchObject({
            failure: { reason: "NOT_FOUND" },
          });
          expect(await refused({ op: "delete", kind: "application", id })).toMatchObject({
            failure: { reason: "NOT_FOUND" },
          });
          expect(await refused(label("application", id, "group", ["x"]))).toMatchObject({
            failure: { reason: "NOT_FOUND" },
          });
          expect(
            await refused(create("bundle", newID(), { applicationID: id, name: "b" })),
          ).toMatchObject({ failure: { reason: "REFERENCE" } });
          // The same name, and even the same id, is free in another tenant.
          await carryOut(mine, [step]);
        });

        it("are found by either id, have unique external ids, and stay while they have objects", async () => {
          const tenant = await implementation.seedTenant();
          const found = await director.findTenant({ id: tenant });
          expect(await gateway.findTenant({ externalID: String(found?.externalID) })).toEqual(
            found,
          );
          expect(await director.findTenant({ id: newID() })).toBeUndefined();
          expect(await director.findTenant({ externalID: "nobody\0" })).toBeUndefined();
          const other = newID();
          const twin = create("tenant", other, {
            externalID: String(found?.externalID),
            name: "twin",
          });
          expect(await director.commit(commitOf(other, [twin]))).toMatchObject({
            failure: { reason: "UNIQUE", constraint: "tenant_external_id_key" },
          });
          const id = await application(tenant);
          const remove: Step = { op: "delete", kind: "tenant", id: tenant };
          expect(await director.commit(commitOf(tenant, [remove]))).toMatchObject({
            failure: { reason: "REFERENCE", constraint: "application_tenant_fkey" },
          });
          await carryOut(tenant, [{ op: "delete", kind: "application", id }, remove]);
          expect(await director.findTenant({ id: tenant })).toBeUndefined();
        });
      });

      describe("services", () => {
        it("reach only what the access table gives them", async () => {
          const tenant = await implementation.seedTenant();
          const forbidden = { code: "FORBIDDEN" };
          const reads: [Registry, "certificate" | "application" | "oneTimeToken" | "operation"][] =
            [
              [director, "certificate"],
              [director, "oneTimeToken"],
              [director, "operation"],
              [provisioner, "application"],
              [gateway, "application"],
              [connector, "operation"],
            ];
          for (const [by, kind] of reads) {
            await expect(
              readOne(by, tenant, kind, byID, ["id"], { id: newID() }),
            ).rejects.toMatchObject(forbidden);
          }
          const indirect: Condition = { op: "exists", kind: "certificate", where: everything };
          await expect(names(tenant, indirect, {})).rejects.toMatchObject(forbidden);
          const sneaking: Step = {
            op: "check",
            kind: "certificate",
            where: everything,
            expect: "none",
          };
          await expect(director.commit(commitOf(tenant, [sneaking]))).rejects.toMatchObject(
            forbidden,
          );
          await expect(
            connector.commit(commitOf(tenant, [newApplication().step])),
          ).rejects.toMatchObject(forbidden);
          await expect(gateway.commit(commitOf(tenant, []))).rejects.toMatchObject(forbidden);
          await expect(director.findBySecret("apiToken", newHash())).rejects.toMatchObject(
            forbidden,
          );
          await expect(provisioner.findTenant({ id: tenant })).rejects.toMatchObject(forbidden);
          const claim = { max: 1, leaseSeconds: 1, waitSeconds: 0 };
          await expect(director.claim({ queue: "operation", ...claim })).rejects.toMatchObject(
            forbidden,
          );
          await expect(
            provisioner.watch({ after: null, types: ["plan.changed"], waitSeconds: 0 }),
          ).rejects.toMatchObject(forbidden);
          const event: Step = { op: "event", type: "plan.changed", id: newID(), data: {} };
          await expect(connector.commit(commitOf(tenant, [event]))).rejects.toMatchObject(
            forbidden,
          );
        });
      });

      describe("a secret", () => {
        it("leads to its holder and tenant by its hash, and to nobody by another", async () => {
          const tenant = await implementation.seedTenant();
          const [id, hash] = [newID(), newHash()];
          await carryOut(tenant, [
            create("apiToken", id, {
              name: "t",
              hash,
              scopes: ["application:read"],
              tenants: ["*"],
            }),
          ]);
          const holder = await gateway.findBySecret("apiToken", hash);
          expect(holder).toMatchObject({
            id,
            tenant,
            hash,
            scopes: ["application:read"],
            tenants: ["*"],
            revokedAt: null,
          });
          expect(await gateway.findBySecret("apiToken", newHash())).toBeUndefined();
          expect(await gateway.findBySecret("apiToken", "")).toBeUndefined();
          expect(await gateway.findBySecret("certificate", hash)).toBeUndefined();
          const token = {
            hash: newHash(),
            purpose: "PAIRING",
            consumerType: "RUNTIME",
            consumerID: newID(),
            expiresAt: at,
          };
          await carryOut(tenant, [create("oneTimeToken", newID(), token)], {}, connector);
          expect(await gateway.findBySecret("oneTimeToken", token.hash)).toMatchObject({
            tenant,
            purpose: "PAIRING",
          });
        });
      });
    }

    function describeFeedAndWork(): void {
      const types = ["plan.changed"] as const;
      const event = (id: string, data: Record<string, number> = {}): Step => ({
        op: "event",
        type: "plan.changed",
        id,
        data,
      });

      describe("the feed", () => {
        it("tells every event once, in order, from a position on", async () => {
          const tenant = await implementation.seedTenant();
          const start = await gateway.watch({ after: null, types: [...types], waitSeconds: 0 });
          expect(start).toMatchObject({ events: [], startOver: false });
          const ids = Array.from({ length: 30 }, () => newID());
          await Promise.all(
            ids.map((id, place) =>
              carryOut(tenant, [event(id, { place }), event(id, { place: place + 100 })]),
            ),
          );
          const seen: { id: string; position: number; place: unknown }[] = [];
          let after = start.position;
          while (seen.length < 60) {
            const answer = await gateway.watch({ after, types: [...types], waitSeconds: 5 });
            expect(answer.position).toBeGreaterThan(after);
            after = answer.position;
            for (const one of answer.events) {
              expect(one).toMatchObject({ tenant, type: "plan.changed" });
              seen.push({ id: one.id, position: one.position, place: one.data["place"] });
            }
          }
          expect(seen.map(({ position }) => position)).toEqual(
            [...new Set(seen.map(({ position }) => position))].toSorted((a, b) => a - b),
          );
          expect(new Set(seen.map(({ id }) => id))).toEqual(new Set(ids));
          // Two events of one commit keep their order.
          for (const id of ids) {
            const [first, second] = seen
              .filter((one) => one.id === id)
              .map(({ place }) => Number(place));
            expect(Number(second) - Number(first)).toBe(100);
          }
          const again = await gateway.watch({
            after: start.position,
            types: [...types],
            waitSeconds: 0,
          });
          expect(again.events[0]?.id).toBe(seen[0]?.id);
        });

        it("holds a request until there is something for it, and no longer than it says", async () => {
          const tenant = await implementation.seedTenant();
          const { position } = await gateway.watch({
            after: null,
            types: [...types],
            waitSeconds: 0,
          });
          const held = gateway.watch({ after: position, types: [...types], waitSeconds: 20 });
          const id = newID();
          await carryOut(tenant, [{ op: "event", type: "tenant.changed", id: newID(), data: {} }]);
          const began = Date.now();
          await carryOut(tenant, [event(id)]);
          const answer = await held;
          expect(answer.events.map((one) => one.id)).toEqual([id]);
          expect(Date.now() - began).toBeLessThan(2_000);
          const nothing = await gateway.watch({
            after: answer.position,
            types: [...types],
            waitSeconds: 1,
          });
          expect(nothing).toMatchObject({ events: [], startOver: false });
        });

        it("tells nothing of a refused commit", async () => {
          const tenant = await implementation.seedTenant();
          const { position } = await gateway.watch({
            after: null,
            types: [...types],
            waitSeconds: 0,
          });
          const [refused, next] = [newID(), newID()];
          await director.commit(
            commitOf(tenant, [event(refused), { op: "delete", kind: "runtime", id: newID() }]),
          );
          await carryOut(tenant, [event(next)]);
          const { events } = await gateway.watch({
            after: position,
            types: [...types],
            waitSeconds: 5,
          });
          expect(events.map((one) => one.id)).toEqual([next]);
        });

        it("tells a reader from the future to start over", async () => {
          const { position } = await gateway.watch({
            after: null,
            types: [...types],
            waitSeconds: 0,
          });
          const answer = await gateway.watch({
            after: position + 1_000_000,
            types: [...types],
            waitSeconds: 5,
          });
          expect(answer.startOver).toBe(true);
          expect(answer.position).toBeLessThan(position + 1_000_000);
        });

        it("ends at once when the reader goes", async () => {
          const { position } = await gateway.watch({
            after: null,
            types: [...types],
            waitSeconds: 0,
          });
          const gone = new AbortController();
          const held = gateway
            .watch({ after: position, types: [...types], waitSeconds: 30 }, gone.signal)
            .catch(() => "gone");
          setTimeout(() => gone.abort(), 50);
          const began = Date.now();
          await held;
          expect(Date.now() - began).toBeLessThan(5_000);
        });
      });

      describe("leased work", () => {
        /** Other tests leave work behind: everything that is due is claimed, and the tenant's looked at. */
        const claimAll = async (tenant: string, leaseSeconds = 60, waitSeconds = 0) => {
          const mine = [];
          for (;;) {
            const work = await director.claim({
              queue: "staleRuntime",
              max: 500,
              leaseSeconds,
              waitSeconds,
            });
            mine.push(...work.filter((one) => one.tenant === tenant));
            if (work.length < 500) return mine;
          }
        };
        const mark: Step = { op: "stale", runtimes: everything, cause: "test" };

        it("is claimed by one, and marked again while it is worked on", async () => {
          const tenant = await implementation.seedTenant();
          const id = await runtime(tenant);
          await carryOut(tenant, [mark]);
          const claims = (
            await Promise.all([claimAll(tenant), claimAll(tenant), claimAll(tenant)])
          ).flat();
          expect(claims).toHaveLength(1);
          const [claimed] = claims;
          expect(claimed).toMatchObject({ id, tenant, version: 1, cause: "test", attempts: 1 });
          await carryOut(tenant, [mark]);
          expect(await claimAll(tenant)).toEqual([]);
          const settle = {
            tenant,
            id,
            leaseToken: String(claimed?.leaseToken),
            done: true,
            values: {},
          };
          await director.settle({ queue: "staleRuntime", items: [{ ...settle, version: 1 }] });
          const [again] = await claimAll(tenant);
          expect(again).toMatchObject({ id, version: 2, attempts: 1 });
          await director.settle({
            queue: "staleRuntime",
            items: [{ ...settle, leaseToken: String(again?.leaseToken), version: 2 }],
          });
          expect(
            await readOne(director, tenant, "staleRuntime", byID, ["id"], { id }),
          ).toBeUndefined();
        });

        it("is due again when the lease is over, and whoever held it can no longer settle it", async () => {
          const tenant = await implementation.seedTenant();
          const id = await runtime(tenant);
          await carryOut(tenant, [mark]);
          const [lost] = await claimAll(tenant, 1);
          await new Promise((resolve) => setTimeout(resolve, 1_100));
          const [held] = await claimAll(tenant);
          expect(held).toMatchObject({ id, attempts: 2 });
          const item = { tenant, id, done: true, values: {}, version: 1 };
          await director.settle({
            queue: "staleRuntime",
            items: [{ ...item, leaseToken: String(lost?.leaseToken) }],
          });
          expect(await readOne(director, tenant, "staleRuntime", byID, ["id"], { id })).toEqual({
            id,
          });
          await director.settle({
            queue: "staleRuntime",
            items: [{ ...item, leaseToken: String(held?.leaseToken) }],
          });
          expect(
            await readOne(director, tenant, "staleRuntime", byID, ["id"], { id }),
          ).toBeUndefined();
        });

        it("is handed to who waits as soon as it is committed", async () => {
          const tenant = await implementation.seedTenant();
          await runtime(tenant);
          await claimAll(tenant);
          const waiting = director.claim({
            queue: "staleRuntime",
            max: 10,
            leaseSeconds: 60,
            waitSeconds: 20,
          });
          await new Promise((resolve) => setTimeout(resolve, 50));
          const began = Date.now();
          await carryOut(tenant, [mark]);
          expect((await waiting).map((one) => one.tenant)).toEqual([tenant]);
          expect(Date.now() - began).toBeLessThan(500);
        });

        it("that failed is tried again when it is time, with what was learnt", async () => {
          const tenant = await implementation.seedTenant();
          const { id: app, step } = newApplication();
          const hook = newID();
          await carryOut(
            tenant,
            [
              step,
              create("webhook", hook, {
                applicationID: app,
                type: "CONFIGURATION_CHANGED",
                signingSecret: "sealed",
              }),
              {
                op: "deliver",
                webhooks: equals("applicationID", "application"),
                type: "runtime.ready",
                body: '{"ids": [1]}',
              },
            ],
            { params: { application: app } },
          );
          const claim = async () =>
            (
              await director.claim({
                queue: "delivery",
                max: 500,
                leaseSeconds: 60,
                waitSeconds: 0,
              })
            ).filter((one) => one.tenant === tenant);
          const [first] = await claim();
          expect(first).toMatchObject({
            webhookID: hook,
            type: "runtime.ready",
            body: { ids: [1] },
            state: "PENDING",
            attempts: 1,
          });
          const item = { tenant, id: String(first?.id), leaseToken: String(first?.leaseToken) };
          const later = new Date(Date.now() + 700).toISOString();
          const failed = {
            done: false,
            nextAttemptAt: later,
            values: { lastStatus: 503, lastError: "busy" },
          };
          await director.settle({ queue: "delivery", items: [{ ...item, ...failed }] });
          expect(await claim()).toEqual([]);
          await new Promise((resolve) => setTimeout(resolve, 800));
          const [second] = await claim();
          expect(second).toMatchObject({
            id: item.id,
            attempts: 2,
            lastStatus: 503,
            lastError: "busy",
          });
          const delivered = {
            done: true,
            values: { state: "DELIVERED", deliveredAt: at, lastStatus: 200 },
          };
          await director.settle({
            queue: "delivery",
            items: [{ ...item, leaseToken: String(second?.leaseToken), ...delivered }],
          });
          expect(await claim()).toEqual([]);
          const fields = ["state", "nextAttemptAt", "leaseToken", "lastStatus"] as const;
          expect(
            await readOne(director, tenant, "delivery", byID, fields, { id: item.id }),
          ).toEqual({
            state: "DELIVERED",
            nextAttemptAt: null,
            leaseToken: null,
            lastStatus: 200,
          });
          const wrong = { ...item, done: true, values: { leaseUntil: at } };
          await expect(
            director.settle({ queue: "delivery", items: [wrong] }),
          ).rejects.toMatchObject({ code: "INVALID_DATA" });
        });

        it("of the provisioner is an operation that it has stored", async () => {
          const tenant = await implementation.seedTenant();
          const id = newID();
          const operation = create("operation", id, {
            type: "Provision",
            state: "Pending",
            stage: "start",
            message: "",
            input: "{}",
            progress: "{}",
            attempts: 0,
            nextAttemptAt: new Date().toISOString(),
          });
          const waiting = provisioner.claim({
            queue: "operation",
            max: 10,
            leaseSeconds: 60,
            waitSeconds: 20,
          });
          await carryOut(tenant, [operation], {}, provisioner);
          const [claimed] = await waiting;
          expect(claimed).toMatchObject({ id, tenant, stage: "start", input: {}, attempts: 1 });
        });
      });
    }
  });
}
