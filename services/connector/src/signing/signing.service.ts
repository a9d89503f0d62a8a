/** The two steps of pairing, and renewal: `configuration`, then a certificate for a signing request. */
import { createHash } from "node:crypto";
import { forbidden, invalidData, unauthenticated } from "@sextant/errors";
import { actorOf, all, equals, type GraphCall } from "@sextant/graphql";
import type { Identity } from "@sextant/identity";
import {
  type Condition,
  create,
  type ReadPlan,
  type Step,
  update,
  timestamp,
} from "@sextant/registry-client";
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
import { commitOf, type Context, REPEATABLE, type Subject } from "../context.ts";
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

type Call = Pick<GraphCall, "caller" | "requestID" | "clientAddress" | "idempotencyKey">;
type Consumer = { readonly tenant: string; readonly type: Subject; readonly id: string };

/** By what a pairing may be repeated: the caller's key, not in the clear. */
const requestOf = (call: Call): string | undefined =>
  call.idempotencyKey === undefined
    ? undefined
    : createHash("sha256").update(call.idempotencyKey).digest("hex");

const isUnused = { op: "isNull", field: "usedAt" } as const;
const isInForce = { op: "isNull", field: "revokedAt" } as const;

/** Seconds within which certificates of a key are looked for: more than they are repeatable, for clocks that differ. */
const RECENT = 600;

type KnownKey = {
  readonly others: readonly unknown[];
  readonly recent: readonly {
    readonly id: string;
    readonly chain: string;
    readonly createdAt: string;
    readonly revokedAt: string | null;
  }[];
};

