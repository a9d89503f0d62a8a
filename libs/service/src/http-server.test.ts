import { once } from "node:events";
import { connect } from "node:net";
import { notFound } from "@sextant/errors";
import { createLogger } from "@sextant/logging";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type Call, json, listen, type Listener, requestListener } from "./index.ts";

let listener: Listener;
const logged: string[] = [];
/** What became of the bodies that were sent to `/late`. */
const bodies: string[] = [];
let arrived = 0;
const log = createLogger(
  { service: "test", level: "error", format: "json" },
  { write: (line) => void logged.push(line) },
);
const at = (path: string) => `http://127.0.0.1:${listener.port}${path}`;

beforeAll(async () => {
  const routes = [
    {
      path: "/echo",
      maxBody: 10,
      methods: {
        POST: async (call: { body(): Promise<Buffer> }) => json((await call.body()).toString()),
      },
    },
    {
      path: "/late",
      methods: {
        POST: async (call: Call) => {
          arrived += 1;
          if (call.query.has("whole")) await once(call.signal, "abort");
          await call.body().then(
            () => bodies.push("whole"),
            (error: Error) => bodies.push(error.message),
          );
          return { status: 204 };
        },
      },
    },
    { path: "/missing", methods: { GET: () => Promise.reject(notFound("Application", "a1")) } },
    { path: "/broken", methods: { GET: () => Promise.reject(new Error("secret detail")) } },
  ];
  listener = await listen({
    address: { host: "127.0.0.1", port: 0 },
    listener: requestListener(routes, log),
    log,
  });
});
afterAll(() => listener.close(100));

it("echoes the request id it was sent, and makes one when it is absent or unprintable", async () => {
  const sent = await fetch(at("/missing"), { headers: { "x-request-id": "abc" } });
  expect(sent.headers.get("x-request-id")).toBe("abc");
  expect((await fetch(at("/missing"))).headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
});

it("refuses a body over the route's limit and names the limit", async () => {
  const reply = await fetch(at("/echo"), { method: "POST", body: "x".repeat(11) });
  expect(await reply.json()).toMatchObject({
    code: "INVALID_DATA",
    message: expect.stringContaining("10 bytes") as string,
  });
  expect((await fetch(at("/echo"), { method: "POST", body: "x".repeat(10) })).status).toBe(200);
});

it("turns a typed error into its status and JSON", async () => {
  const reply = await fetch(at("/missing"));
  expect(reply.status).toBe(404);
  expect(await reply.json()).toMatchObject({ code: "NOT_FOUND" });
});

it("shows an unexpected fault as an id that the log has too", async () => {
  const reply = await fetch(at("/broken"));
  const body = await reply.text();
  expect(reply.status).toBe(500);
  expect(body).not.toContain("secret detail");
  const { errorId } = JSON.parse(body) as { errorId: string };
  expect(logged.join("")).toContain(errorId);
  expect(logged.join("")).toContain("secret detail");
});

it("names the methods of a path that another method was tried on", async () => {
  const reply = await fetch(at("/echo"));
  expect(reply.status).toBe(405);
  expect(reply.headers.get("allow")).toBe("POST");
});

it("gives up the body of a client that has gone, when it was sent in part and when nobody had looked at it yet", async () => {
  const leave = async (path: string, length: number): Promise<void> => {
    const before = arrived;
    const socket = connect(listener.port, "127.0.0.1");
    socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\nbody`);
    await vi.waitUntil(() => arrived > before, { timeout: 10_000 });
    socket.destroy();
    await vi.waitUntil(() => bodies.length === arrived, { timeout: 10_000 });
  };
  await leave("/late", 9);
  await leave("/late?whole", 4);
  expect(bodies).toEqual(["aborted", "the client went away"]);
});

it("goes on when a connection could not be taken", async () => {
  logged.length = 0;
  listener.server.emit("error", Object.assign(new Error("accept EMFILE"), { code: "EMFILE" }));
  expect(logged.join()).toContain("a connection could not be taken");
  expect((await fetch(at("/missing"))).status).toBe(404);
});

it("a server whose connections are looked at first ends those that rest, as any other does", async () => {
  const guarded = await listen({
    address: { host: "127.0.0.1", port: 0 },
    listener: requestListener([], log),
    accept: (_socket, pass) => pass(),
    log,
  });
  const socket = connect(guarded.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
  await once(socket, "data");
  const ended = once(socket, "close");
  // Longer than the test may take: only a connection that is known to rest is closed before.
  await guarded.close(60_000);
  await ended;
  expect(socket.destroyed).toBe(true);
});

it("a server whose connections are looked at first gives up on a head that does not come", async () => {
  const guarded = await listen({
    address: { host: "127.0.0.1", port: 0 },
    listener: requestListener([], log),
    accept: (_socket, pass) => pass(),
    log,
  });
  const socket = connect(guarded.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n");
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 /);
  await guarded.close(100);
}, 60_000);
