import { createHmac } from "node:crypto";
import { expect, it } from "vitest";
import { authenticated, MAX_ATTEMPTS, pauseAfter, signedHeaders } from "./delivery.ts";

it("signs id, time and body with the decoded secret, as Standard Webhooks says", () => {
  const key = Buffer.alloc(32, 7);
  const headers = signedHeaders(
    "msg_1",
    `whsec_${key.toString("base64")}`,
    1_700_000_000,
    '{"a":1}',
  );
  const expected = createHmac("sha256", key).update('msg_1.1700000000.{"a":1}').digest("base64");
  expect(headers).toEqual({
    "webhook-id": "msg_1",
    "webhook-timestamp": "1700000000",
    "webhook-signature": `v1,${expected}`,
  });
});

it("waits longer after each failure, and gives up after the last attempt", () => {
  const pauses = Array.from(
    { length: MAX_ATTEMPTS - 1 },
    (_, index) => pauseAfter(index + 1, null, () => 0) as number,
  );
  expect(pauses.toSorted((a, b) => a - b)).toEqual(pauses);
  expect(pauses[0]).toBe(5);
  expect(pauseAfter(MAX_ATTEMPTS, null, () => 0)).toBeUndefined();
  expect(pauseAfter(3, 7, () => 1)).toBeCloseTo(7.7);
});

it("puts credentials, headers and query parameters of an auth value on the request", () => {
  const auth = {
    credential: { basic: { username: "u", password: "p" }, oauth: null },
    additionalHeaders: { "X-A": ["1", "2"] },
    additionalQueryParams: { q: ["a b"] },
    requestAuth: null,
  };
  expect(authenticated("https://example.com/hook?x=1", auth)).toEqual({
    url: "https://example.com/hook?x=1&q=a+b",
    headers: { "x-a": "1, 2", authorization: "Basic dTpw" },
  });
});
