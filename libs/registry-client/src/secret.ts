/** The narrow doors: who holds a secret is found by its hash, before the tenant is known. */
import type { StoredRecord } from "./record.ts";

/** The kinds that are found by the hash of a secret. */
export type SecretKind = "apiToken" | "oneTimeToken" | "certificate" | "systemAuth";

/** Client credentials as the door shows them: whose they are, and where it may act. */
export type ClientHolder = Pick<
  StoredRecord<"systemAuth">,
  "id" | "applicationID" | "runtimeID" | "integrationSystemID"
> & {
  /** The tenant that they belong to. */
  readonly tenant: string;
  /** The tenants that are granted to an integration system, its own among them. */
  readonly tenants: readonly string[];
};

/** A holder of a secret, with the tenant it belongs to. */
export type SecretHolder<K extends SecretKind> = K extends "systemAuth"
  ? ClientHolder
  : StoredRecord<K> & { readonly tenant: string };
