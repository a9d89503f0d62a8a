/** Ids of the data of the growth measures: known without asking the database, and of one length. */

/** What each tenant has. */
export const perTenant = {
  runtimes: 100,
  applications: 10,
  bundlesOfApplication: 3,
  apisOfBundle: 10,
  /** Each of its runtimes and applications is in one of so many groups, and has one of so many regions. */
  groups: 10,
} as const;

/** Requests spread over the tenants: `{{tenant}}`, `{{runtime}}` and `{{application}}` are replaced in each by ids of one at random. */
export type Spread = { readonly tenants: number };

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
const id = (kind: number, number: number, tenant: number): string =>
  `${kind}0000000-0000-7${hex(number, 3)}-8000-${hex(tenant, 12)}`;

/** The external id of a tenant. */
export const tenantName = (tenant: number): string => `tenant-${hex(tenant, 8)}`;
/** The id of a tenant's runtime. */
export const runtimeID = (tenant: number, number: number): string => id(1, number, tenant);
/** The id of a tenant's application. */
export const applicationID = (tenant: number, number: number): string => id(2, number, tenant);

const upTo = (count: number): number => 1 + Math.floor(Math.random() * count);

/** Replaces the places in a request, always by as many characters. */
export function filledIn(template: string, { tenants }: Spread): string {
  const tenant = upTo(tenants);
  return template
    .replaceAll("{{tenant}}", tenantName(tenant))
    .replaceAll("{{runtime}}", runtimeID(tenant, upTo(perTenant.runtimes)))
    .replaceAll("{{application}}", applicationID(tenant, upTo(perTenant.applications)))
    .replaceAll("{{region}}", `region-${hex(upTo(perTenant.groups), 2)}`);
}
