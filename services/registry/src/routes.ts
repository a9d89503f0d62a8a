/** The Registry's verbs over HTTP. JSON of the database goes through as text. */
import { invalidData } from "@sextant/errors";
import type { ServiceName, Verifier } from "@sextant/identity";
import {
  type Params,
  type ReadAnswer,
  RegistryUnavailableError,
  type SecretKind,
  UNKNOWN_PLAN,
} from "@sextant/registry-client";
import { type Call, internalHandler, json, type Reply, type Route } from "@sextant/service";
import { type RegistryCore, type TextRegistry, UnknownPlanError } from "./registry.ts";

const MEBIBYTE = 1024 * 1024;
/** A commit may carry specifications, and what is sealed anew large plans. */
const LARGEST_COMMIT = 64 * MEBIBYTE;
const LARGEST_SETTLE = 8 * MEBIBYTE;

const CALLERS: readonly ServiceName[] = [
  "director",
  "connector",
  "runtime-provisioner",
  "api-gateway",
];

const jsonHeaders = { "content-type": "application/json; charset=utf-8" };
const jsonText = (body: string): Reply => ({ status: 200, headers: jsonHeaders, body });

type Body = Readonly<Record<string, unknown>>;

function bodyIn(bytes: Buffer): Body {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalidData("request", [{ field: "body", message: "is not JSON" }]);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Body;
  throw invalidData("request", [{ field: "body", message: "is not a JSON object" }]);
}

function answered({ text, missing }: ReadAnswer): Reply {
  if (missing.length === 0) return jsonText(text);
  return {
    status: 200,
    headers: { ...jsonHeaders, "x-sextant-missing": missing.join(",") },
    body: text,
  };
}

/** The hot path: no schema, only what is used is looked at. */
function read(registry: TextRegistry, body: Body): Promise<Reply> {
  const { tenant, plan, planHash, params } = body;
  if (tenant !== null && typeof tenant !== "string") {
    throw invalidData("ReadRequest", [{ field: "tenant", message: "must be a text or null" }]);
  }
  if (typeof params !== "object" || params === null) {
    throw invalidData("ReadRequest", [{ field: "params", message: "must be an object" }]);
  }
  const reference = { plan, planHash: typeof planHash === "string" ? planHash : undefined };
  return registry.read(tenant, reference, params as Params).then(answered);
}

type Verb = (registry: TextRegistry, body: Body, call: Call) => Promise<Reply>;

const verbs: Readonly<Record<string, { readonly run: Verb; readonly maxBody?: number }>> = {
  read: { run: read },
  commit: {
    run: async (registry, body) => json(await registry.commit(body)),
    maxBody: LARGEST_COMMIT,
  },
  "commit-group": {
    run: async (registry, body) => json(await registry.commitGroup(body)),
    maxBody: LARGEST_SETTLE,
  },
  revoked: { run: async (registry, body) => jsonText(await registry.revoked(body)) },
  watch: { run: async (registry, body, call) => json(await registry.watch(body, call.signal)) },
  claim: {
    run: async (registry, body, call) =>
      jsonText(`[${(await registry.claim(body, call.signal)).join(",")}]`),
  },
  settle: {
    run: async (registry, body) => {
      await registry.settle(body);
      return { status: 204 };
    },
    maxBody: LARGEST_SETTLE,
  },
  "trust-state": { run: async (registry) => json(await registry.trustState()) },
  "count-sealed": { run: async (registry, body) => json(await registry.countSealed(body)) },
  "list-sealed": { run: async (registry, body) => json(await registry.listSealed(body)) },
  reseal: {
    run: async (registry, body) => {
      await registry.reseal(body);
      return { status: 204 };
    },
    maxBody: LARGEST_COMMIT,
  },
  "find-secret": {
    run: async (registry, body) =>
      jsonText(
        (await registry.findBySecret(body["kind"] as SecretKind, String(body["hash"]))) ?? "null",
      ),
  },
  "find-tenant": {
    run: async (registry, body) => jsonText((await registry.findTenant(body)) ?? "null"),
  },
};

/** The routes of the internal API. `count` hears of every call. */
export function registryRoutes(
  core: RegistryCore,
  verifier: Verifier,
  count: (verb: string, service: string) => void,
): readonly Route[] {
  const registries = new Map(CALLERS.map((service) => [service, core.textRegistryFor(service)]));
  const ping = internalHandler(verifier, CALLERS, () => ({
    status: core.feed.interrupted ? 503 : 204,
  }));
  const served = Object.entries(verbs).map(([verb, { run, maxBody }]): Route => {
    const POST = internalHandler(verifier, CALLERS, async (call, { service }) => {
      count(verb, service);
      try {
        return await run(registries.get(service) as TextRegistry, bodyIn(await call.body()), call);
      } catch (error) {
        if (error instanceof UnknownPlanError) return { status: UNKNOWN_PLAN };
        if (error instanceof RegistryUnavailableError)
          return { status: 503, headers: { "retry-after": "1" } };
        throw error;
      }
    });
    return {
      path: `/v1/${verb}`,
      methods: { POST },
      ...(maxBody === undefined ? {} : { maxBody }),
    };
  });
  return [...served, { path: "/v1/ping", methods: { GET: ping } }];
}
