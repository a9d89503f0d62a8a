import { create, type Params, type Read, type ReadPlan, readOne } from "@sextant/registry-client";
import { describe, expect, it } from "vitest";
import { byID, sha256, type Given } from "./given.ts";

/** Part of the contract: see contract.test.ts. */
export function describeReads(given: Given): void {
  const { newID, carryOut, application, ask } = given;
  describe("a read", () => {
    it("answers with the keys in the order of the plan, each value in its JSON form", async () => {
      const tenant = await given.seedTenant();
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
      const { text, missing } = await given.director.read({ tenant, plan, params: { id } });
      expect(missing).toEqual([]);
      expect(text).toBe(
        `{"z":{"name":${JSON.stringify(name)},"description":null,"a":1,"seen":"2026-01-02T03:04:05.25+00:00","id":"${id}","owner":null,"__typename":"Application"},"b":[1, null]}`,
      );
    });

    it("answers with null for an object that does not exist, and for an id that is none", async () => {
      const tenant = await given.seedTenant();
      const read: Read = { one: "application", where: byID, select: [{ as: "id", field: "id" }] };
      expect(await ask(tenant, read, { id: newID() })).toBeNull();
      expect(await ask(tenant, read, { id: "shop" })).toBeNull();
      expect(await ask(tenant, read, { id: "a\0b" })).toBeNull();
    });

    it("takes any text as an alias, and none of it becomes SQL", async () => {
      const tenant = await given.seedTenant();
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
      const tenant = await given.seedTenant();
      const id = await application(tenant);
      const select = Array.from({ length: 700 }, (_, place) => ({
        as: `key${place}`,
        field: "revision",
      }));
      const found = await ask(tenant, { one: "application", where: byID, select }, { id });
      expect(Object.keys(found as object)).toEqual(select.map(({ as }) => as));
    });

    it("nests objects of objects, with the object around as the condition's parent", async () => {
      const tenant = await given.seedTenant();
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
      const tenant = await given.seedTenant();
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
      const tenant = await given.seedTenant();
      const id = await application(tenant);
      const plan: ReadPlan = {
        select: [{ as: "x", constant: "1" }],
        require: [
          { kind: "runtime", where: byID },
          { kind: "application", where: byID },
          { kind: "bundle", where: byID },
        ],
      };
      expect(await given.director.read({ tenant, plan, params: { id } })).toEqual({
        text: '{"x":1}',
        missing: [0, 2],
      });
    });

    it("is refused when the plan or a parameter is wrong", async () => {
      const tenant = await given.seedTenant();
      const read = (plan: unknown, params: Params = { id: newID() }) =>
        given.director.read({ tenant, plan: plan as ReadPlan, params });
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
        await expect(read(plan, params)).rejects.toMatchObject({
          code: "INVALID_DATA",
        });
      }
    });

    it("that comes together with others is answered, or refused, as it would be alone", async () => {
      const [tenant, other] = [await given.seedTenant(), await given.seedTenant()];
      const text = "ü".repeat(600_000);
      const [small, large] = [
        await application(tenant, { name: "small ü" }),
        await application(tenant, { name: "large", description: text }),
      ];
      const theirs = await application(other, { name: "theirs" });
      const of = (kind: "application" | "certificate", field: string): ReadPlan => ({
        select: [
          { as: "x", read: { one: kind, where: byID, select: [{ as: "v", field }] } },
          { as: "y", constant: "[1, null]" },
        ],
        require: kind === "application" ? [{ kind, where: byID }] : [],
      });
      const [name, description] = [of("application", "name"), of("application", "description")];
      const wrong = of("application", "nothing");
      const asked: [string | null, ReadPlan, Params][] = [
        [tenant, name, { id: small }],
        [other, name, { id: theirs }],
        [tenant, name, { id: theirs }],
        [tenant, description, { id: large }],
        [tenant, wrong, { id: small }],
        [tenant, description, { id: large }],
        [tenant, name, {}],
        [tenant, of("certificate", "subject"), { id: small }],
        [null, name, { id: small }],
        [tenant, name, { id: "none" }],
        [other, name, { id: theirs }],
        [tenant, description, { id: small }],
      ];
      const read = ([asking, plan, params]: (typeof asked)[number]) =>
        given.director
          .read({ tenant: asking, plan, params })
          .catch((error: { code?: string; message: string }) => [error.code, error.message]);
      const together = await Promise.all(asked.map(read));
      const alone: unknown[] = [];
      for (const one of asked) alone.push(await read(one));
      expect(together).toEqual(alone);
      const answer = (x: unknown, missing: number[] = []) => ({
        text: `{"x":${x === null ? "null" : JSON.stringify({ v: x })},"y":[1, null]}`,
        missing,
      });
      const described = answer(text);
      const first = [answer("small ü"), answer("theirs"), answer(null, [0]), described];
      expect(together.slice(0, 4)).toEqual(first);
      expect(together[5]).toEqual(described);
      const none = { text: '{"x":{"v":null},"y":[1, null]}', missing: [] };
      expect(together.slice(9)).toEqual([answer(null, [0]), answer("theirs"), none]);
      const codes = [4, 6, 7, 8].map((place) => (together[place] as string[])[0]);
      expect(codes).toEqual(["INVALID_DATA", "INVALID_DATA", "FORBIDDEN", "INVALID_DATA"]);
    });

    it("of tenants needs no tenant, and of anything else does", async () => {
      const tenant = await given.seedTenant();
      expect(await readOne(given.director, null, "tenant", byID, ["id"], { id: tenant })).toEqual({
        id: tenant,
      });
      await expect(
        readOne(given.director, null, "application", byID, ["id"], { id: tenant }),
      ).rejects.toMatchObject({
        code: "INVALID_DATA",
      });
    });
  });
}
