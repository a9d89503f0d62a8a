/** The story's fifth part, first half: tokens that must be refused are. */
import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { requestToken } from "./application.ts";
import type { Caller, Refusal } from "./caller.ts";
import { CONFIGURATION, type Configuration, makeRequest, quietly, SIGN } from "./pairing.ts";
import type { Stage } from "./stage.ts";

const CONNECTOR = "/connector/graphql";
const VIEWER = "{ viewer { id type } }";

const byToken = (token: string, note?: string, idempotencyKey?: string) => ({
  path: CONNECTOR,
  ...(note === undefined ? {} : { note }),
  headers: {
    "connector-token": token,
    ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
  },
});

const askConfiguration = async (
  stage: Stage,
  token: string,
  note?: string,
  key?: string,
): Promise<Configuration> =>
  (
    await stage.stranger.ask<{ configuration: Configuration }>(
      CONFIGURATION,
      {},
      byToken(token, note, key),
    )
  ).configuration;

type Signed = Readonly<Record<"certificateChain" | "clientCertificate", string>>;

const askSignature = async (
  stage: Stage,
  token: string,
  csr: string,
  note: string,
): Promise<Signed> =>
  (
    await stage.stranger.ask<{ signCertificateSigningRequest: Signed }>(
      SIGN,
      { csr },
      byToken(token, note),
    )
  ).signCertificateSigningRequest;

/** What became of tokens that were used more than once. */
export interface TokenUses {
  /** Whether the repeat of `configuration` with the same Idempotency-Key gave the same signing token. */
  readonly sameConfiguration: boolean;
  readonly pairingAgain: Refusal;
  readonly pairingWithAnotherKey: Refusal;
  /** The pairing token, shown to sign. */
  readonly pairingTokenToSign: Refusal;
  /** The signing token, shown for a configuration. */
  readonly signingTokenToPair: Refusal;
  /** Whether the repeat of the signing with the same public key gave the same certificate. */
  readonly sameCertificate: boolean;
  readonly signingAnotherKey: Refusal;
  readonly unknownToken: Refusal;
}

/** A used token is good for the repeat that a lost answer needs, and for nothing else. */
export async function aUsedTokenIsRefused(stage: Stage, applicationID: string): Promise<TokenUses> {
  const { stranger } = stage;
  const { token } = await requestToken(stage, "Application", applicationID, { quiet: true });
  const key = randomUUID();
  const pair = (shown: string, note: string, withKey?: string): Promise<Refusal> =>
    stranger.refused(CONFIGURATION, {}, byToken(shown, note, withKey));

  const first = await askConfiguration(stage, token, "a new token", key);
  const repeat = "the repeat of a lost answer: the same Idempotency-Key";
  const repeated = await askConfiguration(stage, token, repeat, key);
  const pairingAgain = await pair(token, "the same token without that key");
  const another = "the same token with another key";
  const pairingWithAnotherKey = await pair(token, another, randomUUID());

  const signingToken = first.token?.token ?? "";
  const { subject } = first.certificateSigningRequestInfo;
  const csr = await makeRequest(quietly(stage), "again", "P-256", subject);
  const other = await makeRequest(quietly(stage), "other", "P-256", subject);
  const certify = (shown: string, request: string, note: string): Promise<Refusal> =>
    stranger.refused(SIGN, { csr: request }, byToken(shown, note));
  const pairingTokenToSign = await certify(token, csr, "the pairing token, to sign");
  const signingTokenToPair = await pair(signingToken, "the signing token, to pair");
  const certificate = await askSignature(stage, signingToken, csr, "the signing token, to sign");
  const again = await askSignature(stage, signingToken, csr, "its repeat with the same key pair");
  const signingAnotherKey = await certify(signingToken, other, "and with another key pair");
  const made = `${randomBytes(8).toString("hex")}.${randomBytes(32).toString("base64url")}`;
  const unknownToken = await pair(made, "a token that was made up");
  return {
    sameConfiguration: repeated.token?.token === signingToken,
    ...{ pairingAgain, pairingWithAnotherKey, pairingTokenToSign, signingTokenToPair },
    sameCertificate: again.clientCertificate === certificate.clientCertificate,
    ...{ signingAnotherKey, unknownToken },
  };
}

/** What became of tokens whose time was over. */
export interface ExpiredTokens {
  readonly application: Refusal;
  readonly runtime: Refusal;
  readonly signing: Refusal;
}

/** For a plane whose tokens live so many seconds. */
export async function anExpiredTokenIsRefused(
  stage: Stage,
  lifetime: number,
): Promise<ExpiredTokens> {
  const { admin, stranger } = stage;
  const { registerApplication, registerRuntime } = await admin.ask<
    Record<"registerApplication" | "registerRuntime", { id: string }>
  >(
    `mutation ($name: String!) {
      registerApplication(in: { name: $name }) { id }
      registerRuntime(in: { name: $name }) { id }
    }`,
    { name: stage.name("late") },
  );
  const application = await requestToken(stage, "Application", registerApplication.id);
  const runtime = await requestToken(stage, "Runtime", registerRuntime.id);
  const fresh = await requestToken(stage, "Application", registerApplication.id);
  const { token, certificateSigningRequestInfo } = await askConfiguration(stage, fresh.token);
  const csr = await makeRequest(stage, "late", "P-256", certificateSigningRequestInfo.subject);
  await sleep(lifetime * 1000 + 200);
  return {
    application: await stranger.refused(CONFIGURATION, {}, byToken(application.token)),
    runtime: await stranger.refused(CONFIGURATION, {}, byToken(runtime.token)),
    signing: await stranger.refused(SIGN, { csr }, byToken(token?.token ?? "")),
  };
}

