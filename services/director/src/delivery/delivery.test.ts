import { createHmac } from "node:crypto";
import { expect, it } from "vitest";
import { MAX_ATTEMPTS, pauseAfter, signedHeaders } from "./delivery.ts";

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
