import { generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { createKeyPair, readCertificate, readPem, writePem } from "@sextant/x509";
import { storedRows } from "@sextant/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  CONFIGURATION,
  requestFor,
  SIGN,
  startConnector,
  type TestConnector,
} from "../../test/given.ts";
import { subjectOf } from "./subject.ts";

type Tenant = Awaited<ReturnType<TestConnector["tenant"]>>;
let connector: TestConnector;
let tenant: Tenant;

beforeAll(async () => {
  connector = await startConnector();
  tenant = await connector.tenant();
});
afterAll(() => connector.close());

const certificateIn = (answer: any): X509Certificate =>
  new X509Certificate(Buffer.from(answer.clientCertificate as string, "base64"));
/** A token for the signing step of a new object of this type. */
const signingStep = async (type: "APPLICATION" | "RUNTIME" = "APPLICATION") => {
  const id = await tenant.holder(type);
  const pairing = await connector.withToken(await tenant.issue(type, id));
  const { configuration } = await pairing.ask(CONFIGURATION);
  return { id, type, as: await connector.withToken(configuration.token.token) };
};
const pair = async (type: "APPLICATION" | "RUNTIME" = "APPLICATION", keyPair = createKeyPair()) => {
  const { id, as } = await signingStep(type);
  const { x } = await as.ask(SIGN, requestFor(type, id, keyPair));
  return { id, type, keyPair, answer: x, as: await connector.withCertificate(x) };
};
const certificatesOf = async (id: string): Promise<number> => {
  const { certificates } = await tenant.admin.ask(
    `query($id: ID!) { certificates(filter: { applicationID: $id }) { totalCount } }`,
    { id },
  );
  return certificates.totalCount as number;
};

