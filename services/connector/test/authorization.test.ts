/** Every operation by every type of caller, on its own certificates, others' and another tenant's: as the authorization table says. */
import {
  fixedScopes,
  type Identity,
  type OutsideType,
  scopes as everyScope,
  scopesFor,
} from "@sextant/identity";
import { afterAll, beforeAll, expect, it } from "vitest";
import { rules } from "../src/access/rules.ts";
import { CONFIGURATION, requestFor, SIGN, startConnector, type TestConnector } from "./given.ts";

type Tenant = Awaited<ReturnType<TestConnector["tenant"]>>;
type Place = "own" | "other" | "foreign";

let connector: TestConnector;
let home: Tenant;
/** Who calls by certificate, and whose certificates there are beside. */
let callers: Readonly<Record<"APPLICATION" | "RUNTIME", Identity>>;
let holders: Readonly<Record<Place, string>>;

async function paired(tenant: Tenant, type: "APPLICATION" | "RUNTIME") {
  const id = await tenant.holder(type);
  const pairing = await connector.withToken(await tenant.issue(type, id));
  const { configuration } = await pairing.ask(CONFIGURATION);
  const signing = await connector.withToken(configuration.token.token as string);
  const { x } = await signing.ask(SIGN, requestFor(type, id));
  return (await connector.withCertificate(x as { clientCertificate: string })).identity;
}

beforeAll(async () => {
  connector = await startConnector();
  home = await connector.tenant();
  callers = {
    APPLICATION: await paired(home, "APPLICATION"),
    RUNTIME: await paired(home, "RUNTIME"),
  };
  const [other, foreign] = [
    await paired(home, "RUNTIME"),
    await paired(await connector.tenant(), "RUNTIME"),
  ];
  for (const identity of [callers.RUNTIME, other, foreign]) {
    const { id } = identity.consumer;
    const subject = { consumerType: "RUNTIME", consumerID: id } as const;
    const actor = { type: "USER", id: "admin" };
    const { token } = await connector.tokens.issue(identity.tenant ?? "", subject, actor);
    const record = (await connector.withToken(token)).identity.credential?.id ?? "";
    tokens.set(id, record);
  }
  holders = {
    own: callers.RUNTIME.consumer.id,
    other: other.consumer.id,
    foreign: foreign.consumer.id,
  };
});
afterAll(() => connector.close());

/** An unused token of each holder, by the holder's id: its record. */
const tokens = new Map<string, string>();

const identityOf = async (type: OutsideType): Promise<Identity> => {
  if (type === "APPLICATION" || type === "RUNTIME") return callers[type];
  if (type === "ONE_TIME_TOKEN") {
    const holder = await home.holder("RUNTIME");
    return (await connector.withToken(await home.issue("RUNTIME", holder))).identity;
  }
  const consumer = { type, id: connector.inside.newID() };
  return { tenant: home.id, consumer, scopes: [...everyScope] };
};

const certificatesOf = (id: string) =>
  `{ x: certificates(filter: { runtimeID: "${id}" }) { totalCount } }`;

/** What each operation is asked, about whose certificates. What changes nothing comes first. */
const operations: Readonly<Record<string, (id: string) => string>> = {
  certificates: certificatesOf,
  oneTimeTokens: (id) => `{ x: oneTimeTokens(filter: { runtimeID: "${id}" }) { totalCount } }`,
  configuration: () => "{ x: configuration { managementPlaneInfo { directorURL } } }",
  signCertificateSigningRequest: () =>
    `mutation { x: signCertificateSigningRequest(csr: "x") { certificateChain } }`,
  revokeOneTimeToken: (id) => `mutation { x: revokeOneTimeToken(id: "${tokens.get(id)}") }`,
  revokeCertificates: (id) => `mutation { x: revokeCertificates(runtimeID: "${id}") }`,
  revokeCertificate: () => "mutation { x: revokeCertificate }",
};

function expected(name: string, type: OutsideType, place: Place): string {
  const rule = rules[name];
  if (rule === undefined) return "no rule";
  const held = fixedScopes(type) ?? everyScope;
  if (!scopesFor(rule, type).every((scope) => held.includes(scope))) return "INSUFFICIENT_SCOPES";
  const reach = rule.reach[type];
  if (reach === "forbidden") return "FORBIDDEN";
  if (rule.about === undefined) return "allowed";
  const isOwn = type === "RUNTIME" && place === "own";
  return place !== "foreign" && (reach === "all" || (reach === "own" && isOwn))
    ? "allowed"
    : "nothing";
}

it("every operation has a rule and a case", () => {
  const { schema } = connector;
  const fields = [schema.getQueryType(), schema.getMutationType()]
    .flatMap((type) => Object.keys(type?.getFields() ?? {}))
    .filter((name) => !name.startsWith("_"))
    .toSorted();
  expect(Object.keys(rules).toSorted()).toEqual(fields);
  expect(Object.keys(operations).toSorted()).toEqual(fields);
});

it("what happens is what the table says, for everybody and everything", async () => {
  const wrong: string[] = [];
  const types = ["INTEGRATION_SYSTEM", "APPLICATION", "ONE_TIME_TOKEN", "RUNTIME", "USER"] as const;
  for (const [name, query] of Object.entries(operations)) {
    for (const type of types) {
      for (const place of ["foreign", "other", "own"] as const) {
        const identity = await identityOf(type);
        // A revoked certificate is no caller any more: nothing of its own is left to be tried.
        if (name === "revokeCertificate" && place !== "own") continue;
        const count = async (): Promise<number> =>
          ((await home.admin.ask(certificatesOf(holders[place]))).x as { totalCount: number })
            .totalCount;
        const there = await count();
        const { data, errors } = await connector.as(identity).send(query(holders[place]));
        const code = errors?.[0]?.extensions.code;
        const found = (data?.x?.totalCount ?? data?.x) as unknown;
        // A request that cannot be read is told so to who may sign.
        const isReached = code === "INVALID_DATA" || (code === undefined && found !== 0);
        const got = isReached ? "allowed" : code === "NOT_FOUND" ? "nothing" : (code ?? "nothing");
        const isRevokedBefore = name === "revokeCertificates" && there > 0 && found === 0;
        const said = expected(name, type, place);
        if (got !== said && !(isRevokedBefore && said === "allowed"))
          wrong.push(
            `${name} by ${type} on ${place}: ${got}, not ${said} ${JSON.stringify(errors)}`,
          );
      }
    }
  }
  expect(wrong).toEqual([]);
});
