import { type Condition, cursorOf, type PageSelection, type Read } from "@sextant/registry-client";
import { describe, expect, it } from "vitest";
import { everything, equals, type Given } from "./given.ts";

/** Part of the contract: see contract.test.ts. */
export function describePages(given: Given): void {
  const { newID, application, ask } = given;
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
      const tenant = await given.seedTenant();
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
      const tenant = await given.seedTenant();
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
      const tenant = await given.seedTenant();
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
      const tenant = await given.seedTenant();
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
        await ask(tenant, { entities: "application", ids: { param: "ids" }, select }, { ids: [] }),
      ).toEqual([]);
    });

    it("without a kind are their ids, from which other objects can be reached", async () => {
      const tenant = await given.seedTenant();
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
        await ask(tenant, { entities: null, ids: { param: "ids" }, select }, { ids: [id, other] }),
      ).toEqual([
        { id, stored: { name: "reached" } },
        { id: other, stored: null },
      ]);
    });
  });
}
