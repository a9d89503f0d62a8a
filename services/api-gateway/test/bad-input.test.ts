/** What no client should send, by the whole plane: each a clear INVALID_DATA, and the next request is served. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type Plane, startPlane } from "./plane.ts";

let plane: Plane;
let application: string;
let bundle: string;
let count = 0;

beforeAll(async () => {
  plane = await startPlane();
  const { made } = await plane.ask(
    `mutation { made: registerApplication(in: { name: "bad-input", bundles: [{ name: "b" }] }) { id bundles { data { id } } } }`,
  );
  application = made.id as string;
  bundle = made.bundles.data[0].id as string;
}, 90_000);
afterAll(() => plane.close(), 30_000);

/** A body as it is, which no JSON serialiser would write. */
const raw = (body: string): Promise<Answer> =>
  plane.send(`${plane.publicURL}/graphql`, {
    method: "POST",
    headers: { authorization: `Bearer ${plane.adminToken}`, "content-type": "application/json" },
    body,
  });
const refusal = (answer: Answer): string => {
  const [error] = (answer.json?.errors ?? []) as {
    message: string;
    extensions: { code: string };
  }[];
  return error === undefined
    ? `accepted: ${answer.text.slice(0, 200)}`
    : `${error.extensions.code}: ${error.message}`;
};

const registerApplication = `mutation($in: ApplicationRegisterInput!) { x: registerApplication(in: $in) { id name providerName description labels } }`;
const registerRuntime = `mutation($in: RuntimeInput!) { x: registerRuntime(in: $in) { id name } }`;
const setLabel = `mutation($id: ID!, $key: String!, $value: Any!) { x: setApplicationLabel(applicationID: $id, key: $key, value: $value) { key value } }`;
const addAPI = `mutation($id: ID!, $in: APIDefinitionInput!) { x: addAPIDefinitionToBundle(bundleID: $id, in: $in) { id } }`;
const addEvent = `mutation($id: ID!, $in: EventDefinitionInput!) { x: addEventDefinitionToBundle(bundleID: $id, in: $in) { id } }`;
const list = `query($first: Int, $after: PageCursor) { x: applications(first: $first, after: $after) { totalCount } }`;

/** Names that look like others, turn the text around, hide, or cannot be stored. */
const oddNames = {
  "none at all": "",
  "a NUL": "a\u0000b",
  "a lone surrogate": "a\ud800b",
  "a text turned around": "\u202etxet",
  "nothing to be seen": "\u200b\u2060\ufeff",
  "letters that look like others": "аdmin",
  "an emoji of several characters": "👩‍👩‍👧",
  "a combining mark": "e\u0301",
  "full-width letters": "ａｄｍｉｎ",
  "line breaks": "a\r\nb\u2028c",
  "a tab": "a\tb",
  "a private character": "\ue000",
  "a character that is none": "\ufffe",
  "the last of all": "\u{10ffff}",
};

