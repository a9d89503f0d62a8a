/** The data that is measured: made through the API, like any other. */
import { createCertificateRequest, createKeyPair } from "@sextant/x509";
import { readFileSync } from "node:fs";
import { Agent, request } from "undici";
import type { Plane } from "./plane.ts";

const APPLICATIONS = 20;
const BUNDLES = 3;
const APIS = 3;

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** Registers applications with bundles of APIs; gives the id of one in the middle. */
export async function seedApplications(plane: Plane): Promise<string> {
  const ids: string[] = [];
  for (const number of upTo(APPLICATIONS)) {
    const input = {
      name: `application-${number}`,
      description: "One of the applications that the bench reads",
      bundles: upTo(BUNDLES).map((bundle) => ({
        name: `bundle-${bundle}`,
        description: "APIs that share one set of credentials",
        apiDefinitions: upTo(APIS).map((api) => ({
          name: `api-${api}`,
          description: "An API of the bundle",
          targetURL: `https://application-${number}.example.com/${bundle}/${api}`,
          group: "things",
        })),
      })),
    };
    const query =
      "mutation($in: ApplicationRegisterInput!) { registerApplication(in: $in) { id } }";
    const { registerApplication } = await plane.graphql<{ registerApplication: { id: string } }>(
      query,
      { in: input },
    );
    ids.push(registerApplication.id);
  }
  return ids[APPLICATIONS / 2] as string;
}

const SITES = 20;
const FLEET = 300;

const registerRuntime = async (
  plane: Plane,
  name: string,
  labels: Readonly<Record<string, unknown>>,
): Promise<string> => {
  const { made } = await plane.graphql<{ made: { id: string } }>(
    "mutation($in: RuntimeInput!) { made: registerRuntime(in: $in) { id } }",
    { in: { name, labels } },
  );
  return made.id;
};

/** Registers runtimes each in a group of its own with 3 applications of one bundle with 3 APIs; gives their ids. */
export async function seedSites(plane: Plane): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const site of upTo(SITES)) {
    const labels = { group: [`site-${site}`] };
    ids.push(await registerRuntime(plane, `site-${site}`, labels));
    for (const number of upTo(3)) {
      const name = `site-${site}-application-${number}`;
      const apiDefinitions = upTo(APIS).map((api) => ({
        name: `api-${api}`,
        description: "An API of the bundle",
        targetURL: `https://${name}.example.com/${api}`,
        group: "things",
      }));
      const bundles = [{ name: "bundle", description: "One set of credentials", apiDefinitions }];
      await plane.graphql(
        "mutation($in: ApplicationRegisterInput!) { registerApplication(in: $in) { id } }",
        { in: { name, description: "An application of a site", labels, bundles } },
      );
    }
  }
  return ids;
}

/** Registers many runtimes with labels. */
export async function seedFleet(plane: Plane): Promise<void> {
  for (const number of upTo(FLEET)) {
    const labels = { group: ["fleet"], region: `region-${number % 10}`, tags: ["edge", "small"] };
    await registerRuntime(plane, `fleet-${number}`, labels);
  }
}

/** A runtime that has paired. */
export type PairedRuntime = {
  readonly id: string;
  readonly certificate: { readonly cert: string; readonly key: string };
};

/** Registers a runtime and pairs it, as its agent would. */
export async function pairRuntime(plane: Plane, name: string): Promise<PairedRuntime> {
  const registered = await plane.graphql<{ registerRuntime: { id: string } }>(
    "mutation($in: RuntimeInput!) { registerRuntime(in: $in) { id } }",
    { in: { name } },
  );
  const { id } = registered.registerRuntime;
  const requested = await plane.graphql<{ token: { token: string } }>(
    "mutation($id: ID!) { token: requestOneTimeTokenForRuntime(id: $id) { token } }",
    { id },
  );
  const dispatcher = new Agent({ connect: { ca: readFileSync(plane.caFile) } });
  const connector = async <Data>(token: string, query: string, variables = {}): Promise<Data> => {
    const answer = await request(`${plane.publicURL}/connector/graphql`, {
      method: "POST",
      dispatcher,
      headers: { "content-type": "application/json", "connector-token": token },
      body: JSON.stringify({ query, variables }),
    });
    return ((await answer.body.json()) as { data: Data }).data;
  };
  const { configuration } = await connector<{
    configuration: { token: { token: string }; certificateSigningRequestInfo: { subject: string } };
  }>(
    requested.token.token,
    "{ configuration { token { token } certificateSigningRequestInfo { subject } } }",
  );
  const keyPair = createKeyPair();
  const csr = createCertificateRequest({
    subject: configuration.certificateSigningRequestInfo.subject,
    keyPair,
  });
  const signed = await connector<{ result: { certificateChain: string } }>(
    configuration.token.token,
    "mutation($csr: String!) { result: signCertificateSigningRequest(csr: $csr) { certificateChain } }",
    { csr: Buffer.from(csr).toString("base64") },
  );
  await dispatcher.close();
  const cert = Buffer.from(signed.result.certificateChain, "base64").toString();
  return {
    id,
    certificate: {
      cert,
      key: keyPair.privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    },
  };
}