describe("pairing", () => {
  it("leads from a token to a certificate that the plane's root vouches for", async () => {
    for (const [type, days] of [
      ["APPLICATION", 90],
      ["RUNTIME", 1],
    ] as const) {
      const id = await tenant.holder(type);
      const pairing = await connector.withToken(await tenant.issue(type, id));
      const { configuration } = await pairing.ask(CONFIGURATION);
      expect(configuration).toMatchObject({
        certificateSigningRequestInfo: { subject: subjectOf(type, id), keyAlgorithm: "rsa2048" },
        managementPlaneInfo: {
          directorURL: "https://mtls.plane.example/director/graphql",
          certificateSecuredConnectorURL: "https://mtls.plane.example/connector/graphql",
        },
      });
      const signing = await connector.withToken(configuration.token.token);
      const { x } = await signing.ask(SIGN, requestFor(type, id));
      const certificate = certificateIn(x);
      expect(certificate.verify(connector.context.authorities.current().publicKey)).toBe(true);
      expect(certificate.subjectAltName).toContain(
        `sextant://${tenant.id}/${type.toLowerCase()}/${id}`,
      );
      const read = readCertificate(Buffer.from(x.clientCertificate as string, "base64").toString());
      expect(read.subject).toBe(subjectOf(type, id));
      expect(Math.round((read.notAfter.getTime() - connector.clock.now) / 86_400_000)).toBe(days);
      const chain = Buffer.from(x.certificateChain as string, "base64").toString();
      expect(chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
      expect(Buffer.from(x.caCertificate as string, "base64").toString()).toBe(
        connector.context.authorities.current().root,
      );
    }
  });

  it("takes RSA, P-256, P-384 and Ed25519 keys", async () => {
    const keys = [
      generateKeyPairSync("rsa", { modulusLength: 2048 }),
      generateKeyPairSync("ec", { namedCurve: "P-384" }),
      generateKeyPairSync("ed25519"),
    ];
    for (const key of keys) {
      const { answer } = await pair("APPLICATION", key);
      expect(certificateIn(answer).publicKey.equals(key.publicKey)).toBe(true);
    }
  });

  it("stores no token in clear", async () => {
    const id = await tenant.holder("APPLICATION");
    const token = await tenant.issue("APPLICATION", id);
    const { configuration } = await (
      await connector.withToken(token)
    ).ask(CONFIGURATION, {}, "a-key-of-the-caller");
    const rows = (await storedRows(connector.inside.database)).join("\n");
    for (const text of [token, configuration.token.token as string])
      for (const part of [text, text.split(".")[1] as string]) expect(rows).not.toContain(part);
    expect(rows).not.toContain("a-key-of-the-caller");
  });
});

describe("a one-time token", () => {
  it("used four hundred times at once by different requests is used once, and each other use is on record", async () => {
    const own = await connector.tenant();
    const id = await own.holder("RUNTIME");
    const as = await connector.withToken(await own.issue("RUNTIME", id));
    const answers = await Promise.all(
      Array.from({ length: 400 }, (_, index) =>
        as.send(CONFIGURATION, {}, index % 2 === 0 ? `key-${index}` : undefined),
      ),
    );
    expect(answers.filter(({ errors }) => errors === undefined)).toHaveLength(1);
    for (const { errors } of answers)
      if (errors !== undefined) expect(errors[0]?.extensions.code).toBe("UNAUTHENTICATED");
    const about = `oneTimeToken ${as.identity.credential?.id} 192.0.2.7`;
    expect(await own.refusals()).toEqual(
      Array.from({ length: 399 }, () => `configuration UNAUTHENTICATED ${about}`),
    );
  });

  it("for signing, used four hundred times at once with different keys, gives exactly one certificate", async () => {
    const { id, as } = await signingStep();
    const requests = Array.from({ length: 400 }, () => requestFor("APPLICATION", id));
    const answers = await Promise.all(requests.map((request) => as.send(SIGN, request)));
    expect(answers.filter(({ errors }) => errors === undefined)).toHaveLength(1);
    for (const { errors } of answers)
      if (errors !== undefined) expect(errors[0]?.extensions.code).toBe("UNAUTHENTICATED");
    expect(await certificatesOf(id)).toBe(1);
  });

  it("gives the same answer to the same request, one after the other and at once", async () => {
    const id = await tenant.holder("APPLICATION");
    const as = await connector.withToken(await tenant.issue("APPLICATION", id));
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => as.ask(CONFIGURATION, {}, "k")),
    );
    const tokens = new Set(answers.map(({ configuration }) => configuration.token.token as string));
    expect(tokens.size).toBe(1);
    expect((await as.ask(CONFIGURATION, {}, "k")).configuration.token.token).toBe([...tokens][0]);
    expect(await as.refusal(CONFIGURATION, {}, "another")).toMatch(
      /^UNAUTHENTICATED: the one-time token was used already/,
    );
    expect(await as.refusal(CONFIGURATION)).toMatch(/^UNAUTHENTICATED/);

    const signing = await connector.withToken([...tokens][0] as string);
    const request = requestFor("APPLICATION", id);
    const signed = await Promise.all(Array.from({ length: 20 }, () => signing.ask(SIGN, request)));
    expect(new Set(signed.map(({ x }) => x.certificateChain as string)).size).toBe(1);
    expect((await signing.ask(SIGN, request)).x).toEqual(signed[0].x);
    expect(await signing.refusal(SIGN, requestFor("APPLICATION", id))).toMatch(/^UNAUTHENTICATED/);
    expect(await certificatesOf(id)).toBe(1);
  });

  it("repeats its answer for two minutes and no longer", async () => {
    const { id, as } = await signingStep();
    const request = requestFor("APPLICATION", id);
    const { x } = await as.ask(SIGN, request);
    connector.clock.now += 119_000;
    expect((await as.ask(SIGN, request)).x).toEqual(x);
    connector.clock.now += 2_000;
    expect(await as.refusal(SIGN, request)).toMatch(/^UNAUTHENTICATED/);
    connector.clock.now = Date.now();
  });

  it("does not repeat the answer when its certificate was revoked meanwhile", async () => {
    const { id, as } = await signingStep();
    const request = requestFor("APPLICATION", id);
    const { x } = await as.ask(SIGN, request);
    await (await connector.withCertificate(x)).ask("mutation { revokeCertificate }");
    expect(await as.refusal(SIGN, request)).toMatch(/^UNAUTHENTICATED/);
  });

  it("is over after its time: an hour for a runtime, five minutes for an application and for signing", async () => {
    const at = connector.clock.now;
    for (const [type, life] of [
      ["RUNTIME", 3_600_000],
      ["APPLICATION", 300_000],
    ] as const) {
      const id = await tenant.holder(type);
      const [early, late] = [await tenant.issue(type, id), await tenant.issue(type, id)];
      connector.clock.now = at + life - 1;
      expect(
        (await (await connector.withToken(early)).ask(CONFIGURATION)).configuration.token.token,
      ).toBeDefined();
      connector.clock.now = at + life;
      expect(await (await connector.withToken(late)).refusal(CONFIGURATION)).toMatch(
        /^UNAUTHENTICATED: the one-time token has expired/,
      );
      connector.clock.now = at;
    }
    const { id, as } = await signingStep();
    connector.clock.now += 300_000;
    expect(await as.refusal(SIGN, requestFor("APPLICATION", id))).toMatch(/has expired/);
    connector.clock.now = at;
  });

  it("is good for its own step alone", async () => {
    const id = await tenant.holder("APPLICATION");
    const pairing = await connector.withToken(await tenant.issue("APPLICATION", id));
    expect(await pairing.refusal(SIGN, requestFor("APPLICATION", id))).toMatch(
      /^UNAUTHENTICATED: .*ask for `configuration` first/,
    );
    const { as } = await signingStep();
    expect(await as.refusal(CONFIGURATION)).toMatch(/^UNAUTHENTICATED/);
    expect(await as.refusal("mutation { revokeCertificate }")).toMatch(/^FORBIDDEN/);
    expect(await as.refusal("{ certificates { totalCount } }")).toMatch(/^INSUFFICIENT_SCOPES/);
  });

  it("is worth nothing once its holder is gone, also when it came in between", async () => {
    const id = await tenant.holder("RUNTIME");
    const pairing = await connector.withToken(await tenant.issue("RUNTIME", id));
    const unused = await connector.withToken(await tenant.issue("RUNTIME", id));
    const { configuration } = await pairing.ask(CONFIGURATION);
    const signing = await connector.withToken(configuration.token.token);
    await tenant.remove("RUNTIME", id);
    expect(await signing.refusal(SIGN, requestFor("RUNTIME", id))).toMatch(/^UNAUTHENTICATED/);
    expect(await unused.refusal(CONFIGURATION)).toMatch(/^UNAUTHENTICATED/);
  });
});

