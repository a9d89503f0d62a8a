import type { Actor } from "@sextant/registry-client";
import type { InternalClient } from "@sextant/service";
import { z } from "zod";

/** Whom trust is about. */
export type TrustSubject = "APPLICATION" | "RUNTIME";

/** What Director asks of the Connector. */
export type Trust = {
  /** Makes a one-time token with which the object can pair. */
  issueToken(
    tenant: string,
    subject: TrustSubject,
    id: string,
    actor: Actor,
  ): Promise<{ token: string; connectorURL: string; caPin: string }>;
  /** Revokes all certificates and tokens of the object; none is fine. */
  revokeAll(tenant: string, subject: TrustSubject, id: string, actor: Actor): Promise<void>;
};

const issued = z.object({ token: z.string(), connectorURL: z.string(), caPin: z.string() });

/** Speaks to the Connector's internal interface. */
export function createTrust(connector: InternalClient): Trust {
  const post = (path: string, tenant: string, body: unknown) =>
    connector.json({ method: "POST", path, tenant, body: JSON.stringify(body) });
  return {
    issueToken: async (tenant, consumerType, consumerID, actor) =>
      issued.parse(await post("/v1/one-time-tokens", tenant, { consumerType, consumerID, actor })),
    revokeAll: async (tenant, consumerType, consumerID, actor) => {
      await post("/v1/revocations", tenant, { consumerType, consumerID, actor });
    },
  };
}
