import { expect, test } from "vitest";
import type { ConfigError } from "@sextant/config";
import { readSettings } from "./config.ts";

const read = (env: Record<string, string>) => readSettings(env, false);

function faults(env: Record<string, string>): string[] {
  try {
    read(env);
    return [];
  } catch (error) {
    return (error as ConfigError).faults.map(({ setting }) => setting);
  }
}

test("the mTLS port is the next one unless it is named", () => {
  expect(read({}).mtlsPort).toBe(8444);
  expect(read({ SEXTANT_PORT: "9000" }).mtlsPort).toBe(9001);
  expect(read({ SEXTANT_PORT: "9000", SEXTANT_MTLS_PORT: "9100" }).mtlsPort).toBe(9100);
  expect(read({ SEXTANT_PORT: "0" }).mtlsPort).toBe(0);
});

test("every wrong setting is named at once", () => {
  const env = {
    SEXTANT_PORT: "many",
    SEXTANT_PUBLIC_URL: "http://x",
    DATABASE_URL: "postgresql://h",
    LOG_LEVEL: "loud",
  };
  expect(faults(env).toSorted()).toEqual(Object.keys(env).toSorted());
});

test("the two listeners cannot share a port", () => {
  expect(faults({ SEXTANT_PORT: "9000", SEXTANT_MTLS_PORT: "9000" })).toEqual([
    "SEXTANT_MTLS_PORT",
  ]);
  expect(faults({ SEXTANT_PORT: "65535" })).toEqual(["SEXTANT_MTLS_PORT"]);
});

test("services get their own settings and the machine's, but no credentials", () => {
  const { serviceEnvironment, registryEnvironment } = read({
    PATH: "/bin",
    SEXTANT_TOKEN_TTL_RUNTIME: "5",
    DATABASE_URL: "postgresql://u:p@h/d",
    DATABASE_CONNECTIONS: "4",
    AWS_SECRET_ACCESS_KEY: "x",
    https_proxy: "http://proxy",
  });
  expect(serviceEnvironment).toEqual({
    PATH: "/bin",
    SEXTANT_TOKEN_TTL_RUNTIME: "5",
    https_proxy: "http://proxy",
  });
  expect(registryEnvironment).toMatchObject({ DATABASE_CONNECTIONS: "4" });
});

test("the role of another database is no role of the embedded one", () => {
  const env = { DATABASE_SERVICE_URL: "postgresql://s:p@h/d" };
  expect(read(env).registryEnvironment).toEqual({});
  expect(read({ ...env, DATABASE_URL: "postgresql://u:p@h/d" }).registryEnvironment).toMatchObject(
    env,
  );
});

test("the names in public URLs get into the certificate", () => {
  const { publicHosts } = read({
    SEXTANT_PUBLIC_URL: "https://plane.example:8443",
    SEXTANT_MTLS_URL: "https://agents.example",
    SEXTANT_TLS_HOSTS: "10.0.0.1, other.example",
  });
  for (const host of ["plane.example", "agents.example", "10.0.0.1", "other.example"])
    expect(publicHosts).toContain(host);
});

test("colour is for terminals whose user has not declined it", () => {
  expect(readSettings({}, true).colour).toBe(true);
  expect(readSettings({ NO_COLOR: "1" }, true).colour).toBe(false);
  expect(readSettings({}, false).colour).toBe(false);
});
