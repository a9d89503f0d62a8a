import {
  all,
  column,
  equals,
  me,
  none,
  type ObjectRead,
  ownedBy,
  type RootRead,
} from "@sextant/graphql";
import { byIDArgument } from "../read/arguments.ts";

export const integrationSystemsRead: RootRead = {
  read: "page",
  scopes: ["integration_system:read"],
  where: () => all(),
};

export const integrationSystemRead: RootRead = {
  read: "one",
  scopes: ["integration_system:read"],
  ...byIDArgument,
};

/** An integration system sees itself, in its own tenant. */
export const integrationSystemType: ObjectRead = {
  kind: "integrationSystem",
  visible: (viewer) => {
    if (viewer === "INTEGRATION_SYSTEM") return equals("id", me);
    return viewer === "USER" || viewer === "SERVICE" ? undefined : none;
  },
  fields: {
    id: column("id"),
    name: column("name"),
    description: column("description"),
    auths: {
      read: "list",
      scopes: ["integration_system:write"],
      where: () => ownedBy("integrationSystemID"),
      max: 1000,
    },
    revision: column("revision"),
  },
};
