/** The authorization table of the Connector: see docs/api/authorization.md, which is made of it. */
import { type AccessRules, rule } from "@sextant/identity";

/** For who pairs or has paired, whoever that is. */
const pairing = {
  USER: "forbidden",
  INTEGRATION_SYSTEM: "forbidden",
  APPLICATION: "own",
  RUNTIME: "own",
  ONE_TIME_TOKEN: "own",
} as const;

/** What the Connector's operations need, and which objects they reach. */
export const rules: AccessRules = {
  configuration: rule([], undefined, pairing),
  signCertificateSigningRequest: rule([], undefined, pairing),
  revokeCertificate: rule([], undefined, { ...pairing, ONE_TIME_TOKEN: "forbidden" }),
  certificates: rule("certificate:read", "certificate", { APPLICATION: "own", RUNTIME: "own" }),
  revokeCertificates: rule("certificate:write", "certificate"),
  oneTimeTokens: rule("certificate:read", "one-time token", {
    APPLICATION: "hidden",
    RUNTIME: "hidden",
  }),
  revokeOneTimeToken: rule("certificate:write", "one-time token"),
};
