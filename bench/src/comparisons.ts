/** The comparisons: each prints a table. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createSigner, readServiceKeys } from "@sextant/identity";
import { request } from "undici";
import { serve } from "./measure/child.ts";
import { compare, type Contestant, print } from "./measure/compare.ts";
import { processTree } from "./measure/cpu.ts";
import type { Load } from "./measure/load.ts";
import type { Plane } from "./plane.ts";
import type { PairedRuntime } from "./seed.ts";

/** What is measured, and where. */
export type Bench = {
  readonly plane: Plane;
  readonly applicationID: string;
  readonly runtime: PairedRuntime;
  readonly databaseURL: string;
  readonly tenant: string;
  /** PostgreSQL's process. */
  readonly postgres: number;
};

const CLIENTS = 16;
const rounds = { clients: CLIENTS, warmupSeconds: 2, seconds: 4 };
const stockNote =
  "stock: Apollo Gateway, Apollo Server and Prisma over TLS, from the same database, without authentication, tenants and row-level security";

const nestedQuery = `query Nested($first: Int) {
  applications(first: $first) { data { id name description status { condition }
    bundles(first: 3) { data { id name description
      apiDefinitions(first: 3) { data { id name description targetURL group } } } } } }
}`;
const pointQuery = `query Point($id: ID!) { application(id: $id) { id name description status { condition } } }`;

function graphqlLoad(
  plane: Plane,
  url: string,
  query: string,
  variables: object,
  headers: Record<string, string> = {},
): Load {
  return {
    ...rounds,
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

const keyFile = (plane: Plane, name: string) => join(plane.home, "keys/api-gateway", name);

/** Runs `use` while the stock stack serves. */
async function withStock(
  bench: Bench,
  use: (url: string, processes: () => readonly number[]) => Promise<void>,
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
    await use(gateway.url, processes);
  } finally {
    gateway.child.disconnect();
    subgraph.child.disconnect();
  }
}

const planeProcesses = (bench: Bench) => () => [
  ...processTree(bench.plane.pid),
  ...processTree(bench.postgres),
];

/** Throws unless two answers hold the same data. */
async function sameAnswer(load: Load, other: Load): Promise<void> {
  const { Agent } = await import("undici");
  const dispatcher = new Agent({ connect: { ca: readFileSync(load.caFile) } });
  const answers = await Promise.all(
    [load, other].map(async ({ url, headers, body }) => {
      const answer = await request(url, {
        method: "POST",
        dispatcher,
        headers: { ...headers },
        body: body ?? null,
      });
      return JSON.stringify(await answer.body.json());
    }),
  );
  await dispatcher.close();
  if (answers[0] !== answers[1])
    throw new Error(`the two answer differently:\n${answers[0]}\n${answers[1]}`);
}

async function againstStock(
  bench: Bench,
  title: string,
  query: string,
  variables: object,
): Promise<void> {
  await withStock(bench, async (url, processes) => {
    const stock = graphqlLoad(bench.plane, `${url}/graphql`, query, variables);
    const ours = graphqlLoad(bench.plane, `${bench.plane.publicURL}/graphql`, query, variables);
    await sameAnswer(stock, ours);
    const scores = await compare([
      { name: "stock", load: stock, processes },
      { name: "sextant", load: ours, processes: planeProcesses(bench) },
    ]);
    print(title, scores, stockNote);
  });
}

/** 20 applications × 3 bundles × 3 APIs. */
export const nestedList = (bench: Bench): Promise<void> =>
  againstStock(
    bench,
    "Nested list: 20 applications × 3 bundles × 3 APIs through the gateway (goal: 2 × stock)",
    nestedQuery,
    { first: 20 },
  );

/** One application by its id. */
export const pointRead = (bench: Bench): Promise<void> =>
  againstStock(bench, "Point read: one application by its id through the gateway", pointQuery, {
    id: bench.applicationID,
  });

/** An agent that asks whether its plan has changed, when it has not. */
export async function configPoll(bench: Bench): Promise<void> {
  const { plane, runtime } = bench;
  const { Agent } = await import("undici");
  const dispatcher = new Agent({
    connect: { ca: readFileSync(plane.caFile), ...runtime.certificate },
  });
  const url = `${plane.mtlsURL}/v1/runtime/plan`;
  const first = await request(url, { dispatcher, headers: { prefer: "wait=10" } });
  await first.body.dump();
  await dispatcher.close();
  const load: Load = {
    ...rounds,
    url,
    method: "GET",
    headers: { "if-none-match": String(first.headers["etag"]) },
    caFile: plane.caFile,
    certificate: runtime.certificate,
    status: 304,
  };
  await withStock(bench, async (stockURL, processes) => {
    const query = `query Poll($id: ID!) { plan(runtimeID: $id) { desiredRevision desiredHash } }`;
    const stock = graphqlLoad(plane, `${stockURL}/graphql`, query, { id: runtime.id });
    const scores = await compare([
      { name: "stock: revision by GraphQL", load: stock, processes },
      { name: "sextant: conditional poll, mTLS", load, processes: planeProcesses(bench) },
    ]);
    print("Config poll: has my plan changed? (nothing has)", scores, stockNote);
  });
}

/** What the gateway adds, beside a proxy that adds nothing. */
export async function straightPath(bench: Bench): Promise<void> {
  const { plane } = bench;
  const keys = readServiceKeys(join(plane.home, "keys/api-gateway"), "api-gateway");
  const signer = createSigner({ service: "api-gateway", ...keys, now: () => Date.now() });
  const identity = {
    tenant: bench.tenant,
    consumer: { type: "USER", id: "bench" },
    scopes: ["application:read"],
  } as const;
  const token = await signer.tokenFor("director", identity);
  const director = `http://127.0.0.1:${servicePort(plane.services["director"]?.pid ?? 0)}`;
  const proxy = await serve("reference/proxy.ts", [
    director,
    keyFile(plane, "tls-cert.pem"),
    keyFile(plane, "tls-key.pem"),
    token,
  ]);
  try {
    const contestants = [
      ["viewer", "{ viewer { id type } }", {}],
      ["point read", pointQuery, { id: bench.applicationID }],
    ] as const;
    for (const [title, query, variables] of contestants) {
      const behindProxy: Contestant = {
        name: "plain Node TLS proxy",
        load: graphqlLoad(plane, `${proxy.url}/graphql`, query, variables),
        processes: () => [proxy.child.pid as number, ...planeProcesses(bench)()],
      };
      const ours: Contestant = {
        name: "sextant gateway, straight path",
        load: graphqlLoad(plane, `${plane.publicURL}/graphql`, query, variables),
        processes: planeProcesses(bench),
      };
      const scores = await compare([behindProxy, ours]);
      print(
        `Straight path: ${title} from Director (goal: half of the proxy)`,
        scores,
        "both to the same Director; the proxy knows no caller and checks nothing",
      );
    }
  } finally {
    proxy.child.disconnect();
  }
}

/** The port on which a process of this machine listens with its internal API: the one that is not its ops port. */
function servicePort(pid: number): number {
  const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  const listen = environment.find((entry) => entry.startsWith("SEXTANT_LISTEN="));
  return Number(listen?.split(":").at(-1));
}
