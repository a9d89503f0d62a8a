/**
 * Whatever an operation asks for, and however much there is of it, is one statement: every list of the schema is asked for, by a
 * path that is derived from the schema.
 */
import {
  getNamedType,
  getNullableType,
  type GraphQLField,
  isAbstractType,
  isLeafType,
  isListType,
  isObjectType,
  isRequiredArgument,
  type GraphQLObjectType,
} from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDirector, type TestDirector, type TestTenant } from "./given.ts";
import { makeWorld, type World } from "./world.ts";

let director: TestDirector;
let tenant: TestTenant;
let world: World;

beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
  world = await makeWorld(tenant, "one", "shared");
});
afterAll(() => director.close());

/** Required arguments of lists at the root. */
const given: Readonly<Record<string, () => string>> = {
  applicationsForRuntime: () => `(runtimeID: "${world.runtime}")`,
  automaticGroupAssignmentsForSelector: () =>
    `(selector: { key: "${world.selectorKey}", value: "${world.selectorValue}" })`,
  _entities: () =>
    `(representations: [{ __typename: "Application", id: "${world.application}" }, { __typename: "Runtime", id: "${world.runtime}" }])`,
};

type Field = GraphQLField<unknown, unknown>;
const isPage = ({ type }: Field): boolean => getNamedType(type).name.endsWith("Page");
const isList = (field: Field): boolean => isListType(getNullableType(field.type)) || isPage(field);

/** A selection around another: from Query down to one field. */
type Around = (inner: string) => string;

/** Every list field by its name, with an operation that asks for it. */
function operations(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const query = director.schema.getQueryType() as GraphQLObjectType;
  const seen = new Set<string>([query.name]);
  const waiting: { readonly type: GraphQLObjectType; readonly around: Around }[] = [
    { type: query, around: (inner) => `{ ${inner} }` },
  ];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { type, around } = next;
    for (const field of Object.values(type.getFields())) {
      const needsArguments = field.args.some((argument) => isRequiredArgument(argument));
      if (needsArguments && (type !== query || given[field.name] === undefined)) continue;
      const named = getNamedType(field.type);
      const isBare = isLeafType(named);
      const call = `${field.name}${type === query ? (given[field.name]?.() ?? "") : ""}`;
      const inside: Around = (inner) => around(isBare ? call : `${call} { ${inner} }`);
      if (isList(field) || type === query)
        found.set(
          `${type.name}.${field.name}`,
          inside(
            isPage(field)
              ? "totalCount pageInfo { hasNextPage endCursor } data { __typename }"
              : "__typename",
          ),
        );
      // Lists of all there is lead on: of entities there are two.
      if (field.name === "_entities") continue;
      const types = isAbstractType(named)
        ? director.schema.getPossibleTypes(named)
        : isObjectType(named)
          ? [named]
          : [];
      for (const one of types) {
        if (seen.has(one.name)) continue;
        seen.add(one.name);
        const around = isAbstractType(named)
          ? (inner: string) => inside(`... on ${one.name} { ${inner} }`)
          : inside;
        waiting.push({ type: one, around });
      }
    }
  }
  return found;
}

/** Lists that no row is behind, or that another way leads to. */
const withoutStatement = new Set(["Query.viewer", "Query._service"]);

async function statementsOf(operation: string) {
  const batches = await director.inside.statementsOf(() => tenant.admin.ask(operation));
  return batches.flat().map(({ text }) => text);
}

describe("a list of the schema", () => {
  it("has an operation in this test, whichever type it is of", () => {
    const lists = Object.values(director.schema.getTypeMap())
      .filter((type) => isObjectType(type) && !type.name.startsWith("__"))
      .flatMap((type) =>
        Object.values((type as GraphQLObjectType).getFields())
          .filter((field) => isList(field))
          .map((field) => `${type.name}.${field.name}`),
      )
      .filter((name) => !name.startsWith("Mutation."));
    const asked = operations();
    expect(lists.filter((name) => !asked.has(name))).toEqual([]);
    expect(lists.length).toBeGreaterThan(20);
  });

  it("is read by one statement, the same one for many rows as for few", async () => {
    const few = new Map<string, readonly string[]>();
    for (const [name, operation] of operations()) few.set(name, await statementsOf(operation));
    const counts = [...few].map(([name, statements]) => [name, statements.length] as const);
    expect(
      counts.filter(([name, count]) => count !== (withoutStatement.has(name) ? 0 : 1)),
    ).toEqual([]);
    for (let nr = 0; nr < 6; nr += 1) await makeWorld(tenant, `more${nr}`, "shared");
    const changed: string[] = [];
    for (const [name, operation] of operations()) {
      const many = await statementsOf(operation);
      if (JSON.stringify(many) !== JSON.stringify(few.get(name))) changed.push(name);
    }
    expect(changed).toEqual([]);
  });

  it("is read by one statement together with all others", async () => {
    const selections = [...operations().values()].map(
      (operation, nr) => `... on Query { a${nr}: ${operation.slice(2, -2)} }`,
    );
    const some = selections.filter((_, nr) => nr % 8 === 0).slice(0, 10);
    expect(await statementsOf(`{ ${some.join(" ")} }`)).toHaveLength(1);
  });
});
