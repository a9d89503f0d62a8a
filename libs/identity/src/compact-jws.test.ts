import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { CompactSign, compactVerify } from "jose";
import { describe, expect, it } from "vitest";
import { signCompact, verifyCompact } from "./compact-jws.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const payload = { iss: "api-gateway", text: "é" };
const keyOf = (kid: string) => {
  if (kid !== "k") throw new Error("unknown key");
  return publicKey;
};
const verified = (text: string) => verifyCompact(text, keyOf).payload;
const isAccepted = (text: string): boolean => {
  try {
    verified(text);
    return true;
  } catch {
    return false;
  }
};
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a signed text", () => {
  it("is read by a library, and what the library signs is read here", async () => {
    const ours = signCompact(payload, "k", privateKey);
    const { payload: bytes, protectedHeader } = await compactVerify(ours, publicKey);
    expect(JSON.parse(Buffer.from(bytes).toString())).toEqual(payload);
    expect(protectedHeader).toEqual({ alg: "EdDSA", kid: "k" });
    const theirs = await new CompactSign(Buffer.from(JSON.stringify(payload)))
      .setProtectedHeader({ alg: "EdDSA", kid: "k" })
      .sign(privateKey);
    expect(verified(theirs)).toEqual(payload);
  });

  it("is not accepted with another header, key or form", () => {
    const [head = "", body = "", signature = ""] = signCompact(payload, "k", privateKey).split(".");
    const refused = [
      `${head}.${body}`,
      `${head}.${body}.${signature}.`,
      `${head}.${body}.`,
      `${head}.${body}.${signature}=`,
      `${head}.${body}.${signature} `,
      ` ${head}.${body}.${signature}`,
      `${encode({ alg: "none", kid: "k" })}.${body}.`,
      `${encode({ alg: "HS256", kid: "k" })}.${body}.${signature}`,
      signCompact(payload, "other", privateKey),
      signCompact(payload, "k", generateKeyPairSync("ed25519").privateKey),
      `${encode({ alg: "EdDSA", kid: "k", crit: ["x"] })}.${body}.${signature}`,
      "",
      "..",
      "null.null.null",
      `${Buffer.from("null").toString("base64url")}.${body}.${signature}`,
    ];
    expect(refused.filter(isAccepted)).toEqual([]);
    expect(() => verifyCompact(`${head}.${body}.${signature}`, () => rsa.publicKey)).toThrow(
      "another kind of key",
    );
  });

  it("is not accepted with any one character changed", () => {
    const text = signCompact(payload, "k", privateKey);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: text.length - 1 }),
        fc.constantFrom(..."ABab09-_."),
        (at, character) => {
          fc.pre(text[at] !== character);
          expect(isAccepted(text.slice(0, at) + character + text.slice(at + 1))).toBe(false);
        },
      ),
    );
  });
});
