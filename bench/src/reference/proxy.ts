/** A plain Node TLS proxy that does nothing else: what any gateway costs at the least. */
import { readFileSync } from "node:fs";
import { Agent, request as send } from "node:http";
import { createServer } from "node:https";

const [, , target = "", certFile = "", keyFile = "", authorization = ""] = process.argv;
const { hostname, port } = new URL(target);
const place = target.startsWith("unix:") ? { socketPath: target.slice(5) } : { hostname, port };
const agent = new Agent({ keepAlive: true, maxSockets: 32 });
const https = createServer(
  { cert: readFileSync(certFile), key: readFileSync(keyFile) },
  (request, response) => {
    const headers = { ...request.headers, authorization };
    const onward = send(
      { ...place, path: request.url, method: request.method, headers, agent },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(onward);
  },
);
https.listen(0, "127.0.0.1", () => {
  const address = https.address();
  process.send?.({ url: `https://localhost:${typeof address === "object" ? address?.port : 0}` });
});
process.once("disconnect", () => process.exit(0));
