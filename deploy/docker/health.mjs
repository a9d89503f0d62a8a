// The containers' health check: ends with 0 when the service serves. Plain JavaScript and one module, because it runs often.
import { get } from "node:http";

// oxlint-disable-next-line house/process-env -- it reads the setting of the service that it asks
const port = process.env["SEXTANT_OPS_LISTEN"]?.split(":").at(-1);
const request = get(`http://127.0.0.1:${port}/readyz`, { timeout: 4_000 }, (response) => {
  response.on("data", (chunk) => process.stdout.write(chunk));
  response.on("end", () => process.exit(response.statusCode === 200 ? 0 : 1));
});
request.on("timeout", () => request.destroy(new Error("no answer in time")));
request.on("error", (error) => {
  process.stdout.write(`${error.message}\n`);
  process.exit(1);
});
