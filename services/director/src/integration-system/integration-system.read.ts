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

export const tenantGrantsRead: RootRead = {
  read: "page",
  scopes: ["tenant:read"],
  where: () => all(),
};

/** Grants are for users alone, as tenants are. */
export const tenantGrantType: ObjectRead = {
  kind: "tenantGrant",
  visible: (viewer) => (viewer === "USER" ? undefined : none),
  fields: {
    id: column("id"),
    integrationSystemID: column("integrationSystemID"),
    homeTenant: { read: "one", where: () => equals("id", { parent: "homeTenantID" }) },
    createdAt: column("createdAt"),
  },
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
    tenants: {
      read: "page",
      scopes: ["tenant:read"],
      where: () => ({ op: "grantedTo", integrationSystem: { parent: "id" } }),
    },
    revision: column("revision"),
  },
};
