/** One operation that two services answer together, beside stock Apollo Gateway before two stock subgraphs. */
import { serve } from "../measure/child.ts";
import { compare, type Contestant, print } from "../measure/compare.ts";
import { cpuBetween, cpuTimes, processTree } from "../measure/cpu.ts";
import {
  type Bench,
  graphqlLoad,
  keyFile,
  planeProcesses,
  sameAnswers,
  stockNote,
} from "../stage.ts";

/** A runtime of Director with its certificates of the Connector. */
const query = `query Join($id: ID!) {
  runtime(id: $id) { id name certificates(first: 10) { data { id serialNumber subject } } } }`;

type Reading = ReturnType<typeof cpuTimes>;

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
  /** CPU times at the beginning and the end of each round. */
  const readings: Reading[] = [];
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
      contestant("sextant: joined", plane.publicURL, () => {
        const processes = planeProcesses(bench)();
        readings.push(cpuTimes(processes));
        return processes;
      }),
    ];
    await sameAnswers(contestants.map(({ load }) => load));
    const scores = await compare(contestants);
    print(
      "Join: a runtime with its certificates, over two services (goal: 4,000/s)",
      scores,
      stockNote,
    );
    const [before, after] = readings.slice(-2) as [Reading, Reading];
    const perOperation = (scores[1]?.cpuPerOperation ?? 0) / cpuBetween(before, after);
    const parts = [
      ...Object.entries(plane.services).map(([name, { pid }]) => [name, [pid]] as const),
      ["PostgreSQL", processTree(bench.postgres)] as const,
    ].map(([name, pids]) => {
      const of = (reading: Reading) => new Map(pids.map((pid) => [pid, reading.get(pid) ?? 0]));
      return `${name} ${(cpuBetween(of(before), of(after)) * perOperation).toFixed(3)}`;
    });
    console.log(`  sextant's CPU ms/op: ${parts.join(", ")}`);
  } finally {
    for (const child of stock) child.disconnect();
  }
}
