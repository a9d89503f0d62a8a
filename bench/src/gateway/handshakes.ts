/** Handshakes a second at the mTLS listener, with a client certificate: whole ones, and sessions that resume. */
import { type AnyContestant, compare, print } from "../measure/compare.ts";
import { type Bench, planeProcesses, rounds } from "../stage.ts";
import type { HandshakeLoad } from "./handshake-load.ts";

/** Both versions of TLS that are served. */
export async function handshakes(bench: Bench): Promise<void> {
  const { plane, runtime } = bench;
  const contestant = (version: "TLSv1.2" | "TLSv1.3", resumed: boolean): AnyContestant => {
    const load: HandshakeLoad = {
      ...rounds(bench),
      ...{ url: plane.mtlsURL, caFile: plane.caFile, certificate: runtime.certificate },
      ...{ version, resumed },
    };
    return {
      name: `${version.replace("v", " ")}, ${resumed ? "resumed" : "whole"}`,
      ...{ load, generator: "../gateway/handshake-load.ts", processes: planeProcesses(bench) },
    };
  };
  const scores = await compare([
    contestant("TLSv1.2", false),
    contestant("TLSv1.2", true),
    contestant("TLSv1.3", false),
    contestant("TLSv1.3", true),
  ]);
  print(
    "Handshakes at the mTLS listener, with a client certificate (P-256)",
    scores,
    "each on a new connection that is closed again; bytes are those of both directions",
  );
}
