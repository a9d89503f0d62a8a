import { all, column, expression, none, type ObjectRead, type RootRead } from "@sextant/graphql";

export const apiTokensRead: RootRead = {
  read: "page",
  scopes: ["tenant:read"],
  where: () => all(),
};

/** How API tokens are read. Their secret is not stored. */
export const apiTokenType: ObjectRead = {
  kind: "apiToken",
  visible: (viewer) => (viewer === "USER" ? undefined : none),
  fields: {
    id: column("id"),
    name: column("name"),
    token: expression({ constant: "null" }),
    scopes: column("scopes"),
    tenants: column("tenantExternalIDs"),
    createdAt: column("createdAt"),
    expiresAt: column("expiresAt"),
    revokedAt: column("revokedAt"),
    lastUsedAt: column("lastUsed"),
    revision: column("revision"),
  },
};
