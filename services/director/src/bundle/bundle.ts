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
import {
  createFetchRequest,
  type FetchOwner,
  fetchRequestInput,
  type FetchRequestValues,
} from "../fetch-request/fetch-request.ts";
import {
  largeText,
  type SpecChecks,
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

/** What inputs of bundles are checked by. */
export type BundleChecks = SpecChecks & Pick<Context, "schemas">;

/** APIDefinitionInput. */
export const apiDefinitionInput = (checks: SpecChecks) =>
  z.object({
    name: asciiName(100),
    description,
    targetURL: absoluteURL,
    group,
    spec: specInput(checks).nullish(),
    version,
  });

/** EventDefinitionInput. */
export const eventDefinitionInput = (checks: SpecChecks) =>
  z.object({
    name: asciiName(100),
    description,
    group,
    spec: specInput(checks).nullish(),
    version,
  });

/** DocumentInput: it has a text, or says where it is fetched from, or neither. */
export const documentInput = (checks: SpecChecks) =>
  z
    .object({
      title: text(1, 128),
      displayName: text(1, 128),
      description: text(0, 2000),
      format: z.literal("MARKDOWN"),
      kind: text(0, 256).nullish(),
      data: largeText.nullish(),
      fetchRequest: fetchRequestInput(checks.allowPrivateTargets).nullish(),
    })
    .refine(
      ({ data, fetchRequest }) => (data ?? null) === null || (fetchRequest ?? null) === null,
      {
        path: ["data"],
        error: "give at most one of data and fetchRequest",
      },
    );

/** BundleUpdateInput. */
export const bundleUpdateInput = (checks: BundleChecks) =>
  z.object({
    name: asciiName(100),
    description,
    instanceAuthRequestInputSchema: jsonText(MAX_SCHEMA).superRefine(async (json, context) => {
      if (json === null) return;
      const message = await checks.schemas.schemaFault(JSON.parse(json));
      if (message !== undefined) context.addIssue({ code: "custom", message });
    }),
    defaultInstanceAuth: authInput.nullish(),
  });

/** BundleCreateInput. */
export const bundleCreateInput = (checks: BundleChecks) =>
  bundleUpdateInput(checks).extend({
    apiDefinitions: listOf(apiDefinitionInput(checks)),
    eventDefinitions: listOf(eventDefinitionInput(checks)),
    documents: listOf(documentInput(checks)),
  });

/** Checked inputs. */
export type BundleCreate = z.output<ReturnType<typeof bundleCreateInput>>;
export type BundleUpdate = z.output<ReturnType<typeof bundleUpdateInput>>;
export type APIDefinitionValues = z.output<ReturnType<typeof apiDefinitionInput>>;
export type EventDefinitionValues = z.output<ReturnType<typeof eventDefinitionInput>>;
export type DocumentValues = z.output<ReturnType<typeof documentInput>>;

/** What the steps that store something need. */
type Storing = Pick<Context, "sealer" | "newID" | "now">;

/** Where something is put: the tenant, ids of the application and the bundle. */
export type Place = {
  readonly tenant: string;
  readonly applicationID: string;
  readonly bundleID: string;
};

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

/** The steps that store where a text is fetched from; none when it is not fetched. */
export function fetchSteps(
  context: Storing,
  { tenant, applicationID }: Omit<Place, "bundleID">,
  owner: Partial<Record<FetchOwner, string>>,
  request: FetchRequestValues | null | undefined,
): readonly Step[] {
  return request === null || request === undefined
    ? []
    : [createFetchRequest(context, tenant, { applicationID, ...owner }, request)];
}

/** The steps that store an API. */
export function createAPIDefinition(
  context: Storing,
  id: string,
  place: Place,
  input: APIDefinitionValues,
): readonly Step[] {
  const { values, steps } = apiDefinitionColumns(input);
  const { applicationID, bundleID } = place;
  return [
    ...steps,
    create("apiDefinition", id, { applicationID, bundleID, ...values }),
    ...fetchSteps(context, place, { apiDefinitionID: id }, input.spec?.fetchRequest),
  ];
}

/** The steps that store an event definition. */
export function createEventDefinition(
  context: Storing,
  id: string,
  place: Place,
  input: EventDefinitionValues,
): readonly Step[] {
  const { values, steps } = eventDefinitionColumns(input);
  const { applicationID, bundleID } = place;
  return [
    ...steps,
    create("eventDefinition", id, { applicationID, bundleID, ...values }),
    ...fetchSteps(context, place, { eventDefinitionID: id }, input.spec?.fetchRequest),
  ];
}

/** The steps that store a document. */
export function createDocument(
  context: Storing,
  id: string,
  place: Place,
  input: DocumentValues,
): readonly Step[] {
  const { applicationID, bundleID } = place;
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
  return [
    ...(content === undefined ? [] : [content.step]),
    create("document", id, { applicationID, bundleID, ...values, content: content?.hash ?? null }),
    ...fetchSteps(context, place, { documentID: id }, input.fetchRequest),
  ];
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
  context: Storing,
  tenant: string,
  applicationID: string,
  bundleID: string,
  input: BundleCreate,
): readonly Step[] {
  const place = { tenant, applicationID, bundleID };
  return [
    create("bundle", bundleID, { applicationID, ...bundleColumns(context, tenant, input) }),
    ...(input.apiDefinitions ?? []).flatMap((one) =>
      createAPIDefinition(context, context.newID(), place, one),
    ),
    ...(input.eventDefinitions ?? []).flatMap((one) =>
      createEventDefinition(context, context.newID(), place, one),
    ),
    ...(input.documents ?? []).flatMap((one) =>
      createDocument(context, context.newID(), place, one),
    ),
  ];
}
