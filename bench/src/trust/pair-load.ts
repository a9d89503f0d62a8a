/** Pairs runtimes through the gateway: an admin asks for a token, and a machine of its own pairs by it over a new connection. */
import { readFileSync } from "node:fs";
import { createCertificateRequest, createKeyPair } from "@sextant/x509";
import { Agent, type Dispatcher, request } from "undici";
import { steadily, type Steady } from "../measure/steady.ts";
import { holderID } from "./tokens.ts";

/** What is asked. */
export type PairLoad = Steady & {
  readonly publicURL: string;
  readonly adminToken: string;
  readonly caFile: string;
  /** Number of the first runtime, and how many there are. */
  readonly first: number;
  readonly count: number;
};

const TOKEN = "mutation($id: ID!) { x: requestOneTimeTokenForRuntime(id: $id) { token } }";
const CONFIGURATION = "{ x: configuration { token { token } } }";
const SIGN =
  "mutation($csr: String!) { x: signCertificateSigningRequest(csr: $csr) { certificateChain } }";

process.once("message", (load: PairLoad) => {
  const connect = { ca: readFileSync(load.caFile) };
  const ask = async <Data>(
    dispatcher: Dispatcher,
    path: string,
    credential: Readonly<Record<string, string>>,
    query: string,
    variables: object = {},
  ): Promise<Data> => {
    const { body } = await request(`${load.publicURL}${path}`, {
      ...{ method: "POST", dispatcher, body: JSON.stringify({ query, variables }) },
      headers: { "content-type": "application/json", ...credential },
    });
    const answer = (await body.json()) as { data?: { x: Data }; errors?: unknown };
    if (answer.data === undefined || answer.errors !== undefined)
      throw new Error(JSON.stringify(answer.errors));
    return answer.data.x;
  };
  const requests = Array.from({ length: load.count }, (_, place) => {
    const subject = `O=Sextant,OU=Runtimes,L=Plane,ST=Plane,C=ZZ,CN=${holderID(load.first + place, 1)}`;
    return Buffer.from(createCertificateRequest({ subject, keyPair: createKeyPair() })).toString(
      "base64",
    );
  });
  const admins = new Agent({ connect, connections: load.clients });
  const admin = { authorization: `Bearer ${load.adminToken}` };
  let next = 0;
  const pair = async (): Promise<number> => {
    const place = next;
    next += 1;
    const csr = requests[place];
    if (csr === undefined) throw new Error("all runtimes have paired: there are too few");
    const id = holderID(load.first + place, 1);
    const { token } = await ask<{ token: string }>(admins, "/graphql", admin, TOKEN, { id });
    const machine = new Agent({
      connect: { ...connect, session: undefined },
      maxCachedSessions: 0,
    });
    const by = (one: string) => ({ "connector-token": one });
    const connector = "/connector/graphql";
    const told = await ask<{ token: { token: string } }>(
      ...([machine, connector, by(token), CONFIGURATION] as const),
    );
    const signed = await ask<{ certificateChain: string }>(
      ...([machine, connector, by(told.token.token), SIGN, { csr }] as const),
    );
    await machine.close();
    return signed.certificateChain.length;
  };
  steadily(load, pair, false).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  });
});
