/** What an answer must be, whatever was asked. */
import { ERROR_CODES } from "@sextant/errors";
import { executeSync, type GraphQLSchema, parse } from "graphql";
import type { GraphReply } from "../given.ts";
import type { Sent } from "./operations.ts";

/** What must be in no answer: the mark; ids, unless they were sent, now or in a value that was stored. */
export type Secret = {
  readonly mark: string;
  readonly ids: ReadonlySet<string>;
  readonly told: Set<string>;
};

const uuids = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** Faults of an answer; none is what is expected. */
export function faultsOf(
  schema: GraphQLSchema,
  sent: Sent,
  reply: GraphReply,
  secret: Secret,
): readonly string[] {
  const faults: string[] = [];
  const answer = JSON.stringify(reply);
  const asked = JSON.stringify(sent).toLowerCase();
  if (/\bmutation\b/.test(sent.query))
    for (const [id] of asked.matchAll(uuids)) secret.told.add(id);
  if (answer.includes(secret.mark)) faults.push(`the answer has the other tenant's mark`);
  for (const [found] of answer.matchAll(uuids)) {
    const id = found.toLowerCase();
    if (secret.ids.has(id) && !asked.includes(id) && !secret.told.has(id))
      faults.push(`the answer has the foreign id ${id}`);
  }
  for (const { extensions, message } of reply.errors ?? []) {
    const number = (ERROR_CODES as Readonly<Record<string, number>>)[extensions?.code];
    if (number === undefined || number !== extensions.error_code || extensions.code === "INTERNAL")
      faults.push(`an error of the code ${extensions?.code}: ${message}`);
    if (/Did you mean|select .* from |violates|ECONN|\bat .*\.ts:/.test(message))
      faults.push(`an error tells too much: ${message}`);
  }
  if (reply.errors === undefined && reply.data === undefined)
    faults.push("neither data nor errors");
  if (reply.data !== undefined && reply.data !== null)
    faults.push(...schemaFaults(schema, sent, reply));
  return faults;
}

/** Has graphql-js make the answer anew from its own values: what comes out differs when it violates the schema. */
function schemaFaults(schema: GraphQLSchema, sent: Sent, reply: GraphReply): readonly string[] {
  const document = parse(sent.query.replaceAll("()", ""), { noLocation: true });
  const operation = document.definitions.find((one) => one.kind === "OperationDefinition");
  const isIntrospection = (key: string) => key === "__schema" || key === "__type";
  const made = executeSync({
    schema,
    document,
    ...(operation?.name === undefined ? {} : { operationName: operation.name.value }),
    rootValue: reply.data as unknown,
    variableValues: sent.variables,
    fieldResolver: (source: Readonly<Record<string, unknown>>, _args, _context, { path }) =>
      source[path.key],
    typeResolver: (value: { readonly __typename: string }) => value.__typename,
  });
  const without = (data: unknown) =>
    JSON.stringify(data, (key, value: unknown) => (isIntrospection(key) ? undefined : value));
  // A mutation that stopped at a field has no keys behind it; a field that failed is null.
  if (made.errors !== undefined && reply.errors === undefined)
    return [`the answer violates the schema: ${made.errors[0]?.message}`];
  if (reply.errors === undefined && without(made.data) !== without(reply.data))
    return [
      `the answer has other keys, values or order than the schema says: ${without(made.data)}`,
    ];
  return [];
}
