import { createLogger } from "@sextant/logging";
import { expect, test } from "vitest";
import { logPostgresLine } from "./log-lines.ts";

function logged(line: string): { level: number; detail: string } | undefined {
  let written = "";
  const log = createLogger(
    { service: "postgres", level: "trace", format: "json" },
    { write: (text: string) => void (written += text) },
  );
  logPostgresLine(log, line);
  return written === "" ? undefined : (JSON.parse(written) as { level: number; detail: string });
}

test("what PostgreSQL says of its daily life is for those who look closer", () => {
  expect(logged("LOG:  database system is ready")).toMatchObject({
    level: 20,
    detail: "database system is ready",
  });
  expect(logged("FATAL:  the database system is starting up")?.level).toBe(20);
});

test("what somebody should look at is a warning, and a panic an error", () => {
  expect(logged('FATAL:  role "x" does not exist')?.level).toBe(40);
  expect(logged("PANIC:  could not write to file")?.level).toBe(50);
});

test("an empty line is none", () => {
  expect(logged("  ")).toBeUndefined();
});
