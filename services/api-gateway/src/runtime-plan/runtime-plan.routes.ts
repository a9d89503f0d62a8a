/** The runtime agent's protocol: `GET /v1/runtime/plan` and `POST /v1/runtime/status`. */
import { forbidden, invalidData } from "@sextant/errors";
import type { Identity } from "@sextant/identity";
import type { Call, InternalClient, Reply, Route } from "@sextant/service";
import type { ClientAddresses } from "../door/address.ts";
import type { RequestLimits } from "../limit/limits.ts";
import type { PlanPolls } from "./plan-polls.ts";

/** A proxy on the way may cut what is silent for a minute. */
const LONGEST_WAIT = 55;
/** In replies the trust bundle that there is, in requests the one that the agent knows. */
const TRUST_BUNDLE = "sextant-trust-bundle";
const hashForm = /^[0-9a-f]{64}$/;
const MAX_REPORT = 4 * 1024 * 1024;

/** The seconds of `Prefer: wait=<seconds>` (RFC 7240); 0 without it. */
export function waitOf(prefer: string | string[] | undefined): number {
  const text = Array.isArray(prefer) ? prefer.join(",") : (prefer ?? "");
  const wait = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?/i.exec(text)?.[1];
  if (wait === undefined) return 0;
  const seconds = Number(wait);
  if (seconds > LONGEST_WAIT) {
    throw invalidData("Prefer", [
      { field: "wait", message: `must be at most ${LONGEST_WAIT} seconds` },
    ]);
  }
  return seconds;
}

/** Whether `If-None-Match` names a tag (RFC 9110, 13.1.2): alone or in a list, also when something on the way has weakened it. */
export function namesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  const names = header.split(",").map((one) => one.trim().replace(/^W\//, ""));
  return names.includes("*") || names.includes(tag);
}

/** Makes the routes. Who calls is asked again after a wait. */
export function runtimePlanRoutes(options: {
  readonly authenticate: (call: Call) => Promise<Identity>;
  readonly requestLimits: Pick<RequestLimits, "admit">;
  readonly addresses: Pick<ClientAddresses, "of">;
  readonly director: InternalClient;
  readonly polls: PlanPolls;
  /** Hash of the trust bundle that agents are to know. */
  readonly trustBundle: () => string;
  /** Takes note of the one that a runtime's agent knows. */
  readonly acknowledged: (identity: Identity, trustBundle: string) => void;
}): readonly Route[] {
  const { acknowledged, addresses, director, polls, requestLimits, trustBundle } = options;

  const admit = ({ request }: Call, identity: Identity): void => {
    const address = request === undefined ? "" : addresses.of(request);
    requestLimits.admit({ class: "polling", identity, address, cost: 1 });
  };

  const runtimeOf = async (call: Call): Promise<Identity> => {
    const identity = await options.authenticate(call);
    if (identity.consumer.type !== "RUNTIME")
      throw forbidden("only a runtime's agent has a plan: use the runtime's certificate");
    return identity;
  };

  const fetchPlan = async (
    identity: Identity,
  ): Promise<{ tag: string; body: Buffer } | undefined> => {
    const reply = await director.send({ method: "GET", path: "/v1/runtime/plan", identity });
    if (reply.status === 204) return undefined;
    if (reply.status !== 200) throw director.errorOf(reply, "/v1/runtime/plan");
    const tag = String(reply.headers["etag"]);
    polls.learn(identity.consumer.id, tag);
    return { tag, body: reply.body };
  };

  const headers = (tag?: string): Record<string, string> => ({
    ...(tag === undefined ? {} : { etag: tag, vary: "prefer" }),
    "cache-control": "private, no-cache",
    [TRUST_BUNDLE]: trustBundle(),
  });

  const poll = async (call: Call): Promise<Reply> => {
    let identity = await runtimeOf(call);
    admit(call, identity);
    const known = call.headers[TRUST_BUNDLE];
    if (typeof known === "string" && hashForm.test(known)) acknowledged(identity, known);
    const runtimeID = identity.consumer.id;
    const has = (tag: string) => namesTag(call.headers["if-none-match"], tag);
    const until = performance.now() + waitOf(call.headers.prefer) * 1000;
    for (;;) {
      let current = polls.tag(runtimeID);
      if (current === undefined || !has(current)) {
        const plan = await fetchPlan(identity);
        if (plan !== undefined && !has(plan.tag)) {
          return {
            status: 200,
            headers: { ...headers(plan.tag), "content-type": "application/json; charset=utf-8" },
            body: plan.body,
          };
        }
        current = plan?.tag;
      }
      const left = until - performance.now();
      const newest = polls.tag(runtimeID);
      if (newest !== undefined && !has(newest) && left > 0) continue;
      const why = left > 0 ? await polls.wait(runtimeID, left, call.signal) : "time";
      // What was true before the wait may be true no longer: the certificate may have been revoked.
      identity = await runtimeOf(call);
      if (why !== "changed")
        return { status: current === undefined ? 204 : 304, headers: headers(current) };
    }
  };

  const report = async (call: Call): Promise<Reply> => {
    const identity = await runtimeOf(call);
    admit(call, identity);
    const reply = await director.send({
      method: "POST",
      path: "/v1/runtime/status",
      identity,
      body: await call.body(),
    });
    if (reply.status !== 204) throw director.errorOf(reply, "/v1/runtime/status");
    return { status: 204 };
  };

  return [
    { path: "/v1/runtime/plan", methods: { GET: poll } },
    { path: "/v1/runtime/status", methods: { POST: report }, maxBody: MAX_REPORT },
  ];
}
