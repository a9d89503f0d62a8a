import { readFileSync } from "node:fs";
import { internal, SextantError } from "@sextant/errors";
import { coerceVariables, createDocumentReader, defaultLimits } from "@sextant/graphql";
import { ServiceAwayError } from "@sextant/service";
import { expect, it } from "vitest";
import { type Answered, carryOut, RefusedError, type ServiceAnswer } from "./join.ts";
import { createJoinPlanner } from "./join-plan.ts";
import { createShaper } from "./shaped.ts";

const sdl = readFileSync(new URL("../../../../schema/supergraph.graphql", import.meta.url), "utf8");
const planner = createJoinPlanner(sdl);
const read = createDocumentReader(planner.schema, defaultLimits);

type Question = { readonly query: string; readonly variables: Answered };
type Services = Readonly<Record<string, (question: Question) => ServiceAnswer>>;

const shown = (thrown: unknown): SextantError =>
  thrown instanceof ServiceAwayError
    ? new SextantError("INTERNAL", `${thrown.service} is away`, { retryAfter: 1 })
    : internal("e-1", thrown);

/** Carries out an operation with services that say what a test wants. */
async function ask(query: string, services: Services, given: Answered = {}) {
  const document = read(query);
  if (!document.ok) throw new Error(document.errors[0]?.message);
  const [operation] = document.operations;
  if (operation === undefined) throw new Error("no operation");
  const coerced = coerceVariables(planner.schema, operation.node, given);
  if (!coerced.ok) throw new Error(coerced.errors[0]?.message);
  const plan = planner.plan(operation);
  if (plan.step === undefined) throw new Error("nothing is planned");
  const shaper = createShaper(planner.schema, operation, plan, coerced.values);
  const joined = await carryOut(plan.step, {
    ask: async (service, body) => {
      const answer = services[service];
      if (answer === undefined) throw new ServiceAwayError(service, "away");
      return answer(JSON.parse(body) as Question);
    },
    ...{ given, variables: coerced.values, required: shaper.required, shown },
    isOfType: (type, other) => type === other,
    signal: new AbortController().signal,
  });
  const { data, errors } = shaper.shape(joined, (message) => internal("e-2", new Error(message)));
  return JSON.parse(JSON.stringify({ data, errors })) as {
    data: Answered | null;
    errors: { message: string; path: unknown; extensions: unknown }[];
  };
}

const three = () => ({
  data: {
    runtimes: {
      data: ["a", "b", "c"].map((id) => ({ __typename: "Runtime", id, name: `runtime ${id}` })),
    },
  },
});
const list = "{ runtimes { data { name provisioning { runtimeID } } } }";
const notFound = { code: "NOT_FOUND", error_code: 20 };

it("an error about one object of a list is at that object's place, and the others are answered", async () => {
  const { data, errors } = await ask(list, {
    director: three,
    "runtime-provisioner": ({ variables }) => {
      expect(variables).toEqual({
        representations: ["a", "b", "c"].map((id) => ({ __typename: "Runtime", id })),
      });
      const known = (runtimeID: string) => ({ provisioning: { runtimeID } });
      return {
        data: { _entities: [known("a"), null, known("c")] },
        errors: [{ message: "gone", path: ["_entities", 1], extensions: notFound }],
      };
    },
  });
  expect(data).toEqual({
    runtimes: {
      data: [
        { name: "runtime a", provisioning: { runtimeID: "a" } },
        { name: "runtime b", provisioning: null },
        { name: "runtime c", provisioning: { runtimeID: "c" } },
      ],
    },
  });
  expect(errors).toEqual([
    {
      message: "gone",
      locations: [{ line: 1, column: 26 }],
      path: ["runtimes", "data", 1, "provisioning"],
      extensions: notFound,
    },
  ]);
});

