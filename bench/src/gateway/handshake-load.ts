/** TLS connections to the mTLS listener, each opened, counted and closed: whole handshakes, or sessions that resume. */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { connect as secure, type SecureVersion, type TLSSocket } from "node:tls";
import { steadily, type Steady } from "../measure/steady.ts";

/** What is opened. */
export type HandshakeLoad = Steady & {
  readonly url: string;
  readonly caFile: string;
  readonly certificate: { readonly cert: string; readonly key: string };
  readonly version: SecureVersion;
  readonly resumed: boolean;
};

process.once("message", (load: HandshakeLoad) => {
  const { hostname, port } = new URL(load.url);
  const options = {
    ...{ servername: hostname, ca: readFileSync(load.caFile), ...load.certificate },
    ...{ minVersion: load.version, maxVersion: load.version },
  };

  /** Opens a connection and closes it, which the server does as soon as the handshake is done; gives the bytes of both directions. */
  const open = (session: Buffer | undefined, use: (socket: TLSSocket) => void): Promise<number> =>
    new Promise((resolve, reject) => {
      const wire = connect(Number(port), hostname);
      const socket = secure({
        ...{ ...options, socket: wire },
        ...(session === undefined ? {} : { session }),
      });
      socket.on("error", reject);
      socket.on("session", () => use(socket));
      socket.once("secureConnect", () => {
        use(socket);
        socket.end();
      });
      socket.resume();
      wire.once("close", () => resolve(wire.bytesRead + wire.bytesWritten));
    });

  const run = async (): Promise<void> => {
    let session: Buffer | undefined;
    if (load.resumed) await open(undefined, (socket) => (session = socket.getSession()));
    const check = (socket: TLSSocket): void => {
      if (socket.isSessionReused() !== load.resumed)
        throw new Error(`a session was ${load.resumed ? "not " : ""}resumed`);
    };
    await steadily(load, () => open(session, check), false);
  };
  run().catch((error: unknown) => {
    process.stderr.write(`handshakes: ${String(error)}\n`);
    process.exit(1);
  });
});