describe("a refused use of a token", () => {
  it("is on record with who, what and from where; a request that only has to be corrected is not", async () => {
    const own = await connector.tenant();
    const id = await own.holder("RUNTIME");
    const pairing = await connector.withToken(await own.issue("RUNTIME", id));
    const { configuration } = await pairing.ask(CONFIGURATION, {}, "k");
    await pairing.ask(CONFIGURATION, {}, "k");
    const signing = await connector.withToken(configuration.token.token);
    await signing.refusal(SIGN, { csr: "" });
    await signing.refusal(SIGN, requestFor("APPLICATION", id));
    expect(await own.refusals()).toEqual([]);

    await pairing.refusal(CONFIGURATION, {}, "another");
    await pairing.refusal(SIGN, requestFor("RUNTIME", id));
    const { x } = await signing.ask(SIGN, requestFor("RUNTIME", id));
    await signing.refusal(SIGN, requestFor("RUNTIME", id));
    const as = await connector.withCertificate(x);
    await as.ask("mutation { revokeCertificate }");
    await as.refusal(SIGN, requestFor("RUNTIME", id));
    const [first, second] = [pairing, signing].map(({ identity }) => identity.credential?.id);
    expect(await own.refusals()).toEqual([
      `configuration UNAUTHENTICATED oneTimeToken ${first} 192.0.2.7`,
      `signCertificate UNAUTHENTICATED oneTimeToken ${first} 192.0.2.7`,
      `signCertificate UNAUTHENTICATED oneTimeToken ${second} 192.0.2.7`,
      `signCertificate UNAUTHENTICATED certificate ${as.identity.credential?.id} 192.0.2.7`,
    ]);
  });
});

