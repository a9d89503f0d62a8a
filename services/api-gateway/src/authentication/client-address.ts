import type { Call } from "@sextant/service";

/** The network address of the client that a call came from; empty when it is gone already. IPv4 is written as such. */
export function clientAddressOf({ request }: Pick<Call, "request">): string {
  return (request?.socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
}
