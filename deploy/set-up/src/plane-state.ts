/** What a running plane tells its operator about keys and trust, at the services' ports for health and metrics: numbers only. */
import { join } from "node:path";
import { z } from "zod";
import { readIfPresent, SetUpError } from "./key-files.ts";

/** What the Connector tells of its authorities, of all tenants. */
const trustState = z.object({
  /** Runtimes heard of within a day, by the trust bundle that their agents say they know. */
  runtimes: z.array(z.object({ trustBundle: z.string().nullable(), count: z.number() })),
  /** Client certificates in force, by the key identifier of who signed them. */
  certificates: z.array(z.object({ issuerKeyID: z.string().nullable(), count: z.number() })),
});

/** See {@link trustState}. */
export type TrustState = z.output<typeof trustState>;

/** What Director tells of its secrets. */
const secretState = z.object({ sealedByOthers: z.number() });

/** Asks the Connector. Undefined: there is no plane that could be asked. Throws {@link SetUpError} when it does not answer. */
export const askTrustState = (
  home: string,
  opsURL: string | undefined,
): Promise<TrustState | undefined> => ask("connector", "/trust", trustState, home, opsURL);

/** Asks Director how many secrets another data key than the one in use has sealed. As {@link askTrustState}. */
export const askSealedByOthers = async (
  home: string,
  opsURL: string | undefined,
): Promise<number | undefined> =>
  (await ask("director", "/secrets", secretState, home, opsURL))?.sealedByOthers;

async function ask<Schema extends z.ZodType>(
  service: string,
  path: string,
  schema: Schema,
  home: string,
  opsURL: string | undefined,
): Promise<z.output<Schema> | undefined> {
  const url = opsURL ?? (await runningService(home, service));
  if (url === undefined) return undefined;
  try {
    const reply = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(60_000) });
    if (!reply.ok) throw new Error(`it answers ${reply.status}`);
    return schema.parse(await reply.json());
  } catch (error) {
    throw new SetUpError(`the ${service} at ${url} cannot be asked: ${(error as Error).message}`);
  }
}

async function runningService(home: string, service: string): Promise<string | undefined> {
  const text = (await readIfPresent(join(home, "plane.json")))?.toString();
  if (text === undefined) return undefined;
  const plane = JSON.parse(text) as {
    readonly services?: Readonly<Record<string, { readonly opsURL?: string }>>;
  };
  return plane.services?.[service]?.opsURL;
}
