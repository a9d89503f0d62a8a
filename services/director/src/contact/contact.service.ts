/** Who was heard and when: the gateway tells it in batches. */
import {
  type Condition,
  type Params,
  readList,
  type Step,
  timestamp,
} from "@sextant/registry-client";
import { z } from "zod";
import { type Context } from "../act/act.ts";

/** A batch of contacts. */
export const contactList = z
  .array(
    z.object({
      tenant: z.guid("must be a UUID"),
      type: z.enum(["APPLICATION", "RUNTIME", "API_TOKEN"]),
      id: z.guid("must be a UUID"),
      /** The trust bundle that a runtime's agent knows. */
      trustBundle: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .optional(),
    }),
  )
  .max(50_000, "must have at most 50000 entries");

/** One who was heard. */
export type Contact = z.output<typeof contactList>[number];

/** Objects changed by one commit. */
const BATCH = 500;

const those: Condition = { op: "in", field: "id", values: { param: "ids" } };
const first: Condition = {
  op: "all",
  of: [those, { op: "in", field: "statusCondition", values: { param: "waiting" } }],
};

/** Parameters of {@link seen} and {@link connected}: who was heard. */
export const heardParameters = (ids: readonly string[]) => ({
  ids,
  waiting: ["INITIAL", "PROVISIONING"],
});

/** Those that were heard have been seen now. It is frequent, and no change of the object. */
export function seen(kind: "application" | "runtime", now: string, trustBundle?: string): Step {
  const values = { lastSeen: now, ...(trustBundle === undefined ? {} : { trustBundle }) };
  return { op: "updateAll", kind, where: those, values, quiet: true };
}

/** Those that were heard for the first time are CONNECTED. It is rare, and counts as a change of the object. */
export function connected(kind: "application" | "runtime", now: string): Step {
  const values = { statusCondition: "CONNECTED", statusTimestamp: now };
  return { op: "updateAll", kind, where: first, values };
}

/** Takes note of contacts. The first one makes an application or runtime CONNECTED. */
export function createContactService(context: Context) {
  const observe = (tenant: string, params: Params, steps: readonly Step[]) =>
    context.registry.commit({
      id: context.newID(),
      tenant,
      actor: { type: "SERVICE", id: "api-gateway" },
      action: "contact",
      observed: true,
      steps,
      params,
    });

  /** An API token is only seen: nothing becomes of it. */
  const noteTokens = (tenant: string, ids: readonly string[]) =>
    observe(tenant, heardParameters(ids), [
      {
        op: "updateAll",
        kind: "apiToken",
        where: those,
        values: { lastUsed: timestamp(context.now()) },
        quiet: true,
      },
    ]);

  const note = async (
    tenant: string,
    kind: "application" | "runtime",
    ids: readonly string[],
    trustBundle: string | undefined,
  ): Promise<void> => {
    const now = timestamp(context.now());
    const params = heardParameters(ids);
    const steps: Step[] = [seen(kind, now, trustBundle)];
    if ((await readList(context.registry, tenant, kind, first, ["id"], params, 1)).length > 0)
      steps.push(connected(kind, now));
    await observe(tenant, params, steps);
  };

  return {
    async heard(contacts: readonly Contact[]): Promise<void> {
      const groups = new Map<string, Contact[]>();
      for (const contact of contacts) {
        const key = `${contact.tenant} ${contact.type} ${contact.trustBundle}`;
        groups.set(key, [...(groups.get(key) ?? []), contact]);
      }
      for (const group of groups.values()) {
        const [{ tenant, type, trustBundle }] = group as [Contact];
        const ids = [...new Set(group.map((contact) => contact.id))];
        for (let from = 0; from < ids.length; from += BATCH) {
          const some = ids.slice(from, from + BATCH);
          if (type === "API_TOKEN") await noteTokens(tenant, some);
          else
            await note(
              tenant,
              type === "APPLICATION" ? "application" : "runtime",
              some,
              trustBundle,
            );
        }
      }
    },
  };
}

/** See {@link createContactService}. */
export type ContactService = ReturnType<typeof createContactService>;
