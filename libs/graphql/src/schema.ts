import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buildSubgraphSchema, printSubgraphSchema } from "@apollo/subgraph";
import {
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  parse,
  valueFromASTUntyped,
} from "graphql";

/** A subgraph's schema and the SDL it publishes. */
export type SubgraphSchema = { readonly schema: GraphQLSchema; readonly sdl: string };

const head = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable", "@external"])`;

/**
 * Reads the `*.graphql` files below a service's folder (one a noun) and makes its subgraph schema of them. Custom scalars carry
 * any JSON value; `scalars` gives those that check theirs.
 */
export function loadSubgraph(
  folder: string,
  scalars: readonly GraphQLScalarType[] = [],
): SubgraphSchema {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".graphql") && !name.includes("node_modules"))
    .toSorted();
  const texts = files.map((name) => readFileSync(join(folder, name), "utf8"));
  const pages = readFileSync(new URL("page.graphql", import.meta.url), "utf8");
  const typeDefs = parse([head, pages, ...texts].join("\n\n"), {
    noLocation: true,
  });
  const schema = buildSubgraphSchema([{ typeDefs }]);
  for (const scalar of scalars) {
    const declared = schema.getType(scalar.name);
    if (declared instanceof GraphQLScalarType) {
      declared.parseValue = scalar.parseValue;
      declared.parseLiteral = scalar.parseLiteral;
      declared.serialize = scalar.serialize;
    }
  }
  return { schema, sdl: printSubgraphSchema(schema) };
}

/** A scalar that is checked when it comes in. `check` returns the value or throws a message for the client. */
export function checkedScalar(name: string, check: (value: unknown) => unknown): GraphQLScalarType {
  return new GraphQLScalarType({
    name,
    parseValue: check,
    parseLiteral: (node, variables) => check(valueFromASTUntyped(node, variables)),
    serialize: (value) => value,
  });
}

/** The schema of a published SDL, without the fields by which a gateway joins it to others. */
export function publicSchema(sdl: string): GraphQLSchema {
  const { query, ...config } = buildSubgraphSchema([
    { typeDefs: parse(sdl, { noLocation: true }) },
  ]).toConfig();
  const { fields, ...type } = (query as GraphQLObjectType).toConfig();
  const { _entities, _service, ...served } = fields;
  const publicQuery = new GraphQLObjectType({ ...type, fields: served });
  const types = config.types.filter(
    (one) => one.name !== publicQuery.name && !one.name.startsWith("_"),
  );
  return new GraphQLSchema({ ...config, query: publicQuery, types });
}
