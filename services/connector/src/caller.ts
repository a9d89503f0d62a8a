/** Who calls the Connector's two steps: who pairs, by a token, or who has paired, by a certificate. No I/O. */
import { forbidden, unauthenticated } from "@sextant/errors";
import type { Identity } from "@sextant/identity";
import type { Subject } from "./context.ts";

/** An application or runtime of a tenant. */
export type Consumer = { readonly tenant: string; readonly type: Subject; readonly id: string };

/** Who has paired, with the record of the certificate that was shown. */
export type PairedCaller = Consumer & { readonly certificateID: string };

/** Who has paired; undefined: it pairs. Throws FORBIDDEN for everybody else. */
export function pairedCaller({ tenant, consumer, credential }: Identity): PairedCaller | undefined {
  const { type, id } = consumer;
  if (type === "ONE_TIME_TOKEN") return undefined;
  const isPaired =
    (type === "APPLICATION" || type === "RUNTIME") && credential?.kind === "certificate";
  if (!isPaired || tenant === undefined) {
    throw forbidden(
      "this is for who pairs, by a one-time token in the header Connector-Token, or for who has paired, over mTLS",
    );
  }
  return { tenant, type, id, certificateID: credential.id };
}

/** The token that who pairs has shown, and whom it is for. */
export function shownToken({ tenant, consumer, credential }: Identity): {
  readonly tenant: string;
  readonly tokenID: string;
  readonly holderID: string;
} {
  if (tenant === undefined || credential?.kind !== "oneTimeToken")
    throw unauthenticated("a one-time token is required");
  return { tenant, tokenID: credential.id, holderID: consumer.id };
}
