/** The settings about identity, as the gateway reads them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "@sextant/config";
import { afterAll, describe, expect, it } from "vitest";
import { readSettings } from "../config.ts";

const folder = mkdtempSync(join(tmpdir(), "sextant-issuers-"));
afterAll(() => rmSync(folder, { recursive: true }));

const url = "http://127.0.0.1:1";
const needed = {
  SEXTANT_KEYS_DIR: folder,
  SEXTANT_REGISTRY_URL: url,
  SEXTANT_DIRECTOR_URL: url,
  SEXTANT_CONNECTOR_URL: url,
  SEXTANT_PROVISIONER_URL: url,
};
const issuer = {
  name: "corp",
  issuer: "https://login.example",
  audiences: ["sextant"],
  roles: { always: ["auditor"] },
  tenants: { always: ["acme"] },
};
const roles = '{"auditor":["audit:read"]}';

function faultsOf(more: Readonly<Record<string, string>>): readonly string[] {
  try {
    readSettings({ ...needed, ...more });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(({ setting, message }) => `${setting}: ${message}`);
  }
}

describe("issuers", () => {
  it("are read from the setting or from the file that it names, with the roles that are set", () => {
    const file = join(folder, "issuers.json");
    writeFileSync(file, JSON.stringify([issuer]));
    for (const given of [JSON.stringify([issuer]), file]) {
      const read = readSettings({ ...needed, SEXTANT_ROLES: roles, SEXTANT_OIDC_ISSUERS: given });
      expect(read.SEXTANT_OIDC_ISSUERS).toMatchObject([{ name: "corp", clockSkew: 60 }]);
      expect(read.SEXTANT_ROLES["auditor"]).toEqual(["audit:read"]);
    }
    expect(readSettings(needed).SEXTANT_OIDC_ISSUERS).toEqual([]);
  });

  it("that are wrong are told, all that is, by the name of the setting", () => {
    const wrong = JSON.stringify([{ ...issuer, issuer: "http://login.example" }]);
    expect(faultsOf({ SEXTANT_OIDC_ISSUERS: wrong })).toEqual([
      "SEXTANT_OIDC_ISSUERS: 0.issuer: must be https",
      "SEXTANT_OIDC_ISSUERS: 0.roles: there is no role auditor: see SEXTANT_ROLES",
    ]);
    expect(faultsOf({ SEXTANT_OIDC_ISSUERS: join(folder, "nothing") })[0]).toMatch(
      /^SEXTANT_OIDC_ISSUERS: ENOENT/,
    );
    const noAuthority = JSON.stringify([
      { ...issuer, roles: { always: ["viewer"] }, caFile: join(folder, "ca.pem") },
    ]);
    expect(faultsOf({ SEXTANT_OIDC_ISSUERS: noAuthority })[0]).toMatch(/ca\.pem/);
    expect(faultsOf({ SEXTANT_ROLES: "[]", SEXTANT_ACCESS_TOKEN_TTL: "1" })).toHaveLength(2);
  });
});
