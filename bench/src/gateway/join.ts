/** One operation that two services answer together, beside stock Apollo Gateway before two stock subgraphs. */
import { serve } from "../measure/child.ts";
import { compare, type Contestant, print } from "../measure/compare.ts";
import { processTree } from "../measure/cpu.ts";
import {
  type Bench,
  graphqlLoad,
  keyFile,
  planeProcesses,
  printParts,
  sameAnswers,
  stockNote,
} from "../stage.ts";

/** A runtime of Director with its certificates of the Connector. */
const query = `query Join($id: ID!) {
  runtime(id: $id) { id name certificates(first: 10) { data { id serialNumber subject } } } }`;

/** A runtime with its certificates. */
export async function joinTwo(bench: Bench): Promise<void> {
  const { plane, runtime } = bench;
  const data = [bench.databaseURL, bench.tenant];
  const runtimes = await serve("reference/subgraph.ts", data);
  const certificates = await serve("reference/certificates.ts", data);
  const gateway = await serve("reference/gateway.ts", [
    runtimes.url,
    keyFile(plane, "tls-cert.pem"),
    keyFile(plane, "tls-key.pem"),
    certificates.url,
  ]);
  const stock = [gateway, runtimes, certificates].map(({ child }) => child);
  const contestant = (
    name: string,
    url: string,
    processes: () => readonly number[],
  ): Contestant => ({
    ...{ name, processes },
    load: graphqlLoad(bench, `${url}/graphql`, { query, variables: { id: runtime.id } }),
  });
  try {
    const contestants = [
      contestant("stock: gateway, two subgraphs", gateway.url, () => [
        ...stock.map(({ pid }) => pid as number),
        ...processTree(bench.postgres),
      ]),
      contestant("sextant: joined", plane.publicURL, planeProcesses(bench)),
    ];
    await sameAnswers(contestants.map(({ load }) => load));
    const scores = await compare(contestants);
    print(
      "Join: a runtime with its certificates, over two services (goal: 4,000/s)",
      scores,
      stockNote,
    );
    printParts(bench, scores[1]);
  } finally {
    for (const child of stock) child.disconnect();
  }
}
