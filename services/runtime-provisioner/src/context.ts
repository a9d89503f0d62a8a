import type { Logger } from "@sextant/logging";
import type { Commit, Params, Registry, Step } from "@sextant/registry-client";
import type { Director } from "./director-client/director.ts";
import type { Drivers } from "./driver/driver.ts";

/** What every use case of the provisioner works with. */
export type Context = {
  readonly registry: Registry;
  readonly director: Director;
  readonly drivers: Drivers;
  /** SHA-256 of the public key of the plane's root, as curl writes pins. */
  readonly caPin: () => string;
  readonly newID: () => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: Logger;
};

/** A commit of the provisioner itself. */
export function commitOf(
  context: Pick<Context, "newID">,
  tenant: string,
  action: string,
  steps: readonly Step[],
  params: Params = {},
): Commit {
  const actor = { type: "SERVICE", id: "runtime-provisioner" };
  return { id: context.newID(), tenant, actor, action, steps, params };
}
