/** The two steps of pairing, and renewal: `configuration`, then a certificate for a signing request. */
import { createHash } from "node:crypto";
import { forbidden, invalidData, unauthenticated } from "@sextant/errors";
import { equals, type GraphCall } from "@sextant/graphql";
import type { Identity } from "@sextant/identity";
import { carryOut, create, readList, type Step, update } from "@sextant/registry-client";
import {
  type Certificate,
  type CertificateRequest,
  createSerial,
  formatClientUri,
  issueCertificate,
  MAX_REQUEST_BYTES,
  parseCertificateRequest,
  readBase64,
} from "@sextant/x509";
import { commitOf, type Context, REPEATABLE, type Subject, timestamp } from "../context.ts";
import type { OneTimeTokenService } from "../one-time-token/one-time-token.service.ts";
import {
  signingSecret,
  type StoredToken,
  tokenHash,
  tokenText,
  useOf,
} from "../one-time-token/one-time-token.ts";
import { checkSubject, subjectOf } from "./subject.ts";

/** A certificate is good from so many milliseconds before it was made: clocks differ. */
const BACKDATED = 60_000;

type Call = Pick<GraphCall, "caller" | "idempotencyKey">;
type Consumer = { readonly tenant: string; readonly type: Subject; readonly id: string };

/** By what a pairing may be repeated: the caller's key, not in the clear. */
const requestOf = (call: Call): string | undefined =>
  call.idempotencyKey === undefined
    ? undefined
    : createHash("sha256").update(call.idempotencyKey).digest("hex");

const isUnused = { op: "isNull", field: "usedAt" } as const;

