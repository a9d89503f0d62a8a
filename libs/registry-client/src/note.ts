import type { Actor, Note } from "./actor.ts";
import type { Registry } from "./contract.ts";

/** Records an act that has no commit of its own, as an audit entry. Fails when it cannot be written. */
export async function recordNote(
  context: { readonly registry: Pick<Registry, "commit">; readonly newID: () => string },
  tenant: string,
  actor: Actor,
  action: string,
  note: Partial<Note>,
): Promise<void> {
  const commit = { id: context.newID(), tenant, actor, action, steps: [], params: {} };
  await context.registry.commit({ ...commit, note: { objects: [], times: 1, ...note } });
}
