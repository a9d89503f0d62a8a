import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { createOutput } from "./output.ts";

const now = (): Date => new Date("2026-01-02T03:04:05.678Z");
const entry = {
  level: 40,
  time: "2026-01-02T03:04:05.678Z",
  service: "director",
  port: 1,
  msg: "listening",
};

async function written(
  format: "json" | "text",
  colour: boolean,
  ...lines: string[]
): Promise<string[]> {
  let text = "";
  const output = createOutput({ format, colour, now, write: (more) => void (text += more) });
  const stream = new PassThrough();
  output.follow("director", stream, "error");
  stream.end(lines.join("\n"));
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  return text.trimEnd().split("\n");
}

describe("the merged log", () => {
  test("leaves JSON lines as they came", async () => {
    const line = JSON.stringify(entry);
    expect(await written("json", true, line)).toEqual([line]);
  });

  test("has what is no log line as one, so that nothing but JSON comes out", async () => {
    const lines = await written("json", false, "Error: boom", '{"not":"a log line"}', "");
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      { level: 50, time: "2026-01-02T03:04:05.678Z", service: "director", msg: "Error: boom" },
      {
        level: 50,
        time: "2026-01-02T03:04:05.678Z",
        service: "director",
        msg: '{"not":"a log line"}',
      },
    ]);
  });

  test("shows people one line with the service's name", async () => {
    const [line] = await written("text", false, JSON.stringify(entry));
    expect(line).toBe("03:04:05.678 warn  director            listening port=1");
  });

  test("in colour says the same", async () => {
    const [plain] = await written("text", false, JSON.stringify(entry));
    const [coloured] = await written("text", true, JSON.stringify(entry));
    expect(coloured).toContain("\u001B[36mdirector");
    expect(coloured).toContain("\u001B[33mwarn");
    // oxlint-disable-next-line no-control-regex -- the escapes are what is taken out
    expect(coloured?.replace(/\u001B\[\d+m/g, "")).toBe(plain);
  });
});
