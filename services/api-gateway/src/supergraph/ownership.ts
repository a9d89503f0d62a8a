/** Which services can answer an operation alone: by the supergraph's own notes on every type and field. No I/O. */
import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type GraphQLSchema,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from "graphql";
import { isSchemaField, type Operation } from "@sextant/graphql";

/** The services of the supergraph, and which of them know a type or resolve a field. */
export type Ownership = {
  readonly services: readonly string[];
  ofType(type: string): ReadonlySet<string>;
  ofField(type: string, field: string): ReadonlySet<string>;
};

const nothing: ReadonlySet<string> = new Set();

function argument(directive: ConstDirectiveNode, name: string): string | boolean | undefined {
  const value = directive.arguments?.find((one) => one.name.value === name)?.value;
  return value?.kind === "EnumValue" ||
    value?.kind === "StringValue" ||
    value?.kind === "BooleanValue"
    ? value.value
    : undefined;
}

const named = (
  directives: readonly ConstDirectiveNode[] | undefined,
  name: string,
): readonly ConstDirectiveNode[] =>
  (directives ?? []).filter((directive) => directive.name.value === name);

/** Reads the `@join__…` directives of a composed supergraph. */
export function readOwnership(supergraph: DocumentNode): Ownership {
  const nameOf = new Map<string, string>();
  const types = new Map<string, Set<string>>();
  const fields = new Map<string, ReadonlySet<string>>();

  for (const definition of supergraph.definitions) {
    if (definition.kind !== "EnumTypeDefinition" || definition.name.value !== "join__Graph")
      continue;
    for (const value of definition.values ?? []) {
      const [graph] = named(value.directives, "join__graph");
      if (graph !== undefined) nameOf.set(value.name.value, String(argument(graph, "name")));
    }
  }
  const graphs = (directives: readonly ConstDirectiveNode[]): Set<string> =>
    new Set(directives.map((directive) => nameOf.get(String(argument(directive, "graph"))) ?? ""));
  const ownersOf = (field: FieldDefinitionNode, type: ReadonlySet<string>): ReadonlySet<string> => {
    const joined = named(field.directives, "join__field").filter(
      (one) => argument(one, "graph") !== undefined,
    );
    if (joined.length === 0) return type;
    return graphs(joined.filter((one) => argument(one, "external") !== true));
  };

  for (const definition of supergraph.definitions) {
    if (!("directives" in definition) || !("name" in definition) || definition.name === undefined)
      continue;
    const owners = graphs(
      named(definition.directives as readonly ConstDirectiveNode[], "join__type"),
    );
    types.set(definition.name.value, owners);
    if (definition.kind !== "ObjectTypeDefinition" && definition.kind !== "InterfaceTypeDefinition")
      continue;
    for (const field of definition.fields ?? []) {
      fields.set(`${definition.name.value}.${field.name.value}`, ownersOf(field, owners));
    }
  }
  return {
    services: [...nameOf.values()],
    ofType: (type) => types.get(type) ?? nothing,
    ofField: (type, field) => fields.get(`${type}.${field}`) ?? nothing,
  };
}

/** The one service that can answer the whole operation; undefined when there is none, or when it asks for the schema. */
export function singleService(
  ownership: Ownership,
  schema: GraphQLSchema,
  operation: Operation,
): string | undefined {
  let able: readonly string[] = ownership.services;
  let introspects = false;
  const types = new TypeInfo(schema);
  const only = (owners: ReadonlySet<string>) =>
    (able = able.filter((service) => owners.has(service)));
  const visitor = visitWithTypeInfo(types, {
    Field(node) {
      const name = node.name.value;
      if (isSchemaField(name)) introspects = true;
      const parent = types.getParentType()?.name;
      if (parent !== undefined && !name.startsWith("__")) only(ownership.ofField(parent, name));
    },
    InlineFragment(node) {
      if (node.typeCondition !== undefined) only(ownership.ofType(node.typeCondition.name.value));
    },
    FragmentDefinition(node) {
      only(ownership.ofType(node.typeCondition.name.value));
    },
  });
  // The whole document: the service is sent all of it, and has to understand the operations that are not carried out as well.
  visit(operation.document, visitor);
  return introspects ? undefined : able[0];
}
