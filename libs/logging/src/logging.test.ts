import { expect, it } from "vitest";
import { createLogger, readableLine } from "./index.ts";

const written = (format: "json" | "text"): string => {
  const lines: string[] = [];
  const log = createLogger(
    { service: "director", level: "info", format },
    { write: (line) => void lines.push(line) },
  );
  log.debug("too quiet");
  log.info({ port: 1, name: "a b" }, "listening");
  return lines.join("");
};

it("writes one JSON object a line, with service, time and fields", () => {
  const entry = JSON.parse(written("json")) as Record<string, unknown>;
  expect(entry).toMatchObject({ service: "director", level: 30, msg: "listening", port: 1 });
  expect(Date.parse(String(entry["time"]))).toBeGreaterThan(0);
});

it("writes a readable line in text format, quoting what has spaces", () => {
  expect(written("text")).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} info {2}director +listening port=1 name="a b"\n$/,
  );
});

it("leaves a line alone that is not JSON", () => {
  expect(readableLine("plain words")).toBe("plain words");
});
