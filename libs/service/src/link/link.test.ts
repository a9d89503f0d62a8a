import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, renameSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import {
  type AddressInfo,
  connect as connectSocket,
  createServer as createSocketServer,
  type Socket,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { createSigner, createVerifier, type Trust } from "@sextant/identity";
import { silentLogger } from "@sextant/logging";
import { afterEach, describe, expect, it } from "vitest";
import { type Call, json, type Reply } from "../dispatcher.ts";
import { listen, type Listener, requestListener } from "../http-server.ts";
import { internalHandler, listenInternally } from "../internal-api.ts";
import { createInternalClient } from "../internal-client.ts";
import { FRAME } from "./frame.ts";
import { createLinkClient, type LinkClient } from "./link-client.ts";
import { LINK_PROTOCOL } from "./protocol.ts";

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
      const { status, headers, text } = reply;
      expect({ status, headers, text }).toEqual({
        status: 201,
        headers: { "x-of": `n${one}` },
        text: `n${one} 1 v`,
      });
    }
  });

  it("carries large bodies both ways, and refuses those that its route does not take", async () => {
    const port = await serve(async (call) => ({ status: 200, body: await call.body() }));
    connect(port);
    const large = Buffer.alloc(12 * 1024 * 1024, "ä€x");
    const [reply, small] = await Promise.all([post(large), post("small")]);
    expect(reply.body.equals(large)).toBe(true);
    expect(small.text).toBe("small");
    const refused = await post(Buffer.alloc(21 * 1024 * 1024));
    expect(refused.status).toBe(400);
    expect(refused.text).toContain("is larger than 20971520 bytes");
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

  it("gives nobody the answer to another call, whoever leaves and whatever is called in between", async () => {
    const port = await serve(async (call) => {
      const text = (await call.body()).toString();
      if (text.length % 2 === 0) await pause(Math.random() * 5);
      return { status: 200, body: text };
    });
    connect(port);
    const ask = async (one: number): Promise<void> => {
      const leaving = new AbortController();
      const asked = post(`n${one}`, leaving.signal).catch((error: unknown) => error);
      if (one % 3 === 0) setImmediate(() => leaving.abort());
      if (one % 3 === 1) setTimeout(() => leaving.abort(), Math.random() * 5);
      const told = await asked;
      if (told instanceof Error) expect(told.name).toBe("AbortError");
      else expect((told as { text: string }).text).toBe(`n${one}`);
      if (one < 1_000) await ask(one + 50);
    };
    await Promise.all(Array.from({ length: 50 }, (_, one) => ask(one)));
    expect((await post("last")).text).toBe("last");
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
    expect((await open).text).toBe("the last");
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
    expect((await post("c")).text).toBe("here");
    // One that is served is not taken away.
    await expect(open()).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect((await post("d")).text).toBe("here");
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

/** Makes a link as one that knows how to, and no more: what it says over it is up to the test. */
async function hostileLink(port: number): Promise<Socket> {
  const socket = connectSocket(port, "127.0.0.1");
  socket.write(
    `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${LINK_PROTOCOL}\r\n\r\n`,
  );
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 101 /);
  return socket;
}

/** A frame with a head that a writer would not write. */
function frame(kind: number, id: number, head: readonly number[]): Buffer {
  const start = Buffer.alloc(13);
  start.writeUInt8(kind, 0);
  start.writeUInt32BE(id, 1);
  start.writeUInt32BE(head.length, 5);
  return Buffer.concat([start, Buffer.from(head)]);
}
/** POST to `/x`, in texts that are not to be kept. */
const postX = [0xff, 0xff, 0, 0, 0, 4, 80, 79, 83, 84, 0xff, 0xff, 0, 0, 0, 2, 47, 120];

describe("a link whose other end does not keep to the protocol", () => {
  it.each([
    ["names a slot that nothing was sent for", [frame(FRAME.call, 0, [0, 7, 0, 8])]],
    ["fills a slot that there is not", [frame(FRAME.call, 0, [0x84, 0, 0, 0, 0, 1, 80])]],
    ["calls under an id that is too high", [frame(FRAME.call, 65_536, postX)]],
    [
      "calls again under an id that is open",
      [frame(FRAME.call, 1, postX), frame(FRAME.call, 1, postX)],
    ],
  ])("is ended when it %s, and its calls are aborted; other links go on", async (_, frames) => {
    let aborted = 0;
    const port = await serve(async (call) => {
      if ((await call.body()).length > 0) return { status: 200, body: "served" };
      await once(call.signal, "abort");
      aborted += 1;
      return { status: 200 };
    });
    connect(port);
    await post("a");
    const socket = await hostileLink(port);
    socket.write(Buffer.concat(frames));
    await once(socket, "close");
    expect((await post("b")).text).toBe("served");
    expect(aborted).toBe(frames.length - 1);
  });

  it("is ended when it replies to no call: the calls that are open are lost, and the next goes over a new one", async () => {
    const links: Duplex[] = [];
    const other = createServer().on("upgrade", (_request, socket) => {
      links.push(socket);
      socket.on("error", () => undefined);
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
      const ok = [0, 200];
      socket.on("data", () => socket.write(frame(FRAME.reply, links.length === 1 ? 9 : 0, ok)));
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    connect((other.address() as AddressInfo).port);
    await expect(post("a")).rejects.toMatchObject({ code: "ECONNRESET" });
    expect((await post("b")).status).toBe(200);
    expect(links).toHaveLength(2);
    for (const socket of links) socket.destroy();
    other.close();
  });
});

describe("a signed identity that was sent earlier over the same link", () => {
  it("is refused from the moment on in which its time is over or its signer is trusted no longer", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    const trusting: Trust = { issuers: { director: [{ kid: "d", publicKey: pem }] } };
    const began = Date.now();
    const callee = { service: "registry" as const, trust: trusting, now: () => began };
    const verifier = createVerifier(callee);
    server = await listenInternally({
      address: { host: "127.0.0.1", port: 0 },
      routes: [
        {
          path: "/x",
          methods: {
            GET: internalHandler(verifier, ["director"], (_, caller) => json(caller.service)),
          },
        },
      ],
      tls: undefined,
      log: silentLogger,
    });
    const url = `http://127.0.0.1:${server.port}`;
    const signer = createSigner({ service: "director", kid: "d", privateKey, now: () => began });
    const director = createInternalClient({ audience: "registry", url, signer });
    const status = async () => (await director.send({ method: "GET", path: "/x" })).status;
    const statuses = async () => [await status(), await status(), await status()];
    expect(await statuses()).toEqual([200, 200, 200]);
    callee.now = () => began + 310_000;
    expect(await statuses()).toEqual([401, 401, 401]);
    callee.now = () => began;
    expect(await statuses()).toEqual([200, 200, 200]);
    callee.trust = { issuers: {} };
    expect(await statuses()).toEqual([401, 401, 401]);
    await director.close();
  });
});