/** Pairs and renews. */
export function createSigningService(context: Context, tokens: OneTimeTokenService) {
  const shownToken = async (identity: Identity): Promise<StoredToken> => {
    const { tenant, credential } = identity;
    if (tenant === undefined || credential?.kind !== "oneTimeToken")
      throw unauthenticated("a one-time token is required");
    const token = await tokens.find(tenant, credential.id);
    if (token === undefined) throw unauthenticated("the one-time token is not known");
    return token;
  };

  /** A paired caller, by its certificate; undefined: it pairs. */
  const paired = (identity: Identity): Consumer | undefined => {
    const { type, id } = identity.consumer;
    if (type === "ONE_TIME_TOKEN") return undefined;
    const isPaired =
      (type === "APPLICATION" || type === "RUNTIME") && identity.credential?.kind === "certificate";
    if (!isPaired || identity.tenant === undefined) {
      throw forbidden(
        "this is for who pairs, by a one-time token in the header Connector-Token, or for who has paired, over mTLS",
      );
    }
    return { tenant: identity.tenant, type, id };
  };

  const configurationFor = (consumerType: Subject, consumerID: string, token: string | null) => ({
    token: token === null ? null : { token },
    certificateSigningRequestInfo: {
      subject: subjectOf(consumerType, consumerID),
      keyAlgorithm: "rsa2048",
    },
    managementPlaneInfo: {
      directorURL: `${context.addresses.mtlsURL}/director/graphql`,
      certificateSecuredConnectorURL: `${context.addresses.mtlsURL}/connector/graphql`,
    },
  });

  /** The step that uses a token up; the commit is refused when another request was faster. */
  const useUp = (token: StoredToken, usedBy: string): Step =>
    update(
      "oneTimeToken",
      token.id,
      { usedAt: timestamp(context.now()), usedBy },
      { where: isUnused },
    );

  const usedMeanwhile = () =>
    unauthenticated("the one-time token was used already: request a new one");

  const issued = (consumer: Consumer, request: CertificateRequest): Promise<Certificate> => {
    const now = context.now();
    const life = context.lifetimes.certificate[consumer.type];
    return issueCertificate(context.authority, {
      profile: "client",
      subject: subjectOf(consumer.type, consumer.id),
      spki: request.spki,
      serial: createSerial(context.randomBytes),
      notBefore: new Date(now - BACKDATED),
      notAfter: new Date(now + life * 1000),
      names: {
        uri: [
          formatClientUri({
            tenant: consumer.tenant,
            kind: consumer.type.toLowerCase(),
            id: consumer.id,
          }),
        ],
      },
    });
  };

  const result = (chain: string) => {
    const [client = ""] = chain.split(/(?<=-----END CERTIFICATE-----\n)/);
    const base64 = (pem: string) => Buffer.from(pem).toString("base64");
    return {
      certificateChain: base64(chain),
      caCertificate: base64(context.root),
      clientCertificate: base64(client),
    };
  };

  /** Certificates with a public key, newest first. */
  const withKey = async (tenant: string, publicKeyHash: string) => {
    const fields = ["consumerID", "chain", "createdAt", "revokedAt"] as const;
    const where = equals("publicKeyHash", { param: "publicKeyHash" });
    const found = await readList(
      context.registry,
      tenant,
      "certificate",
      where,
      fields,
      { publicKeyHash },
      100,
    );
    return found.toReversed();
  };

  const readRequest = (csr: string): CertificateRequest => {
    const refuse = (message: string) =>
      invalidData("CertificateSigningRequest", [{ field: "csr", message }]);
    if (csr.length > (MAX_REQUEST_BYTES * 4) / 3 + 4)
      throw refuse(`is larger than ${MAX_REQUEST_BYTES} bytes`);
    const bytes = readBase64(csr.replaceAll(/\s/g, ""));
    if (bytes === undefined) throw refuse("must be base64 of a PEM text");
    return parseCertificateRequest(bytes.toString("latin1"));
  };

  return {
    /** See the SDL: `configuration`. */
    async configuration(_args: unknown, call: Call) {
      const { identity } = call.caller;
      const consumer = paired(identity);
      if (consumer !== undefined) return configurationFor(consumer.type, consumer.id, null);

      const token = await shownToken(identity);
      const by = requestOf(call);
      const use = useOf(token, "PAIRING", by, context.now());
      const usedBy = by ?? context.randomBytes(32).toString("hex");
      const secret = signingSecret(
        context.tokenKey,
        token.id,
        use === "repeat" ? (token.usedBy ?? "") : usedBy,
      );
      const signingToken = tokenText(token.id, secret);
      const consumerType = token.consumerType as Subject;
      if (use === "fresh") {
        const id = context.newID();
        const steps = [
          useUp(token, usedBy),
          create("oneTimeToken", id, {
            hash: tokenHash(signingToken),
            purpose: "SIGNING",
            consumerType,
            consumerID: token.consumerID,
            expiresAt: timestamp(context.now() + context.lifetimes.signingToken * 1000),
          }),
        ];
        const commit = commitOf(
          context,
          identity.tenant as string,
          identity.consumer,
          "configuration",
          steps,
        );
        const explain = () => usedMeanwhile();
        await carryOut(context.registry, commit, { noun: "OneTimeToken", id: token.id, explain });
      }
      return configurationFor(consumerType, token.consumerID, signingToken);
    },

    /** See the SDL: `signCertificateSigningRequest`. */
    async sign({ csr }: { csr: string }, call: Call) {
      const { identity } = call.caller;
      let consumer = paired(identity);
      const token = consumer === undefined ? await shownToken(identity) : undefined;
      if (token !== undefined) {
        consumer = {
          tenant: identity.tenant as string,
          type: token.consumerType as Subject,
          id: token.consumerID,
        };
      }
      if (consumer === undefined) throw unauthenticated("a one-time token is required");
      const { tenant } = consumer;

      const request = readRequest(csr);
      checkSubject(subjectOf(consumer.type, consumer.id), request.subject);
      const publicKeyHash = createHash("sha256").update(request.spki).digest("hex");
      const known = await withKey(tenant, publicKeyHash);
      if (known.some((one) => one.consumerID !== consumer.id)) {
        throw invalidData("CertificateSigningRequest", [
          { field: "csr", message: "its key belongs to another: make a new key" },
        ]);
      }
      const [newest] = known;
      const isRecent =
        newest !== undefined &&
        newest.revokedAt === null &&
        context.now() - Date.parse(newest.createdAt) < REPEATABLE;
      const use =
        token === undefined ? "fresh" : useOf(token, "SIGNING", publicKeyHash, context.now());
      if (newest !== undefined && isRecent && (use === "repeat" || token === undefined))
        return result(newest.chain);
      if (use === "repeat") throw usedMeanwhile();

      const certificate = await issued(consumer, request);
      const chain = certificate.pem + context.authority.certificate.pem;
      const id = context.newID();
      const steps = [
        ...(token === undefined ? [] : [useUp(token, publicKeyHash)]),
        create("certificate", id, {
          hash: certificate.fingerprint,
          serialNumber: certificate.serial,
          consumerType: consumer.type,
          consumerID: consumer.id,
          subject: certificate.subject,
          publicKeyHash,
          notBefore: certificate.notBefore.toISOString(),
          notAfter: certificate.notAfter.toISOString(),
          chain,
        }),
      ];
      const commit = commitOf(
        context,
        tenant,
        { type: consumer.type, id: consumer.id },
        "signCertificate",
        steps,
      );
      const explain = token === undefined ? {} : { explain: () => usedMeanwhile() };
      await carryOut(context.registry, commit, { noun: "Certificate", id, ...explain });
      return result(chain);
    },
  };
}

/** See {@link createSigningService}. */
export type SigningService = ReturnType<typeof createSigningService>;