const ofTheKey = equals("publicKeyHash", { param: "publicKeyHash" });
const isMine = equals("consumerID", { param: "me" });
const isRecent: Condition = {
  op: "within",
  field: "createdAt",
  seconds: { param: "recent" },
};
const keyPlan: ReadPlan = {
  select: [
    {
      as: "others",
      read: {
        list: "certificate",
        where: all(ofTheKey, { op: "not", condition: isMine }),
        select: [{ as: "id", field: "id" }],
        max: 1,
      },
    },
    {
      as: "recent",
      read: {
        list: "certificate",
        where: all(ofTheKey, isMine, isRecent),
        select: ["id", "chain", "createdAt", "revokedAt"].map((field) => ({ as: field, field })),
        max: 1000,
      },
    },
  ],
};

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

  /** What is known of a public key: whether another holds it, and the caller's newest certificate of the last minutes with it. */
  const knownKey = async (consumer: Consumer, publicKeyHash: string) => {
    const params = { publicKeyHash, me: consumer.id, recent: RECENT };
    const answer = await context.registry.read({ tenant: consumer.tenant, plan: keyPlan, params });
    const { others, recent } = JSON.parse(answer.text) as KnownKey;
    const newest = recent.at(-1);
    const isRepeatable =
      newest !== undefined &&
      newest.revokedAt === null &&
      context.now() - Date.parse(newest.createdAt) < REPEATABLE;
    return {
      isOthers: others.length > 0,
      chain: isRepeatable ? newest.chain : undefined,
      seen: recent.map(({ id }) => id),
    };
  };

  /** Refuses the commit when the application or runtime is gone: what it held until then is not renewed. */
  const mustExist = (consumer: Consumer): Step => ({
    op: "check",
    kind: consumer.type === "APPLICATION" ? "application" : "runtime",
    where: equals("id", { param: "me" }),
    expect: "some",
  });

  const readRequest = (csr: string): CertificateRequest => {
    const refuse = (message: string) =>
      invalidData("CertificateSigningRequest", [{ field: "csr", message }]);
    if (csr.length > (MAX_REQUEST_BYTES * 4) / 3 + 4)
      throw refuse(`is larger than ${MAX_REQUEST_BYTES} bytes`);
    const bytes = readBase64(csr.replaceAll(/\s/g, ""));
    if (bytes === undefined) throw refuse("must be base64 of a PEM text");
    return parseCertificateRequest(bytes.toString("latin1"));
  };

  const pairingAnswer = async (call: Call, attempt = 1): Promise<unknown> => {
    const { identity } = call.caller;
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
    const tenant = identity.tenant as string;
    const consumer: Consumer = {
      tenant,
      type: token.consumerType as Subject,
      id: token.consumerID,
    };
    const answer = configurationFor(consumer.type, consumer.id, signingToken);
    if (use === "repeat") return answer;
    const steps = [
      useUp(token, usedBy),
      mustExist(consumer),
      create("oneTimeToken", context.newID(), {
        hash: tokenHash(signingToken),
        purpose: "SIGNING",
        consumerType: consumer.type,
        consumerID: consumer.id,
        expiresAt: timestamp(context.now() + context.lifetimes.signingToken * 1000),
      }),
    ];
    const params = { me: consumer.id };
    const commit = commitOf(context, tenant, actorOf(call), "configuration", steps, params);
    const stored = await context.registry.commit(commit);
    if (stored.ok) return answer;
    // The same request may have been faster than itself: then it gets the same answer.
    if (stored.failure.step === 0 && attempt === 1) return pairingAnswer(call, 2);
    throw usedMeanwhile();
  };

  /** The steps that make a certificate the only answer to its request: the last one stores it. */
  const signingSteps = (
    identity: Identity,
    consumer: Consumer,
    token: StoredToken | undefined,
    publicKeyHash: string,
  ): readonly Step[] => {
    if (token !== undefined) return [useUp(token, publicKeyHash), mustExist(consumer)];
    const unseen = all(ofTheKey, isMine, isRecent, {
      op: "not",
      condition: { op: "in", field: "id", values: { param: "seen" } },
    });
    return [
      // Holds the shown certificate: it cannot be revoked, nor renewed a second time, while it is renewed.
      update(
        "certificate",
        identity.credential?.id as string,
        {},
        { where: isInForce, quiet: true },
      ),
      { op: "check", kind: "certificate", where: unseen, expect: "none" },
      mustExist(consumer),
    ];
  };

  const signed = async (csr: string, call: Call, attempt = 1): Promise<unknown> => {
    const { identity } = call.caller;
    const known = paired(identity);
    const token = known === undefined ? await shownToken(identity) : undefined;
    const consumer =
      known ??
      ({
        tenant: identity.tenant as string,
        type: token?.consumerType as Subject,
        id: token?.consumerID as string,
      } satisfies Consumer);
    const { tenant } = consumer;

    const request = readRequest(csr);
    checkSubject(subjectOf(consumer.type, consumer.id), request.subject);
    const publicKeyHash = createHash("sha256").update(request.spki).digest("hex");
    const key = await knownKey(consumer, publicKeyHash);
    if (key.isOthers) {
      throw invalidData("CertificateSigningRequest", [
        { field: "csr", message: "its key belongs to another: make a new key" },
      ]);
    }
    const use =
      token === undefined ? "fresh" : useOf(token, "SIGNING", publicKeyHash, context.now());
    if (key.chain !== undefined && (use === "repeat" || token === undefined))
      return result(key.chain);
    if (use === "repeat") throw usedMeanwhile();

    const certificate = await issued(consumer, request);
    const chain = certificate.pem + context.authority.certificate.pem;
    const id = context.newID();
    const steps = [
      ...signingSteps(identity, consumer, token, publicKeyHash),
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
    const actor = { ...actorOf(call), type: consumer.type, id: consumer.id };
    const params = { me: consumer.id, publicKeyHash, recent: RECENT, seen: key.seen };
    const commit = commitOf(context, tenant, actor, "signCertificate", steps, params);
    const stored = await context.registry.commit(commit);
    if (stored.ok) return result(chain);
    // Another request was faster. With the same key it was this one, sent twice: both get the same answer.
    if (stored.failure.reason === "PRECONDITION" && attempt === 1) return signed(csr, call, 2);
    throw token === undefined
      ? unauthenticated("the client certificate was revoked, or its holder is gone: pair anew")
      : usedMeanwhile();
  };

  return {
    /** See the SDL: `configuration`. */
    async configuration(_args: unknown, call: Call) {
      const consumer = paired(call.caller.identity);
      if (consumer !== undefined) return configurationFor(consumer.type, consumer.id, null);
      return pairingAnswer(call);
    },

    /** See the SDL: `signCertificateSigningRequest`. */
    sign: ({ csr }: { csr: string }, call: Call) => signed(csr, call),
  };
}

/** See {@link createSigningService}. */
export type SigningService = ReturnType<typeof createSigningService>;
