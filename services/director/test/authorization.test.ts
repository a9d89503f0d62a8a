/**
 * Every operation, by every type of caller, on every kind of owner: what happens is what the authorization table says. No commit
 * is carried out: each ends with a step that cannot hold, so that what would be done is known and nothing is.
 */
import {
  fixedScopes,
  type OutsideType,
  type Scope,
  scopes as everyScope,
  scopesFor,
} from "@sextant/identity";
import { getNamedType, getNullableType, type GraphQLField, isListType } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rules } from "../src/access/rules.ts";
import { type GraphReply, type Speaker, startDirector, type TestDirector } from "./given.ts";
import { operationFor } from "./operation.ts";
import { makeWorld, type World } from "./world.ts";

/** Whose objects are named: the caller's own; those of its group; of the tenant; of another tenant. */
const places = ["own", "related", "unrelated", "foreign"] as const;
type Place = (typeof places)[number];
const callers = [
  "USER",
  "INTEGRATION_SYSTEM",
  "APPLICATION",
  "RUNTIME",
  "ONE_TIME_TOKEN",
] as const satisfies readonly OutsideType[];

let director: TestDirector;
let worlds: Readonly<Record<Place, World>>;
let tenantID: string;
/** Whether the last operation would have been carried out. */
let reached = false;

beforeAll(async () => {
  director = await startDirector();
  const home = await director.tenant();
  const other = await director.tenant();
  tenantID = home.id;
  worlds = {
    own: await makeWorld(home, "own", "shared"),
    related: await makeWorld(home, "related", "shared"),
    unrelated: await makeWorld(home, "unrelated", "elsewhere"),
    foreign: await makeWorld(other, "foreign", "shared"),
  };
  director.hooks.commit = async (commit) => {
    const impossible = { op: "any", of: [] } as const;
    const last = { op: "check", kind: "runtime", where: impossible, expect: "some" } as const;
    const answer = await director.inside.registry.commit({
      ...commit,
      steps: [...commit.steps, last],
    });
    if (answer.ok) throw new Error("a commit was carried out");
    reached = answer.failure.step === commit.steps.length;
    if (reached) throw new Error("nothing is carried out in this test");
    return answer;
  };
});
afterAll(() => director.close());

const as = (type: OutsideType, scopes: readonly string[] = fixedScopes(type) ?? everyScope) => {
  const ids: Readonly<Record<OutsideType, string>> = {
    USER: director.inside.newID(),
    INTEGRATION_SYSTEM: worlds.own.system,
    APPLICATION: worlds.own.application,
    RUNTIME: worlds.own.runtime,
    ONE_TIME_TOKEN: worlds.own.runtime,
  };
  return director.as({ tenant: tenantID, consumer: { type, id: ids[type] }, scopes });
};

/** What belongs to an application, to a runtime, to both. The rest belongs to the tenant, an integration system to itself. */
const ofApplications = [
  "application",
  "bundle",
  "api",
  "event",
  "document",
  "webhook",
  "applicationClient",
];
const ofRuntimes = ["runtime", "runtimeClient", "runtimeContext"];
const ofBoth = ["auth", "health"];

/** How close the caller is to the objects of a place. */
function closeness(type: OutsideType, about: string, place: Place) {
  if (place === "foreign") return "foreign";
  const isOwn =
    (type === "INTEGRATION_SYSTEM" && about === "system") ||
    (type === "APPLICATION" && [...ofApplications, ...ofBoth].includes(about)) ||
    (type === "RUNTIME" && [...ofRuntimes, ...ofBoth].includes(about));
  if (isOwn && place === "own") return "own";
  const isOther =
    (type === "APPLICATION" && ofRuntimes.includes(about)) ||
    (type === "RUNTIME" && ofApplications.includes(about));
  return isOther && place !== "unrelated" ? "group" : "tenant";
}

/** What the table says. */
function expected(field: string, type: OutsideType, place: Place): string {
  const rule = rules[field];
  if (rule === undefined) return "no rule";
  const held = fixedScopes(type) ?? everyScope;
  if (!scopesFor(rule, type).every((scope) => held.includes(scope))) return "INSUFFICIENT_SCOPES";
  const reach = rule.reach[type];
  if (reach === "forbidden") return "FORBIDDEN";
  if (rule.about === undefined) return "allowed";
  const close = closeness(type, rule.about, place);
  const isReached =
    close === "own"
      ? reach !== "hidden"
      : close === "group"
        ? reach === "group" || reach === "all"
        : close === "tenant" && reach === "all";
  return isReached ? "allowed" : "NOT_FOUND";
}

