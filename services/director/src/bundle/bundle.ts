/** Bundles and what is in them: checked inputs, and the steps that store them. No I/O. */
import { create, type Step } from "@sextant/registry-client";
import { z } from "zod";
import { type Context } from "../act/act.ts";
import { authInput, sealAuth } from "../auth/auth.ts";
import {
  absoluteURL,
  asciiName,
  description,
  group,
  jsonText,
  semver,
  text,
} from "../input/input.ts";
import { compileSchema } from "../input/json-schema.ts";
import {
  largeText,
  type PlacedSpec,
  specColumns,
  specInput,
  storedContent,
} from "../specification/specification.ts";

const MAX_SCHEMA = 256 * 1024;
/** Entries of one list of an input. */
const MAX_ENTRIES = 200;
const listOf = <Schema extends z.ZodType>(schema: Schema) =>
  z.array(schema).max(MAX_ENTRIES, `must have at most ${MAX_ENTRIES} entries`).nullish();

const version = z
  .object({
    value: semver,
    deprecated: z.boolean().nullish(),
    deprecatedSince: text(0, 100).nullish(),
    forRemoval: z.boolean().nullish(),
  })
  .nullish();

/** APIDefinitionInput. */
export const apiDefinitionInput = z.object({
  name: asciiName(100),
  description,
  targetURL: absoluteURL,
  group,
  spec: specInput.nullish(),
  version,
});

/** EventDefinitionInput. */
export const eventDefinitionInput = z.object({
  name: asciiName(100),
  description,
  group,
  spec: specInput.nullish(),
  version,
});

/** DocumentInput. */
export const documentInput = z.object({
  title: text(1, 128),
  displayName: text(1, 128),
  description: text(0, 2000),
  format: z.literal("MARKDOWN"),
  kind: text(0, 256).nullish(),
  data: largeText.nullish(),
});

/** BundleUpdateInput. */
export const bundleUpdateInput = z.object({
  name: asciiName(100),
  description,
  instanceAuthRequestInputSchema: jsonText(MAX_SCHEMA).superRefine((json, context) => {
    const compiled = json === null ? undefined : compileSchema(JSON.parse(json));
    if (compiled?.ok === false) context.addIssue({ code: "custom", message: compiled.fault });
  }),
  defaultInstanceAuth: authInput.nullish(),
});

/** BundleCreateInput. */
export const bundleCreateInput = bundleUpdateInput.extend({
  apiDefinitions: listOf(apiDefinitionInput),
  eventDefinitions: listOf(eventDefinitionInput),
  documents: listOf(documentInput),
});

/** Checked inputs. */
export type BundleCreate = z.output<typeof bundleCreateInput>;
export type BundleUpdate = z.output<typeof bundleUpdateInput>;
export type APIDefinitionValues = z.output<typeof apiDefinitionInput>;
export type EventDefinitionValues = z.output<typeof eventDefinitionInput>;
export type DocumentValues = z.output<typeof documentInput>;

/** Where something is put: ids of the application and the bundle. */
export type Place = { readonly applicationID: string; readonly bundleID: string };

/** The specifications in a bundle with their places in the input. */
export function specificationsOf(bundle: BundleCreate, prefix: string): readonly PlacedSpec[] {
  const placed: PlacedSpec[] = [];
  for (const list of ["apiDefinitions", "eventDefinitions"] as const) {
    for (const [index, definition] of (bundle[list] ?? []).entries()) {
      if (definition.spec)
        placed.push({ field: `${prefix}${list}.${index}.spec`, spec: definition.spec });
    }
  }
  return placed;
}

const versionColumns = (value: z.output<typeof version>) => ({
  versionValue: value?.value ?? null,
  versionDeprecated: value === null || value === undefined ? null : (value.deprecated ?? false),
  versionDeprecatedSince: value?.deprecatedSince ?? null,
  versionForRemoval: value === null || value === undefined ? null : (value.forRemoval ?? false),
});

/** The columns of an API, and the steps that store its specification. */
export function apiDefinitionColumns(input: APIDefinitionValues) {
  const { steps, ...spec } = specColumns(input.spec);
  const values = {
    name: input.name,
    description: input.description ?? null,
    targetURL: input.targetURL,
    group: input.group ?? null,
    ...versionColumns(input.version),
    ...spec,
  };
  return { values, steps };
}

/** The columns of an event definition, and the steps that store its specification. */
export function eventDefinitionColumns(input: EventDefinitionValues) {
  const { steps, ...spec } = specColumns(input.spec);
  const values = {
    name: input.name,
    description: input.description ?? null,
    group: input.group ?? null,
    ...versionColumns(input.version),
    ...spec,
  };
  return { values, steps };
}

/** The steps that store an API. */
export function createAPIDefinition(
  id: string,
  place: Place,
  input: APIDefinitionValues,
): readonly Step[] {
  const { values, steps } = apiDefinitionColumns(input);
  return [...steps, create("apiDefinition", id, { ...place, ...values })];
}

/** The steps that store an event definition. */
export function createEventDefinition(
  id: string,
  place: Place,
  input: EventDefinitionValues,
): readonly Step[] {
  const { values, steps } = eventDefinitionColumns(input);
  return [...steps, create("eventDefinition", id, { ...place, ...values })];
}

/** The steps that store a document. */
export function createDocument(id: string, place: Place, input: DocumentValues): readonly Step[] {
  const content =
    input.data === null || input.data === undefined ? undefined : storedContent(input.data);
  const { title, displayName, format } = input;
  const values = {
    title,
    displayName,
    description: input.description,
    format,
    kind: input.kind ?? null,
  };
  const step = create("document", id, { ...place, ...values, content: content?.hash ?? null });
  return content === undefined ? [step] : [content.step, step];
}

/** The columns of a bundle. */
export function bundleColumns(
  context: Pick<Context, "sealer">,
  tenant: string,
  input: BundleUpdate,
) {
  return {
    name: input.name,
    description: input.description ?? null,
    instanceAuthRequestInputSchema: input.instanceAuthRequestInputSchema,
    defaultInstanceAuth: sealAuth(context.sealer, tenant, input.defaultInstanceAuth),
  };
}

/** The steps that store a bundle with all that is in it. */
export function createBundle(
  context: Pick<Context, "sealer" | "newID">,
  tenant: string,
  applicationID: string,
  bundleID: string,
  input: BundleCreate,
): readonly Step[] {
  const place = { applicationID, bundleID };
  return [
    create("bundle", bundleID, { applicationID, ...bundleColumns(context, tenant, input) }),
    ...(input.apiDefinitions ?? []).flatMap((one) =>
      createAPIDefinition(context.newID(), place, one),
    ),
    ...(input.eventDefinitions ?? []).flatMap((one) =>
      createEventDefinition(context.newID(), place, one),
    ),
    ...(input.documents ?? []).flatMap((one) => createDocument(context.newID(), place, one)),
  ];
}
