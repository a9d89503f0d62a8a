import { describe, expect, it } from "vitest";
import { createCors, isOrigin } from "./cors.ts";

const shop = "https://shop.example.com";
const asked = (origin: string) => ({
  method: "OPTIONS",
  headers: { origin, "access-control-request-method": "POST" },
});
const reply = { status: 200, headers: { vary: "accept-encoding" }, body: "{}" };

describe("cross-origin requests", () => {
  it("are answered for the origins that are named, and for no other", () => {
    const cors = createCors([shop]);
    expect(cors.preflight(asked(shop))).toMatchObject({
      status: 204,
      headers: { "access-control-allow-origin": shop, vary: "origin" },
    });
    expect(cors.preflight(asked("https://evil.example.com"))).toBeUndefined();
    expect(cors.open({ headers: { origin: shop } }, reply).headers).toMatchObject({
      "access-control-allow-origin": shop,
      vary: "accept-encoding, origin",
    });
    const other = cors.open({ headers: { origin: "https://evil.example.com" } }, reply);
    expect(other.headers).toEqual({ vary: "accept-encoding, origin" });
  });

  it("are not known when no origin is named", () => {
    const cors = createCors([]);
    expect(cors.preflight(asked(shop))).toBeUndefined();
    expect(cors.open({ headers: { origin: shop } }, reply)).toBe(reply);
  });

  it("never allow credentials, also not for every origin", () => {
    const cors = createCors(["*"]);
    const headers = cors.preflight(asked(shop))?.headers ?? {};
    expect(headers["access-control-allow-origin"]).toBe("*");
    expect(Object.keys(headers)).not.toContain("access-control-allow-credentials");
  });

  it("come from origins as browsers write them", () => {
    expect([shop, "http://localhost:3000"].every(isOrigin)).toBe(true);
    const wrong = [`${shop}/`, "shop.example.com", "https://a b", "null", "ftp://x", "HTTPS://A.b"];
    expect(wrong.filter(isOrigin)).toEqual([]);
  });
});
