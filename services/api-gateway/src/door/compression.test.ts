import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { acceptedCoding, createCompression } from "./compression.ts";

const compress = createCompression(100);
const text = JSON.stringify({ data: "x".repeat(500) });
const reply = (body: string | Buffer = text, headers: Record<string, string> = {}) => ({
  status: 200,
  headers: { "content-type": "application/json; charset=utf-8", ...headers },
  body,
});
const call = (accepted?: string) => ({
  headers: accepted === undefined ? {} : { "accept-encoding": accepted },
});

describe("which coding is accepted", () => {
  it.each([
    ["gzip, deflate, br", "br"],
    ["gzip", "gzip"],
    ["br;q=0.5, gzip;q=0.8", "gzip"],
    ["*", "br"],
    ["br;q=0, *;q=0.1", "gzip"],
    ["identity", undefined],
    ["gzip;q=0", undefined],
    ["", undefined],
    ["gzip;q=nonsense", undefined],
  ])("of %s is %s", (header, coding) => {
    expect(acceptedCoding(header)).toBe(coding);
  });
});

describe("compression", () => {
  it("sends what the client can read, and says so", async () => {
    const brotli = await compress(call("br"), reply());
    expect(brotliDecompressSync(brotli.body as Buffer).toString()).toBe(text);
    expect(brotli.headers).toMatchObject({ "content-encoding": "br", vary: "accept-encoding" });
    const zipped = await compress(call("gzip"), reply(Buffer.from(text)));
    expect(gunzipSync(zipped.body as Buffer).toString()).toBe(text);
  });

  it("leaves alone what is short, what is no text, and who did not ask", async () => {
    const short = reply("{}");
    expect(await compress(call("br"), short)).toBe(short);
    const bytes = { ...reply(), headers: { "content-type": "application/pkix-crl" } };
    expect(await compress(call("br"), bytes)).toBe(bytes);
    const plain = await compress(call(), reply());
    expect(plain.body).toBe(text);
    expect(plain.headers).toMatchObject({ vary: "accept-encoding" });
  });

  it("weakens an entity tag and keeps what the reply varies by", async () => {
    const { headers } = await compress(
      call("gzip"),
      reply(text, { etag: '"1-a"', vary: "prefer" }),
    );
    expect(headers).toMatchObject({ etag: 'W/"1-a"', vary: "prefer, accept-encoding" });
  });
});
