/** The URI in a client certificate, which says whose it is: `sextant://<tenant>/<kind>/<id>`. */

/** Who a client certificate belongs to. */
export type ClientIdentity = {
  /** The tenant's internal id. */
  readonly tenant: string;
  /** The noun, such as `application` or `runtime`. */
  readonly kind: string;
  /** The object's id. */
  readonly id: string;
};

const TENANT = /^[A-Za-z0-9-]{1,64}$/;
const KIND = /^[a-z][a-z-]{0,31}$/;
const ID = /^[A-Za-z0-9._-]{1,64}$/;

/** Writes the URI. Throws for parts that would make it ambiguous. */
export function formatClientUri({ tenant, kind, id }: ClientIdentity): string {
  if (!TENANT.test(tenant) || !KIND.test(kind) || !ID.test(id))
    throw new RangeError("not a client's identity");
  return `sextant://${tenant}/${kind}/${id}`;
}

/** Reads the URI, or undefined when it is not one. */
export function parseClientUri(uri: string): ClientIdentity | undefined {
  const [, tenant, kind, id] = /^sextant:\/\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(uri) ?? [];
  if (tenant === undefined || kind === undefined || id === undefined) return undefined;
  return TENANT.test(tenant) && KIND.test(kind) && ID.test(id) ? { tenant, kind, id } : undefined;
}
