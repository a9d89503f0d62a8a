import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { type Address, addressesOf, connectFault } from "./reachability.ts";
import { createReachWatch } from "./reach-watch.ts";

const never = new AbortController().signal;

it("the addresses of an application are those behind its URLs, each once", () => {
  expect(
    addressesOf([
      "https://shop.example/a",
      "https://shop.example/b",
      "http://shop.example",
      "https://[2001:db8::1]:8443/x",
      "ftp://shop.example",
      "no url",
    ]),
  ).toEqual([
    { host: "shop.example", port: 443 },
    { host: "shop.example", port: 80 },
    { host: "2001:db8::1", port: 8443 },
  ]);
  const many = Array.from({ length: 100 }, (_, index) => `https://host-${index}.example`);
  expect(addressesOf(many)).toHaveLength(5);
});

it("an address is reached when a connection is accepted, and no request is made", async () => {
  let heard = 0;
  const server = createServer((socket) => {
    socket.on("data", () => (heard += 1));
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  expect(await connectFault({ host: "127.0.0.1", port }, 1_000, never)).toBeUndefined();
  await new Promise((resolve) => server.close(resolve));
  expect(await connectFault({ host: "127.0.0.1", port }, 1_000, never)).toBe(
    `127.0.0.1:${port}: ECONNREFUSED`,
  );
  // Nobody answers there (RFC 5737), or nobody can be asked.
  expect(await connectFault({ host: "192.0.2.1", port: 9 }, 200, never)).toMatch(
    /^192\.0\.2\.1:9: /,
  );
  expect(heard).toBe(0);
});

it("an application is known after one success or two failures, and a change is told", async () => {
  const down = new Set(["b.example"]);
  let changes = 0;
  let running = 0;
  let most = 0;
  const targets = Array.from({ length: 30 }, (_, index) => ({
    applicationID: `other-${index}`,
    urls: [`https://other-${index}.example`],
  }));
  const stop = new AbortController();
  let rounds = 0;
  let go = (): void => {};
  const watch = createReachWatch({
    targets: () => [
      { applicationID: "a", urls: ["https://a.example"] },
      { applicationID: "b", urls: ["https://a.example", "https://b.example"] },
      { applicationID: "none", urls: [] },
      ...targets,
    ],
    intervalMs: 1_000,
    connectFault: async ({ host }: Address) => {
      running += 1;
      most = Math.max(most, running);
      await delay(1);
      running -= 1;
      return down.has(host) ? `${host}: down` : undefined;
    },
    sleep: (_milliseconds, signal) =>
      new Promise((resolve) => {
        rounds += 1;
        go = () => resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
      }),
    random: () => 0.5,
    onChange: () => (changes += 1),
  });
  const ended = watch.run(stop.signal);
  const look = async (): Promise<void> => {
    const before = rounds;
    go();
    await expect.poll(() => rounds).toBe(before + 1);
  };
  const found = () => watch.found().filter(({ applicationID }) => applicationID.length === 1);
  expect(watch.found()).toEqual([]);
  await look();
  expect(found()).toEqual([{ applicationID: "a", fault: undefined }]);
  await look();
  expect(found()[1]).toEqual({ applicationID: "b", fault: "b.example: down" });
  expect(watch.found()).toHaveLength(32);
  expect(changes).toBe(2);
  await look();
  expect(changes).toBe(2);
  down.clear();
  await look();
  expect(found()[1]).toEqual({ applicationID: "b", fault: undefined });
  expect(changes).toBe(3);
  expect(most).toBe(8);
  stop.abort();
  await ended;
});
