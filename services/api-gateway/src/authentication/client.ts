/** Who has client credentials: an application, a runtime or an integration system. */
import {
  applicationScopes,
  type Identity,
  integrationSystemScopes,
  runtimeScopes,
  type Scope,
} from "@sextant/identity";
import type { ClientHolder } from "@sextant/registry-client";

/** The client behind credentials, and what it may do at most. */
export function clientOf(holder: ClientHolder): {
  readonly consumer: Identity["consumer"];
  readonly scopes: readonly Scope[];
} {
  const { applicationID, runtimeID, integrationSystemID } = holder;
  if (applicationID !== null)
    return { consumer: { type: "APPLICATION", id: applicationID }, scopes: applicationScopes };
  if (runtimeID !== null)
    return { consumer: { type: "RUNTIME", id: runtimeID }, scopes: runtimeScopes };
  return {
    consumer: { type: "INTEGRATION_SYSTEM", id: integrationSystemID as string },
    scopes: integrationSystemScopes,
  };
}
