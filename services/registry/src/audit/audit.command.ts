/** The operator's command for the audit log: export, verify, heads. Reads the database; changes nothing. */
import { readFileSync } from "node:fs";
import type { AuditRepository, Head, Link } from "./audit.repository.ts";
import { BEGINNING } from "./entry-hash.ts";
import { Verification } from "./verification.ts";

export const HELP = `npm run audit -- verify [--tenant <id>] [--heads <file>]
    Follows the chain of each tenant, or of one, and says where it breaks. With the heads that were kept, also whether
    its end was cut off, or all of it was made anew.
npm run audit -- heads [--tenant <id>]
    The end of each chain, as lines of JSON: keep them where who can change the database cannot.
npm run audit -- export --tenant <id> [--since <time>] [--until <time>] [--after <position>]
    The chained entries of a tenant, as lines of JSON.
npm run audit -- verify-file <file>
    Follows the chain in an exported file; it needs no database.

A tenant is named by its external id; one that is gone, and the plane itself (what no tenant can be named for), by the id that heads
prints. The database is the one of DATABASE_URL, or of the plane that runs in SEXTANT_HOME. Exit code 1: a chain breaks, or the
command is wrong.`;

/** What a command writes, and whether all was well. */
export type Output = { readonly line: (text: string) => void };

/** A fault of the command itself, for who has typed it. */
export class CommandError extends Error {}

/** What no tenant can be named for. */
const PLANE = "00000000-0000-0000-0000-000000000000";

type Options = Readonly<Record<string, string>>;

/** Reads `--name value` pairs; throws {@link CommandError} for others than these. */
export function readOptions(words: readonly string[], allowed: readonly string[]): Options {
  const options: Record<string, string> = {};
  for (let at = 0; at < words.length; at += 2) {
    const name = words[at]?.replace(/^--/, "") ?? "";
    const value = words[at + 1];
    if (!allowed.includes(name) || words[at]?.startsWith("--") !== true || value === undefined)
      throw new CommandError(`${words[at]} is not understood here\n\n${HELP}`);
    options[name] = value;
  }
  return options;
}

function timeOf(options: Options, name: string): string | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new CommandError(`--${name} must be a time such as 2026-01-31T12:00:00Z`);
  return new Date(time).toISOString();
}

type Tenant = { readonly id: string; readonly name: string };

async function tenantsOf(
  repository: AuditRepository,
  named: string | undefined,
): Promise<Tenant[]> {
  const all = (await repository.tenants()).map(({ id, externalID }) => ({
    id,
    name: externalID ?? (id === PLANE ? "(the plane)" : "(gone)"),
  }));
  if (named === undefined) return all;
  const found = all.filter(({ id, name }) => id === named || name === named);
  if (found.length === 0) throw new CommandError(`no chain is known of the tenant ${named}`);
  return found;
}

async function* linksOf(
  repository: AuditRepository,
  tenant: string,
  after: number,
): AsyncGenerator<Link> {
  for (let position = after; ;) {
    const page = await repository.chained(tenant, position);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    ({ position } = last);
  }
}

const keptSchema = (line: string): { readonly tenantID: string } & Head =>
  JSON.parse(line) as { tenantID: string } & Head;

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line.trim() !== "");
  } catch (error) {
    throw new CommandError(
      `${file} cannot be read: ${error instanceof Error ? error.message : ""}`,
    );
  }
}

/** A link as a line of an export. `objects` is the same JSON as was hashed. */
function exported(tenant: Tenant, { position, id, hash, entry }: Link, previous: string): string {
  const { objects = "null", ...rest } = entry ?? {};
  return JSON.stringify({
    position,
    tenant: tenant.name,
    tenantID: tenant.id,
    id,
    ...rest,
    objects: JSON.parse(objects) as unknown,
    previous,
    hash,
  });
}

type ExportedLine = {
  readonly position: number;
  readonly tenantID: string;
  readonly id: string;
  readonly previous: string;
  readonly hash: string;
  readonly objects: unknown;
} & Record<string, unknown>;

