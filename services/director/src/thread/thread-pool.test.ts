import { afterAll, expect, it } from "vitest";
import { createThreadPool } from "./thread-pool.ts";

const script = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from "node:worker_threads";
    const kept = [];
    const born = Math.random();
    parentPort.on("message", (request) => {
      if (request === "who") return parentPort.postMessage(String(born));
      if (request === "loop") for (;;);
      if (request === "grow") for (;;) kept.push({ at: kept.length });
      if (request === "end") process.exit(1);
      if (request === "throw") throw new Error("thrown");
      parentPort.postMessage(request.toUpperCase());
    });
    parentPort.postMessage("ready");
  `)}`,
);
const options = { script, size: 2, timeLimit: 500, memoryMebibytes: 32 } as const;
const pool = createThreadPool<string, string>(options);
afterAll(() => pool.close());

it("answers every request, whoever else is at work", async () => {
  const words = Array.from({ length: 50 }, (_, index) => `word ${index}`);
  const answers = await Promise.all(words.map((word) => pool.run(word)));
  expect(answers).toEqual(words.map((word) => ({ ok: true, answer: word.toUpperCase() })));
});

it("gives up what takes too long or too much memory, and goes on with what waits", async () => {
  const bad = ["loop", "grow", "end", "throw", "loop"].map((word) => pool.run(word));
  const good = ["a", "b", "c"].map((word) => pool.run(word));
  expect(await Promise.all(bad)).toEqual(bad.map(() => ({ ok: false })));
  expect(await Promise.all(good)).toEqual(["A", "B", "C"].map((answer) => ({ ok: true, answer })));
});

it("says so when its threads cannot start", async () => {
  const none = createThreadPool<string, string>({
    ...options,
    script: new URL("data:text/javascript,throw new Error('cannot start')"),
  });
  await expect(none.run("a")).rejects.toThrow("cannot start");
  await none.close();
});

it("ends a thread that has no work any more, and starts one for the next", async () => {
  const short = createThreadPool<string, string>({ ...options, size: 1, idleLimit: 100 });
  const first = await short.run("who");
  expect(await short.run("who")).toEqual(first);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(await short.run("who")).not.toEqual(first);
  await short.close();
});
