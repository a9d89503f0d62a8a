/** Whole pairings a second: token, configuration, certificate, through the gateway over TLS. */
import { type AnyContestant, compare, print } from "../measure/compare.ts";
import { type Bench, planeProcesses, printParts } from "../stage.ts";
import type { PairLoad } from "./pair-load.ts";
import { storeTokens } from "./tokens.ts";

const CLIENTS = 32;
/** More than any round pairs in a second. */
const AT_MOST = 1_500;

/** One connection by the admin, a new one by each machine. */
export async function pairings(bench: Bench): Promise<void> {
  const { plane, seconds } = bench;
  const count = Math.ceil(seconds * 1.5 * AT_MOST);
  const database = { url: bench.databaseURL, tenant: bench.tenant };
  const load = async (): Promise<PairLoad> => ({
    ...{ clients: CLIENTS, warmupSeconds: seconds / 2, seconds, count },
    ...{ publicURL: plane.publicURL, adminToken: plane.adminToken, caFile: plane.caFile },
    first: await storeTokens(database, count, 1),
  });
  const name = "sextant: token, configuration, CSR";
  const generator = "../trust/pair-load.ts";
  const ours: AnyContestant = { name, load, generator, processes: planeProcesses(bench) };
  const scores = await compare([ours]);
  print(
    "Whole pairings through the gateway, each with a new TLS connection (goal: 500 a second)",
    scores,
    `${CLIENTS} machines at a time; making their keys and requests is not counted`,
  );
  printParts(bench, scores[0]);
}
