/** The Connector in a test's own process, on a real Registry, with a clock that a test can turn. */
import { createSecretKey, randomBytes } from "node:crypto";
import { join } from "node:path";
import { createExecutor, loadSubgraph } from "@sextant/graphql";
import { applicationScopes, type Identity, runtimeScopes, scopes } from "@sextant/identity";
import { silentLogger } from "@sextant/logging";
import { create, createCommitGroups, readList } from "@sextant/registry-client";
import { createTestRegistry } from "@sextant/testkit";
import {
  createCertificateAuthority,
  createCertificateRequest,
  createKeyPair,
  createSerial,
  type KeyPair,
  readCertificate,
} from "@sextant/x509";
import { declarations, parameters } from "../src/certificate/certificate.read.ts";
import { createAuthorities, withRoot } from "../src/authority/authorities.ts";
import type { Context, Subject } from "../src/context.ts";
import { createSubgraph } from "../src/subgraph.ts";
import { tokenHash } from "../src/one-time-token/one-time-token.ts";
import { subjectOf } from "../src/signing/subject.ts";

const DAY = 86_400_000;

/** Whatever a test has asked for. */
// oxlint-disable-next-line typescript/no-explicit-any -- each test knows the shape that its own operation selects
type Selected = any;
type Variables = Readonly<Record<string, unknown>>;

/** The two operations of pairing. */
export const CONFIGURATION = `{ configuration { token { token } certificateSigningRequestInfo { subject keyAlgorithm }
  managementPlaneInfo { directorURL certificateSecuredConnectorURL } } }`;
export const SIGN = `mutation($csr: String!) { x: signCertificateSigningRequest(csr: $csr) { certificateChain caCertificate clientCertificate } }`;