describe("issuing", () => {
  const stateOf = async (id: string) => {
    const { certificates } = await tenant.admin.ask(
      `query($id: ID!) { certificates(filter: { applicationID: $id }) { data { state serialNumber fingerprint issuerKeyID } } }`,
      { id },
    );
    return certificates.data as { state: string; serialNumber: string; fingerprint: unknown }[];
  };
  /** Until it is given back, the authority signs as this says. */
  const signingBy = async (sign: (tbs: Buffer) => Promise<Buffer>, act: () => Promise<void>) => {
    const { signer } = connector.context.authorities.current();
    const own = signer.sign;
    try {
      Object.assign(signer, { sign });
      await act();
    } finally {
      Object.assign(signer, { sign: own });
    }
  };

  it("records the serial number and what is signed before it signs, and a repeat finishes the same certificate", async () => {
    const { id, as } = await signingStep();
    const request = requestFor("APPLICATION", id);
    const tried: Buffer[] = [];
    const dies = async (tbs: Buffer): Promise<Buffer> => {
      expect(await stateOf(id)).toMatchObject([{ state: "ISSUING", fingerprint: null }]);
      tried.push(tbs);
      throw new Error("as if it had been killed");
    };
    await signingBy(dies, async () => {
      expect(await as.refusal(SIGN, request)).toMatch(/^INTERNAL/);
    });
    expect(tried).toHaveLength(1);
    const [recorded] = await stateOf(id);
    expect(recorded?.state).toBe("ISSUING");
    expect(await as.refusal(SIGN, requestFor("APPLICATION", id))).toMatch(/^UNAUTHENTICATED/);
    const { x } = await as.ask(SIGN, request);
    expect(certificateIn(x).serialNumber.toLowerCase()).toBe(recorded?.serialNumber);
    const { serialNumber } = recorded ?? {};
    expect(await stateOf(id)).toMatchObject([{ serialNumber, state: "VALID" }]);
  });

  it("gives out nothing that was signed by another key, or that is revoked before it is stored", async () => {
    const wrong = await signingStep();
    const other = createKeyPair();
    const request = requestFor("APPLICATION", wrong.id);
    await signingBy(
      async (tbs) => sign("sha256", tbs, other.privateKey),
      async () => {
        expect(await wrong.as.refusal(SIGN, request)).toMatch(/^INTERNAL/);
      },
    );
    expect(await stateOf(wrong.id)).toMatchObject([{ state: "ISSUING" }]);

    const { signer } = connector.context.authorities.current();
    const own = signer.sign;
    const late = await signingStep();
    await signingBy(
      async (tbs) => {
        await tenant.admin.ask(
          `mutation($id: ID!) { revokeCertificates(applicationID: $id, reason: SUPERSEDED) }`,
          { id: late.id },
        );
        return own(tbs);
      },
      async () => {
        expect(await late.as.refusal(SIGN, requestFor("APPLICATION", late.id))).toMatch(
          /^UNAUTHENTICATED: the certificate was revoked while it was issued/,
        );
      },
    );
    expect(await stateOf(late.id)).toMatchObject([{ state: "REVOKED", fingerprint: null }]);
  });

  it("sends what is right to the signer and nothing else: no request that is refused gets there", async () => {
    const { id, as } = await signingStep();
    const { keyPair } = await pair();
    await signingBy(
      () => Promise.reject(new Error("the signer was reached")),
      async () => {
        for (const variables of [
          { csr: "" },
          { csr: "A".repeat(40_000) },
          { csr: Buffer.from("hello").toString("base64") },
          requestFor("RUNTIME", id),
          requestFor("APPLICATION", id, keyPair),
        ])
          expect(await as.refusal(SIGN, variables)).toMatch(/^INVALID_DATA/);
      },
    );
  });

  it("says in the certificate where the revocation list of its issuer is, and bounds its life by the issuer's", async () => {
    const { answer } = await pair();
    const authority = connector.context.authorities.current();
    const text = certificateIn(answer).raw.toString("latin1");
    expect(text).toContain(`https://plane.example/v1/ca/crl?issuer=${authority.keyId}`);
    const at = connector.clock.now;
    connector.clock.now = authority.issuer.notAfter.getTime() - 3_600_000;
    const late = await pair();
    expect(certificateIn(late.answer).validToDate).toEqual(authority.issuer.notAfter);
    connector.clock.now = at;
  });
});

