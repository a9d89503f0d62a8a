/** A webhook receiver as an application has one: a plain HTTP server that checks each message's signature. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { until } from "./until.ts";

/** What a message says. */
export interface Message {
  readonly type: string;
  readonly timestamp: string;
  readonly data: { readonly ids: Readonly<Record<string, string>> };
}

/** A message as it came. */
export interface Received {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly message: Message;
}

/** A running receiver. */
export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** Calls back with each message as soon as it has come. */
  onMessage(callback: (message: Message) => void): void;
  /** Waits for a message. */
  next(what: string, isIt: (message: Message) => boolean): Promise<Received>;
  close(): Promise<void>;
}

/** What a receiver makes of a message: by the library that Standard Webhooks gives to receivers. */
export function isGenuine(
  secret: string,
  { headers, body }: Pick<Received, "headers" | "body">,
): boolean {
  try {
    new Webhook(secret).verify(body, { ...headers });
    return true;
  } catch {
    return false;
  }
}

/** Starts a receiver. `host` is how the plane reaches it. */
export async function startReceiver(host: string): Promise<Receiver> {
  const received: Received[] = [];
  const callbacks: ((message: Message) => void)[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => void (body += chunk));
    request.on("end", () => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      );
      const message = JSON.parse(body) as Message;
      received.push({ headers, body, message });
      for (const callback of callbacks) callback(message);
      response.writeHead(204).end();
    });
  });
  const isLocal = host === "127.0.0.1" || host === "localhost";
  await new Promise<void>((resolve) =>
    server.listen(0, isLocal ? "127.0.0.1" : "0.0.0.0", resolve),
  );
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}/hooks/sextant`,
    received,
    onMessage: (callback) => void callbacks.push(callback),
    next: (what, isIt) => until(what, () => received.find(({ message }) => isIt(message))),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
