/** What to ask of which service, and in which order: the plan of an operation that needs several. No I/O. */
import { operationFromDocument, Supergraph as Composed } from "@apollo/federation-internals";
import { type PlanNode, QueryPlanner, type QueryPlanSelectionNode } from "@apollo/query-planner";
import { isSchemaField, type Operation } from "@sextant/graphql";
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  Kind,
  parse,
  type SelectionSetNode,
  visit,
} from "graphql";

/** Fields of the keys by which a service is asked about an object that it has not answered itself. */
export type KeySelection = QueryPlanSelectionNode;

/** One question to one service. */
export type Fetch = {
  readonly do: "fetch";
  readonly service: string;
  /** The beginning of the request's body, up to the value of `variables`. */
  readonly head: string;
  /** Variables of the client's operation that are sent on, with their names in the question. */
  readonly variables: readonly { readonly name: string; readonly as: string }[];
  readonly isMutation: boolean;
  /** The keys of the answer, at the root or in each entity. */
  readonly keys: readonly string[];
  /** What the service is told of each object to know it by; undefined: it is asked for root fields. */
  readonly requires: readonly KeySelection[] | undefined;
};

/** A part of a plan. */
export type Step =
  | Fetch
  | { readonly do: "inOrder" | "together"; readonly steps: readonly Step[] }
  /** About the objects at a path of the answer; `@` stands for every item of a list. */
  | { readonly do: "at"; readonly path: readonly string[]; readonly step: Step }
  | {
      readonly do: "if";
      readonly variable: string;
      readonly step: Step | undefined;
      readonly otherwise: Step | undefined;
    };

/** How an operation is carried out. */
export type JoinPlan = {
  /** Undefined: there is nothing to ask of any service. */
  readonly step: Step | undefined;
  /** Whether the schema is asked for as well. */
  readonly describes: boolean;
  /** The key under which the services answer a field of the client's operation. */
  readonly keyOf: (node: FieldNode) => string;
};

/** The composed graph: its schema as clients see it, and its planner. */
export type JoinPlanner = {
  readonly schema: GraphQLSchema;
  readonly services: readonly string[];
  plan(operation: Operation): JoinPlan;
};

/** The name of the variable that the planner itself uses. */
const REPRESENTATIONS = "representations";

/** A name that begins like `name` and is not among those that are taken. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = `${name}_`;
  while (taken.has(free)) free += "_";
  return free;
}

/**
 * The names of fields by which services know objects. The planner asks for them itself, under their own names: who has called
 * another field so would be given the key instead, or have an object looked up by something else.
 */
function keyNames(supergraph: DocumentNode): ReadonlySet<string> {
  const names = new Set(["__typename"]);
  visit(supergraph, {
    Directive(node) {
      if (node.name.value !== "join__type") return;
      const key = node.arguments?.find((one) => one.name.value === "key")?.value;
      if (key?.kind !== Kind.STRING) return;
      for (const name of key.value.match(/\w+/g) ?? []) names.add(name);
    },
  });
  return names;
}

function responseKeys(set: SelectionSetNode): readonly string[] {
  return set.selections.flatMap((node) => {
    if (node.kind === Kind.FIELD) return [node.alias?.value ?? node.name.value];
    return node.kind === Kind.INLINE_FRAGMENT ? responseKeys(node.selectionSet) : [];
  });
}

/** The keys that the text of a question is answered with: those of the entities when it asks about some. */
function answeredKeys(text: string, aboutEntities: boolean): readonly string[] {
  const [operation] = parse(text, { noLocation: true }).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error("a plan asks no operation");
  const [first] = operation.selectionSet.selections;
  const entities = first?.kind === Kind.FIELD ? first.selectionSet : undefined;
  return responseKeys(aboutEntities && entities ? entities : operation.selectionSet);
}

/** Makes the planner of a composed supergraph. */
export function createJoinPlanner(supergraphSdl: string): JoinPlanner {
  const composed = Composed.build(supergraphSdl);
  const api = composed.apiSchema();
  const planner = new QueryPlanner(composed);
  const keys = keyNames(parse(supergraphSdl, { noLocation: true }));

  const isMistakable = (node: FieldNode): boolean =>
    node.alias !== undefined && node.alias.value !== node.name.value && keys.has(node.alias.value);

  /** The document that is planned: of one operation, with names that mean only one thing. */
  const prepared = (operation: Operation) => {
    const names = new Set<string>();
    visit(operation.document, { Name: ({ value }) => void names.add(value) });
    const document: DocumentNode = {
      kind: Kind.DOCUMENT,
      definitions: [operation.node, ...operation.fragments.values()],
    };
    const keyOf = (node: FieldNode): string => {
      const key = node.alias?.value ?? node.name.value;
      return isMistakable(node) ? freeName(key, names) : key;
    };
    const variable = freeName(REPRESENTATIONS, names);
    let describes = false;
    const renamed = visit(document, {
      Field(node) {
        // The schema is described here: no service is asked.
        if (isSchemaField(node.name.value)) {
          describes = true;
          return { kind: Kind.FIELD, name: { kind: Kind.NAME, value: "__typename" } };
        }
        if (!isMistakable(node)) return undefined;
        return { ...node, alias: { kind: Kind.NAME, value: keyOf(node) } };
      },
      Variable(node) {
        if (node.name.value !== REPRESENTATIONS) return undefined;
        return { ...node, name: { kind: Kind.NAME, value: variable } };
      },
    });
    const clientName = (name: string) => (name === variable ? REPRESENTATIONS : name);
    return { document: renamed, describes, keyOf, clientName };
  };

  const stepOf = (node: PlanNode, clientName: (name: string) => string): Step => {
    const step = (one: PlanNode): Step => stepOf(one, clientName);
    const maybe = (one: PlanNode | undefined) => (one === undefined ? undefined : step(one));
    switch (node.kind) {
      case "Sequence":
        return { do: "inOrder", steps: node.nodes.map(step) };
      case "Parallel":
        return { do: "together", steps: node.nodes.map(step) };
      case "Flatten":
        return { do: "at", path: node.path.map(String), step: step(node.node) };
      case "Condition":
        return {
          do: "if",
          variable: clientName(node.condition),
          step: maybe(node.ifClause),
          otherwise: maybe(node.elseClause),
        };
      case "Fetch": {
        // Only for fields of one name and different types, or interfaces that are objects elsewhere: the graph has neither.
        if (node.inputRewrites ?? node.outputRewrites ?? node.contextRewrites)
          throw new Error(`the plan for ${node.serviceName} changes what is answered`);
        return {
          do: "fetch",
          service: node.serviceName,
          head: `{"query":${JSON.stringify(node.operation)},"variables":`,
          variables: (node.variableUsages ?? []).map((as) => ({ name: clientName(as), as })),
          isMutation: node.operationKind === "mutation",
          keys: answeredKeys(node.operation, node.requires !== undefined),
          requires: node.requires,
        };
      }
      default:
        throw new Error(`a plan with ${node.kind} cannot be carried out`);
    }
  };

  return {
    schema: api.toGraphQLJSSchema(),
    services: [...composed.subgraphs().names()],
    plan(operation) {
      const { document, describes, keyOf, clientName } = prepared(operation);
      const { node } = planner.buildQueryPlan(
        operationFromDocument(api, document, { validate: false }),
      );
      if (node?.kind === "Subscription") throw new Error("subscriptions are not planned");
      return { step: node === undefined ? undefined : stepOf(node, clientName), describes, keyOf };
    },
  };
}