/** Starts it. */
export async function startConnector() {
  const inside = await createTestRegistry("connector");
  const clock = { now: Date.now() };
  const span = { notBefore: new Date(clock.now - DAY), notAfter: new Date(clock.now + 365 * DAY) };
  const root = await createCertificateAuthority({
    keyPair: createKeyPair(),
    subject: "O=Sextant,CN=Root",
    serial: createSerial(randomBytes),
    ...span,
  });
  const authority = await createCertificateAuthority({
    keyPair: createKeyPair(),
    parent: root,
    subject: "O=Sextant,CN=Intermediate",
    serial: createSerial(randomBytes),
    ...span,
  });
  const context: Context = {
    registry: inside.registry,
    newID: inside.newID,
    now: () => clock.now,
    randomBytes,
    commits: createCommitGroups(inside.registry),
    authorities: createAuthorities(() => [withRoot(authority, root.certificate.pem)]),
    tokenKey: createSecretKey(randomBytes(32)),
    lifetimes: {
      pairingToken: { RUNTIME: 3_600, APPLICATION: 300 },
      signingToken: 300,
      certificate: { RUNTIME: 86_400, APPLICATION: 7_776_000 },
      revocationList: 86_400,
    },
    addresses: {
      publicURL: "https://plane.example",
      mtlsURL: "https://mtls.plane.example",
      revocationListURL: "https://plane.example/v1/ca/crl?issuer={issuer}",
    },
  };
  const { resolvers, tokens, revocations, revocationLists } = createSubgraph(context);
  const executor = createExecutor({
    ...loadSubgraph(join(import.meta.dirname, "../src")),
    declarations,
    resolvers,
    registry: inside.registry,
    log: silentLogger,
    parameters,
    introspection: true,
  });

  const as = (identity: Identity) => {
    const send = async (query: string, variables: Variables = {}, idempotencyKey?: string) => {
      const caller = { service: "api-gateway", identity } as const;
      const { signal } = new AbortController();
      const call = {
        ...{ caller, requestID: "test", idempotencyKey, signal },
        clientAddress: "192.0.2.7",
      };
      const answer = await executor.execute({ query, variables }, call, false);
      return JSON.parse(answer.text) as {
        readonly data?: Selected;
        readonly errors?: readonly { message: string; extensions: { code: string } }[];
      };
    };
    return {
      identity,
      send,
      async ask(query: string, variables?: Variables, key?: string): Promise<Selected> {
        const { data, errors } = await send(query, variables, key);
        if (errors !== undefined) throw new Error(JSON.stringify(errors));
        return data;
      },
      async refusal(query: string, variables?: Variables, key?: string): Promise<string> {
        const { data, errors } = await send(query, variables, key);
        if (errors?.[0] === undefined)
          throw new Error(`an error was expected: ${JSON.stringify(data)}`);
        return `${errors[0].extensions.code}: ${errors[0].message}`;
      },
    };
  };

  return {
    inside,
    schema: executor.schema,
    context,
    clock,
    tokens,
    revocations,
    revocationLists,
    as,
    /** A tenant of its own. */
    async tenant() {
      const id = await inside.seedTenant();
      const admin = as({
        tenant: id,
        consumer: { type: "USER", id: inside.newID() },
        scopes: [...scopes],
      });
      const director = inside.registryFor("director");
      const actor = { type: "SERVICE", id: "test" };
      return {
        id,
        admin,
        /** An application or runtime, as Director stores it. */
        async holder(type: Subject): Promise<string> {
          const holderID = inside.newID();
          const status = { statusCondition: "INITIAL", statusTimestamp: new Date().toISOString() };
          const kind = type === "APPLICATION" ? "application" : "runtime";
          const steps = [create(kind, holderID, { name: `holder-${holderID}`, ...status })];
          const commit = {
            id: inside.newID(),
            tenant: id,
            actor,
            action: "test",
            steps,
            params: {},
          };
          if (!(await director.commit(commit)).ok) throw new Error("no holder was made");
          return holderID;
        },
        /** Removes it, as Director does at the end of unregistering. */
        async remove(type: Subject, holderID: string): Promise<void> {
          const kind = type === "APPLICATION" ? "application" : "runtime";
          const steps = [{ op: "delete", kind, id: holderID } as const];
          await director.commit({
            id: inside.newID(),
            tenant: id,
            actor,
            action: "test",
            steps,
            params: {},
          });
        },
        /** What of the tenant's audit log was refused: action, code, kind and id of what it was about, and from where. */
        async refusals(): Promise<readonly string[]> {
          const everything = { op: "all", of: [] } as const;
          const fields = ["outcome", "action", "errorCode", "objects", "address"] as const;
          const found = await readList(director, id, "auditEntry", everything, fields, {}, 5_000);
          return found
            .filter(({ outcome }) => outcome === "REFUSED")
            .map(({ action, errorCode, objects, address }) => {
              const [about] = objects as { kind: string; id: string }[];
              return `${action} ${errorCode} ${about?.kind} ${about?.id} ${address}`;
            });
        },
        /** A new pairing token, as text. */
        issue: async (type: Subject, holderID: string): Promise<string> =>
          (await tokens.issue(id, { consumerType: type, consumerID: holderID }, actor)).token,
      };
    },
    /** Who shows this one-time token, as the gateway sees it. */
    async withToken(token: string) {
      const holder = await inside
        .registryFor("api-gateway")
        .findBySecret("oneTimeToken", tokenHash(token));
      if (holder === undefined) throw new Error("the token is not known");
      return as({
        tenant: holder.tenant,
        consumer: { type: "ONE_TIME_TOKEN", id: holder.consumerID },
        scopes: [],
        credential: { kind: "oneTimeToken", id: holder.id },
      });
    },
    /** Who shows the certificate in an answer, as the gateway sees it. */
    async withCertificate(answer: { readonly clientCertificate: string }) {
      const pem = Buffer.from(answer.clientCertificate, "base64").toString();
      const { fingerprint } = readCertificate(pem);
      const holder = await inside
        .registryFor("api-gateway")
        .findBySecret("certificate", fingerprint);
      if (holder === undefined) throw new Error("the certificate is not known");
      const type = holder.consumerType as Subject;
      return as({
        tenant: holder.tenant,
        consumer: { type, id: holder.consumerID },
        scopes: type === "APPLICATION" ? applicationScopes : runtimeScopes,
        credential: { kind: "certificate", id: holder.id },
      });
    },
    close: () => inside.close(),
  };
}

/** See {@link startConnector}. */
export type TestConnector = Awaited<ReturnType<typeof startConnector>>;

/** The argument of SIGN for a key. */
export function requestFor(
  type: Subject,
  id: string,
  keyPair: KeyPair = createKeyPair(),
  subject = subjectOf(type, id),
): { readonly csr: string } {
  return { csr: Buffer.from(createCertificateRequest({ subject, keyPair })).toString("base64") };
}
