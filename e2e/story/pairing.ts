/** Pairing by hand: every request by curl, every key and signing request by openssl. */
import { join } from "node:path";
import type { GraphAnswer } from "./caller.ts";
import type { Stage } from "./stage.ts";

/** Kinds of keys that the story pairs with. */
export type KeyKind = "RSA-2048" | "P-256";

/** What an admin hands over to whoever pairs. */
export interface OneTimeToken {
  readonly token: string;
  readonly connectorURL: string;
}

/** The Connector's answer to the first request. */
export interface Configuration {
  readonly token: { readonly token: string } | null;
  readonly certificateSigningRequestInfo: {
    readonly subject: string;
    readonly keyAlgorithm: string;
  };
  readonly managementPlaneInfo: {
    readonly directorURL: string;
    readonly certificateSecuredConnectorURL: string;
  };
}

/** A certificate as files, and what openssl says about it. */
export interface Paired {
  readonly keyFile: string;
  readonly chainFile: string;
  readonly configuration: Configuration;
  /** Lines of `openssl x509`: subject, issuer, time, extensions. */
  readonly described: string;
  /** The answer of `openssl verify`. */
  readonly verified: string;
  /** Kind of key, as openssl names it. */
  readonly keyKind: string;
  /** Hexadecimal. */
  readonly serialNumber: string;
  /** Whether the root that came with the certificate is the one that the plane shows to everybody. */
  readonly hasRootOfThePlane: boolean;
}

export const CONFIGURATION = `{ configuration {
  token { token }
  certificateSigningRequestInfo { subject keyAlgorithm }
  managementPlaneInfo { directorURL certificateSecuredConnectorURL }
} }`;

export const SIGN = `mutation ($csr: String!) {
  signCertificateSigningRequest(csr: $csr) { certificateChain caCertificate clientCertificate }
}`;

const KEY_OPTIONS: Readonly<Record<KeyKind, readonly string[]>> = {
  "RSA-2048": ["-newkey", "rsa:2048"],
  "P-256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
};

/** How `openssl req -subj` takes a subject in one line. */
export const subjectForOpenssl = (subject: string): string => `/${subject.replaceAll(",", "/")}`;

/** Asks a GraphQL endpoint by curl. */
export async function curl<Data>(
  stage: Stage,
  url: string,
  request: {
    readonly document: string;
    readonly variables?: object;
    readonly words?: readonly string[];
  },
): Promise<Data> {
  const { document, variables, words = [] } = request;
  const body = JSON.stringify({
    query: document.replaceAll(/\s+/g, " "),
    ...(variables === undefined ? {} : { variables }),
  });
  const output = await stage.shell([
    ...(["curl", "-sS", "--cacert", "ca.pem", ...words] as const),
    ...["-H", "Content-Type: application/json", "-d", body, url],
  ] as [string, ...string[]]);
  const { data, errors } = JSON.parse(output) as GraphAnswer<Data>;
  if (errors !== undefined || data === undefined || data === null)
    throw new Error(`curl got no data: ${output}`);
  return data;
}

/** Makes a key and a signing request; answers with the request in base64, as the Connector takes it. */
export async function makeRequest(
  stage: Pick<Stage, "shell">,
  name: string,
  key: KeyKind,
  subject: string,
): Promise<string> {
  await stage.shell([
    ...(["openssl", "req", "-new", "-nodes", ...KEY_OPTIONS[key]] as const),
    ...["-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", subjectForOpenssl(subject)],
  ] as [string, ...string[]]);
  const base64 = await stage.shell(["openssl", "base64", "-A", "-in", `${name}.csr`]);
  return base64.trim();
}

/** The same stage, whose commands the report is not told. */
export function quietly(stage: Stage): Stage {
  return { ...stage, shell: (words, options) => stage.shell(words, { ...options, quiet: true }) };
}

/** Pairs by hand, and has openssl check what came. */
export async function pairByHand(
  stage: Stage,
  name: string,
  { token, connectorURL }: OneTimeToken,
  key: KeyKind,
): Promise<Paired> {
  const { shell, directory } = stage;
  const { configuration } = await curl<{ configuration: Configuration }>(stage, connectorURL, {
    document: CONFIGURATION,
    words: ["-H", `Connector-Token: ${token}`],
  });
  const { subject } = configuration.certificateSigningRequestInfo;
  const csr = await makeRequest(stage, name, key, subject);
  const { signCertificateSigningRequest: signed } = await curl<{
    signCertificateSigningRequest: Readonly<
      Record<"certificateChain" | "caCertificate" | "clientCertificate", string>
    >;
  }>(stage, connectorURL, {
    document: SIGN,
    variables: { csr },
    words: ["-H", `Connector-Token: ${configuration.token?.token}`],
  });
  for (const [field, file] of [
    ["clientCertificate", `${name}.pem`],
    ["certificateChain", `${name}-chain.pem`],
    ["caCertificate", `${name}-root.pem`],
  ] as const)
    await shell(["openssl", "base64", "-d", "-A", "-out", file], {
      input: signed[field],
      quiet: true,
    });

  const verify = ["openssl", "verify", "-purpose", "sslclient", "-CAfile", "ca.pem"] as const;
  const verified = await shell([...verify, "-untrusted", `${name}-chain.pem`, `${name}.pem`]);
  const described = await shell([
    ...([
      "openssl",
      "x509",
      "-in",
      `${name}.pem`,
      "-noout",
      "-subject",
      "-issuer",
      "-dates",
    ] as const),
    ...["-ext", "subjectAltName,extendedKeyUsage"],
  ]);
  const quiet = { quiet: true };
  const text = await shell(["openssl", "x509", "-in", `${name}.pem`, "-noout", "-text"], quiet);
  const serial = await shell(["openssl", "x509", "-in", `${name}.pem`, "-noout", "-serial"], quiet);
  const fingerprint = (file: string): Promise<string> =>
    shell(["openssl", "x509", "-in", file, "-noout", "-fingerprint", "-sha256"], quiet);
  return {
    keyFile: join(directory, `${name}.key`),
    chainFile: join(directory, `${name}-chain.pem`),
    configuration,
    described,
    verified: verified.trim(),
    keyKind: keyKindIn(text),
    serialNumber: serial.trim().replace("serial=", "").toLowerCase(),
    hasRootOfThePlane: (await fingerprint(`${name}-root.pem`)) === (await fingerprint("ca.pem")),
  };
}

/** Algorithm and size, in what `openssl x509 -text` says. */
function keyKindIn(text: string): string {
  const algorithm = /Public Key Algorithm: (\S+)/.exec(text)?.[1];
  const bits = /Public-Key: \((\d+) bit\)/.exec(text)?.[1];
  const curve = /NIST CURVE: (\S+)/.exec(text)?.[1] ?? "";
  return `${algorithm} ${bits} ${curve}`.trim();
}