describe("a name", () => {
  it("of an application is printable ASCII, of a runtime letters, digits, -, . and _", async () => {
    for (const [what, name] of Object.entries(oddNames)) {
      expect([what, refusal(await plane.admin(registerApplication, { in: { name } }))]).toEqual([
        what,
        "INVALID_DATA: validation error for type ApplicationRegisterInput: name: must have 1 to 100 printable ASCII characters.",
      ]);
      expect([what, refusal(await plane.admin(registerRuntime, { in: { name } }))]).toEqual([
        what,
        "INVALID_DATA: validation error for type RuntimeInput: name: must have 1 to 256 letters, digits, -, . and _.",
      ]);
    }
    expect(
      refusal(await plane.admin(registerApplication, { in: { name: "x".repeat(101) } })),
    ).toMatch(/^INVALID_DATA: .*name: must have 1 to 100/);
  });

  it("that is only shown may be in any writing, comes back as it was sent, or says why not", async () => {
    for (const [what, text] of Object.entries(oddNames)) {
      count += 1;
      const answer = await plane.admin(registerApplication, {
        in: { name: `odd-${count}`, providerName: text, description: text },
      });
      const cannot = /[\0\ud800]/.test(text);
      if (cannot) {
        const reason = "has a character that cannot be stored (NUL or a lone surrogate)";
        expect([what, refusal(answer)]).toEqual([
          what,
          `INVALID_DATA: validation error for type ApplicationRegisterInput: providerName: ${reason}; description: ${reason}.`,
        ]);
      } else {
        const { providerName, description } = answer.json.data.x;
        expect([what, providerName, description]).toEqual([what, text, text]);
      }
    }
  });

  it("of a label is letters, digits and _, and no name of the language", async () => {
    for (const key of ["", "a-b", "ключ", "a b", "a\u0000", "$ref", "x".repeat(257), "a.b", "'"]) {
      const answer = await plane.admin(setLabel, { id: application, key, value: 1 });
      expect([key, refusal(answer)]).toEqual([
        key,
        expect.stringMatching(
          /^INVALID_DATA: validation error for type Label: .*the key must be 1 to 256 letters, digits and _\.$/s,
        ),
      ]);
    }
    const answer = await raw(
      `{"query":${JSON.stringify(registerApplication)},"variables":{"in":{"name":"proto","labels":{"__proto__":{"x":1},"constructor":"c"}}}}`,
    );
    expect(answer.text).toContain('"constructor":"c"');
    expect(answer.text).toContain('"__proto__":{"x":1}');
  });
});

describe("a JSON value", () => {
  const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  const withValue = (value: string) =>
    raw(
      `{"query":${JSON.stringify(setLabel)},"variables":{"id":"${application}","key":"deep","value":${value}}}`,
    );

  it("may be nested 100 deep, and not 10,000, in a variable or in the document", async () => {
    expect((await withValue(deep(100))).json.errors).toBeUndefined();
    expect(refusal(await withValue(deep(101)))).toBe(
      "INVALID_DATA: validation error for type Label: value.deep: must not be nested deeper than 100.",
    );
    for (const value of [deep(10_000), `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`])
      expect(refusal(await withValue(value))).toBe(
        'INVALID_DATA: Variable "$value" must not be nested deeper than 200.',
      );
    expect(refusal(await withValue(deep(1_000_000)))).toMatch(/^INVALID_DATA: .*nested/);
    const inDocument = `mutation { setApplicationLabel(applicationID: "${application}", key: "deep", value: ${deep(4_900)}) { key } }`;
    expect(refusal(await plane.admin(inDocument))).toBe(
      "INVALID_DATA: the document is nested too deeply: send values that are nested as variables",
    );
    const tokens = `mutation { setApplicationLabel(applicationID: "${application}", key: "deep", value: ${deep(10_000)}) { key } }`;
    expect(refusal(await plane.admin(tokens))).toMatch(
      /^INVALID_DATA: .*(tokens: more than 10000 tokens|nested too deeply)/,
    );
  });

  it("of a label has at most 64 KiB, not 1 MiB", async () => {
    const value = JSON.stringify("x".repeat(1024 * 1024));
    expect(refusal(await withValue(value))).toBe(
      "INVALID_DATA: validation error for type Label: value.deep: is larger than 65536 bytes.",
    );
    const labels = { large: "x".repeat(1024 * 1024), "not-a-key": 1 };
    expect(
      refusal(await plane.admin(registerApplication, { in: { name: "large-labels", labels } })),
    ).toMatch(
      /^INVALID_DATA: validation error for type ApplicationRegisterInput: .*is larger than 65536 bytes; .*the key must be/,
    );
  });
});

