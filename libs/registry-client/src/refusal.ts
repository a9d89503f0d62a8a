import type { Actor, Refusal } from "./actor.ts";
import type { Commit, Registry } from "./contract.ts";

function refusalOf(
  id: string,
  tenant: string,
  actor: Actor,
  action: string,
  refusal: { readonly code: string } & Partial<Refusal>,
): Commit {
  return {
    id,
    tenant,
    actor,
    action,
    steps: [],
    params: {},
    refusal: { objects: [], times: 1, ...refusal },
  };
}

/** Records that an act was refused, as an audit entry of its own. Fails when it cannot be written. */
export async function recordRefusal(
  context: { readonly registry: Pick<Registry, "commit">; readonly newID: () => string },
  tenant: string,
  actor: Actor,
  action: string,
  refusal: { readonly code: string } & Partial<Refusal>,
): Promise<void> {
  await context.registry.commit(refusalOf(context.newID(), tenant, actor, action, refusal));
}