describe("a signing request", () => {
  it("that is wrong does not use the token up, and says what is wrong", async () => {
    const { id, as } = await signingStep();
    const good = requestFor("APPLICATION", id);
    const der = readPem(Buffer.from(good.csr, "base64").toString())?.[0]?.der ?? Buffer.alloc(1);
    der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
    const broken = writePem("CERTIFICATE REQUEST", der);
    const other = await tenant.holder("APPLICATION");
    const wrong: readonly (readonly [string, { csr: string }])[] = [
      [
        "another's subject",
        requestFor("APPLICATION", id, createKeyPair(), subjectOf("APPLICATION", other)),
      ],
      [
        "a runtime's subject",
        requestFor("APPLICATION", id, createKeyPair(), subjectOf("RUNTIME", id)),
      ],
      ["a changed signature", { csr: Buffer.from(broken).toString("base64") }],
      ["no base64", { csr: "%%%" }],
      ["no request", { csr: Buffer.from("hello").toString("base64") }],
      ["nothing", { csr: "" }],
      ["too much", { csr: "A".repeat(30_000) }],
    ];
    for (const [what, variables] of wrong)
      expect([what, await as.refusal(SIGN, variables)]).toEqual([
        what,
        expect.stringMatching(
          /^INVALID_DATA: validation error for type CertificateSigningRequest: csr/,
        ),
      ]);
    expect((await as.ask(SIGN, good)).x.clientCertificate).toBeDefined();
  });

  it("for a key that belongs to another is refused, and the token is still good", async () => {
    const { keyPair } = await pair();
    const { id, as } = await signingStep();
    expect(await as.refusal(SIGN, requestFor("APPLICATION", id, keyPair))).toMatch(
      /^INVALID_DATA: .*its key belongs to another/,
    );
    // The same words for one of another tenant, and for one of the same moment.
    const foreign = await connector.tenant();
    const other = await foreign.holder("APPLICATION");
    const signing = async () => {
      const pairing = await connector.withToken(await foreign.issue("APPLICATION", other));
      const { configuration } = await pairing.ask(CONFIGURATION);
      return connector.withToken(configuration.token.token);
    };
    const request = requestFor("APPLICATION", other, keyPair);
    expect(await (await signing()).refusal(SIGN, request)).toBe(
      "INVALID_DATA: validation error for type CertificateSigningRequest: csr: its key belongs to another: make a new key.",
    );
    const shared = createKeyPair();
    const answers = await Promise.all([
      as.send(SIGN, requestFor("APPLICATION", id, shared)),
      (await signing()).send(SIGN, requestFor("APPLICATION", other, shared)),
    ]);
    expect(answers.filter(({ errors }) => errors === undefined)).toHaveLength(1);
  });
});

