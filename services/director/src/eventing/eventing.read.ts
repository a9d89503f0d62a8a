import { all, equals, type FieldRead, ownedBy } from "@sextant/graphql";
import type { Condition, Expression, Selection } from "@sextant/registry-client";
import { runtimesOfApplication } from "../group/group.read.ts";

/** The label that holds where a runtime takes events. Parameters of the declared reads: `eventingLabel`, `connected`. */
export const EVENTING_LABEL = "runtime_eventServiceUrl";

/** What {@link eventingOfApplication} finds. */
type Found = {
  readonly chosen: { readonly labels: Labels } | null;
  readonly oldest: readonly { readonly labels: Labels }[];
};
type Labels = Readonly<Record<string, unknown>> | null;

/** The label of a runtime that says where events go. */
export const eventingLabel: Selection = [
  { as: "labels", labels: { key: { param: "eventingLabel" } } },
];
const sharing = runtimesOfApplication({ parent: "id" });
const isChosen: Condition = all(ownedBy("id", "defaultEventingRuntimeID"), sharing);

/** The chosen runtime's label, and that of the oldest connected runtime that shares a group. */
export const eventingOfApplication: Expression = {
  object: [
    { as: "chosen", read: { one: "runtime", where: isChosen, select: eventingLabel } },
    {
      as: "oldest",
      read: {
        list: "runtime",
        where: all(equals("statusCondition", { param: "connected" }), sharing),
        select: eventingLabel,
        max: 1,
      },
    },
  ],
};

const urlOf = (labels: Labels | undefined): string => {
  const url = labels?.[EVENTING_LABEL];
  return typeof url === "string" ? url : "";
};

/** The URL that is in force. */
export function eventingURL(stored: unknown): string {
  const { chosen, oldest } = stored as Found;
  return urlOf(chosen === null ? oldest[0]?.labels : chosen.labels);
}

/** Application.eventingConfiguration. */
export const applicationEventing: FieldRead = {
  read: "sealed",
  expression: () => eventingOfApplication,
  open: (stored) => ({ defaultURL: eventingURL(stored) }),
};

/** Runtime.eventingConfiguration. */
export const runtimeEventing: FieldRead = {
  read: "sealed",
  expression: () => ({ object: eventingLabel }),
  open: (stored) => ({ defaultURL: urlOf((stored as { labels: Labels }).labels) }),
};
