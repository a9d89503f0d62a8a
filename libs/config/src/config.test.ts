import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  baseURL,
  ConfigError,
  internalListenAddress,
  internalURL,
  listenAddress,
  loadConfig,
  LONGEST_SOCKET_PATH,
  wholeNumber,
} from "./index.ts";

const schema = z.object({
  PORT: wholeNumber(1, 65_535),
  LISTEN: listenAddress.default({ host: "127.0.0.1", port: 0 }),
  URL: baseURL,
});

describe("loadConfig", () => {
  it("reports every fault at once, each with the setting's name", () => {
    let error: unknown;
    try {
      loadConfig(schema, { PORT: "0", LISTEN: "nonsense" });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).faults.map((fault) => fault.setting)).toEqual([
      "PORT",
      "LISTEN",
      "URL",
    ]);
    expect((error as ConfigError).message).toContain("URL: is required");
  });

  it("takes an empty value for an absent one", () => {
    expect(() => loadConfig(schema, { PORT: "", URL: "http://x" })).toThrow("PORT: is required");
  });

  it("takes Unix sockets where services meet, up to the length that the system has room for", () => {
    const inside = z.object({ AT: internalListenAddress, TO: internalURL });
    const longest = `unix:/${"a".repeat(LONGEST_SOCKET_PATH - 1)}`;
    expect(loadConfig(inside, { AT: longest, TO: longest })).toEqual({
      AT: { path: longest.slice(5) },
      TO: longest,
    });
    expect(loadConfig(inside, { AT: "127.0.0.1:80", TO: "http://x/" })).toEqual({
      AT: { host: "127.0.0.1", port: 80 },
      TO: "http://x",
    });
    for (const wrong of [`${longest}a`, "unix:relative.sock", "unix:", "/run/x.sock"])
      expect(() => loadConfig(inside, { AT: wrong, TO: wrong })).toThrow(
        /AT: must be host:port, or unix: [^]*TO: must be an http or https URL, or unix:/,
      );
  });

  it("reads hosts of IPv6 and cuts the slash at a URL's end", () => {
    expect(loadConfig(schema, { PORT: "1", LISTEN: "[::1]:80", URL: "http://x/" })).toEqual({
      PORT: 1,
      LISTEN: { host: "::1", port: 80 },
      URL: "http://x",
    });
  });
});
