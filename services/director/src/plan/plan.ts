/** Plans: a runtime's whole desired state, from what the storage says of it. No I/O. */
import { all, equals, ownedBy } from "@sextant/graphql";
import type { ReadPlan, Selection } from "@sextant/registry-client";
import type { StoredAuth } from "../auth/auth.ts";
import { applicationsOfRuntime } from "../group/group.read.ts";

type Labels = Readonly<Record<string, unknown>>;
type Definition = {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly group: string | null;
  readonly version: Readonly<Record<string, unknown>> | null;
  /** `hash` is null while the text is still to be fetched. */
  readonly spec: {
    readonly type: string;
    readonly format: string;
    readonly hash: string | null;
  } | null;
};
type StoredBundle = {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly apiDefinitions: readonly (Definition & { readonly targetURL: string })[];
  readonly eventDefinitions: readonly Definition[];
  readonly documents: readonly Readonly<Record<string, unknown>>[];
  readonly credentials: readonly {
    readonly id: string;
    readonly context: unknown;
    readonly inputParams: unknown;
    readonly auth: string | null;
  }[];
};
type StoredApplication = {
  readonly id: string;
  readonly name: string;
  readonly providerName: string | null;
  readonly description: string | null;
  readonly labels: Labels | null;
  readonly bundles: readonly StoredBundle[];
};

/** What {@link planSource} reads. */
export type PlanSource = {
  readonly runtime: {
    readonly id: string;
    readonly name: string;
    readonly labels: Labels | null;
    readonly sync: { readonly desiredRevision: number; readonly desiredHash: string | null } | null;
  } | null;
  readonly applications: readonly StoredApplication[];
  readonly plans: readonly { readonly id: string; readonly planRevision: number }[];
};

/** Plans of a runtime that are kept beside the newest. */
export const KEPT_PLANS = 20;

const columns = (...names: string[]): Selection => names.map((field) => ({ as: field, field }));
const definition: Selection = [
  ...columns("id", "name", "description", "group"),
  {
    as: "version",
    unlessNull: "versionValue",
    object: [
      { as: "value", field: "versionValue" },
      { as: "deprecated", field: "versionDeprecated" },
      { as: "deprecatedSince", field: "versionDeprecatedSince" },
      { as: "forRemoval", field: "versionForRemoval" },
    ],
  },
  {
    as: "spec",
    unlessNull: "specType",
    object: [
      { as: "type", field: "specType" },
      { as: "format", field: "specFormat" },
      { as: "hash", field: "specContent" },
    ],
  },
];
const labels = { as: "labels", labels: { key: { param: "noKey" } } } as const;
const MANY = 10_000;
const credentials = all(
  ownedBy("bundleID"),
  equals("runtimeID", { param: "runtimeID" }),
  equals("statusCondition", { param: "succeeded" }),
);

const bundle: Selection = [
  ...columns("id", "name", "description"),
  {
    as: "apiDefinitions",
    read: {
      list: "apiDefinition",
      where: ownedBy("bundleID"),
      select: [...definition, ...columns("targetURL")],
      max: MANY,
    },
  },
  {
    as: "eventDefinitions",
    read: { list: "eventDefinition", where: ownedBy("bundleID"), select: definition, max: MANY },
  },
  {
    as: "documents",
    read: {
      list: "document",
      where: ownedBy("bundleID"),
      select: [
        ...columns("id", "title", "displayName", "description", "format", "kind"),
        { as: "hash", field: "content" },
      ],
      max: MANY,
    },
  },
  {
    as: "credentials",
    read: {
      list: "bundleInstanceAuth",
      where: credentials,
      select: columns("id", "context", "inputParams", "auth"),
      max: 1000,
    },
  },
];

/** All that a runtime's plan is made of, in one read. Parameters: `runtimeID`, `groupLabel`, `succeeded`, `noKey` (null). */
export const planSource: ReadPlan = {
  select: [
    {
      as: "runtime",
      read: {
        one: "runtime",
        where: equals("id", { param: "runtimeID" }),
        select: [
          ...columns("id", "name"),
          labels,
          {
            as: "sync",
            read: {
              one: "syncState",
              where: ownedBy("id"),
              select: columns("desiredRevision", "desiredHash"),
            },
          },
        ],
      },
    },
    {
      as: "applications",
      read: {
        list: "application",
        where: applicationsOfRuntime({ param: "runtimeID" }),
        select: [
          ...columns("id", "name", "providerName", "description"),
          labels,
          {
            as: "bundles",
            read: { list: "bundle", where: ownedBy("applicationID"), select: bundle, max: MANY },
          },
        ],
        max: MANY,
      },
    },
    {
      as: "plans",
      read: {
        list: "plan",
        where: equals("runtimeID", { param: "runtimeID" }),
        select: columns("id", "planRevision"),
        max: 1000,
      },
    },
  ],
};

const sorted = (given: Labels | null): Labels =>
  Object.fromEntries(Object.entries(given ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** The content of a plan as JSON text: the same state always gives the same text. `open` opens a sealed credential. */
export function planContent(source: PlanSource, open: (sealed: string) => StoredAuth): string {
  const { runtime } = source;
  if (runtime === null) throw new Error("there is no plan without a runtime");
  const applications = source.applications.map((application) => ({
    ...application,
    labels: sorted(application.labels),
    bundles: application.bundles.map((one) => ({
      ...one,
      credentials: one.credentials.map((credential) => ({
        ...credential,
        auth: credential.auth === null ? null : open(credential.auth),
      })),
    })),
  }));
  const rules = source.applications.map((application) => ({
    applicationID: application.id,
    mayCall: [
      ...new Set(
        application.bundles.flatMap((one) => one.apiDefinitions.map((api) => api.targetURL)),
      ),
    ].toSorted(),
  }));
  return JSON.stringify({
    runtime: { id: runtime.id, name: runtime.name, labels: sorted(runtime.labels) },
    applications,
    rules,
    resources: [],
  });
}

/** A plan as the agent gets it: the content is not read again, it is a JSON object's text. */
export function planBody(
  head: { readonly revision: number; readonly hash: string; readonly cause: string },
  content: Buffer,
): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head).slice(0, -1)},`), content.subarray(1)]);
}

/** The entity tag of a plan (RFC 9110, 8.8.3). */
export function planTag(revision: number, hash: string): string {
  return `"${revision}-${hash}"`;
}
