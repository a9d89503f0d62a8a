import { once } from "node:events";
import { existsSync, mkdtempSync, renameSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import {
  type AddressInfo,
  connect as connectSocket,
  createServer as createSocketServer,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { silentLogger } from "@sextant/logging";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { Call, Reply } from "../dispatcher.ts";
import { listen, type Listener, requestListener } from "../http-server.ts";
import { listenInternally } from "../internal-api.ts";
import { FRAME, type Frame, frameBytes, FrameReader } from "./frame.ts";
import { createLinkClient, type LinkClient } from "./link-client.ts";

describe("frames", () => {
  const anyFrame = fc.record({
    kind: fc.constantFrom(...Object.values(FRAME)),
    id: fc.nat({ max: 0xffffffff }),
    head: fc.string({ unit: "grapheme" }),
    body: fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    ),
  });

  it("come out as they went in, in whatever pieces they are received", () => {
    fc.assert(
      fc.property(fc.array(anyFrame), fc.integer({ min: 1, max: 50 }), (frames, size) => {
        const bytes = Buffer.concat(
          frames.flatMap(({ kind, id, head, body }) => frameBytes(kind, id, head, body)),
        );
        const reader = new FrameReader();
        const read: Frame[] = [];
        for (let at = 0; at < bytes.length; at += size)
          read.push(...reader.read(bytes.subarray(at, at + size)));
        expect(read.map((one) => ({ ...one, body: one.body.toString("hex") }))).toEqual(
          frames.map((one) => ({ ...one, body: Buffer.from(one.body).toString("hex") })),
        );
      }),
    );
  });

  it("that are too long are refused before they are kept", () => {
    const start = Buffer.alloc(13);
    start.writeUInt32BE(0xffffffff, 9);
    expect(() => new FrameReader().read(start)).toThrow(/too long/);
  });
});

let server: Listener | undefined;
let client: LinkClient | undefined;
afterEach(async () => {
  await client?.close();
  await server?.close(0);
});

async function serve(handle: (call: Call) => Promise<Reply> | Reply, port = 0): Promise<number> {
  server = await listenInternally({
    address: { host: "127.0.0.1", port },
    routes: [{ path: "/x", maxBody: 20 * 1024 * 1024, methods: { POST: handle } }],
    tls: undefined,
    log: silentLogger,
  });
  return server.port;
}
const connect = (port: number, links = 1): LinkClient =>
  (client = createLinkClient({ url: `http://127.0.0.1:${port}`, links }));
const post = (body: string | Buffer, signal?: AbortSignal) =>
  (client as LinkClient).call(
    { method: "POST", path: "/x?a=1", headers: { k: "v" } },
    body,
    signal,
  );

describe("a link", () => {
  it("carries many calls at a time; each gets its own answer, whichever is ready first", async () => {
    const port = await serve(async (call) => {
      const text = (await call.body()).toString();
      await pause(Math.random() * 20);
      const told = `${text} ${call.query.get("a")} ${String(call.headers["k"])}`;
      return { status: 201, headers: { "x-of": text }, body: told };
    });
    connect(port, 2);
    const replies = await Promise.all(Array.from({ length: 300 }, (_, one) => post(`n${one}`)));
    for (const [one, reply] of replies.entries()) {
      expect({ ...reply, body: reply.body.toString() }).toEqual({
        status: 201,
        headers: { "x-of": `n${one}` },
        body: `n${one} 1 v`,
      });
    }
  });

  it("carries large bodies both ways, and refuses those that its route does not take", async () => {
    const port = await serve(async (call) => ({ status: 200, body: await call.body() }));
    connect(port);
    const large = Buffer.alloc(12 * 1024 * 1024, "ä€x");
    const [reply, small] = await Promise.all([post(large), post("small")]);
    expect(reply.body.equals(large)).toBe(true);
    expect(small.body.toString()).toBe("small");
    const refused = await post(Buffer.alloc(21 * 1024 * 1024));
    expect(refused.status).toBe(400);
    expect(refused.body.toString()).toContain("is larger than 20971520 bytes");
  });

  it("tells the other end when who called has gone, and drops the answer", async () => {
    let [begun, gone] = [false, false];
    const port = await serve(async (call) => {
      if ((await call.body()).toString() === "stay") return { status: 204 };
      const aborted = once(call.signal, "abort");
      begun = true;
      await aborted;
      gone = true;
      return { status: 200 };
    });
    connect(port);
    const leaving = new AbortController();
    const left = post("leave", leaving.signal).catch((error: unknown) => error);
    while (!begun) await pause(5);
    leaving.abort();
    expect(await left).toMatchObject({ name: "AbortError" });
    expect((await post("stay")).status).toBe(204);
    expect(gone).toBe(true);
    await expect(post("late", AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
  });

  it("that breaks fails its calls as lost, and is made anew with the next", async () => {
    let calls = 0;
    const port = await serve(() => {
      calls += 1;
      if (calls === 1) (server as Listener).server.closeAllConnections();
      return calls === 1 ? new Promise<Reply>(() => undefined) : { status: 200 };
    });
    connect(port);
    const lost = post("a").catch((error: unknown) => error);
    while (calls === 0) await pause(5);
    await (server as Listener).close(0);
    expect(await lost).toMatchObject({ code: "ECONNRESET" });
    await expect(post("b")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await serve(() => ({ status: 200 }), port);
    expect((await post("c")).status).toBe(200);
  });

  it("of a service that ends gets its last answers, and no new call", async () => {
    const port = await serve(async () => {
      await pause(100);
      return { status: 200, body: "the last" };
    });
    connect(port);
    const open = post("a");
    await pause(30);
    const closing = (server as Listener).close(5_000);
    expect((await open).body.toString()).toBe("the last");
    await closing;
    await expect(post("b")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("goes over a Unix socket, which is for this user alone and outlives no process", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "sextant-link-")), "a.sock");
    client = createLinkClient({ url: `unix:${path}`, links: 1 });
    await expect(post("a")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    // As one that was killed leaves it behind.
    const left = createSocketServer().listen(path);
    await once(left, "listening");
    renameSync(path, `${path}.left`);
    left.close();
    await once(left, "close");
    renameSync(`${path}.left`, path);
    await expect(post("b")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    const open = () =>
      listenInternally({
        address: { path },
        routes: [{ path: "/x", methods: { POST: () => ({ status: 200, body: "here" }) } }],
        tls: undefined,
        log: silentLogger,
      });
    server = await open();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect((await post("c")).body.toString()).toBe("here");
    // One that is served is not taken away.
    await expect(open()).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect((await post("d")).body.toString()).toBe("here");
    await server.close(0);
    expect(existsSync(path)).toBe(false);
  });

  it("is not made with what serves none, and says so", async () => {
    server = await listen({
      address: { host: "127.0.0.1", port: 0 },
      listener: requestListener([], silentLogger),
      log: silentLogger,
    });
    connect(server.port);
    await expect(post("a")).rejects.toMatchObject({
      code: expect.stringMatching(/^ECONN/) as string,
    });
    const other: Server = createServer().on("upgrade", (_request, socket) => {
      socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    connect((other.address() as AddressInfo).port);
    await expect(post("a")).rejects.toMatchObject({
      message: expect.stringContaining("404") as string,
    });
    other.close();
  });

  it("is all that a service is upgraded to: who asks for something else is refused, and may break off", async () => {
    const port = await serve(() => ({ status: 200 }));
    const asked = once((server as Listener).server, "upgrade");
    const socket = connectSocket(port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n");
    const [, taken] = (await asked) as [unknown, Duplex];
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /);
    // An error that nobody listens to is thrown, and would end the service.
    taken.emit("error", new Error("read ECONNRESET"));
    expect(taken.destroyed).toBe(true);
    socket.destroy();
  });
});