/** Signing requests that ask to be somebody else. */
export interface OtherSubjects {
  /** Another application's id. */
  readonly anotherID: Refusal;
  /** A runtime instead of an application. */
  readonly anotherKind: Refusal;
  /** More in it than was told. */
  readonly more: Refusal;
  /** The right one, over a text that is no request. */
  readonly noRequest: Refusal;
  /** Whether the token was still good for the right request afterwards. */
  readonly stillGood: boolean;
}

/** The subject is told, and nothing in a request changes it. */
export async function aSigningRequestForAnotherSubjectIsRefused(
  stage: Stage,
  applicationID: string,
): Promise<OtherSubjects> {
  const { token } = await requestToken(stage, "Application", applicationID, { quiet: true });
  const configuration = await askConfiguration(stage, token);
  const signingToken = configuration.token?.token ?? "";
  const { subject } = configuration.certificateSigningRequestInfo;
  const refused = async (name: string, asked: string): Promise<Refusal> => {
    const csr = await makeRequest(quietly(stage), name, "P-256", asked);
    return stage.stranger.refused(SIGN, { csr }, byToken(signingToken, `a request for ${asked}`));
  };
  const anotherID = await refused("another-id", subject.replace(applicationID, randomUUID()));
  const anotherKind = await refused("another-kind", subject.replace(/OU=[^,]*/, "OU=Runtimes"));
  const more = await refused("more", `${subject},CN=admin`);
  const noRequest = await stage.stranger.refused(
    SIGN,
    { csr: Buffer.from("-----BEGIN CERTIFICATE REQUEST-----\n").toString("base64") },
    byToken(signingToken, "what is no request at all"),
  );
  const csr = await makeRequest(quietly(stage), "right", "P-256", subject);
  const right = await askSignature(stage, signingToken, csr, "the right request, same token");
  return { anotherID, anotherKind, more, noRequest, stillGood: right.clientCertificate !== "" };
}

/** Callers that name a tenant which is not theirs. */
export interface OtherTenants {
  /** A paired application, naming a tenant that exists. */
  readonly existing: Refusal;
  /** The same, naming one that does not. */
  readonly absent: Refusal;
  /** Whether the two look the same but for the name. */
  readonly alike: boolean;
  /** A pairing with a one-time token. */
  readonly byToken: Refusal;
  /** Whether the token was still good afterwards. */
  readonly stillGood: boolean;
}

/** It has exactly one tenant, and may name that one. */
export async function anotherTenantInTheHeaderIsRefused(
  stage: Stage,
  given: { readonly client: Caller; readonly applicationID: string; readonly tenant: string },
): Promise<OtherTenants> {
  const { client, applicationID, tenant } = given;
  const absentTenant = `${tenant}-that-never-was`;
  const naming = (name: string, note: string) => ({ headers: { tenant: name }, note });
  const own = await client.ask<{ viewer: unknown }>(
    VIEWER,
    {},
    naming(stage.plane.tenant, "its own tenant"),
  );
  if (own.viewer === undefined) throw new Error("it may not name its own tenant");
  const existing = await client.refused(VIEWER, {}, naming(tenant, "another tenant"));
  const absent = await client.refused(
    VIEWER,
    {},
    naming(absentTenant, "a tenant that is not there"),
  );
  const { token } = await requestToken(stage, "Application", applicationID, { quiet: true });
  const request = byToken(token, "a one-time token in another tenant");
  const wrong = { ...request, headers: { ...request.headers, tenant } };
  const refused = await stage.stranger.refused(CONFIGURATION, {}, wrong);
  const { token: next } = await askConfiguration(stage, token, "the same token in its own");
  return {
    existing,
    absent,
    alike:
      JSON.stringify(existing).replaceAll(tenant, "<tenant>") ===
      JSON.stringify(absent).replaceAll(absentTenant, "<tenant>"),
    byToken: refused,
    stillGood: next !== null,
  };
}

/** What somebody without a token gets. */
export interface WithoutToken {
  readonly query: Refusal;
  /** Together with a question about the schema, which a development plane answers to everybody. */
  readonly besideSchema: Refusal;
  readonly unknownToken: Refusal;
  readonly oneService: Refusal;
}

/** Of whatever kind. */
export async function aQueryWithoutATokenIsRefused(stage: Stage): Promise<WithoutToken> {
  const { stranger } = stage;
  const headers = { authorization: `Bearer sxt_${"A".repeat(43)}` };
  const withSchema = "{ __schema { queryType { name } } applications { totalCount } }";
  const note = "a token that was made up";
  return {
    query: await stranger.refused("{ applications { data { name } } }"),
    besideSchema: await stranger.refused(withSchema, {}, { note: "together with the schema" }),
    unknownToken: await stranger.refused(VIEWER, {}, { headers, note }),
    oneService: await stranger.refused(VIEWER, {}, { path: "/director/graphql" }),
  };
}
