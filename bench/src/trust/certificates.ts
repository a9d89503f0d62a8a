/** Certificates a second: durable ones at the Connector's own interface, beside libraries that only sign. */
import { join } from "node:path";
import { type AnyContestant, compare, print } from "../measure/compare.ts";
import type { Steady } from "../measure/steady.ts";
import { type Bench, internalURLOf, planeProcesses, printParts } from "../stage.ts";
import type { IssueLoad } from "./issue-load.ts";
import { storeTokens } from "./tokens.ts";

const CLIENTS = 96;
/** More than any round issues in a second. */
const AT_MOST = 5_000;

/** P-256 and RSA-2048 requests. */
export async function certificates(bench: Bench): Promise<void> {
  for (const key of ["P-256", "RSA-2048"] as const) {
    const { seconds } = bench;
    const steady: Steady = { clients: CLIENTS, warmupSeconds: seconds / 2, seconds };
    const count = Math.ceil(seconds * 1.5 * AT_MOST);
    // Keys of RSA take too long to be made for each.
    const perHolder = key === "P-256" ? 1 : Math.ceil(count / 40);
    const { plane } = bench;
    const database = { url: bench.databaseURL, tenant: bench.tenant };
    const load = async (): Promise<IssueLoad> => ({
      ...steady,
      connectorURL: internalURLOf(plane.services["connector"]?.pid ?? 0),
      keysDirectory: join(plane.home, "keys/api-gateway"),
      tenant: bench.tenant,
      ...{ key, count, perHolder },
      first: await storeTokens(database, count, perHolder),
    });
    const reference = (name: string, file: string): AnyContestant => ({
      name,
      load: { ...steady, key },
      generator: `../reference/${file}.ts`,
      processes: () => [],
    });
    const ours: AnyContestant = {
      name: "sextant: durable, at the Connector",
      load,
      generator: "../trust/issue-load.ts",
      processes: planeProcesses(bench),
    };
    const peculiar = reference("@peculiar/x509 alone", "issue-peculiar");
    const forge = reference("node-forge alone", "issue-forge");
    const scores = await compare(key === "P-256" ? [peculiar, ours] : [forge, peculiar, ours]);
    print(
      `Certificates for ${key} requests (goal: 2,315 durable P-256 certificates a second)`,
      scores,
      `the libraries read, verify, build and sign in one process, and store nothing; ours has ${CLIENTS} clients`,
    );
    printParts(bench, scores.at(-1));
  }
}
