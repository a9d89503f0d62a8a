/** How long a revoked certificate is still accepted: on new, resumed and open connections. */
import { readFileSync } from "node:fs";
import { connect, type TLSSocket } from "node:tls";
import { pairRuntime, type PairedRuntime } from "../seed.ts";
import type { Bench } from "../stage.ts";

const TIMES = 100;
const LIMIT = 10_000;
const REVOKE = "mutation($id: ID!) { revoked: revokeCertificates(runtimeID: $id) }";

type Connection = {
  readonly socket: TLSSocket;
  readonly session: () => Buffer | undefined;
  /** Asks for the plan; gives the status of the answer, or undefined when the connection was closed. */
  readonly ask: () => Promise<number | undefined>;
};

function opened(bench: Bench, runtime: PairedRuntime, session?: Buffer): Promise<Connection> {
  const { plane } = bench;
  const { hostname, port, host } = new URL(plane.mtlsURL);
  const request = `GET /v1/runtime/plan HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ host: hostname, port: Number(port), servername: hostname },
      ...{ ca: readFileSync(plane.caFile), ...runtime.certificate },
      ...(session === undefined ? {} : { session }),
    });
    let known: Buffer | undefined;
    socket.on("session", (ticket) => (known = ticket));
    socket.once("error", reject);
    let text = "";
    let answered: ((status: number | undefined) => void) | undefined;
    const answer = (status: number | undefined): void => {
      answered?.(status);
      answered = undefined;
    };
    socket.on("close", () => answer(undefined));
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (end < 0 || text.length < end + 4 + length) return;
      const status = Number(text.slice(9, 12));
      text = "";
      answer(status);
    });
    const ask = (): Promise<number | undefined> =>
      new Promise((result) => {
        if (socket.destroyed) return result(undefined);
        answered = result;
        socket.write(request);
        return undefined;
      });
    socket.once("secureConnect", () =>
      resolve({ socket, ask, session: () => known ?? socket.getSession() }),
    );
  });
}

/** Asks again and again until it is refused; gives the milliseconds since `begun`. */
async function untilRefused(
  begun: number,
  ask: () => Promise<number | undefined>,
): Promise<number> {
  for (;;) {
    const status = await ask();
    const since = performance.now() - begun;
    if (status === 401 || status === undefined) return since;
    if (status !== 200 && status !== 204) throw new Error(`a poll was answered ${status}`);
    if (since > LIMIT) throw new Error(`a revoked certificate is accepted after ${LIMIT} ms`);
  }
}

/** Revokes certificates one by one, each with connections that are open, resumed and new. Prints the latencies. */
export async function revocation(bench: Bench): Promise<void> {
  const latencies: Record<"new" | "resumed" | "open" | "closed", number[]> = {
    ...{ new: [], resumed: [], open: [], closed: [] },
  };
  for (let time = 0; time < TIMES; time += 1) {
    const runtime = await pairRuntime(bench.plane, `revoked-${time}`);
    const asking = await opened(bench, runtime);
    const idle = await opened(bench, runtime);
    for (const { ask } of [asking, idle]) {
      const status = await ask();
      if (status !== 200 && status !== 204)
        throw new Error(`a new certificate was answered ${status}`);
    }
    const session = asking.session();
    const once = async (resumed: Buffer | undefined): Promise<number | undefined> => {
      const connection = await opened(bench, runtime, resumed);
      if (connection.socket.isSessionReused() !== (resumed !== undefined))
        throw new Error("a session was not as it should be");
      const status = await connection.ask();
      connection.socket.destroy();
      return status;
    };
    let begun = Number.NaN;
    const closed = new Promise<void>((resolve) => {
      idle.socket.once("close", () => {
        latencies.closed.push(performance.now() - begun);
        resolve();
      });
    });
    await bench.plane.graphql(REVOKE, { id: runtime.id });
    begun = performance.now();
    const [fresh, resumed, open] = await Promise.all([
      untilRefused(begun, () => once(undefined)),
      untilRefused(begun, () => once(session)),
      untilRefused(begun, asking.ask),
    ]);
    await closed;
    latencies.new.push(fresh);
    latencies.resumed.push(resumed);
    latencies.open.push(open);
    asking.socket.destroy();
  }
  console.log(
    `\nRevocation: from the answer to the admin to the first refusal, ${TIMES} certificates (goal: 1,000 ms)`,
  );
  const titles = {
    new: "request on a new connection, with its handshake",
    resumed: "request on a resumed connection, with its handshake",
    open: "request on an open connection",
    closed: "open connection closed that asks nothing",
  } as const;
  for (const [name, title] of Object.entries(titles)) {
    const sorted = latencies[name as keyof typeof titles].toSorted((a, b) => a - b);
    const at = (share: number): string =>
      (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
    console.log(
      `  ${title.padEnd(52)} p50 ${at(0.5).padStart(6)} ms   p99 ${at(0.99).padStart(6)} ms`,
    );
  }
}
