/** What a plane starts with: its first tenant, and the API token of its admin. */
import { readFileSync } from "node:fs";
import { scopes } from "@sextant/identity";
import type { Logger } from "@sextant/logging";
import { type Commit, create, type Registry } from "@sextant/registry-client";
import { z } from "zod";

const bootstrapSchema = z.object({
  tenant: z.object({ externalID: z.string().min(1), name: z.string().min(1) }),
  /** SHA-256 of the token, in lower-case hexadecimal. */
  adminTokenHash: z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in lower-case hexadecimal"),
});

/** See {@link bootstrapSchema}. */
export type Bootstrap = z.infer<typeof bootstrapSchema>;

/** Reads the file; says what is wrong with it. */
export function readBootstrap(file: string): Bootstrap {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`SEXTANT_BOOTSTRAP_FILE ${file} cannot be read as JSON`, { cause: error });
  }
  const result = bootstrapSchema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new Error(`SEXTANT_BOOTSTRAP_FILE ${file}: ${faults.join("; ")}`);
}

/** Makes what is not there yet. Several processes may do it at once. */
export async function ensureBootstrap(
  bootstrap: Bootstrap,
  registries: { readonly director: Registry; readonly gateway: Registry },
  newID: () => string,
  log: Logger,
): Promise<void> {
  const { director, gateway } = registries;
  if ((await gateway.findBySecret("apiToken", bootstrap.adminTokenHash)) !== undefined) return;
  const { externalID, name } = bootstrap.tenant;
  const commit = (
    tenant: string,
    action: string,
    step: Commit["steps"][number],
  ): Promise<unknown> =>
    director.commit({
      id: newID(),
      tenant,
      actor: { type: "SERVICE", id: "registry" },
      action,
      steps: [step],
      params: {},
    });

  let tenant = await director.findTenant({ externalID });
  if (tenant === undefined) {
    const id = newID();
    await commit(id, "registerTenant", create("tenant", id, { externalID, name }));
    tenant = await director.findTenant({ externalID });
    if (tenant === undefined) throw new Error(`the tenant ${externalID} could not be made`);
    log.info({ tenant: externalID }, "tenant made");
  }
  const token = {
    name: "admin",
    hash: bootstrap.adminTokenHash,
    scopes,
    tenants: ["*"],
    tenantExternalIDs: ["*"],
  };
  await commit(tenant.id, "createAPIToken", create("apiToken", newID(), token));
  log.info({ tenant: externalID }, "admin token made");
}
