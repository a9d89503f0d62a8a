import { request as requestHTTP } from "node:http";
import { request as requestHTTPS } from "node:https";

/** Reads a JSON document of an identity provider. */
export type FetchJSON = (url: string, ca: Buffer | undefined) => Promise<unknown>;

const TIMEOUT = 5_000;
const MAX_BYTES = 512 * 1024;

/** Over HTTP or HTTPS: no redirects, 512 KiB and 5 seconds at most. */
export const fetchJSON: FetchJSON = (url, ca) =>
  new Promise((resolve, reject) => {
    const request = url.startsWith("https:") ? requestHTTPS : requestHTTP;
    const signal = AbortSignal.timeout(TIMEOUT);
    const sent = request(
      url,
      {
        headers: { accept: "application/json" },
        signal,
        agent: false,
        ...(ca === undefined ? {} : { ca }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        if (response.statusCode !== 200) {
          response.destroy();
          reject(new Error(`${url} answered ${response.statusCode}`));
          return;
        }
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          chunks.push(chunk);
          if (size > MAX_BYTES)
            response.destroy(new Error(`${url} answered more than ${MAX_BYTES} bytes`));
        });
        response.on("error", reject);
        response.on("end", () => {
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString("utf8")));
          } catch {
            reject(new Error(`${url} did not answer with JSON`));
          }
        });
      },
    );
    sent.on("error", reject);
    sent.end();
  });
