import {
  all,
  column,
  equals,
  expression,
  none,
  type ObjectRead,
  type RootRead,
} from "@sextant/graphql";
import type { Params } from "@sextant/registry-client";

export const tenantsRead: RootRead = {
  read: "list",
  scopes: ["tenant:read"],
  tenantless: true,
  where: () => all(),
  max: 10_000,
};

export const tenantsPageRead: RootRead = {
  read: "page",
  scopes: ["tenant:read"],
  tenantless: true,
  args: {
    shape: (args) => (typeof args["search"] === "string" ? "search" : "all"),
    bind: (args): Params => (typeof args["search"] === "string" ? { search: args["search"] } : {}),
  },
  where: (param, args) =>
    typeof args["search"] === "string"
      ? { op: "any", of: [equals("externalID", param("search")), equals("name", param("search"))] }
      : all(),
};

/** Tenants are managed by users alone. */
export const tenantType: ObjectRead = {
  kind: "tenant",
  visible: (viewer) => (viewer === "USER" || viewer === "SERVICE" ? undefined : none),
  fields: {
    id: column("externalID"),
    internalID: column("id"),
    name: column("name"),
    initialized: expression({ constant: "true" }),
  },
};
