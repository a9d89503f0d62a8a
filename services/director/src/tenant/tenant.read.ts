import {
  all,
  column,
  equals,
  expression,
  none,
  type ObjectRead,
  openTenant,
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

/** Tenants are for users alone, who see those that they may act in. */
export const tenantType: ObjectRead = {
  kind: "tenant",
  visible: (viewer) => (viewer === "USER" ? openTenant : none),
  fields: {
    id: column("externalID"),
    internalID: column("id"),
    name: column("name"),
    initialized: expression({ constant: "true" }),
  },
};