describe("a page", () => {
  it("has a size of 1 to 200", async () => {
    for (const first of [-1, 0, 201, 2_147_483_647, -2_147_483_648])
      expect(refusal(await plane.admin(list, { first }))).toBe(
        `INVALID_DATA: validation error for type Page: first: must be from 1 to 200, got ${first}.`,
      );
    for (const first of [2 ** 31, 1e300, 1.5, "5", true, [], {}])
      expect(refusal(await plane.admin(list, { first }))).toMatch(
        /^INVALID_DATA: Variable "\$first" got invalid value; Int cannot represent [^:]+\.$/,
      );
  });

  it("is not found by a cursor that somebody made up or changed", async () => {
    const { x } = await plane.ask(`{ x: applications(first: 1) { pageInfo { endCursor } } }`);
    const good = x.pageInfo.endCursor as string;
    const text = Buffer.from(good, "base64").toString();
    const of = (changed: string) => Buffer.from(changed).toString("base64");
    const tampered: readonly unknown[] = [
      good.slice(0, -2),
      `${good}AA`,
      good.toLowerCase(),
      text,
      of(text.replace("after", "before")),
      of(`${text}' or '1'='1`),
      of(text.slice(0, -1)),
      of("after:"),
      of("after:null"),
      "\u0000",
      "x".repeat(100_000),
      5,
      {},
      [good],
      true,
    ];
    for (const after of tampered)
      expect([after, refusal(await plane.admin(list, { after }))]).toEqual([
        after,
        "INVALID_DATA: validation error for type Page: after: is not a cursor of this API: pass endCursor as it came.",
      ]);
  });
});

describe("a specification", () => {
  const yaml = (levels: number) =>
    [
      "openapi: 3.0.0",
      "a0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol,lol]",
      ...Array.from(
        { length: levels },
        (_, level) =>
          `a${level + 1}: &a${level + 1} [${Array.from({ length: 10 }, () => `*a${level}`).join(",")}]`,
      ),
    ].join("\n");
  const xml = (levels: number) =>
    `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY l0 "lol">${Array.from(
      { length: levels },
      (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`,
    ).join(
      "",
    )}]><edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">&l${levels};</edmx:Edmx>`;
  const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024)).toString("latin1");
  const zip = `PK\u0003\u0004${"\u0014\u0000".repeat(100)}`;
  const api = (type: string, format: string, data: string) => [
    addAPI,
    {
      id: bundle,
      in: { name: "bomb", targetURL: "https://x.example", spec: { type, format, data } },
    },
  ];
  const event = (format: string, data: string) => [
    addEvent,
    { id: bundle, in: { name: "bomb", spec: { type: "ASYNC_API", format, data } } },
  ];
  const cases: Readonly<Record<string, () => readonly unknown[]>> = {
    "a billion laughs in YAML": () => api("OPEN_API", "YAML", yaml(10)),
    "a billion laughs in YAML of events": () =>
      event("YAML", yaml(10).replace("openapi", "asyncapi")),
    "a billion laughs in XML": () => api("ODATA", "XML", xml(10)),
    "a quadratic blow-up in XML": () =>
      api(
        "ODATA",
        "XML",
        `<!DOCTYPE x [<!ENTITY a "${"x".repeat(100_000)}">]><x>${"&a;".repeat(10_000)}</x>`,
      ),
    "a file from XML": () =>
      api("ODATA", "XML", `<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>`),
    "a zip bomb as text": () => api("OPEN_API", "YAML", bomb),
    "a zip archive as text": () => api("ODATA", "XML", zip),
    "YAML nested 100,000 deep": () => api("OPEN_API", "YAML", `openapi: ${"[".repeat(100_000)}`),
    "JSON nested 1,000,000 deep": () =>
      api("OPEN_API", "JSON", `{"openapi":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`),
    "XML nested 100,000 deep": () => api("ODATA", "XML", "<a>".repeat(100_000)),
    "a YAML tag that makes code": () =>
      api("OPEN_API", "YAML", "openapi: !!js/function 'function(){}'"),
    "several documents of YAML": () =>
      api("OPEN_API", "YAML", "openapi: 3.0.0\n---\nopenapi: 3.0.0"),
    "more than 10 MiB": () =>
      api("OPEN_API", "JSON", `{"openapi":"${"x".repeat(10 * 1024 * 1024)}"}`),
    nothing: () => api("OPEN_API", "JSON", ""),
    "another kind": () => api("OPEN_API", "YAML", "asyncapi: 2.0.0"),
    "another notation": () => api("ODATA", "YAML", "a: b"),
  };

  for (const [what, made] of Object.entries(cases)) {
    it(`that is ${what} is refused within seconds`, async () => {
      const [query, variables] = made() as [string, object];
      const started = performance.now();
      const said = refusal(await plane.admin(query, variables));
      expect(said).toMatch(
        /^INVALID_DATA: validation error for type (API|Event)DefinitionInput: spec\.(data|format): .{5,300}\.$/s,
      );
      expect(said).not.toMatch(/root:|function\(\)|xxxxx/);
      expect(performance.now() - started).toBeLessThan(10_000);
    });
  }
});

