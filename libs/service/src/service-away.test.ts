import { createLogger } from "@sextant/logging";
import { expect, it } from "vitest";
import { logAway, ServiceAwayError } from "./service-away.ts";

/** The lines that are logged for refusals at these milliseconds. */
function linesFor(service: string, times: readonly number[]): readonly Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger(
    { service: "test", level: "warn", format: "json" },
    { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const error = new ServiceAwayError(service, `${service} is gone`, new Error("ECONNREFUSED"));
  for (const time of times) logAway(error, log, time);
  return lines;
}

it("says once a second that a service is away, why, and how many requests it did not tell of", () => {
  const lines = linesFor("one", [0, 1, 500, 999, 1_000, 1_500, 9_000]);
  expect(lines.map(({ away, reason, more }) => ({ away, reason, more }))).toEqual([
    { away: "one", reason: "ECONNREFUSED", more: 0 },
    { away: "one", reason: "ECONNREFUSED", more: 3 },
    { away: "one", reason: "ECONNREFUSED", more: 1 },
  ]);
});

it("tells of each service by itself", () => {
  expect(linesFor("two", [0])).toHaveLength(1);
  expect(linesFor("three", [1])).toHaveLength(1);
});
