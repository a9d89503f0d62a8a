/** The story's fifth part: everything that must be refused is. */
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { requestToken } from "./application.ts";
import { type Answer, type Caller, type Refusal, refusalOf } from "./caller.ts";
import {
  CONFIGURATION,
  type Configuration,
  makeRequest,
  type Paired,
  SIGN,
  subjectForOpenssl,
} from "./pairing.ts";
import type { Stage } from "./stage.ts";
import type { TenantObjects } from "./tenants.ts";

const CONNECTOR = "/connector/graphql";

const byToken = (token: string, idempotencyKey?: string) => ({
  path: CONNECTOR,
  headers: {
    "connector-token": token,
    ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
  },
});

const askConfiguration = async (
  stage: Stage,
  token: string,
  key?: string,
): Promise<Configuration> =>
  (
    await stage.stranger.ask<{ configuration: Configuration }>(
      CONFIGURATION,
      {},
      byToken(token, key),
    )
  ).configuration;

type Signed = Readonly<Record<"certificateChain" | "clientCertificate", string>>;

const askSignature = async (stage: Stage, token: string, csr: string): Promise<Signed> =>
  (
    await stage.stranger.ask<{ signCertificateSigningRequest: Signed }>(
      SIGN,
      { csr },
      byToken(token),
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
  const { token } = await requestToken(stage, "Application", applicationID);
  const key = randomUUID();
  const first = await askConfiguration(stage, token, key);
  const repeated = await askConfiguration(stage, token, key);
  const signingToken = first.token?.token ?? "";
  const pairingAgain = await stranger.refused(CONFIGURATION, {}, byToken(token));
  const pairingWithAnotherKey = await stranger.refused(
    CONFIGURATION,
    {},
    byToken(token, randomUUID()),
  );
  const { subject } = first.certificateSigningRequestInfo;
  const csr = await makeRequest(stage, "again", "P-256", subject);
  const other = await makeRequest(stage, "other", "P-256", subject);
  const pairingTokenToSign = await stranger.refused(SIGN, { csr }, byToken(token));
  const signingTokenToPair = await stranger.refused(CONFIGURATION, {}, byToken(signingToken));
  const certificate = await askSignature(stage, signingToken, csr);
  const again = await askSignature(stage, signingToken, csr);
  const signingAnotherKey = await stranger.refused(SIGN, { csr: other }, byToken(signingToken));
  const made = `${randomUUID().slice(0, 16)}.${randomUUID().replaceAll("-", "")}`;
  const unknownToken = await stranger.refused(CONFIGURATION, {}, byToken(made));
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
  const { token } = await requestToken(stage, "Application", applicationID);
  const configuration = await askConfiguration(stage, token);
  const signingToken = configuration.token?.token ?? "";
  const { subject } = configuration.certificateSigningRequestInfo;
  const refused = async (name: string, asked: string): Promise<Refusal> => {
    const csr = await makeRequest(stage, name, "P-256", asked);
    return stage.stranger.refused(SIGN, { csr }, byToken(signingToken));
  };
  const anotherID = await refused("another-id", subject.replace(applicationID, randomUUID()));
  const anotherKind = await refused("another-kind", subject.replace(/OU=[^,]*/, "OU=Runtimes"));
  const more = await refused("more", `${subject},CN=admin`);
  const noRequest = await stage.stranger.refused(
    SIGN,
    { csr: Buffer.from("-----BEGIN CERTIFICATE REQUEST-----\n").toString("base64") },
    byToken(signingToken),
  );
  const right = await askSignature(
    stage,
    signingToken,
    await makeRequest(stage, "right", "P-256", subject),
  );
  return { anotherID, anotherKind, more, noRequest, stillGood: right.clientCertificate !== "" };
}

/** Certificates that the plane has not signed, and none at all. */
export interface UnknownCertificates {
  /** Signed by itself, with the subject of a paired application. */
  readonly selfSigned: Refusal;
  /** Signed by an authority that calls itself as the plane's does. */
  readonly anotherAuthority: Refusal;
  readonly none: Refusal;
  /** The same for the agents' protocol: the status. */
  readonly planWithout: number;
  /** The mTLS listener, with the admin's token and no certificate. */
  readonly tokenInstead: Refusal;
}

const VIEWER = "{ viewer { id type } }";

/** Whoever made them, with whatever subject. */
export async function anUnknownCertificateIsRefused(
  stage: Stage,
  paired: Paired,
): Promise<UnknownCertificates> {
  const { shell, plane } = stage;
  const subject = subjectForOpenssl(paired.configuration.certificateSigningRequestInfo.subject);
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"] as const;
  await shell([
    ...(["openssl", "req", "-x509", ...newKey, "-days", "1", "-subj", subject] as const),
    ...(["-keyout", "self.key", "-out", "self.pem"] as const),
  ]);
  const issuer = /^issuer=(.*)$/m.exec(paired.described)?.[1] ?? "";
  const issuerSubject = subjectForOpenssl(issuer.replaceAll(/\s*([,=])\s*/g, "$1"));
  await shell([
    ...(["openssl", "req", "-x509", ...newKey, "-days", "1", "-subj", issuerSubject] as const),
    ...(["-keyout", "false-ca.key", "-out", "false-ca.pem"] as const),
  ]);
  await shell([
    ...(["openssl", "req", "-new", ...newKey, "-subj", subject] as const),
    ...(["-keyout", "false.key", "-out", "false.csr"] as const),
  ]);
  await shell([
    ...(["openssl", "x509", "-req", "-in", "false.csr", "-days", "1", "-set_serial"] as const),
    ...([`0x${paired.serialNumber}`, "-CA", "false-ca.pem", "-CAkey", "false-ca.key"] as const),
    ...(["-out", "false.pem"] as const),
  ]);
  const file = (name: string): string => `${stage.directory}/${name}`;
  const refusedWith = (name: string): Promise<Refusal> =>
    stage
      .paired("impostor", { chainFile: file(`${name}.pem`), keyFile: file(`${name}.key`) })
      .refused(VIEWER);
  const without = stage.paired("stranger", undefined);
  const plan = await without.send({ method: "GET", path: "/v1/runtime/plan" });
  return {
    selfSigned: await refusedWith("self"),
    anotherAuthority: await refusedWith("false"),
    none: await without.refused(VIEWER),
    planWithout: plan.status,
    tokenInstead: await without.refused(
      VIEWER,
      {},
      {
        headers: { authorization: `Bearer ${plane.adminToken}` },
      },
    ),
  };
}

/** A certificate while it was revoked. */
export interface Revocation {
  /** What its holder was on the connection that stays open. */
  readonly before: string;
  /** Milliseconds from the answer that it is revoked to the first refusal on the connection that was open. */
  readonly onOpenConnection: number;
  readonly refusal: Refusal;
  /** Connections that were opened for all of that. */
  readonly connections: number;
  /** On a new connection. */
  readonly onNewConnection: Refusal;
  /** Milliseconds until an open held poll ended, for a runtime's certificate; undefined for an application's. */
  readonly heldPoll?: { readonly status: number; readonly milliseconds: number };
}

/** Asks on one open connection until it is refused. */
async function untilRefused(caller: Caller): Promise<{ refusal: Refusal; milliseconds: number }> {
  const begun = performance.now();
  for (let asked = 0; ; asked += 1) {
    const answer: Answer = await caller.post(VIEWER, {}, { quiet: asked > 0 });
    const refusal = refusalOf(answer);
    const milliseconds = performance.now() - begun;
    if (refusal !== undefined) return { refusal, milliseconds };
    if (milliseconds > 10_000)
      throw new Error("a revoked certificate is accepted after ten seconds");
  }
}

/** On its next request, within a second, also on a connection that is open; revoked by its holder. */
export async function aCertificateRevokedByItsHolderIsRefused(
  stage: Stage,
  paired: Pick<Paired, "chainFile" | "keyFile">,
): Promise<Revocation> {
  const holder = stage.paired("shop", paired, { connectionLimit: 1 });
  const before = await holder.ask<{ viewer: { type: string } }>(VIEWER);
  await holder.ask("mutation { revokeCertificate }", {}, { path: CONNECTOR });
  const { refusal, milliseconds } = await untilRefused(holder);
  const again = stage.paired("shop, on a new connection", paired, { connectionLimit: 1 });
  return {
    before: before.viewer.type,
    onOpenConnection: milliseconds,
    refusal,
    connections: holder.connections(),
    onNewConnection: await again.refused(VIEWER),
  };
}

/** The same for a runtime, revoked by the admin while its poll is held. */
export async function aCertificateRevokedByAnAdminIsRefused(
  stage: Stage,
  runtime: { readonly id: string; readonly paired: Paired; readonly etag: string },
): Promise<Revocation> {
  const { id, paired, etag } = runtime;
  const holder = stage.paired("runtime", paired, { connectionLimit: 1 });
  const before = await holder.ask<{ viewer: { type: string } }>(VIEWER);
  const poller = stage.paired("runtime's poll", paired, { connectionLimit: 1 });
  const held = poller.send({
    method: "GET",
    path: "/v1/runtime/plan",
    headers: { prefer: "wait=3", "if-none-match": etag },
  });
  await sleep(200);
  await stage.admin.ask("mutation ($id: ID!) { revokeCertificates(runtimeID: $id) }", { id });
  const { refusal, milliseconds } = await untilRefused(holder);
  const again = stage.paired("runtime, on a new connection", paired, { connectionLimit: 1 });
  const onNewConnection = await again.refused(VIEWER);
  const poll = await held;
  return {
    before: before.viewer.type,
    onOpenConnection: milliseconds,
    refusal,
    connections: holder.connections(),
    onNewConnection,
    heldPoll: { status: poll.status, milliseconds: poll.milliseconds },
  };
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
  const naming = (name: string) => ({ headers: { tenant: name } });
  const own = await client.ask<{ viewer: unknown }>(VIEWER, {}, naming(stage.plane.tenant));
  if (own.viewer === undefined) throw new Error("it may not name its own tenant");
  const existing = await client.refused(VIEWER, {}, naming(tenant));
  const absent = await client.refused(VIEWER, {}, naming(absentTenant));
  const { token } = await requestToken(stage, "Application", applicationID, { quiet: true });
  const request = byToken(token);
  const wrong = { ...request, headers: { ...request.headers, tenant } };
  const refused = await stage.stranger.refused(CONFIGURATION, {}, wrong);
  const { token: next } = await askConfiguration(stage, token);
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

/** What became of identities that were made up outside. */
export interface SpoofedIdentities {
  /** Each way of claiming to be somebody, without any credential. */
  readonly withoutCredential: readonly { readonly title: string; readonly refusal: Refusal }[];
  /** The same with a paired application's certificate: who the plane says it is. */
  readonly withCertificate: readonly { readonly title: string; readonly viewer: unknown }[];
  /** That application, with all those headers, asking for what only an admin may. */
  readonly adminsOnly: Refusal;
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Tokens as the gateway makes them for the services behind it, but signed by a key of our own, or not at all. */
function madeUpTokens(tenant: string): Readonly<Record<string, string>> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const kid = createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
  const claims = encode({
    ...{ iss: "api-gateway", aud: "director", exp: Math.floor(Date.now() / 1000) + 300 },
    ...{ tenant, consumer: { type: "USER", id: randomUUID() } },
    scopes: ["tenant:read", "tenant:write", "application:read", "application:write"],
  });
  const head = encode({ alg: "EdDSA", typ: "JWT", kid });
  const signature = sign(null, Buffer.from(`${head}.${claims}`), privateKey).toString("base64url");
  return {
    "a token signed by a key of our own": `${head}.${claims}.${signature}`,
    "a token without a signature": `${encode({ alg: "none", typ: "JWT" })}.${claims}.`,
  };
}

/** A self-made token, and every header by which a proxy might pass on who somebody is. */
export async function aSpoofedIdentityIsRefused(
  stage: Stage,
  client: Caller,
  objects: TenantObjects,
): Promise<SpoofedIdentities> {
  const tokens = Object.entries(madeUpTokens(stage.plane.tenant)).map(
    ([title, token]) => [title, { authorization: `Bearer ${token}` }] as const,
  );
  const identity = JSON.stringify({
    tenant: stage.plane.tenant,
    consumer: { type: "USER", id: randomUUID() },
    scopes: ["tenant:read"],
  });
  const ways: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ...tokens,
    [
      "x-sextant-identity",
      { "x-sextant-identity": identity, "x-sextant-tenant": stage.plane.tenant },
    ],
    [
      "x-consumer headers",
      { "x-consumer-type": "USER", "x-consumer-id": objects.runtimeID, "x-scopes": "tenant:read" },
    ],
    ["x-forwarded-client-cert", { "x-forwarded-client-cert": `Subject="CN=${objects.runtimeID}"` }],
    [
      "headers of a proxy that checks certificates",
      {
        "ssl-client-verify": "SUCCESS",
        "ssl-client-subject-dn": `CN=${objects.runtimeID},OU=Runtimes,O=Sextant`,
      },
    ],
    [
      "forwarded",
      { forwarded: "for=127.0.0.1", "x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1" },
    ],
  ];
  const withoutCredential: { title: string; refusal: Refusal }[] = [];
  const withCertificate: { title: string; viewer: unknown }[] = [];
  for (const [title, headers] of ways) {
    withoutCredential.push({
      title,
      refusal: await stage.stranger.refused(VIEWER, {}, { headers }),
    });
    const { viewer } = await client.ask<{ viewer: unknown }>(VIEWER, {}, { headers, quiet: true });
    withCertificate.push({ title, viewer });
  }
  const all = Object.assign({}, ...ways.map(([, headers]) => headers)) as Record<string, string>;
  const adminsOnly = await client.refused("{ tenants { id } }", {}, { headers: all });
  return { withoutCredential, withCertificate, adminsOnly };
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
  return {
    query: await stranger.refused("{ applications { data { name } } }"),
    besideSchema: await stranger.refused(
      "{ __schema { queryType { name } } applications { totalCount } }",
    ),
    unknownToken: await stranger.refused(VIEWER, {}, { headers }),
    oneService: await stranger.refused(VIEWER, {}, { path: "/director/graphql" }),
  };
}
