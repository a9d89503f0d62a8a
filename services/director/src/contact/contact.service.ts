/** Who was heard and when: the gateway tells it in batches. */
import { readList, type Step } from "@sextant/registry-client";
import { z } from "zod";
import { type Context, timestamp } from "../act/act.ts";

/** A batch of contacts. */
export const contactList = z
  .array(
    z.object({
      tenant: z.guid("must be a UUID"),
      type: z.enum(["APPLICATION", "RUNTIME"]),
      id: z.guid("must be a UUID"),
    }),
  )
  .max(50_000, "must have at most 50000 entries");

/** One who was heard. */
export type Contact = z.output<typeof contactList>[number];

/** Objects changed by one commit. */
const BATCH = 500;

/** Takes note of contacts. The first one makes an application or runtime CONNECTED. */
export function createContactService(context: Context) {
  const note = async (
    tenant: string,
    kind: "application" | "runtime",
    ids: readonly string[],
  ): Promise<void> => {
    const now = timestamp(context.now());
    const those = { op: "in", field: "id", values: { param: "ids" } } as const;
    const waiting = { op: "in", field: "statusCondition", values: { param: "waiting" } } as const;
    const first = { op: "all", of: [those, waiting] } as const;
    const params = { ids, waiting: ["INITIAL", "PROVISIONING"] };
    const steps: Step[] = [
      { op: "updateAll", kind, where: those, values: { lastSeen: now }, quiet: true },
    ];
    // A change of condition is rare and counts as a change of the object; being seen is frequent and does not.
    if ((await readList(context.registry, tenant, kind, first, ["id"], params, 1)).length > 0) {
      steps.push({
        op: "updateAll",
        kind,
        where: first,
        values: { statusCondition: "CONNECTED", statusTimestamp: now },
      });
    }
    await context.registry.commit({
      id: context.newID(),
      tenant,
      actor: { type: "SERVICE", id: "api-gateway" },
      action: "contact",
      observed: true,
      steps,
      params,
    });
  };

  return {
    async heard(contacts: readonly Contact[]): Promise<void> {
      const groups = new Map<string, Contact[]>();
      for (const contact of contacts) {
        const key = `${contact.tenant} ${contact.type}`;
        groups.set(key, [...(groups.get(key) ?? []), contact]);
      }
      for (const group of groups.values()) {
        const [{ tenant, type }] = group as [Contact];
        const ids = [...new Set(group.map((contact) => contact.id))];
        for (let from = 0; from < ids.length; from += BATCH) {
          await note(
            tenant,
            type === "APPLICATION" ? "application" : "runtime",
            ids.slice(from, from + BATCH),
          );
        }
      }
    },
  };
}

/** See {@link createContactService}. */
export type ContactService = ReturnType<typeof createContactService>;
