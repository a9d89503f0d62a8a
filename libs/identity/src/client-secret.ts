import { createHash } from "node:crypto";

/** By what client credentials are found: the SHA-256 of client id and secret. */
export function clientHash(clientID: string, clientSecret: string): string {
  return createHash("sha256").update(`${clientID}:${clientSecret}`).digest("hex");
}
