/** Asks the Connector for certificates at its own interface, as the gateway does: each with a token and a request of its own. */
import { generateKeyPairSync } from "node:crypto";
import { createSigner, readServiceKeys } from "@sextant/identity";
import { createInternalClient } from "@sextant/service";
import { createCertificateRequest, createKeyPair } from "@sextant/x509";
import { steadily, type Steady } from "../measure/steady.ts";
import { holderID, tokenID } from "./tokens.ts";

/** What is asked. */
export type IssueLoad = Steady & {
  readonly connectorURL: string;
  readonly keysDirectory: string;
  readonly tenant: string;
  readonly key: "P-256" | "RSA-2048";
  /** Number of the first token, and how many there are; each holder has so many of them. */
  readonly first: number;
  readonly count: number;
  readonly perHolder: number;
};

const SIGN = `mutation($csr: String!) { signCertificateSigningRequest(csr: $csr) { certificateChain } }`;

function bodyFor(holder: string, key: IssueLoad["key"]): string {
  const keyPair =
    key === "P-256" ? createKeyPair() : generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const subject = `O=Sextant,OU=Runtimes,L=Plane,ST=Plane,C=ZZ,CN=${holder}`;
  const csr = Buffer.from(createCertificateRequest({ subject, keyPair })).toString("base64");
  return JSON.stringify({ query: SIGN, variables: { csr } });
}

process.once("message", (load: IssueLoad) => {
  const signer = createSigner({
    service: "api-gateway",
    ...readServiceKeys(load.keysDirectory, "api-gateway"),
    now: () => Date.now(),
  });
  const client = createInternalClient({ audience: "connector", url: load.connectorURL, signer });
  const bodies = new Map<string, string>();
  for (let nr = load.first; nr < load.first + load.count; nr += load.perHolder)
    bodies.set(holderID(nr, load.perHolder), bodyFor(holderID(nr, load.perHolder), load.key));
  let next = load.first;
  const work = async (): Promise<number> => {
    const nr = next;
    next += 1;
    if (nr >= load.first + load.count) throw new Error("all tokens are used: there are too few");
    const id = holderID(nr, load.perHolder);
    const answer = await client.text({
      method: "POST",
      path: "/graphql",
      body: bodies.get(id),
      identity: {
        tenant: load.tenant,
        consumer: { type: "ONE_TIME_TOKEN", id },
        scopes: [],
        credential: { kind: "oneTimeToken", id: tokenID(nr) },
      },
    });
    if (!answer.startsWith(`{"data"`)) throw new Error(`no certificate: ${answer}`);
    return answer.length;
  };
  steadily(load, work, false).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  });
});
