/** The story's fifth part, second half: certificates and identities that must be refused are. */
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Caller, type Refusal, refusalOf } from "./caller.ts";
import { type Paired, subjectForOpenssl } from "./pairing.ts";
import type { Stage } from "./stage.ts";
import type { TenantObjects } from "./tenants.ts";

const CONNECTOR = "/connector/graphql";
const VIEWER = "{ viewer { id type } }";

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
  const refusedWith = (name: string, note: string): Promise<Refusal> =>
    stage
      .paired("impostor", { chainFile: file(`${name}.pem`), keyFile: file(`${name}.key`) })
      .refused(VIEWER, {}, { note });
  const selfSigned = await refusedWith("self", "a certificate signed by itself");
  const anotherAuthority = await refusedWith("false", "one of an authority of the same name");
  const without = stage.paired("stranger", undefined);
  const none = await without.refused(VIEWER, {}, { note: "no certificate" });
  const headers = { authorization: `Bearer ${plane.adminToken}` };
  const note = "the admin's token instead of a certificate";
  const tokenInstead = await without.refused(VIEWER, {}, { headers, note });
  const plan = await without.send({ method: "GET", path: "/v1/runtime/plan" });
  return { selfSigned, anotherAuthority, none, planWithout: plan.status, tokenInstead };
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
async function untilRefused(
  { report }: Stage,
  caller: Caller,
): Promise<{ refusal: Refusal; milliseconds: number }> {
  const begun = performance.now();
  for (;;) {
    const refusal = refusalOf(await caller.post(VIEWER, {}, { quiet: true }));
    const milliseconds = performance.now() - begun;
    if (refusal !== undefined) {
      report.seen(`refused ${milliseconds.toFixed(0)} ms later on the connection that is open`);
      await caller.post(VIEWER);
      return { refusal, milliseconds };
    }
    if (milliseconds > 10_000) throw new Error("a revoked certificate is accepted for ten seconds");
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
  const { refusal, milliseconds } = await untilRefused(stage, holder);
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
    note: "held while the certificate is revoked",
  });
  await sleep(200);
  await stage.admin.ask("mutation ($id: ID!) { revokeCertificates(runtimeID: $id) }", { id });
  const { refusal, milliseconds } = await untilRefused(stage, holder);
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
      refusal: await stage.stranger.refused(VIEWER, {}, { headers, note: title }),
    });
    const { viewer } = await client.ask<{ viewer: unknown }>(VIEWER, {}, { headers, quiet: true });
    withCertificate.push({ title, viewer });
  }
  const all = Object.assign({}, ...ways.map(([, headers]) => headers)) as Record<string, string>;
  const adminsOnly = await client.refused(
    "{ tenants { id } }",
    {},
    { headers: all, note: "with everything at once" },
  );
  return { withoutCredential, withCertificate, adminsOnly };
}
