import {
  column,
  embedded,
  equals,
  type FieldRead,
  me,
  none,
  type ObjectRead,
  ownedBy,
} from "@sextant/graphql";
import type { OpenAuth } from "../auth/auth.ts";
import type { FetchOwner } from "./fetch-request.ts";

/** The fetch request of the object around. */
export const fetchRequestOf = (owner: FetchOwner): FieldRead => ({
  read: "one",
  where: () => ownedBy(owner),
});

/** How fetch requests are read. A runtime sees none: their URLs and credentials are the application's own. */
export const fetchRequestType = (openAuth: OpenAuth): ObjectRead => ({
  kind: "fetchRequest",
  visible: (viewer) => {
    if (viewer === "RUNTIME") return none;
    return viewer === "APPLICATION" ? equals("applicationID", me) : undefined;
  },
  fields: {
    url: column("url"),
    auth: { read: "sealed", expression: () => ({ field: "auth" }), open: openAuth },
    mode: column("mode"),
    filter: column("filter"),
    status: embedded(),
  },
});

export const fetchRequestStatusType: ObjectRead = {
  fields: {
    condition: column("statusCondition"),
    message: column("statusMessage"),
    timestamp: column("statusTimestamp"),
  },
};
