import { defaultRoles, rolesSetting, scopes } from "@sextant/identity";
import { describe, expect, it } from "vitest";
import { mapClaims } from "./claims.ts";
import { readIssuers } from "./issuer.ts";

const base = { name: "a", issuer: "https://idp.example", audiences: ["x"] };

function issuerOf(more: object) {
  const { issuers, faults } = readIssuers(
    JSON.stringify([{ ...base, ...more }]),
    defaultRoles,
    false,
  );
  expect(faults).toEqual([]);
  return issuers[0] as (typeof issuers)[number];
}
const mapped = (more: object, claims: object) =>
  mapClaims(issuerOf(more), defaultRoles, claims as Record<string, unknown>);

describe("claims", () => {
  it("are found by their name, also with dots in it, and inside each other", () => {
    const tenants = { always: ["t"] };
    const roles = (claim: string) => ({ tenants, roles: { claim } });
    expect(
      mapped(roles("realm_access.roles"), { realm_access: { roles: ["viewer"] } }).scopes,
    ).toEqual(defaultRoles["viewer"]);
    expect(
      mapped(roles("https://idp.example/roles"), { "https://idp.example/roles": ["admin"] }).scopes,
    ).toEqual(scopes);
    expect(mapped(roles("a.b"), { a: { b: { c: 1 } } }).scopes).toEqual([]);
    expect(mapped(roles("constructor.name"), {}).scopes).toEqual([]);
  });

  it("give scopes as a list or as one text, of which only those that are scopes here count", () => {
    const settings = { tenants: { always: ["t"] }, scopes: { claim: "scope" } };
    const held = ["application:read", "runtime:write"];
    expect(mapped(settings, { scope: "openid runtime:write application:read x:y" }).scopes).toEqual(
      held,
    );
    expect(mapped(settings, { scope: [...held, 7, null, "*"] }).scopes).toEqual(held);
  });

  it("stand for what the map says and for nothing else", () => {
    const settings = {
      roles: { claim: "groups", map: { "0a1b": ["admin"] }, always: ["viewer"] },
      tenants: { claim: "groups", map: { "0a1b": ["acme", "*"], g2: ["beta"] } },
    };
    expect(mapped(settings, { groups: ["0a1b"] })).toMatchObject({
      scopes,
      tenants: ["acme", "*"],
    });
    expect(mapped(settings, { groups: ["admin", "__proto__", "g2"] })).toMatchObject({
      scopes: defaultRoles["viewer"],
      tenants: ["beta"],
    });
  });

  it("never open every tenant by themselves", () => {
    const settings = { roles: { always: ["viewer"] }, tenants: { claim: "tenant" } };
    expect(mapped(settings, { tenant: ["*", "acme"] }).tenants).toEqual(["acme"]);
  });
});

describe("the setting of issuers", () => {
  it("is refused with every fault of it", () => {
    const faults = (given: unknown) =>
      readIssuers(JSON.stringify(given), defaultRoles, false).faults;
    const shape = faults([
      { ...base, name: "A B", audiences: [], algorithms: ["HS256"], extra: 1 },
    ]).join("\n");
    for (const part of ["0.name", "0.audiences", "0.algorithms.0", "0.tenants", "extra"])
      expect(shape).toContain(part);
    const twice = { ...base, tenants: {}, roles: { always: ["nobody"], map: { a: ["b"] } } };
    expect(faults([twice, { ...twice, issuer: "http://x.example" }])).toEqual([
      "0.roles.claim: is required beside map",
      "0.tenants: must have claim, always or both",
      "0.roles: there is no role b: see SEXTANT_ROLES",
      "0.roles: there is no role nobody: see SEXTANT_ROLES",
      "1.issuer: must be https",
      "1.name: must differ from those of the other issuers",
      "1.roles.claim: is required beside map",
      "1.tenants: must have claim, always or both",
      "1.roles: there is no role b: see SEXTANT_ROLES",
      "1.roles: there is no role nobody: see SEXTANT_ROLES",
    ]);
    expect(readIssuers("[", defaultRoles, false).faults).toEqual(["is not valid JSON"]);
  });
});

describe("the setting of roles", () => {
  it("replaces and adds roles by scopes and patterns, and names each that is wrong", () => {
    const roles = rolesSetting.parse('{"auditor":["audit:read"],"viewer":["*:read"],"root":["*"]}');
    expect(roles["auditor"]).toEqual(["audit:read"]);
    expect(roles["viewer"]).toContain("audit:read");
    expect(roles["root"]).toEqual(scopes);
    expect(roles["operator"]).toEqual(defaultRoles["operator"]);
    const wrong = rolesSetting.safeParse('{"a b":["x:y"],"c":["application:read","*:fly"]}');
    expect(wrong.error?.issues.map(({ message }) => message)).toEqual([
      "a b: the name must have 1 to 64 letters, digits, -, . and _",
      "a b: x:y is no scope",
      "c: *:fly is no scope",
    ]);
    expect(rolesSetting.safeParse("viewer").success).toBe(false);
  });
});
