import { Agent, type Dispatcher, request } from "undici";
import { publicLookup, targetFault } from "../outbound/target.ts";

/** One message on its way out. */
export type Message = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Milliseconds after which the attempt is given up. */
  readonly timeout: number;
};

/** Sends messages to targets that are allowed. Redirects are not followed. */
export type Sender = {
  /** The answer's status and the beginning of its body; throws when there was none. */
  send(message: Message): Promise<{ readonly status: number; readonly body: string }>;
  close(): Promise<void>;
};

/** Bytes of an answer that are read. */
const MAX_ANSWER = 64 * 1024;

async function beginning(body: Dispatcher.ResponseData["body"]): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_ANSWER) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER).toString("utf8");
}

/** Makes a sender. Unless private targets are allowed, an address is checked when it is connected to, not before. */
export function createSender(allowPrivateTargets: boolean): Sender {
  const agent = new Agent({
    connections: 4,
    keepAliveTimeout: 10_000,
    connect: { timeout: 10_000, ...(allowPrivateTargets ? {} : { lookup: publicLookup }) },
  });
  return {
    async send({ url, headers, body, timeout }) {
      const fault = allowPrivateTargets ? undefined : targetFault(url);
      if (fault !== undefined) throw new Error(`the URL ${fault}`);
      const answer = await request(url, {
        method: "POST",
        dispatcher: agent,
        headers: { "user-agent": "sextant", "content-type": "application/json", ...headers },
        body,
        signal: AbortSignal.timeout(timeout),
      });
      return { status: answer.statusCode, body: await beginning(answer.body) };
    },
    close: () => agent.close(),
  };
}
