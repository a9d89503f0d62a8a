import { concurrentUpdate, notFound } from "@sextant/errors";
import { type FieldName, type Kind, readOne, type StoredRecord } from "@sextant/registry-client";
import type { Context } from "../act/act.ts";

/** Some fields of one object of the tenant; throws NOT_FOUND, or CONCURRENT_UPDATE when its revision is not the expected one. */
export async function requireObject<K extends Kind, F extends FieldName<K> = never>(
  context: Pick<Context, "registry">,
  tenant: string,
  kind: K,
  noun: string,
  id: string,
  expectedRevision?: number | null,
  fields: readonly F[] = [],
): Promise<Pick<StoredRecord<K>, F | ("revision" & FieldName<K>)>> {
  const where = { op: "equals", field: "id", value: { param: "id" } } as const;
  const wanted = ["revision" as F & FieldName<K>, ...fields];
  const found = await readOne(context.registry, tenant, kind, where, wanted, { id });
  if (found === undefined) throw notFound(noun, id);
  const { revision } = found as { revision: number };
  if (
    expectedRevision !== null &&
    expectedRevision !== undefined &&
    expectedRevision !== revision
  ) {
    throw concurrentUpdate(noun, id);
  }
  return found as Pick<StoredRecord<K>, F | ("revision" & FieldName<K>)>;
}
