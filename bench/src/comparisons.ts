/** Comparisons of what the gateway does by itself: each prints a table. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createSigner, readServiceKeys } from "@sextant/identity";
import { Agent, request } from "undici";
import { serve } from "./measure/child.ts";
import { compare, type Contestant, print } from "./measure/compare.ts";
import type { Load } from "./measure/load.ts";
import { pointQuery } from "./director.ts";
import {
  type Bench,
  graphqlLoad,
  internalURLOf,
  keyFile,
  planeProcesses,
  printParts,
  rounds,
  stockNote,
  withStock,
} from "./stage.ts";

/** An agent's question whether its plan has changed, when it has not. */
export async function configPollLoad(bench: Bench): Promise<Load> {
  const { plane, runtime } = bench;
  const dispatcher = new Agent({
    connect: { ca: readFileSync(plane.caFile), ...runtime.certificate },
  });
  const url = `${plane.mtlsURL}/v1/runtime/plan`;
  const first = await request(url, { dispatcher, headers: { prefer: "wait=10" } });
  await first.body.dump();
  await dispatcher.close();
  return {
    ...rounds(bench),
    url,
    method: "GET",
    headers: { "if-none-match": String(first.headers["etag"]) },
    caFile: plane.caFile,
    certificate: runtime.certificate,
    status: 304,
  };
}

/** An agent that asks whether its plan has changed, when it has not. */
export async function configPoll(bench: Bench): Promise<void> {
  const { runtime } = bench;
  const load = await configPollLoad(bench);
  await withStock(bench, async ({ url: stockURL, processes }) => {
    const query = `query Poll($id: ID!) { plan(runtimeID: $id) { desiredRevision desiredHash } }`;
    const stock = graphqlLoad(bench, stockURL, { query, variables: { id: runtime.id } });
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
  const authorization = signer.authorizationFor("director", identity);
  const director = internalURLOf(plane.services["director"]?.pid ?? 0);
  const proxy = await serve("reference/proxy.ts", [
    director,
    keyFile(plane, "tls-cert.pem"),
    keyFile(plane, "tls-key.pem"),
    authorization,
  ]);
  try {
    const contestants = [
      ["viewer", "{ viewer { id type } }", {}],
      ["point read", pointQuery, { id: bench.applicationID }],
    ] as const;
    for (const [title, query, variables] of contestants) {
      const behindProxy: Contestant = {
        name: "plain Node TLS proxy",
        load: graphqlLoad(bench, `${proxy.url}/graphql`, { query, variables }),
        processes: () => [proxy.child.pid as number, ...planeProcesses(bench)()],
      };
      const ours: Contestant = {
        name: "sextant gateway, straight path",
        load: graphqlLoad(bench, `${plane.publicURL}/graphql`, { query, variables }),
        processes: planeProcesses(bench),
      };
      const scores = await compare([behindProxy, ours]);
      print(
        `Straight path: ${title} from Director (goal: half of the proxy)`,
        scores,
        "both to the same Director; the proxy knows no caller and checks nothing",
      );
      printParts(bench, scores[1]);
    }
  } finally {
    proxy.child.disconnect();
  }
}
