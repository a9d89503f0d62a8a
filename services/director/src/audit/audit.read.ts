import { invalidData } from "@sextant/errors";
import {
  all,
  type Args,
  column,
  equals,
  none,
  type ObjectRead,
  type RootRead,
} from "@sextant/graphql";
import type { Params } from "@sextant/registry-client";

type Filter = {
  readonly action?: string | null;
  readonly actorID?: string | null;
  readonly since?: unknown;
};
const filterOf = (args: Args): Filter => (args["filter"] as Filter | null | undefined) ?? {};
const isGiven = (value: unknown): boolean => value !== null && value !== undefined;

/** The id before all of a time: ids begin with the milliseconds of when they were made (UUID version 7, RFC 9562). */
function idBefore(since: unknown): string {
  const time = typeof since === "string" ? Date.parse(since) : Number.NaN;
  if (!(time >= 0)) {
    const message = "must be a time such as 2026-01-31T12:00:00Z (RFC 3339)";
    throw invalidData("AuditFilter", [{ field: "since", message }]);
  }
  const hex = time.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`;
}

export const auditEntriesRead: RootRead = {
  read: "page",
  scopes: ["audit:read"],
  args: {
    shape: (args) => {
      const { action, actorID } = filterOf(args);
      return `${isGiven(action)} ${isGiven(actorID)}`;
    },
    bind: (args): Params => {
      const { action, actorID, since } = filterOf(args);
      return {
        ...(isGiven(action) ? { action: String(action) } : {}),
        ...(isGiven(actorID) ? { actorID: String(actorID) } : {}),
        ...(isGiven(since) && !isGiven(args["after"]) ? { after: idBefore(since) } : {}),
      };
    },
  },
  where: (param, args) => {
    const { action, actorID } = filterOf(args);
    return all(
      isGiven(action) ? equals("action", param("action")) : undefined,
      isGiven(actorID) ? equals("actorID", param("actorID")) : undefined,
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
    action: column("action"),
    objects: { read: "sealed", expression: () => ({ field: "objects" }), open: (stored) => stored },
  },
};
