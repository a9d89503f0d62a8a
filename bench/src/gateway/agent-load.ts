/** Agents that hold polls, each on its own TLS connection: a process that opens them and keeps them. */
import { readFileSync } from "node:fs";
import { connect } from "node:tls";

/** How many agents there are, and what they show. */
export type AgentLoad = {
  readonly url: string;
  readonly caFile: string;
  readonly agents: number;
  /** Agents take turns with them. */
  readonly certificates: readonly { readonly cert: string; readonly key: string }[];
};

/** Connections that are being opened at a time. */
const OPENING = 32;
const WAIT = 50;

process.once("message", (load: AgentLoad) => {
  const { hostname, port, host } = new URL(load.url);
  const ca = readFileSync(load.caFile);
  const ask = (wait: number, tag: string | undefined): string =>
    [
      `GET /v1/runtime/plan HTTP/1.1`,
      `host: ${host}`,
      `prefer: wait=${wait}`,
      ...(tag === undefined ? [] : [`if-none-match: ${tag}`]),
      "\r\n",
    ].join("\r\n");
  const fail = (error: Error): never => {
    process.stderr.write(`agents: ${error.message}\n`);
    process.exit(1);
  };

  /** Opens a connection and gets the plan; then polls for changes for good. Resolves when the first poll is on its way. */
  const agent = (index: number): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect({
        ...{ host: hostname, port: Number(port), servername: hostname, ca },
        ...load.certificates[index % load.certificates.length],
      });
      let text = "";
      let tag: string | undefined;
      socket.once("secureConnect", () => socket.write(ask(20, undefined)));
      socket.on("error", fail);
      socket.on("close", () => fail(new Error("a connection was closed")));
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
        const end = text.indexOf("\r\n\r\n");
        if (end < 0) return;
        const head = text.slice(0, end);
        const status = Number(head.slice(9, 12));
        const length =
          status === 200 ? Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN) : 0;
        if (text.length < end + 4 + length) return;
        text = "";
        tag = /^etag: (.+)$/im.exec(head)?.[1]?.trim() ?? tag;
        if ((status !== 200 && status !== 304) || tag === undefined)
          fail(new Error(`a poll was answered ${head}`));
        socket.write(ask(WAIT, tag), () => resolve());
      });
    });

  let next = 0;
  const opener = async (): Promise<void> => {
    while (next < load.agents) {
      next += 1;
      await agent(next);
    }
  };
  void Promise.all(Array.from({ length: OPENING }, opener)).then(() => process.send?.("held"));
});
process.once("disconnect", () => process.exit(0));