describe("renewal", () => {
  it("is steered: a window that is the certificate's own, and open at once under an authority that signs no more", async () => {
    const { as } = await pair("RUNTIME");
    const window = `{ configuration { renewal { start end retryAfterSeconds } } }`;
    const { renewal } = (await as.ask(window)).configuration;
    const hours = (text: string) => (Date.parse(text) - connector.clock.now) / 3_600_000;
    expect(hours(renewal.start)).toBeGreaterThan(11);
    expect(hours(renewal.end)).toBeLessThan(22);
    expect(renewal.retryAfterSeconds).toBeGreaterThan(60);
    expect((await as.ask(window)).configuration).toMatchObject({
      renewal: { start: renewal.start, end: renewal.end },
    });
    const { authorities } = connector.context;
    const current = authorities.current();
    Object.assign(authorities, { current: () => ({ ...current, keyId: "0".repeat(40) }) });
    const moved = (await as.ask(window)).configuration.renewal;
    Object.assign(authorities, { current: () => current });
    expect(hours(moved.start)).toBeLessThanOrEqual(0.01);
  });

  it("ends with the certificate", async () => {
    const { id, type, as } = await pair("RUNTIME");
    connector.clock.now += 86_400_000;
    expect(await as.refusal(SIGN, requestFor(type, id))).toMatch(
      /^UNAUTHENTICATED: the client certificate has expired/,
    );
    connector.clock.now = Date.now();
  });

  it("is by the certificate itself, with the same key or a new one", async () => {
    const { id, type, keyPair, answer, as } = await pair("RUNTIME");
    const { configuration } = await as.ask(CONFIGURATION);
    expect(configuration).toMatchObject({
      token: null,
      certificateSigningRequestInfo: { subject: subjectOf(type, id) },
    });
    const fresh = await as.ask(SIGN, requestFor(type, id));
    expect(certificateIn(fresh.x).serialNumber).not.toBe(certificateIn(answer).serialNumber);
    // Within two minutes the same key gets the certificate that it has.
    expect((await as.ask(SIGN, requestFor(type, id, keyPair))).x).toEqual(answer);
    connector.clock.now += 121_000;
    const again = await as.ask(SIGN, requestFor(type, id, keyPair));
    expect(certificateIn(again.x).serialNumber).not.toBe(certificateIn(answer).serialNumber);
    connector.clock.now = Date.now();
  });

  it("sent several times at once gives one certificate", async () => {
    const { id, type, as } = await pair();
    const request = requestFor(type, id);
    const answers = await Promise.all(Array.from({ length: 12 }, () => as.ask(SIGN, request)));
    expect(new Set(answers.map(({ x }) => x.certificateChain as string)).size).toBe(1);
    expect(await certificatesOf(id)).toBe(2);
  });

  it("for another's subject, or by someone who has no certificate, is refused", async () => {
    const { id, as } = await pair();
    const other = await tenant.holder("APPLICATION");
    expect(await as.refusal(SIGN, requestFor("APPLICATION", other))).toMatch(/^INVALID_DATA/);
    expect(await tenant.admin.refusal(SIGN, requestFor("APPLICATION", id))).toMatch(/^FORBIDDEN/);
    expect(await tenant.admin.refusal(CONFIGURATION)).toMatch(/^FORBIDDEN/);
  });

  it("by a certificate that was revoked, or whose holder is gone, is refused, whoever is faster", async () => {
    const revoked = await pair();
    await revoked.as.ask("mutation { revokeCertificate }");
    expect(await revoked.as.refusal(SIGN, requestFor(revoked.type, revoked.id))).toMatch(
      /^UNAUTHENTICATED/,
    );

    const gone = await pair("RUNTIME");
    await tenant.remove("RUNTIME", gone.id);
    expect(await gone.as.refusal(SIGN, requestFor("RUNTIME", gone.id))).toMatch(/^UNAUTHENTICATED/);

    for (let round = 0; round < 5; round += 1) {
      const { id, type, as } = await pair();
      const actor = { type: "SERVICE", id: "director" };
      await Promise.all([
        as.send(SIGN, requestFor(type, id)),
        connector.revocations.revokeConsumer(tenant.id, type, id, actor),
        as.send(SIGN, requestFor(type, id)),
      ]);
      const { certificates } = await tenant.admin.ask(
        `query($id: ID!) { certificates(filter: { applicationID: $id, state: VALID }) { totalCount } }`,
        { id },
      );
      expect(certificates.totalCount).toBe(0);
    }
  });
});
