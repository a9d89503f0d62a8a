/** What GraphQL promises, on Director's real schema, declarations and storage. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  aBundle,
  anApplication,
  aRuntime,
  basicAuth,
  startDirector,
  type TestDirector,
  type TestTenant,
} from "./given.ts";

let director: TestDirector;
let tenant: TestTenant;
const applications: string[] = [];

beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
  for (let index = 0; index < 5; index += 1)
    applications.push(await anApplication(tenant, `app-${index}`, { labels: { nr: [index] } }));
  await aBundle(tenant, applications[0] as string, {
    name: "b0",
    defaultInstanceAuth: basicAuth("p"),
    apiDefinitions: [{ name: "api", targetURL: "https://x.example", version: { value: "1.0.0" } }],
  });
});
afterAll(() => director.close());

const query = (text: string, variables?: object) =>
  tenant.admin.ask(text, variables as Record<string, unknown>);

describe("a query operation", () => {
  it("is one read of the Registry, whatever it asks", async () => {
    const operations = [
      "{ viewer { id } }",
      "{ applications { totalCount data { id labels bundles { data { name defaultInstanceAuth { credential { __typename } } } } } } }",
      `{ a: applications { totalCount } r: runtimes { totalCount data { syncState { ready } } } x: application(id: "${applications[0]}") { name } }`,
      `{ application(id: "${applications[0]}") { webhooks { url } bundles { data { apiDefinitions { data { spec { data } } } instanceAuths { auth { credential { __typename } } } } } } }`,
    ];
    for (const operation of operations) {
      const before = director.calls.read;
      await query(operation);
      expect([operation, director.calls.read - before]).toEqual([
        operation,
        operation.includes("viewer") ? 0 : 1,
      ]);
    }
  });

  it("answers in the order of its selection, with aliases, fragments, __typename and merged fields", async () => {
    const { send } = tenant.admin;
    const answer = await send(
      `query Q($id: ID!) {
        __typename
        second: application(id: $id) { b: name ...F ... on Application { status { condition } } a: id }
        first: applications(first: 1) { ...P data { name } }
      }
      fragment F on Application { __typename status { timestamp __typename } bundles { data { name } } }
      fragment P on Pageable { pageInfo { hasNextPage __typename } totalCount __typename }`,
      { id: applications[0] },
    );
    expect(answer.errors).toBeUndefined();
    expect(Object.keys(answer.data)).toEqual(["__typename", "second", "first"]);
    expect(Object.keys(answer.data.second)).toEqual(["b", "__typename", "status", "bundles", "a"]);
    expect(answer.data).toMatchObject({
      __typename: "Query",
      second: {
        b: "app-0",
        __typename: "Application",
        status: { condition: "INITIAL", __typename: "ApplicationStatus" },
        bundles: { data: [{ name: "b0" }] },
      },
      first: {
        pageInfo: { hasNextPage: true, __typename: "PageInfo" },
        totalCount: 5,
        __typename: "ApplicationPage",
        data: [{ name: "app-0" }],
      },
    });
  });

  it("leaves out what @skip and @include say, for each value of their variables", async () => {
    const text = `query($with: Boolean!, $without: Boolean = false) {
      application(id: "${applications[0]}") { name id @include(if: $with) ...F @skip(if: $without) }
      viewer @include(if: $with) { type }
    } fragment F on Application { labels(key: "nr") }`;
    expect(await query(text, { with: false })).toEqual({
      application: { name: "app-0", labels: { nr: [0] } },
    });
    expect(await query(text, { with: true, without: true })).toEqual({
      application: { name: "app-0", id: applications[0] },
      viewer: { type: "USER" },
    });
    expect(await query(text, { with: false, without: true })).toEqual({
      application: { name: "app-0" },
    });
  });

  it("takes its values from variables, defaults and nulls, and tells what does not fit", async () => {
    const text = `query($first: Int = 2, $filter: [LabelFilter!]) { applications(first: $first, filter: $filter) { data { name } } }`;
    expect((await query(text)).applications.data).toHaveLength(2);
    expect((await query(text, { first: null })).applications.data).toHaveLength(5);
    expect((await query(text, { filter: [{ key: "nr", query: "3" }] })).applications.data).toEqual([
      { name: "app-3" },
    ]);
    expect((await query(text, { filter: { key: "nr", query: "4" } })).applications.data).toEqual([
      { name: "app-4" },
    ]);
    for (const variables of [
      { first: "x" },
      { first: 2 ** 31 },
      { filter: [{}] },
      { filter: [{ key: "a", more: 1 }] },
    ]) {
      const { data, errors } = await tenant.admin.send(text, variables);
      expect(data).toBeUndefined();
      expect(errors?.[0]?.extensions.code).toBe("INVALID_DATA");
    }
  });

  it("may ask for more than fifty fields of an object, and by long names", async () => {
    const many = Array.from({ length: 120 }, (_, index) => `f${index}: name`).join(" ");
    const long = "n".repeat(300);
    const { application } = await query(
      `{ application(id: "${applications[1]}") { ${many} ${long}: id } }`,
    );
    expect(Object.keys(application)).toHaveLength(121);
    expect(application.f119).toBe("app-1");
    expect(application[long]).toBe(applications[1]);
  });

  it("may call a field by a name that JavaScript gives a meaning", async () => {
    const { send } = tenant.admin;
    const plain = JSON.stringify(
      await send(
        `{ __proto__: application(id: "${applications[1]}") { constructor: name __proto__: id } }`,
      ),
    );
    expect(plain).toBe(
      `{"data":{"__proto__":{"constructor":"app-1","__proto__":"${applications[1]}"}}}`,
    );
    const opened = JSON.stringify(
      await send(
        `{ __proto__: application(id: "${applications[0]}") { bundles { data { __proto__: defaultInstanceAuth { credential { __proto__: __typename } } } } } viewer { __proto__: type } }`,
      ),
    );
    expect(opened).toBe(
      `{"data":{"__proto__":{"bundles":{"data":[{"__proto__":{"credential":{"__proto__":"BasicCredentialData"}}}]}},"viewer":{"__proto__":"USER"}}}`,
    );
  });

  it("with thousands of parameters mixes none of them up", async () => {
    const many = (prefix: string, key: string) =>
      Array.from({ length: 520 }, (_, index) => `${prefix}${index}: labels(key: "${key}")`).join(
        " ",
      );
    const { a, b } = await query(
      `{ a: application(id: "${applications[1]}") { ${many("x", "nr")} } b: application(id: "${applications[2]}") { ${many("y", "group")} } }`,
    );
    expect(a.x519).toEqual({ nr: [1] });
    expect(b.y0).toEqual({ group: ["default"] });
    const twelve = Array.from({ length: 1200 }, (_, index) => `l${index}: labels(key: "nr")`).join(
      " ",
    );
    const wide = await query(
      `{ a: application(id: "${applications[1]}") { ${twelve} } b: application(id: "${applications[2]}") { labels(key: "group") } }`,
    );
    expect(wide.a.l1199).toEqual({ nr: [1] });
    expect(wide.b.labels).toEqual({ group: ["default"] });
  });

  it("gives what it can and an error with its path for what it cannot", async () => {
    const absent = director.inside.newID();
    const { data, errors } = await tenant.admin.send(
      `{ good: application(id: "${applications[0]}") { name } none: application(id: "${absent}") { name } wrong: runtime(id: "x") { id } }`,
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({ good: { name: "app-0" }, none: null, wrong: null });
    const limited = tenant.with("application:read");
    const partial = await limited.send(
      `{ good: application(id: "${applications[0]}") { name } bad: runtime(id: "${absent}") { id } }`,
    );
    expect(partial.data).toEqual({ good: { name: "app-0" }, bad: null });
    expect(partial.errors).toMatchObject([
      { path: ["bad"], extensions: { code: "INSUFFICIENT_SCOPES", error_code: 23 } },
    ]);
    const fatal = await limited.send(`{ good: viewer { type } bad: runtimes { totalCount } }`);
    expect(fatal.data).toBeNull();
    const required = await tenant.admin.send(
      `{ viewer { type } applicationsForRuntime(runtimeID: "${absent}") { totalCount } }`,
    );
    expect(required.data).toBeNull();
    expect(required.errors).toMatchObject([
      { path: ["applicationsForRuntime"], message: `Runtime with id ${absent} does not exist` },
    ]);
  });
});

describe("a mutation operation", () => {
  it("carries out its fields in their order, and stops at the first that fails", async () => {
    const [id] = applications;
    const { data, errors } = await tenant.admin.send(
      `mutation($id: ID!) {
        one: setApplicationLabel(applicationID: $id, key: "step", value: 1) { value }
        two: setApplicationLabel(applicationID: $id, key: "step", value: 2) { value }
        bad: setApplicationLabel(applicationID: $id, key: "a-b", value: 3) { value }
        three: setApplicationLabel(applicationID: $id, key: "step", value: 3) { value }
      }`,
      { id },
    );
    expect(data).toBeNull();
    expect(errors).toMatchObject([{ path: ["bad"] }]);
    expect(
      (await query(`{ application(id: "${id}") { labels(key: "step") } }`)).application.labels,
    ).toEqual({ step: 2 });
  });

  it("answers with what it selects, by aliases and arguments of its own", async () => {
    const { x } = await tenant.admin.ask(
      `mutation($id: ID!) { x: updateApplication(id: $id, in: { description: "d" }) {
        d: description l: labels(key: "nr") p: bundles(first: 1) { totalCount data { n: name a: apiDefinitions(group: "none") { totalCount } } } } }`,
      { id: applications[0] },
    );
    expect(x).toEqual({
      d: "d",
      l: { nr: [0] },
      p: { totalCount: 1, data: [{ n: "b0", a: { totalCount: 0 } }] },
    });
  });

  it("that selects what the caller may not read changes nothing", async () => {
    const writer = tenant.with("application:write");
    const before = director.calls.commit;
    expect(
      (await writer.send(`mutation { registerApplication(in: { name: "unread" }) { id name } }`))
        .errors,
    ).toBeUndefined();
    expect(director.calls.commit).toBe(before + 1);
  });
});

describe("a page", () => {
  const text = `query($first: Int, $after: PageCursor) { runtimes(first: $first, after: $after) {
    data { name } pageInfo { startCursor endCursor hasNextPage } } }`;

  it("has 1 to 200 entries, and nothing else can be asked", async () => {
    for (const first of [1, 200])
      expect((await query(text, { first })).runtimes.data).toBeDefined();
    for (const first of [0, 201, -1])
      expect(await tenant.admin.refusal(text, { first })).toMatch(
        new RegExp(`^INVALID_DATA: .*first: must be from 1 to 200, got ${first}`),
      );
  });

  it("leads to the next by its cursor, and each object is met once while others come and go", async () => {
    const own = await director.tenant();
    const ids: string[] = [];
    for (let index = 0; index < 7; index += 1) ids.push(await aRuntime(own, `r${index}`));
    const seen: string[] = [];
    let after: string | undefined;
    for (let page = 0; ; page += 1) {
      const { runtimes } = await own.admin.ask(text, { first: 3, after });
      seen.push(...(runtimes.data as { name: string }[]).map(({ name }) => name));
      if (page === 0) {
        await own.admin.ask(`mutation($id: ID!) { unregisterRuntime(id: $id) { id } }`, {
          id: ids[2],
        });
        await own.admin.ask(`mutation($id: ID!) { unregisterRuntime(id: $id) { id } }`, {
          id: ids[4],
        });
        await aRuntime(own, "late");
      }
      if (runtimes.pageInfo.hasNextPage !== true) break;
      after = runtimes.pageInfo.endCursor as string;
    }
    expect(seen).toEqual(["r0", "r1", "r2", "r3", "r5", "r6", "late"]);
  });

  it("behind a cursor that was changed, or is another's, is refused or begins where it says", async () => {
    const own = await director.tenant();
    await aRuntime(own, "only");
    const { runtimes } = await own.admin.ask(text, {});
    const cursor = runtimes.pageInfo.endCursor as string;
    for (const wrong of [
      cursor.slice(1),
      `${cursor}x`,
      "x",
      Buffer.from("after:1 or 1=1").toString("base64"),
      `${cursor} `,
    ])
      expect(await own.admin.refusal(text, { after: wrong })).toMatch(
        /^INVALID_DATA: .*after: is not a cursor/,
      );
    const other = await director.tenant();
    expect((await other.admin.ask(text, { after: cursor })).runtimes.data).toEqual([]);
  });

  it("that is empty has empty cursors, which lead to the first page again", async () => {
    const own = await director.tenant();
    const empty = (await own.admin.ask(text, {})).runtimes;
    expect(empty).toEqual({
      data: [],
      pageInfo: { startCursor: "", endCursor: "", hasNextPage: false },
    });
    await aRuntime(own, "first");
    expect((await own.admin.ask(text, { after: "" })).runtimes.data).toEqual([{ name: "first" }]);
  });

  it("of exactly the size asked for has no next one", async () => {
    const own = await director.tenant();
    for (const name of ["a", "b"]) await aRuntime(own, name);
    expect((await own.admin.ask(text, { first: 2 })).runtimes.pageInfo.hasNextPage).toBe(false);
    expect((await own.admin.ask(text, { first: 1 })).runtimes.pageInfo.hasNextPage).toBe(true);
  });
});