function linkOf(line: ExportedLine): Link {
  const text = (name: string) => (line[name] ?? null) as string | null;
  const entry =
    line.objects === null
      ? undefined
      : {
          timestamp: String(line["timestamp"]),
          actorType: String(line["actorType"]),
          actorID: String(line["actorID"]),
          actorName: text("actorName"),
          address: text("address"),
          requestID: text("requestID"),
          action: String(line["action"]),
          objects: JSON.stringify(line.objects),
          outcome: String(line["outcome"]),
          errorCode: text("errorCode"),
          times: Number(line["times"]),
        };
  return { position: line.position, id: line.id, hash: line.hash, entry };
}

/** Follows the chain in an export; answers whether it is whole. */
export function verifyFile(file: string, output: Output): boolean {
  const lines = linesOf(file).map((line) => JSON.parse(line) as ExportedLine);
  const [first] = lines;
  if (first === undefined) throw new CommandError(`${file} holds no entries`);
  const before: Head = { position: first.position - 1, hash: first.previous };
  const chain = new Verification(first.tenantID, before);
  for (const line of lines) chain.add(linkOf(line));
  output.line(
    chain.fault === undefined
      ? `whole: positions ${first.position} to ${chain.head.position}${first.previous === BEGINNING ? ", from the beginning" : ""}`
      : `broken: ${chain.fault}`,
  );
  return chain.fault === undefined;
}

/** Carries a command out; answers whether all was well. */
export async function runAuditCommand(
  repository: AuditRepository,
  [verb, ...words]: readonly string[],
  output: Output,
): Promise<boolean> {
  switch (verb) {
    case "verify": {
      const options = readOptions(words, ["tenant", "heads"]);
      const kept = new Map(
        (options["heads"] === undefined ? [] : linesOf(options["heads"]))
          .map((line) => keptSchema(line))
          .map(({ tenantID, position, hash }) => [tenantID, { position, hash }]),
      );
      let whole = true;
      const tenants = await tenantsOf(repository, options["tenant"]);
      for (const { id, name } of tenants) {
        const chain = new Verification(id, undefined, kept.get(id));
        for await (const link of linksOf(repository, id, 0)) chain.add(link);
        chain.end();
        const [loose] = await repository.loose(id);
        const fault =
          chain.fault ??
          (loose === undefined ? undefined : `the entry ${loose} is in no place of the chain`);
        whole &&= fault === undefined;
        output.line(
          fault === undefined
            ? `${name} ${id}: whole, ${chain.head.position} entries`
            : `${name} ${id}: broken: ${fault}`,
        );
        kept.delete(id);
      }
      if (options["tenant"] === undefined) {
        for (const [id, { position }] of kept) {
          output.line(`${id}: broken: ${position} entries were kept and there are none`);
          whole = false;
        }
      }
      return whole;
    }
    case "heads": {
      const options = readOptions(words, ["tenant"]);
      for (const { id, name } of await tenantsOf(repository, options["tenant"])) {
        const head = await repository.head(id);
        output.line(JSON.stringify({ tenant: name, tenantID: id, ...head }));
      }
      return true;
    }
    case "export": {
      const options = readOptions(words, ["tenant", "since", "until", "after"]);
      if (options["tenant"] === undefined)
        throw new CommandError(`export needs --tenant <id>\n\n${HELP}`);
      const [since, until] = [timeOf(options, "since"), timeOf(options, "until")];
      const after = Number(options["after"] ?? 0);
      if (!Number.isSafeInteger(after) || after < 0)
        throw new CommandError("--after must be a position");
      const [tenant] = await tenantsOf(repository, options["tenant"]);
      let previous = BEGINNING;
      for await (const link of linksOf(repository, tenant?.id ?? "", Math.max(0, after - 1))) {
        const at = link.entry?.timestamp;
        const isWanted =
          link.position > after &&
          (since === undefined || at === undefined || at >= since) &&
          (until === undefined || at === undefined || at < until);
        if (isWanted) output.line(exported(tenant as Tenant, link, previous));
        previous = link.hash;
      }
      return true;
    }
    default:
      throw new CommandError(HELP);
  }
}
