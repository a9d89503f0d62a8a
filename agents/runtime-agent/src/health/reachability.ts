/** Whether the addresses of applications can be connected to: no request is made to them. */
import { createConnection } from "node:net";

/** Where to connect to. */
export type Address = { readonly host: string; readonly port: number };

/** Addresses of one application that are looked at. */
const MAX_ADDRESSES = 5;

/** The addresses behind URLs, each once; what is no URL of a server is passed over. */
export function addressesOf(urls: readonly string[]): readonly Address[] {
  const found = new Map<string, Address>();
  for (const text of urls) {
    const url = URL.parse(text);
    if (url === null || !["http:", "https:"].includes(url.protocol)) continue;
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
    found.set(`${host} ${port}`, { host, port });
  }
  return [...found.values()].slice(0, MAX_ADDRESSES);
}

/** Why an address cannot be connected to; undefined: it can. */
export function connectFault(
  { host, port }: Address,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, signal });
    const end = (fault: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(fault);
    };
    const timer = setTimeout(
      () => end(`${host}:${port}: no connection within ${timeoutMs / 1000} seconds`),
      timeoutMs,
    );
    socket.once("connect", () => end(undefined));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      end(`${host}:${port}: ${error.code ?? "no connection"}`),
    );
  });
}
