/** `/healthz` and `/readyz` of an agent, where its operator wants them. */
import { createServer, type Server } from "node:http";
import type { ListenAddress } from "@sextant/config";

/** Serves the two, until it is closed. `readiness` says why the agent is not ready, or undefined. */
export function serveHealth(
  address: ListenAddress,
  readiness: () => string | undefined,
): Promise<Server> {
  const server = createServer((request, response) => {
    const [status, body] = answer(request.method, request.url, readiness);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host, () => resolve(server));
  });
}

type Answer = readonly [status: number, body: Readonly<Record<string, string>>];

function answer(
  method: string | undefined,
  path: string | undefined,
  readiness: () => string | undefined,
): Answer {
  if (path !== "/healthz" && path !== "/readyz") return [404, { error: "not found" }];
  if (method !== "GET") return [405, { error: "method not allowed" }];
  if (path === "/healthz") return [200, { status: "ok" }];
  const reason = readiness();
  return reason === undefined ? [200, { status: "ready" }] : [503, { status: "not ready", reason }];
}
