/** A whole stored object as JSON, with the tenant it belongs to: for what is found before its tenant is known. */
import { fieldsOf, type Kind, kinds, type Selection } from "@sextant/registry-client";
import { objectPieces, valuePieces } from "./expression.ts";
import { Build, Scope } from "./scope.ts";
import { concatenation } from "./sql-text.ts";

/** The SQL that makes the JSON of the row with this alias. */
export function recordSQL(kind: Kind, alias: string): string {
  const scope = new Scope(kind, alias, undefined);
  const build = new Build({});
  const selection: Selection = Object.keys(fieldsOf(kind)).map((field) => ({ as: field, field }));
  const pieces = objectPieces(selection, (entry) => valuePieces(build, scope, entry));
  if (kinds[kind].tenantless) return concatenation(pieces);
  const tenant = [{ constant: ',"tenant":"' }, { sql: `${alias}.tenant_id` }, { constant: '"}' }];
  return concatenation([...pieces.slice(0, -1), ...tenant]);
}