/** What did happen. A list that does not have the object is an answer as good as NOT_FOUND. */
function outcome({ data, errors }: GraphReply, object: string | undefined, list: boolean): string {
  if (reached) return "allowed";
  const [error] = errors ?? [];
  // The state of the object, or its uniqueness: the caller had reached it.
  if (["INVALID_OPERATION", "NOT_UNIQUE"].includes(String(error?.extensions.code)))
    return "allowed";
  if (error?.extensions.code === "TENANT_NOT_FOUND") return "NOT_FOUND";
  if (error !== undefined) return String(error.extensions.code ?? error.message);
  const found = data.x;
  if (!list) return found === null ? "NOT_FOUND" : "allowed";
  const items = (Array.isArray(found) ? found : found.data) as readonly unknown[];
  if (object === undefined) return items.length === 0 ? "NOT_FOUND" : "allowed";
  return JSON.stringify(found).includes(object) ? "allowed" : "NOT_FOUND";
}

/** Whether what an operation is about is to be looked for in its answer: it lists, and does not name it. */
const lists = ({ name, type }: GraphQLField<unknown, unknown>): boolean =>
  name !== "applicationsForRuntime" &&
  (isListType(getNullableType(type)) || getNamedType(type).name.endsWith("Page"));

type Field = {
  readonly kind: "query" | "mutation";
  readonly field: GraphQLField<unknown, unknown>;
};
function fields(): readonly Field[] {
  const { schema } = director;
  return [
    ...Object.values(schema.getQueryType()?.getFields() ?? {}).map(
      (field) => ({ kind: "query", field }) as const,
    ),
    ...Object.values(schema.getMutationType()?.getFields() ?? {}).map(
      (field) => ({ kind: "mutation", field }) as const,
    ),
  ].filter(({ field }) => !field.name.startsWith("_"));
}

async function carryOut(
  speaker: Speaker,
  { kind, field }: Field,
  place: Place,
): Promise<GraphReply> {
  const { query, variables } = operationFor(kind, field, worlds[place], rules[field.name]?.about);
  reached = false;
  return speaker.send(query, variables);
}

describe("the authorization table", () => {
  it("has one rule for each operation, and none for what is not there", () => {
    expect(Object.keys(rules).toSorted()).toEqual(
      fields()
        .map(({ field }) => field.name)
        .toSorted(),
    );
  });

  for (const type of callers) {
    it(`says what ${type} may do, on its own objects and on others'`, async () => {
      const wrong: string[] = [];
      for (const one of fields()) {
        const { name } = one.field;
        const about = rules[name]?.about;
        for (const place of places) {
          const reply = await carryOut(as(type), one, place);
          const object = about === undefined ? undefined : worlds[place][about as keyof World];
          // The audit trail has entries of the tenant alone; which, is another test's.
          const isTrail = about === "auditEntry";
          const got = outcome(reply, object, about !== undefined && lists(one.field));
          const said = expected(name, type, isTrail && place === "foreign" ? "own" : place);
          if (got !== said)
            wrong.push(`${name} on ${place}: ${got}, not ${said} ${JSON.stringify(reply.errors)}`);
        }
      }
      expect(wrong).toEqual([]);
    });
  }

  it("names the scopes that a caller lacks, each of them", async () => {
    const wrong: string[] = [];
    for (const one of fields()) {
      const rule = rules[one.field.name];
      for (const type of ["USER", "INTEGRATION_SYSTEM"] as const) {
        const needed = rule === undefined ? [] : scopesFor(rule, type);
        for (const lacking of needed) {
          const held = everyScope.filter((scope: Scope) => scope !== lacking);
          const { errors } = await carryOut(as(type, held), one, "own");
          const message = errors?.[0]?.message ?? "";
          if (!message.startsWith(`insufficient scopes provided, required: [${needed.join(", ")}]`))
            wrong.push(`${one.field.name} without ${lacking}: ${message}`);
        }
        const { errors } = await carryOut(as(type, needed), one, "own");
        if (errors?.[0]?.extensions.code === "INSUFFICIENT_SCOPES")
          wrong.push(`${one.field.name} with ${needed.join()}: ${errors[0].message}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
