import { invalidData } from "@sextant/errors";
import {
  all,
  type Args,
  column,
  equals,
  idParameter,
  none,
  type ObjectRead,
  type RootRead,
} from "@sextant/graphql";
import type { Condition, Params } from "@sextant/registry-client";

type Filter = Readonly<Record<string, unknown>>;
const filterOf = (args: Args): Filter => (args["filter"] as Filter | null | undefined) ?? {};
const isGiven = (value: unknown): boolean => value !== null && value !== undefined;

/** Fields of the filter that are compared with what is stored. */
const compared = ["action", "actorID", "actorType"] as const;
const named = [...compared, "objectID", "until"] as const;
const isSuccess: Condition = { op: "isNull", field: "errorCode" };
/** What was refused has an index of its own, which is used for what is said in these words. */
const outcomes: Readonly<Record<string, Condition>> = {
  SUCCEEDED: isSuccess,
  REFUSED: { op: "not", condition: isSuccess },
};

function millisecondsOf(field: string, value: unknown): number {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  if (time >= 0) return time;
  const message = "must be a time such as 2026-01-31T12:00:00Z (RFC 3339)";
  throw invalidData("AuditFilter", [{ field, message }]);
}

/** The id before all of a time: ids begin with the milliseconds of when they were made (UUID version 7, RFC 9562). */
function idBefore(milliseconds: number): string {
  const hex = milliseconds.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`;
}

export const auditEntriesRead: RootRead = {
  read: "page",
  scopes: ["audit:read"],
  args: {
    shape: (args) => {
      const filter = filterOf(args);
      return [...named.map((field) => isGiven(filter[field])), filter["outcome"]].join(" ");
    },
    bind: (args): Params => {
      const filter = filterOf(args);
      const params: Record<string, string> = {};
      for (const field of compared)
        if (isGiven(filter[field])) params[field] = String(filter[field]);
      if (isGiven(filter["objectID"])) params["object"] = idParameter(filter["objectID"]);
      if (isGiven(filter["until"]))
        params["until"] = idBefore(millisecondsOf("until", filter["until"]));
      if (isGiven(filter["since"]) && !isGiven(args["after"]))
        params["after"] = idBefore(millisecondsOf("since", filter["since"]));
      return params;
    },
  },
  where: (param, args) => {
    const filter = filterOf(args);
    const isAsked = (field: string) => isGiven(filter[field]);
    return all(
      ...compared.map((field) => (isAsked(field) ? equals(field, param(field)) : undefined)),
      isAsked("objectID") ? { op: "names", object: param("object") } : undefined,
      outcomes[String(filter["outcome"])],
      isAsked("until") ? { op: "before", field: "id", value: param("until") } : undefined,
    );
  },
};

/** How audit entries are read: by users only. */
export const auditEntryType: ObjectRead = {
  kind: "auditEntry",
  visible: (viewer) => (viewer === "USER" ? undefined : none),
  fields: {
    id: column("id"),
    timestamp: column("createdAt"),
    actorType: column("actorType"),
    actorID: column("actorID"),
    actorName: column("actorName"),
    address: column("address"),
    requestID: column("requestID"),
    action: column("action"),
    objects: { read: "sealed", expression: () => ({ field: "objects" }), open: (stored) => stored },
    outcome: column("outcome"),
    errorCode: column("errorCode"),
    times: column("times"),
  },
};
