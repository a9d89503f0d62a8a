/** The host names and addresses under which a plane is reached, and which its server certificate must have. */
import { isIP } from "node:net";
import { canonicalAddress, isDnsName, type AlternativeNames } from "@sextant/x509";
import { SetUpError } from "./key-files.ts";

/** A plane always answers under these. */
const LOOPBACK = ["localhost", "127.0.0.1", "::1"];

/** What {@link planeHosts} collects names from. */
export type HostSources = {
  /** Public URLs of the plane. */
  readonly urls?: readonly (string | undefined)[];
  /** Further names and addresses that the operator wants. */
  readonly extra?: readonly string[];
  /** The machine's own name; left out when it is not one that a certificate can have. */
  readonly hostname?: string | undefined;
};

/** Names and addresses for {@link setUp}'s `publicHosts`. The loopback ones need not be named. */
export function planeHosts({ urls = [], extra = [], hostname }: HostSources): string[] {
  const fromUrls = urls
    .filter((url) => url !== undefined)
    .map((url) => new URL(url).hostname.replace(/^\[(.*)\]$/, "$1"));
  const own = hostname !== undefined && isDnsName(hostname) ? [hostname] : [];
  return [...new Set([...fromUrls, ...own, ...extra])];
}

/** Sorts names from addresses, in canonical form and each once. Throws {@link SetUpError} for what is neither. */
export function alternativeNames(
  hosts: readonly string[],
): Required<Pick<AlternativeNames, "dns" | "ip">> {
  const dns = new Set<string>();
  const ip = new Set<string>();
  for (const host of hosts) {
    if (isIP(host) !== 0 && !host.includes("%")) ip.add(canonicalAddress(host));
    else if (isDnsName(host)) dns.add(host.toLowerCase());
    else
      throw new SetUpError(
        `"${host}" is neither a host name nor an IP address: a certificate cannot have it`,
      );
  }
  return { dns: [...dns], ip: [...ip] };
}

/** The names of the server certificate. */
export const serverNames = (publicHosts: readonly string[]) =>
  alternativeNames([...LOOPBACK, ...publicHosts]);

/** The names of a service's internal certificate. */
export const internalNames = (service: string, internalHosts: readonly string[]) =>
  alternativeNames([service, "localhost", "127.0.0.1", ...internalHosts]);
