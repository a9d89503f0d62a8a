import type { Registry } from "./contract.ts";
import type { Kind } from "./kinds.ts";
import type { Condition, Params, ReadPlan } from "./read-plan.ts";
import type { FieldName, StoredRecord } from "./record.ts";

/** Reads some fields of the one object that meets a condition. */
export async function readOne<K extends Kind, F extends FieldName<K>>(
  registry: Registry,
  tenant: string | null,
  kindName: K,
  where: Condition,
  fields: readonly F[],
  parameters: Params,
): Promise<Pick<StoredRecord<K>, F> | undefined> {
  const select = fields.map((field) => ({ as: field, field }));
  const plan: ReadPlan = { select: [{ as: "one", read: { one: kindName, where, select } }] };
  const answer = await registry.read({ tenant, plan, params: parameters });
  const { one } = JSON.parse(answer.text) as { one: Pick<StoredRecord<K>, F> | null };
  return one ?? undefined;
}

/** Reads some fields of every object that meets a condition, at most `max`, by id. */
export async function readList<K extends Kind, F extends FieldName<K>>(
  registry: Registry,
  tenant: string | null,
  kindName: K,
  where: Condition,
  fields: readonly F[],
  parameters: Params,
  max: number,
): Promise<readonly Pick<StoredRecord<K>, F>[]> {
  const select = fields.map((field) => ({ as: field, field }));
  const plan: ReadPlan = { select: [{ as: "list", read: { list: kindName, where, select, max } }] };
  const answer = await registry.read({ tenant, plan, params: parameters });
  return (JSON.parse(answer.text) as { list: Pick<StoredRecord<K>, F>[] }).list;
}
