/**
 * Gets the agent a certificate: the first by a one-time token, the next by the certificate before. Each half is written
 * down before it is asked for, so that an agent that was killed, or lost an answer, repeats exactly what it asked.
 */
import { createPrivateKey, createPublicKey } from "node:crypto";
import {
  createCertificateRequest,
  createKeyPair,
  readCertificate,
  readCertificateChain,
} from "@sextant/x509";
import { hashToken, type Identity, type StoredIdentity } from "../identity/identity.ts";
import type { IdentityStore, PendingRequest } from "../identity/identity-store.ts";
import { PlaneError } from "../plane/plane-error.ts";
import type { ConnectionOptions, PlaneConnection } from "../plane/plane-connection.ts";
import {
  createConnectorClient,
  type ConnectorClient,
  type SignedCertificate,
} from "./connector-client.ts";

/** What pairing is made of. */
export type PairingDependencies = {
  readonly store: IdentityStore;
  readonly connect: (options: ConnectionOptions) => PlaneConnection;
  readonly now: () => Date;
};

/** Where and with what to pair. */
export type PairingRequest = {
  readonly connectorUrl: string;
  readonly token: string;
  /** Finds the authority to check the plane by. */
  readonly findAuthority: () => Promise<string>;
  readonly signal: AbortSignal;
};

type Signing = NonNullable<PendingRequest["signing"]>;

/** Pairs by a one-time token. */
export async function pair(
  dependencies: PairingDependencies,
  request: PairingRequest,
): Promise<Identity> {
  const { store, connect, now } = dependencies;
  const { connectorUrl, token, signal } = request;
  const pending = await begin(store, hashToken(token));
  const ca = pending.signing?.ca ?? (await request.findAuthority());
  const connection = connect({ ca, now });
  try {
    const connector = createConnectorClient(connection, connectorUrl, signal);
    const signing =
      pending.signing ??
      (await configure(store, pending, connector, {
        ca,
        credentials: { token, idempotencyKey: hashToken(`configuration ${token}`) },
      }));
    if (signing.token === undefined)
      throw new PlaneError("invalid", "there is no token to sign with");
    const signed = await connector.sign(signing.csr, {
      token: signing.token,
      idempotencyKey: hashToken(`sign ${signing.token}`),
    });
    return await finish(dependencies, pending, signing, signed, { pairedBy: hashToken(token) });
  } finally {
    await connection.close();
  }
}

/** Renews by the certificate that the agent has, with a new key. */
export async function renew(
  dependencies: PairingDependencies,
  identity: Identity,
  connection: PlaneConnection,
  signal: AbortSignal,
): Promise<Identity> {
  const { store } = dependencies;
  const pending = await begin(store, "renewal");
  const connector = createConnectorClient(connection, identity.connectorUrl, signal);
  // Always asked anew: subject and address may have changed since.
  const signing = await configure(store, pending, connector, { ca: identity.ca, credentials: {} });
  const signed = await connector.sign(signing.csr, {});
  const { pairedBy, trustBundle } = identity;
  return finish(dependencies, pending, signing, signed, { pairedBy, trustBundle });
}

async function begin(store: IdentityStore, cause: string): Promise<PendingRequest> {
  const present = await store.loadPending(cause);
  if (present !== undefined) return present;
  const privateKey = createKeyPair().privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  const pending: PendingRequest = { version: 1, cause, privateKey };
  await store.savePending(pending);
  return pending;
}

async function configure(
  store: IdentityStore,
  pending: PendingRequest,
  connector: ConnectorClient,
  {
    ca,
    credentials,
  }: { readonly ca: string; readonly credentials: Parameters<ConnectorClient["configuration"]>[0] },
): Promise<Signing> {
  const { token, subject, connectorUrl } = await connector.configuration(credentials);
  const csr = requestFor(subject, pending.privateKey);
  const signing = { token, csr, connectorUrl, ca };
  await store.savePending({ ...pending, signing });
  return signing;
}

function requestFor(subject: string, privateKeyPem: string): string {
  try {
    return createCertificateRequest({
      subject,
      keyPair: { privateKey: createPrivateKey(privateKeyPem) },
    });
  } catch (error) {
    throw new PlaneError(
      "invalid",
      `the plane asks for a subject that cannot be written: ${(error as Error).message}`,
    );
  }
}

async function finish(
  { store, now }: PairingDependencies,
  pending: PendingRequest,
  signing: Signing,
  signed: SignedCertificate,
  rest: Pick<StoredIdentity, "pairedBy" | "trustBundle">,
): Promise<Identity> {
  const stored: StoredIdentity = {
    version: 1,
    privateKey: pending.privateKey,
    chain: leafFirst(signed, pending.privateKey),
    ca: signing.ca,
    connectorUrl: signing.connectorUrl,
    receivedAt: now().toISOString(),
    ...rest,
  };
  const identity = await store.save(stored);
  await store.clearPending();
  return identity;
}

/** The certificate and the authorities above it without the root, which a server has itself. */
function leafFirst({ certificate, chain }: SignedCertificate, privateKeyPem: string): string {
  try {
    const leaf = readCertificate(certificate);
    if (!createPublicKey(privateKeyPem).equals(leaf.publicKey))
      throw new TypeError("it is for another key");
    const above = readCertificateChain(chain).filter(
      ({ der, x509 }) => !der.equals(leaf.der) && x509.subject !== x509.issuer,
    );
    return [leaf, ...above].map(({ pem }) => pem).join("");
  } catch (error) {
    throw new PlaneError(
      "invalid",
      `the certificate that the plane sent cannot be used: ${(error as Error).message}`,
    );
  }
}
