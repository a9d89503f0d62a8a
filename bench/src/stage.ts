/** What every comparison needs: the plane and its data, loads, and the references beside it. */
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { join } from "node:path";
import { Agent, request } from "undici";
import { serve } from "./measure/child.ts";
import type { Round } from "./measure/compare.ts";
import { processTree, sumOf } from "./measure/cpu.ts";
import type { Load } from "./measure/load.ts";
import type { Plane } from "./plane.ts";
import type { PairedRuntime } from "./seed.ts";

/** What is measured, and where. */
export type Bench = {
  readonly plane: Plane;
  readonly applicationID: string;
  /** Shares a group with 20 applications of 3 bundles with 3 APIs. */
  readonly runtime: PairedRuntime;
  /** 20 runtimes, each of which shares a group with 3 applications of one bundle with 3 APIs. */
  readonly siteIDs: readonly string[];
  /** As PostgreSQL's superuser. */
  readonly databaseURL: string;
  readonly tenant: string;
  /** PostgreSQL's process. */
  readonly postgres: number;
  /** Seconds that a round lasts, after half as many to warm up. */
  readonly seconds: number;
  /** How many tenants the growth measures end with. */
  readonly tenants: number;
  /** How many agents hold a poll. */
  readonly agents: number;
};

/** One way of asking. */
export type Question = { readonly query: string; readonly variables: object };

const CLIENTS = 16;

/** How long and by how many it is asked. */
export const rounds = ({ seconds }: Bench) => ({
  ...{ clients: CLIENTS, warmupSeconds: seconds / 2, seconds },
});

/** A question to a GraphQL endpoint, as an admin. */
export function graphqlLoad(
  bench: Bench,
  url: string,
  { query, variables }: Question,
  headers: Record<string, string> = {},
): Load {
  const { plane } = bench;
  return {
    ...rounds(bench),
    url,
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${plane.adminToken}`,
      ...headers,
    },
    body: JSON.stringify({ query, variables }),
    caFile: plane.caFile,
    status: 200,
  };
}

/** A file of the plane's gateway. */
export const keyFile = (plane: Plane, name: string): string =>
  join(plane.home, "keys/api-gateway", name);

/** Processes of the plane and of its PostgreSQL. */
export const planeProcesses = (bench: Bench) => (): readonly number[] => [
  ...processTree(bench.plane.pid),
  ...processTree(bench.postgres),
];

/** How much of the plane's CPU time for one operation each service and PostgreSQL have used. */
export function partsOf({ plane, postgres }: Bench, { cpuOfEach }: Round): string {
  const parts = [
    ...Object.entries(plane.services).map(([name, { pid }]) => [name, [pid]] as const),
    ["PostgreSQL", processTree(postgres)] as const,
  ].map(([name, pids]) => `${name} ${sumOf(cpuOfEach, pids).toFixed(3)}`);
  return parts.join(", ");
}

/** Prints {@link partsOf}. */
export function printParts(bench: Bench, round: Round | undefined): void {
  if (round !== undefined) console.log(`  sextant's CPU ms/op: ${partsOf(bench, round)}`);
}

/** A reference that serves. */
export type Reference = { readonly url: string; readonly processes: () => readonly number[] };

/** What the reference does and does not do. */
export const stockNote =
  "stock: Apollo Gateway, Apollo Server and Prisma over TLS, from the same database, without authentication, tenants and row-level security";

/** Runs `use` while the stock stack serves. */
export async function withStock(
  bench: Bench,
  use: (stock: Reference) => Promise<void>,
): Promise<void> {
  const { plane } = bench;
  const subgraph = await serve("reference/subgraph.ts", [bench.databaseURL, bench.tenant]);
  const gateway = await serve("reference/gateway.ts", [
    subgraph.url,
    keyFile(plane, "tls-cert.pem"),
    keyFile(plane, "tls-key.pem"),
  ]);
  const processes = () => [
    gateway.child.pid as number,
    subgraph.child.pid as number,
    ...processTree(bench.postgres),
  ];
  try {
    await use({ url: `${gateway.url}/graphql`, processes });
  } finally {
    gateway.child.disconnect();
    subgraph.child.disconnect();
  }
}

/** Runs `use` while PostGraphile serves. */
export async function withPostGraphile(
  bench: Bench,
  use: (postgraphile: Reference) => Promise<void>,
): Promise<void> {
  const { plane } = bench;
  const { url, child } = await serve("reference/postgraphile.ts", [
    bench.databaseURL,
    keyFile(plane, "tls-cert.pem"),
    keyFile(plane, "tls-key.pem"),
  ]);
  const processes = () => [child.pid as number, ...processTree(bench.postgres)];
  try {
    await use({ url: `${url}/graphql`, processes });
  } finally {
    child.disconnect();
  }
}

/** Throws unless all of them are answered with the same data. */
export async function sameAnswers(loads: readonly Load[]): Promise<void> {
  const answers: unknown[] = [];
  for (const { url, headers, body, caFile } of loads) {
    const dispatcher = new Agent({ connect: { ca: readFileSync(caFile) } });
    const answer = await request(url, {
      ...{ method: "POST", dispatcher, headers: { ...headers }, body: body ?? null },
    });
    answers.push(await answer.body.json());
    await dispatcher.close();
  }
  const [first] = answers;
  const other = answers.findIndex((answer) => !isDeepStrictEqual(answer, first));
  if (other >= 0) {
    const shown = [first, answers[other]].map((answer) => JSON.stringify(answer).slice(0, 2000));
    throw new Error(`${loads[other]?.url} answers differently:\n${shown.join("\n")}`);
  }
}

/** Where a service of this machine listens with its internal API: `unix:` and a path, or a URL. */
export function internalURLOf(pid: number): string {
  const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  const listen = environment.find((entry) => entry.startsWith("SEXTANT_LISTEN="))?.slice(15) ?? "";
  return listen.startsWith("unix:") ? listen : `http://${listen}`;
}
