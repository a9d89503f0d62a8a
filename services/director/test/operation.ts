/** A valid call of any operation of a schema: its arguments are filled from objects that are there, by their names and types. */
import {
  getNamedType,
  getNullableType,
  type GraphQLField,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from "graphql";
import { basicAuth } from "./given.ts";
import type { World } from "./world.ts";

/** Arguments that name an object, by their names. */
const named: Readonly<Record<string, keyof World>> = {
  applicationID: "application",
  appID: "application",
  runtimeID: "runtime",
  bundleID: "bundle",
  webhookID: "webhook",
  apiID: "api",
  eventID: "event",
  integrationSystemID: "system",
  tenantID: "tenant",
  templateName: "templateName",
};

/** Values of inputs that need more than their required fields. */
const inputs: Readonly<Record<string, object>> = {
  AuthInput: basicAuth("password"),
  WebhookInput: { type: "CONFIGURATION_CHANGED", url: "https://sample.example" },
  BundleInstanceAuthSetInput: { auth: basicAuth("password") },
  ApplicationTemplateInput: {
    name: "sample",
    accessLevel: "GLOBAL",
    applicationInput: { name: "sample" },
  },
  APITokenInput: { name: "sample", scopes: ["runtime:read"] },
};

const selectorOf = ({ selectorKey, selectorValue }: World) => ({
  selector: { key: selectorKey, value: selectorValue },
});

/** Values of arguments that only one operation has, or gives another meaning. */
const special: Readonly<Record<string, (world: World) => object>> = {
  deleteApplicationLabel: ({ labelDefinition }) => ({ key: labelDefinition }),
  deleteRuntimeLabel: ({ labelDefinition }) => ({ key: labelDefinition }),
  labelDefinition: ({ labelDefinition }) => ({ key: labelDefinition }),
  updateLabelDefinition: ({ labelDefinition }) => ({ in: { key: labelDefinition, schema: {} } }),
  deleteLabelDefinition: ({ labelDefinition }) => ({ key: labelDefinition }),
  automaticGroupAssignmentForGroup: ({ assignment }) => ({ groupName: assignment }),
  deleteAutomaticGroupAssignmentForGroup: ({ assignment }) => ({ groupName: assignment }),
  automaticGroupAssignmentsForSelector: selectorOf,
  deleteAutomaticGroupAssignmentsForSelector: selectorOf,
  registerRuntimeContext: ({ runtime }) => ({ runtimeID: runtime }),
};

function sample(name: string, type: GraphQLInputType, world: World, about?: string): unknown {
  if (isNonNullType(type)) return sample(name, type.ofType, world, about);
  const key = name === "id" || name === "authID" ? (about as keyof World | undefined) : named[name];
  if (key !== undefined && world[key] !== undefined) return world[key];
  if (isListType(type)) return [sample(name, type.ofType, world)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    return (
      inputs[type.name] ??
      Object.fromEntries(
        Object.values(type.getFields())
          .filter((field) => isRequiredInputField(field))
          .map((field) => [field.name, sample(field.name, field.type, world)]),
      )
    );
  }
  if (/url/i.test(name)) return "https://sample.example";
  return { Int: 1, Boolean: true, JSON: {}, Labels: {}, JSONSchema: {} }[type.name] ?? "sample";
}

/** A document that asks for one field under the key `x`, with its variables. `about`: what is meant by an argument `id`. */
export function operationFor(
  kind: "query" | "mutation",
  field: GraphQLField<unknown, unknown>,
  world: World,
  about?: string,
): { readonly query: string; readonly variables: Readonly<Record<string, unknown>> } {
  const own = special[field.name]?.(world) ?? {};
  const required = field.args.filter(
    (argument) => isRequiredArgument(argument) || Object.hasOwn(own, argument.name),
  );
  const variables = Object.fromEntries(
    required.map((argument) => [argument.name, sample(argument.name, argument.type, world, about)]),
  );
  Object.assign(variables, own);
  const declared = required.map(({ name, type }) => `$${name}: ${String(type)}`).join(", ");
  const given = required.map(({ name }) => `${name}: $${name}`).join(", ");
  const call = `x: ${field.name}${given === "" ? "" : `(${given})`} ${selection(field)}`;
  return { query: `${kind}${declared === "" ? "" : `(${declared})`} { ${call} }`, variables };
}

/** Ids where there are some, of a page those of its objects. */
function selection(field: Pick<GraphQLField<unknown, unknown>, "type">): string {
  const type = getNamedType(getNullableType(field.type));
  if (!isObjectType(type)) return "fields" in type ? "{ __typename }" : "";
  const fields = type.getFields();
  if (fields["data"] !== undefined) return `{ data ${selection(fields["data"])} }`;
  const name = ["id", "key", "groupName", "message"].find((one) => fields[one] !== undefined);
  return `{ ${name ?? "__typename"} }`;
}