describe("an input", () => {
  const many = <Value>(count: number, make: (index: number) => Value): Value[] =>
    Array.from({ length: count }, (_, index) => make(index));
  const keys = (count: number, make: (index: number) => string) =>
    Object.fromEntries(many(count, (index) => [make(index), 1]));
  const input = (rest: object) => [registerApplication, { in: { name: "much", ...rest } }];
  const filter = (f: unknown) => [
    "query($f: [LabelFilter!]) { x: applications(filter: $f) { totalCount } }",
    { f },
  ];
  const cases: Readonly<Record<string, readonly [() => readonly unknown[], RegExp]>> = {
    "300,000 labels": [
      () => input({ labels: keys(300_000, (index) => `a-${index}`) }),
      /labels: has more than 200 labels\.$/,
    ],
    "100 wrong labels": [
      () => input({ labels: keys(100, (index) => `a-${index}`) }),
      /labels\.a-0: the key .*labels\.a-99: the key/,
    ],
    "50,000 bundles": [
      () => input({ bundles: many(50_000, () => ({ name: "" })) }),
      /bundles: must have at most 200 entries/,
    ],
    "100,000 webhooks": [
      () => input({ webhooks: many(100_000, () => ({ type: "CONFIGURATION_CHANGED" })) }),
      /webhooks: must have at most 100 entries/,
    ],
    "200,000 wrong scopes": [
      () => [
        `mutation($in: APITokenInput!) { x: createAPIToken(in: $in) { id } }`,
        { in: { name: "much", scopes: many(200_000, (index) => `s${index}`) } },
      ],
      /scopes\.199: must be one of .*; and: 199800 more\.$/,
    ],
    "300,000 filters": [
      () => filter(many(300_000, () => ({ key: "a", query: "{" }))),
      /filter: has more than 20 entries/,
    ],
    "a filter of 300,000 values": [
      () =>
        filter([
          { key: "a", query: `$[*] ? (${many(300_000, (index) => `@ == "${index}"`).join("||")})` },
        ]),
      /filter\.0\.query: compares with more than 1000 values/,
    ],
    "an id of 10 MB": [
      () => [
        `mutation($id: ID!) { x: unregisterApplication(id: $id) { id } }`,
        { id: "x".repeat(10_000_000) },
      ],
      /^NOT_FOUND: Application with id x{256}… does not exist$/,
    ],
  };

  for (const [what, [made, message]] of Object.entries(cases)) {
    it(`with ${what} is refused in a few words`, async () => {
      const [query, variables] = made() as [string, object];
      const answer = await plane.admin(query, variables);
      expect(refusal(answer)).toMatch(message);
      expect(refusal(answer)).toMatch(/^(INVALID_DATA|NOT_FOUND): /);
      expect(answer.text.length).toBeLessThan(200_000);
    });
  }
});

it("after all of this the plane serves as before, and nothing of it was stored", async () => {
  const { x } = await plane.ask(
    `query($id: ID!) { x: application(id: $id) { bundles { data { apiDefinitions { totalCount } eventDefinitions { totalCount } } } } }`,
    { id: application },
  );
  expect(x.bundles.data).toEqual([
    { apiDefinitions: { totalCount: 0 }, eventDefinitions: { totalCount: 0 } },
  ]);
});
