/** A real HTTP server whose answers a test turns. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that was heard. */
export type Heard = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
};

/** Starts it on this machine. Every request is answered 404 until the test says otherwise. */
export async function startTestServer() {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks).toString() };
      heard.push(one);
      void self.answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const self = {
    port,
    base: `http://127.0.0.1:${port}`,
    /** Requests since the last `reset`. */
    heard,
    answer: (_request: Heard, response: ServerResponse): unknown => response.writeHead(404).end(),
    reset(): void {
      heard.length = 0;
      self.answer = (_request, response) => response.writeHead(404).end();
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return self;
}

/** See {@link startTestServer}. */
export type TestServer = Awaited<ReturnType<typeof startTestServer>>;