it("an error deep in what a service answers is at its place in the whole, under the client's names", async () => {
  const { data, errors } = await ask(
    "{ id: runtimes { data { id: name p: provisioning { l: lastOperationStatus { id: message } } } } }",
    {
      director: ({ query }) => {
        const [, root] = /^\{(\w+):runtimes/.exec(query) as unknown as [string, string];
        const [, name] = /(\w+):name/.exec(query) as unknown as [string, string];
        expect([root, name]).not.toContain("id");
        return {
          data: { [root]: { data: [{ __typename: "Runtime", id: "a", [name]: "runtime a" }] } },
        };
      },
      "runtime-provisioner": ({ query }) => {
        const [, message] = /(\w+):message/.exec(query) as unknown as [string, string];
        return {
          data: { _entities: [{ p: { l: { [message]: null } } }] },
          errors: [
            { message: "no", path: ["_entities", 0, "p", "l", message], extensions: notFound },
          ],
        };
      },
    },
  );
  expect(data).toEqual({ id: { data: [{ id: "runtime a", p: { l: null } }] } });
  expect(errors.map(({ path }) => path)).toEqual([["id", "data", 0, "p", "l", "id"]]);
});

it("an item of a list that is null because of an error says so, and takes the list with it when it must not be null", async () => {
  const { data, errors } = await ask(
    "{ applications { data { id } } certificates { totalCount } }",
    {
      director: () => ({
        data: { applications: { data: [{ id: "a" }, null] } },
        errors: [{ message: "no", path: ["applications", "data", 1], extensions: notFound }],
      }),
      connector: () => ({ data: { certificates: { totalCount: 0 } } }),
    },
  );
  expect(data).toBeNull();
  expect(errors.map(({ path }) => path)).toEqual([["applications", "data", 1]]);
});

it("a value that must be there and is not is a fault of ours, told by an id", async () => {
  const { data, errors } = await ask(
    '{ application(id: "a") { name certificates { totalCount } } viewer { id } }',
    {
      director: () => ({
        data: {
          application: { __typename: "Application", id: "a", name: "x" },
          viewer: { id: "v" },
        },
      }),
      connector: () => ({ data: { _entities: [null] } }),
    },
  );
  expect(data).toEqual({ application: null, viewer: { id: "v" } });
  expect(errors).toMatchObject([
    {
      message: "internal error",
      path: ["application", "certificates"],
      extensions: { code: "INTERNAL", errorId: "e-2" },
    },
  ]);
});

it("what is said of an error is no more than our own errors say", async () => {
  const { errors } = await ask(
    "{ viewer { id } runtimes { data { provisioning { runtimeID } } } }",
    {
      director: () => ({ data: { viewer: { id: "v" }, ...three().data } }),
      "runtime-provisioner": () => ({
        data: null,
        errors: [{ message: "select secret", extensions: { stack: "secret" } }],
      }),
    },
  );
  expect(errors).toHaveLength(3);
  expect(JSON.stringify(errors)).not.toContain("secret");
  expect(errors[2]).toMatchObject({
    message: "internal error",
    path: ["runtimes", "data", 2, "provisioning"],
  });
});

it("nothing is asked about objects that there are none of", async () => {
  const asked: string[] = [];
  const { data } = await ask('{ application(id: "a") { certificates { totalCount } } }', {
    director: ({ query }) => {
      asked.push(query);
      return { data: { application: null } };
    },
  });
  expect(data).toEqual({ application: null });
  expect(asked).toHaveLength(1);
});

it("a query of which a service refuses its part is refused as a whole", async () => {
  const refused = ask("{ viewer { id } certificates { totalCount } }", {
    director: () => ({ data: { viewer: { id: "v" } } }),
    connector: () => ({
      errors: [{ message: "too much", extensions: { code: "INVALID_DATA", error_code: 22 } }],
    }),
  });
  await expect(refused).rejects.toBeInstanceOf(RefusedError);
});

it("a mutation goes on behind a field that may be null, and not behind one that may not", async () => {
  const carriedOut: string[] = [];
  const services: Services = {
    director: ({ query }) => {
      carriedOut.push(query);
      return query.includes("deleteAutomaticGroupAssignmentForGroup")
        ? {
            data: { x: null },
            errors: [{ message: "no", path: ["x"], extensions: notFound }],
          }
        : { data: null, errors: [{ message: "no", path: ["y"], extensions: notFound }] };
    },
    connector: ({ query }) => {
      carriedOut.push(query);
      return { data: { between: 0, last: 0 } };
    },
  };
  const { data, errors } = await ask(
    `mutation { x: deleteAutomaticGroupAssignmentForGroup(groupName: "g") { groupName }
      between: revokeCertificates(serialNumbers: ["1"]) y: unregisterRuntime(id: "a") { id }
      last: revokeCertificates(serialNumbers: ["2"]) }`,
    services,
  );
  expect(data).toBeNull();
  expect(errors.map(({ path }) => path)).toEqual([["x"], ["y"]]);
  expect(carriedOut.map((text) => /(\w+)\(/.exec(text)?.[1])).toEqual([
    "deleteAutomaticGroupAssignmentForGroup",
    "revokeCertificates",
    "unregisterRuntime",
  ]);
});

it("when no service that is asked can be reached there is no answer; when one can there is what it knows", async () => {
  const query = '{ viewer { id } application(id: "a") { certificates { totalCount } } }';
  await expect(ask(query, {})).rejects.toBeInstanceOf(ServiceAwayError);
  const { data, errors } = await ask(query, {
    director: () => ({
      data: { viewer: { id: "v" }, application: { __typename: "Application", id: "a" } },
    }),
  });
  expect(data).toEqual({ viewer: { id: "v" }, application: null });
  expect(errors).toMatchObject([
    {
      message: "connector is away",
      path: ["application", "certificates"],
      extensions: { code: "INTERNAL", error_code: 10, retryAfter: 1 },
    },
  ]);
});

it("variables go to the services that need them, as they were sent, and no others", async () => {
  const sent: Answered[] = [];
  const note = (answer: ServiceAnswer) => (question: Question) => {
    sent.push(question.variables);
    return answer;
  };
  await ask(
    "query($representations: ID!, $first: Int = 7, $after: PageCursor) { application(id: $representations) { certificates(first: $first, after: $after) { totalCount } } }",
    {
      director: note({ data: { application: { __typename: "Application", id: "key" } } }),
      connector: note({ data: { _entities: [{ certificates: { totalCount: 1 } }] } }),
    },
    { representations: "a", after: null },
  );
  const [first = {}, second = {}] = sent;
  expect(Object.values(first)).toEqual(["a"]);
  expect(second).toEqual({
    representations: [{ __typename: "Application", id: "key" }],
    after: null,
  });
});
