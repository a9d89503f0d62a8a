import { describe, expect, it } from "vitest";
import { z } from "zod";
import { baseURL, ConfigError, listenAddress, loadConfig, wholeNumber } from "./index.ts";

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

  it("reads hosts of IPv6 and cuts the slash at a URL's end", () => {
    expect(loadConfig(schema, { PORT: "1", LISTEN: "[::1]:80", URL: "http://x/" })).toEqual({
      PORT: 1,
      LISTEN: { host: "::1", port: 80 },
      URL: "http://x",
    });
  });
});
