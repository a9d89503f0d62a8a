import {
  type Condition,
  create,
  type Params,
  type ReadPlan,
  readList,
  readOne,
  type Step,
  update,
} from "@sextant/registry-client";
import { describe, expect, it } from "vitest";
import { at, byID, everything, equals, sha256, type Given } from "./given.ts";

/** Part of the contract: see contract.test.ts. */
export function describeCommits(given: Given): void {
  const { newID, commitOf, carryOut, newApplication, newRuntime, application, runtime, label } =
    given;
  describe("a commit", () => {
    it("is all or nothing, and answers with what was before and after", async () => {
      const tenant = await given.seedTenant();
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
      const refused = await given.director.commit(
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
        await readOne(given.director, tenant, "application", byID, ["description", "revision"], {
          id,
        }),
      ).toEqual({
        description: null,
        revision: 1,
      });
    });

    it("keeps a limit, also when many come at once", async () => {
      const tenant = await given.seedTenant();
      const owner = await application(tenant);
      const hook = (): Step =>
        create("webhook", newID(), {
          applicationID: owner,
          type: "CONFIGURATION_CHANGED",
          signingSecret: "sealed",
        });
      const limit: Step = {
        op: "limit",
        kind: "webhook",
        owner: { field: "applicationID", id: owner },
        max: 3,
      };
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => given.director.commit(commitOf(tenant, [hook(), limit]))),
      );
      expect(answers.filter(({ ok }) => ok)).toHaveLength(3);
      expect(answers.find(({ ok }) => !ok)).toEqual({
        ok: false,
        failure: { reason: "LIMIT", step: 1 },
      });
      const wholeTenant: Step = { op: "limit", kind: "webhook", max: 3 };
      await carryOut(tenant, [wholeTenant]);
      expect(
        await given.director.commit(commitOf(tenant, [{ ...wholeTenant, max: 2 }])),
      ).toMatchObject({ failure: { reason: "LIMIT" } });
      // Another owner has room of its own.
      const other = await application(tenant);
      const theirs = create("webhook", newID(), {
        applicationID: other,
        type: "CONFIGURATION_CHANGED",
        signingSecret: "sealed",
      });
      await carryOut(tenant, [theirs, { ...limit, owner: { field: "applicationID", id: other } }]);
    });

    it("keeps what it reads, before or after, in the answer that it is told to", async () => {
      const tenant = await given.seedTenant();
      const { id, step } = newApplication({ name: "kept" });
      const plan: ReadPlan = {
        select: [
          {
            as: "x",
            read: { one: "application", where: byID, select: [{ as: "name", field: "name" }] },
          },
        ],
      };
      const read = { plan, params: { id } };
      const keep = async (steps: Step[], reads: object) => {
        const keepAnswer = newID();
        const kept = create("idempotencyKey", keepAnswer, {
          request: sha256("r"),
          reveal: false,
        });
        await carryOut(tenant, [kept, ...steps], { keepAnswer, ...reads });
        const fields = ["answer"] as const;
        return readOne(given.director, tenant, "idempotencyKey", byID, fields, { id: keepAnswer });
      };
      const text = '{"x":{"name":"kept"}}';
      expect(await keep([step], { after: read })).toEqual({ answer: text });
      const remove: Step = { op: "delete", kind: "application", id };
      expect(await keep([remove], { before: read })).toEqual({ answer: text });
      expect(await keep([], { after: read })).toEqual({ answer: '{"x":null}' });
    });

    it("says why an object was not changed", async () => {
      const tenant = await given.seedTenant();
      const id = await application(tenant);
      const failure = async (step: Step, params: Params = {}) => {
        const answer = await given.director.commit(
          commitOf(tenant, [newApplication().step, step], { params }),
        );
        return answer.ok ? "carried out" : `${answer.failure.reason} ${answer.failure.step}`;
      };
      expect(await failure(update("application", newID(), { name: "x" }))).toBe("NOT_FOUND 1");
      expect(await failure(update("application", id, { name: "x" }, { expectedRevision: 2 }))).toBe(
        "CONCURRENT_UPDATE 1",
      );
      const where = equals("statusCondition", "status");
      expect(
        await failure(update("application", id, { name: "x" }, { where }), {
          status: "CONNECTED",
        }),
      ).toBe("PRECONDITION 1");
      expect(await failure({ op: "delete", kind: "application", id: newID() })).toBe("NOT_FOUND 1");
      expect(await failure({ op: "delete", kind: "application", id, expectedRevision: 7 })).toBe(
        "CONCURRENT_UPDATE 1",
      );
      const check: Step = { op: "check", kind: "application", where: byID, expect: "none" };
      expect(await failure(check, { id })).toBe("PRECONDITION 1");
      expect(await failure({ ...check, expect: "some" }, { id: newID() })).toBe("PRECONDITION 1");
      expect(await failure(check, { id: newID() })).toBe("carried out");
      expect(await failure({ ...check, expect: "some" }, { id })).toBe("carried out");
      expect(
        await failure(update("application", id, { name: "x" }, { where, expectedRevision: 1 }), {
          status: "INITIAL",
        }),
      ).toBe("carried out");
    });

    it("names the constraint that it would break", async () => {
      const tenant = await given.seedTenant();
      const reference = create("bundle", newID(), { applicationID: newID(), name: "bundle" });
      expect(await given.director.commit(commitOf(tenant, [reference]))).toEqual({
        ok: false,
        failure: { reason: "REFERENCE", step: 0, constraint: "bundle_application_fkey" },
      });
      const check = newApplication({ statusCondition: "LOST" }).step;
      expect(await given.director.commit(commitOf(tenant, [check]))).toEqual({
        ok: false,
        failure: { reason: "CHECK", step: 0, constraint: "application_status_condition_value" },
      });
      const schema = create("bundle", newID(), {
        applicationID: await application(tenant),
        name: "bundle",
        instanceAuthRequestInputSchema: "{",
      });
      expect(await given.director.commit(commitOf(tenant, [schema]))).toMatchObject({
        ok: false,
        failure: { reason: "CHECK" },
      });
    });

    it("counts revisions, but for what was only observed", async () => {
      const tenant = await given.seedTenant();
      const id = await application(tenant);
      const revision = async () =>
        (await readOne(given.director, tenant, "application", byID, ["revision", "updatedAt"], {
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

    it("removes all that meet a condition, and creates only what is absent when it is told so", async () => {
      const tenant = await given.seedTenant();
      const [first, second] = [newApplication(), newApplication()];
      const again = newApplication({ name: "never" }).step as Extract<Step, { op: "create" }>;
      await carryOut(tenant, [first.step, second.step]);
      await carryOut(
        tenant,
        [
          { ...again, id: first.id, ifAbsent: true },
          { op: "deleteAll", kind: "application", where: byID },
        ],
        { params: { id: second.id } },
      );
      const left = await readList(
        given.director,
        tenant,
        "application",
        everything,
        ["id", "revision"],
        {},
        10,
      );
      expect(left).toEqual([{ id: first.id, revision: 1 }]);
    });

    it("is carried out once under its id, however often it is sent", async () => {
      const tenant = await given.seedTenant();
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
        given.director.commit(commit),
        given.director.commit(commit),
        given.director.commit(commit),
      ]);
      expect(answers.filter((answer) => answer.ok && !answer.repeated)).toHaveLength(1);
      expect(answers.every((answer) => answer.ok && answer.after === '{"x":{"r":1}}')).toBe(true);
      await carryOut(tenant, [update("application", id, { description: "later" })]);
      expect(await given.director.commit(commit)).toEqual({
        ok: true,
        after: '{"x":{"r":2}}',
        repeated: true,
      });
      const remove = commitOf(tenant, [{ op: "delete", kind: "application", id }], {
        before: { plan, params: { id } },
      });
      expect(await given.director.commit(remove)).toMatchObject({ before: '{"x":{"r":2}}' });
      expect(await given.director.commit(remove)).toMatchObject({
        before: '{"x":null}',
        repeated: true,
      });
      const observed = commitOf(tenant, [newApplication().step], { observed: true });
      expect(await given.director.commit(observed)).toMatchObject({ repeated: false });
      expect(await given.director.commit(observed)).toMatchObject({ ok: true, repeated: true });
    });

    it("removes what belongs to what it removes", async () => {
      const tenant = await given.seedTenant();
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
        (await readList(given.director, tenant, kind, everything, ["id"], {}, 10)).length;
      type Kinds = "apiDefinition" | "bundleInstanceAuth" | "webhook" | "delivery" | "syncState";
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
      const tenant = await given.seedTenant();
      const text = `specification ${newID()} \u{1F600}`;
      const step: Step = { op: "content", hash: sha256(text), text };
      await carryOut(tenant, [step]);
      await carryOut(tenant, [step]);
      const byHash = equals("hash", "hash");
      expect(
        await readOne(given.director, tenant, "content", byHash, ["text"], { hash: sha256(text) }),
      ).toEqual({ text });
      const wrong = await given.director.commit(
        commitOf(tenant, [{ op: "content", hash: sha256("other"), text }]),
      );
      expect(wrong).toMatchObject({
        ok: false,
        failure: { reason: "CHECK", constraint: "content_hash_of_text" },
      });
    });

    it("is refused when a value does not fit its field", async () => {
      const tenant = await given.seedTenant();
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
        await expect(given.director.commit(commitOf(tenant, [step]))).rejects.toMatchObject({
          code: "INVALID_DATA",
        });
      }
      for (const [kind, code] of [
        ["auditEntry", "FORBIDDEN"],
        ["content", "INVALID_DATA"],
      ] as const) {
        const step: Step = { op: "delete", kind, id };
        await expect(given.director.commit(commitOf(tenant, [step]))).rejects.toMatchObject({
          code,
        });
      }
    });

    it("that relabels and one that fans out to a group never miss each other", async () => {
      const tenant = await given.seedTenant();
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
        const marked = await readOne(given.director, tenant, "staleRuntime", byID, ["version"], {
          id: rt,
        });
        const seen =
          (JSON.parse(String(relabelled.after)) as { x: { name: string } }).x.name ===
          `round ${round}`;
        expect(marked !== undefined || seen, `round ${round}`).toBe(true);
      }
    });
  });
}
