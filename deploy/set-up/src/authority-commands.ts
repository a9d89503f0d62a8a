/** The commands by which an operator changes the authority that signs: prepare, activate, retire. Each can be run again. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readCertificateChain } from "@sextant/x509";
import { alternativeNames } from "./hosts.ts";
import { SetUpError } from "./key-files.ts";
import type { TrustState } from "./plane-state.ts";
import {
  activateAuthority,
  ensureRoots,
  type OwnAuthority,
  prepareAuthority,
  type PublicAuthority,
  requireAuthorities,
  requireKnown,
  retireAuthority,
  trustBundleOf,
} from "./public-authorities.ts";
import { placesOf, type SetUpOptions, spreadAuthorities } from "./set-up.ts";

/** What a command works with. */
export type CommandOptions = Pick<SetUpOptions, "home" | "keys" | "owner" | "now"> & {
  readonly trust: TrustState | undefined;
};

const certificatesOf = ({ authority }: PublicAuthority, trust: TrustState): number =>
  trust.certificates.find(
    ({ issuerKeyID }) => issuerKeyID === authority.issuer.keyId.toString("hex"),
  )?.count ?? 0;

/** How many runtimes there are, and how many know this bundle. */
function acknowledgement(bundle: string, trust: TrustState) {
  const hash = createHash("sha256").update(bundle).digest("hex");
  const of = (those: TrustState["runtimes"]) => those.reduce((sum, { count }) => sum + count, 0);
  return {
    all: of(trust.runtimes),
    known: of(trust.runtimes.filter(({ trustBundle }) => trustBundle === hash)),
  };
}

/** The authorities, who knows them, and what to do next: for people. */
export async function showAuthorities(options: CommandOptions): Promise<string> {
  const { trust } = options;
  const authorities = await requireAuthorities(placesOf(options).authorities);
  const { all, active } = authorities;
  const rows = [
    ["authority", "state", "subject", "ends", "client certificates in force"],
    ...all
      .toSorted((a, b) => Number(a.id) - Number(b.id))
      .map((one) => [
        one.id,
        one === active ? "signs" : "trusted",
        one.authority.certificate.subject,
        one.authority.certificate.notAfter.toISOString().slice(0, 10),
        trust === undefined ? "?" : String(certificatesOf(one, trust)),
      ]),
  ];
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => (row[at] ?? "").length)));
  const table = rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths?.[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
  const others = all.filter((one) => one !== active).map(({ id }) => id);
  return `${table}\n${knownBy(trustBundleOf(authorities), trust)}\n${nextStep(others)}\n`;
}

function knownBy(bundle: string, trust: TrustState | undefined): string {
  if (trust === undefined)
    return "The plane is not running: who knows these authorities is not known.";
  const { all, known } = acknowledgement(bundle, trust);
  return `Of ${all} runtimes that were heard of within a day, ${known} know these authorities.`;
}

const nextStep = (others: readonly string[]): string =>
  others.length === 0
    ? "Next: `ca prepare` brings one that is trusted beside it, before the end of the one that signs."
    : `Next: \`ca activate ${others.at(-1)}\` lets that one sign, \`ca retire ${others.at(-1)}\` removes it.`;

/** See {@link prepareAuthority}. */
export async function prepare(
  options: CommandOptions,
  how: { readonly newRoot: boolean; readonly own: OwnAuthority | undefined },
): Promise<string> {
  const { authorities } = placesOf(options);
  const id = await prepareAuthority(authorities, options.now, { ...how, owner: options.owner });
  await spread(options);
  return `authority ${id} is trusted from now on; agents learn of it with their next polls, within a minute. Next: \`ca\` shows how many have, \`ca activate ${id}\` lets it sign.\n`;
}

/** Lets an authority sign, once so many percent of the runtimes know it. Undone by activating the one before. */
export async function activate(
  options: CommandOptions,
  id: string,
  gate: { readonly atLeast: number; readonly force: boolean },
): Promise<string> {
  const { authorities } = placesOf(options);
  const present = await requireAuthorities(authorities);
  requireKnown(present.all, id);
  if (present.active.id === id) {
    await spread(options);
    return `authority ${id} signs already\n`;
  }
  if (!gate.force) requireKnownByAll(trustBundleOf(present), options.trust, gate.atLeast);
  const before = present.active.id;
  await activateAuthority(authorities, id, options.owner);
  await spread(options);
  return `authority ${id} signs from now on. Undo: \`ca activate ${before}\`. Next, when certificates of ${before} are renewed: \`ca retire ${before}\`.\n`;
}

function requireKnownByAll(bundle: string, trust: TrustState | undefined, atLeast: number): void {
  if (trust === undefined) {
    throw new SetUpError(
      "the plane is not running, and how many runtimes know the authority cannot be asked: start it, name SEXTANT_CONNECTOR_OPS_URL, or use --force",
    );
  }
  const { all, known } = acknowledgement(bundle, trust);
  if (known * 100 >= all * atLeast) return;
  throw new SetUpError(
    `${known} of ${all} runtimes that were heard of within a day know the authority, and ${atLeast}% are to: wait a minute, see what keeps the others, or use --at-least=<percent>`,
  );
}

/** Removes an authority by whose certificates nobody comes any more. */
export async function retire(
  options: CommandOptions,
  id: string,
  { force }: { readonly force: boolean },
): Promise<string> {
  const { authorities } = placesOf(options);
  const present = await requireAuthorities(authorities);
  const one = requireKnown(present.all, id);
  if (!force && one !== present.active) {
    if (options.trust === undefined) {
      throw new SetUpError(
        "the plane is not running, and how many certificates of this authority are in force cannot be asked: start it, name SEXTANT_CONNECTOR_OPS_URL, or use --force",
      );
    }
    const left = certificatesOf(one, options.trust);
    if (left > 0) {
      throw new SetUpError(
        `${left} client certificates of authority ${id} are in force: wait until they are renewed, or use --force, and their holders have to pair anew`,
      );
    }
  }
  await retireAuthority(authorities, id);
  await spread(options);
  return `authority ${id} is trusted no longer\n`;
}

/** Gives everybody what follows from the authorities, for the names that the server certificate has. */
async function spread(options: CommandOptions): Promise<void> {
  const { directories, authorities: paths } = placesOf(options);
  const present = await requireAuthorities(paths);
  await ensureRoots(paths, present);
  const file = join(directories["api-gateway"], "tls-cert.pem");
  const [server] = readCertificateChain(await readFile(file, "utf8"));
  const names = alternativeNames([...(server?.names.dns ?? []), ...(server?.names.ip ?? [])]);
  await spreadAuthorities(directories, present, names, options);
}
