/** Seals anew, by the key in use, what another has sealed: afterwards the other may go. */
import type { Logger } from "@sextant/logging";
import type { Registry, SealedValue } from "@sextant/registry-client";
import type { Sealer, SecretUse } from "./sealer.ts";

/** What each sealed field is for. */
const uses: Readonly<Record<string, SecretUse>> = {
  "plan.content": "plan",
  "webhook.auth": "auth",
  "webhook.signingSecret": "signing-secret",
  "bundle.defaultInstanceAuth": "auth",
  "fetchRequest.auth": "auth",
  "bundleInstanceAuth.auth": "auth",
  "systemAuth.auth": "auth",
  "applicationTemplate.applicationInput": "template",
  "idempotencyKey.value": "answer",
};

/** Milliseconds between two looks, and after one that has found nothing: it reads all tables that hold secrets. */
const EVERY = 5_000;
const REST = 60_000;

/** Seals anew all that there is, page by page. What cannot be opened is left and told. */
export async function resealAll(
  registry: Pick<Registry, "listSealed" | "reseal">,
  sealer: Sealer,
  log: Logger,
  goesOn: () => boolean = () => true,
): Promise<number> {
  let after: Omit<SealedValue, "value"> | null = null;
  let resealed = 0;
  const prefix = sealer.prefix();
  while (goesOn() && sealer.prefix() === prefix) {
    const page: readonly SealedValue[] = await registry.listSealed({ prefix, after });
    const last = page.at(-1);
    if (last === undefined) break;
    const values = page.flatMap((one) => {
      const use = uses[`${one.kind}.${one.field}`];
      try {
        if (use === undefined) throw new Error("it is not known what this is sealed for");
        const by = sealer.seal(one.tenant, use, sealer.open(one.tenant, use, one.value));
        return [{ ...one, by }];
      } catch (error) {
        const { kind, field, id } = one;
        log.error({ kind, field, id, reason: (error as Error).message }, "cannot be sealed anew");
        return [];
      }
    });
    await registry.reseal({ values });
    resealed += values.length;
    const { kind, field, tenant, id } = last;
    after = { kind, field, tenant, id };
  }
  return resealed;
}

/** Looks now and then whether there is something to be sealed anew. Several processes may do so at once. */
export function startResealer(
  registry: Pick<Registry, "listSealed" | "reseal">,
  sealer: Sealer,
  log: Logger,
): { close(): Promise<void> } {
  let closed = false;
  let rest = { prefix: "", until: 0 };
  let round: Promise<void> = Promise.resolve();
  const work = async (): Promise<void> => {
    const prefix = sealer.prefix();
    const rests = rest.prefix === prefix && performance.now() < rest.until;
    if (!sealer.hasOthers() || rests) return;
    try {
      const resealed = await resealAll(registry, sealer, log, () => !closed);
      if (resealed > 0) log.info({ resealed }, "secrets were sealed anew");
      // What another process has sealed by the other key meanwhile is found by the next look.
      else rest = { prefix, until: performance.now() + REST };
    } catch (error) {
      log.warn({ reason: (error as Error).message }, "sealing anew waits for the registry");
    }
  };
  const timer = setInterval(() => {
    round = round.then(work);
  }, EVERY);
  return {
    async close() {
      closed = true;
      clearInterval(timer);
      await round;
    },
  };
}
