/** Requests over one TLS connection, whose session can be resumed by another. */
import { Agent, request } from "node:https";
import type { TLSSocket } from "node:tls";
import type { AgentIdentity } from "./agent.ts";

/** An answer, and how its connection was made. */
export interface SessionAnswer {
  readonly status: number;
  readonly text: string;
  /** Whether the connection was used before. */
  readonly kept: boolean;
  /** Whether the TLS session is one of before. */
  readonly resumed: boolean;
}

/** A connection that is kept until its end. */
export interface Session {
  get(path: string): Promise<SessionAnswer>;
  /** The newest session that the server has offered. */
  ticket(): Buffer;
  close(): void;
}

/** Opens a session with a client certificate; with a ticket it resumes the one that the ticket is of. */
export function openSession(options: {
  readonly origin: string;
  readonly ca: string;
  readonly identity: AgentIdentity;
  readonly ticket?: Buffer;
}): Session {
  const { origin, ca, identity } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0 });
  let ticket: Buffer | undefined;
  return {
    get: (path) =>
      new Promise((resolve, reject) => {
        const sent = request(
          new URL(path, origin),
          {
            agent,
            ca,
            key: identity.privateKey,
            cert: identity.chain,
            ...(options.ticket === undefined ? {} : { session: options.ticket }),
          },
          (response) => {
            const socket = response.socket as TLSSocket;
            let text = "";
            response.setEncoding("utf8");
            response.on("data", (chunk: string) => void (text += chunk));
            response.once("error", reject);
            response.once("end", () =>
              resolve({
                status: response.statusCode ?? 0,
                text,
                kept: sent.reusedSocket,
                resumed: socket.isSessionReused(),
              }),
            );
          },
        );
        sent.once("socket", (socket) =>
          (socket as TLSSocket).on("session", (session: Buffer) => void (ticket = session)),
        );
        sent.once("error", reject);
        sent.end();
      }),
    ticket() {
      if (ticket === undefined) throw new Error("the server has offered no session");
      return ticket;
    },
    close: () => agent.destroy(),
  };
}
