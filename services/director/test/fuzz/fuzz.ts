/** Runs random operations of two tenants' clients against the whole of Director, its Registry and PostgreSQL. */
import { applicationScopes, type Identity, runtimeScopes, scopes } from "@sextant/identity";
import { analyze, storedRows } from "@sextant/testkit";
import fc from "fast-check";
import { buildSchema, printSchema } from "graphql";
import { expect } from "vitest";
import { type GraphReply, startDirector } from "../given.ts";
import { makeWorld, type World } from "../world.ts";
import { faultsOf } from "./check.ts";
import { Dice } from "./dice.ts";
import { makeOperation } from "./operations.ts";

/** Is in every text of the other tenant's objects. */
const MARK = "Zq7Treasure";
/** Is in every text of objects that only admins of the caller's tenant may see. */
const HIDDEN = "Hq3Elsewhere";
/** Operations until the caller's objects, many of which are gone then, are made anew. */
const RENEWED = 100;
/** Operations until the caller has another tenant: of much there may be 1,000 in one. */
const MOVED = 40_000;
/** Faults that are told of one run. */
const MOST = 8;
/** No operation may take longer, in milliseconds: most take a few. */
const LONGEST = 5_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Carries out so many operations; fails when answers are not what they must be, and says which, and the seed. */
export async function fuzz(runs: number, seed: number): Promise<void> {
  const faults: unknown[] = [];
  const found: string[] = [];
  const director = await startDirector({ onFault: (fault) => faults.push(fault) });
  try {
    let home = await director.tenant();
    const victim = await director.tenant();
    const theirs = await makeWorld(victim, MARK, "shared");
    // Objects around and inside those whose ids are sent: their own ids never are.
    await makeWorld(victim, `${MARK}2`, "shared");
    await victim.admin.ask(
      `mutation($a: ID!, $b: ID!, $r: ID!) { addBundle(applicationID: $a, in: { name: "${MARK}" }) { id }
        addWebhook(applicationID: $a, in: { type: CONFIGURATION_CHANGED, url: "https://${MARK}.example" }) { id }
        addEventDefinitionToBundle(bundleID: $b, in: { name: "${MARK}" }) { id }
        requestBundleInstanceAuthCreation(bundleID: $b, in: { runtimeID: $r }) { id } }`,
      { a: theirs.application, b: theirs.bundle, r: theirs.runtime },
    );
    // In the caller's tenant and in no group of its application and runtime: for admins alone.
    await makeWorld(home, HIDDEN, "elsewhere");
    const before = await storedRows(director.inside.database, victim.id);
    const ids = new Set(
      before.join("\n").match(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g),
    );
    // Without the resolvers that a subgraph's schema brings along.
    const published = buildSchema(printSchema(director.schema));
    let mine: World = await makeWorld(home, "mine0", "shared");
    let count = 0;
    // Who may see tenants at all sees that there is this one.
    ids.delete(victim.id);
    const secret = { mark: MARK, ids, told: new Set<string>() };
    const answered = new Set<string | undefined>();
    let slowest = { time: 0, query: "" };
    const tally = { data: 0, errors: 0 };

    const speak = (dice: Dice): Identity => {
      const mineOnly = scopes.filter((scope) => !scope.startsWith("tenant:"));
      const as = (type: Identity["consumer"]["type"], id: string, held: readonly string[]) => ({
        tenant: home.id,
        consumer: { type, id },
        scopes: held,
      });
      return dice.weighted<() => Identity>([
        [3, () => ({ ...as("USER", home.admin.identity.consumer.id, scopes), tenants: [home.id] })],
        [8, () => as("USER", home.admin.identity.consumer.id, mineOnly)],
        [2, () => as("RUNTIME", mine.runtime, runtimeScopes)],
        [2, () => as("APPLICATION", mine.application, applicationScopes)],
        [2, () => as("INTEGRATION_SYSTEM", mine.system, mineOnly)],
        [
          1,
          () =>
            as(
              "USER",
              mine.token,
              dice.some(6, () => dice.pick(mineOnly)),
            ),
        ],
        [1, () => ({ consumer: { type: "USER", id: "nobody" }, scopes: mineOnly })],
      ])();
    };

    const property = fc.asyncProperty(fc.gen(), async (given) => {
      count += 1;
      if (count % MOVED === 0) {
        home = await director.tenant();
        await makeWorld(home, HIDDEN, "elsewhere");
      }
      if (count % RENEWED === 0) {
        mine = await makeWorld(home, `mine${count}`, "shared");
        // What has grown large changes slowly.
        if (count < 5_000 || count % 2_000 === 0) await analyze(director.inside.database);
        if (count % 10_000 === 0) say(`${count} operations`);
      }
      const dice = new Dice(given);
      const identity = speak(dice);
      const sent = makeOperation(director.schema, dice, { mine, theirs });
      const started = performance.now();
      const reply = await director
        .as(identity)
        .send(sent.query, sent.variables)
        .catch((fault: unknown): GraphReply => {
          faults.push(fault);
          return { errors: [{ message: "", extensions: { code: "INTERNAL", error_code: 10 } }] };
        });
      const time = performance.now() - started;
      if (time > slowest.time) slowest = { time, query: sent.query };
      for (const [alias, value] of Object.entries(reply.data ?? {}))
        if (value !== null) answered.add(new RegExp(`\\b${alias}: (\\w+)`).exec(sent.query)?.[1]);
      tally[reply.errors === undefined ? "data" : "errors"] += 1;
      const isPaired = ["APPLICATION", "RUNTIME"].includes(identity.consumer.type);
      const wrong = [...faultsOf(published, sent, reply, secret)];
      if (isPaired && JSON.stringify(reply).includes(HIDDEN))
        wrong.push("the answer has what is in none of the caller's groups");
      if (time > LONGEST) wrong.push(`it took ${Math.round(time)} ms`);
      if (wrong.length > 0) {
        const cause = faults.map((fault) => (fault instanceof Error ? fault.stack : fault));
        found.push(
          [
            ...wrong,
            `as ${JSON.stringify(identity.consumer)}`,
            sent.query,
            JSON.stringify(sent.variables).slice(0, 4_000),
            ...cause,
          ].join("\n"),
        );
        faults.length = 0;
      }
      if (found.length >= MOST || (found.length > 0 && count >= runs)) {
        throw new Error(found.join("\n\n"));
      }
    });
    await fc.assert(property, { numRuns: runs, seed, endOnFailure: true });
    say(
      `${count} operations (${tally.data} answered, ${tally.errors} with errors), seed ${seed}; the slowest took ${Math.round(slowest.time)} ms`,
    );
    // An operation that is always refused would show nothing.
    const fields = [director.schema.getQueryType(), director.schema.getMutationType()].flatMap(
      (type) => Object.keys(type?.getFields() ?? {}),
    );
    const never = fields.filter((name) => !answered.has(name));
    expect(never.length, `never carried out: ${never.join(", ")}`).toBeLessThan(fields.length / 10);
    expect(await storedRows(director.inside.database, victim.id)).toEqual(before);
  } finally {
    await director.close();
  }
}

/** The seed in the environment variable SEXTANT_FUZZ_SEED, or a new one. */
export function seedOfRun(): number {
  // oxlint-disable-next-line sextant/process-env -- a test that is repeated, not a setting of a service
  const given = process.env["SEXTANT_FUZZ_SEED"];
  const seed = given === undefined ? Math.trunc(Math.random() * 2 ** 31) : Number(given);
  say(`seed ${seed}: repeat with SEXTANT_FUZZ_SEED=${seed}`);
  return seed;
}
