/** The Registry over HTTP. Plans are sent once; calls are repeated while the Registry cannot be reached, commits under their id. */
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Signer } from "@sextant/identity";
import {
  createInternalClient,
  type FollowedFiles,
  type InternalReply,
  type InternalTLS,
} from "@sextant/service";
import {
  type Claimed,
  type ClaimRequest,
  type Commit,
  type CommitAnswer,
  type FindTenant,
  type GroupAnswer,
  type Queue,
  type ReadAnswer,
  type Registry,
  RegistryUnavailableError,
  UNKNOWN_PLAN,
  type WatchAnswer,
} from "./contract.ts";
import type { SealedValue, TrustState } from "./rotation.ts";
import type { SecretHolder, SecretKind } from "./secret.ts";
import type { StoredRecord } from "./record.ts";
import type { RevokedAnswer } from "./revoked.ts";
import type { Params, ReadPlan } from "./read-plan.ts";

/** How the client is made. */
export type RegistryClientOptions = {
  readonly url: string;
  readonly signer: Signer;
  readonly tls?: Pick<FollowedFiles<InternalTLS>, "current"> | undefined;
  /** How long a call is repeated while the Registry cannot be reached, in milliseconds. */
  readonly deadline?: number;
  /** Milliseconds from any beginning; for tests. */
  readonly now?: () => number;
};

/** A client, to be closed at the end. */
export type RegistryClient = Registry & {
  /** Whether the Registry and its database can be reached now. Answers within two seconds. */
  ping(): Promise<boolean>;
  close(): Promise<void>;
};

const DEADLINE = 10_000;
const PING_TIMEOUT = 2_000;
const FIRST_PAUSE = 25;
const LONGEST_PAUSE = 500;
/** Hashes of plans that the Registry is thought to know. */
const REMEMBERED = 5_000;

/** Node's names for a connection that was not made, or broke. */
const LOST = /^(?:ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|EHOST|ENETUNREACH|ETIMEDOUT)/;

function isLost(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === "string" && LOST.test(code)) return true;
  return isLost(cause) || (Array.isArray(errors) && errors.some((one) => isLost(one)));
}

/** Hashes of plans: by the object when it is used again, else by what it says. */
class PlanHashes {
  readonly #byIdentity = new WeakMap<ReadPlan, string>();
  readonly #sent = new Set<string>();

  hashOf(plan: ReadPlan): string {
    let hash = this.#byIdentity.get(plan);
    if (hash === undefined) {
      hash = createHash("sha256").update(JSON.stringify(plan)).digest("base64url");
      this.#byIdentity.set(plan, hash);
    }
    return hash;
  }

  /** What is sent of a plan: the whole of it when the Registry is not known to have it. */
  reference(
    plan: ReadPlan,
    whole: boolean,
  ): { readonly planHash: string; readonly plan?: ReadPlan } {
    const planHash = this.hashOf(plan);
    return whole || !this.#sent.has(planHash) ? { planHash, plan } : { planHash };
  }

  sent(plan: ReadPlan): void {
    if (this.#sent.size >= REMEMBERED) this.#sent.clear();
    this.#sent.add(this.hashOf(plan));
  }
}

/** Makes a client for one service, as which the signer speaks. */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const deadline = options.deadline ?? DEADLINE;
  const now = options.now ?? (() => performance.now());
  const { url, signer, tls } = options;
  const client = createInternalClient({ audience: "registry", url, signer, tls });
  const plans = new PlanHashes();

  /** Sends until there is an answer that says something. */
  const send = async (
    path: string,
    body: (whole: boolean) => string,
    signal?: AbortSignal,
  ): Promise<InternalReply> => {
    const until = now() + deadline;
    let wait = FIRST_PAUSE;
    let whole = false;
    for (;;) {
      let cause: unknown;
      try {
        const reply = await client.send({ method: "POST", path, body: body(whole), signal });
        if (reply.status < 300) return reply;
        if (reply.status === UNKNOWN_PLAN && !whole) {
          whole = true;
          continue;
        }
        const error = client.errorOf(reply, path);
        if (reply.status !== 503) throw error;
        cause = error;
      } catch (error) {
        if (cause === undefined && !isLost(error)) throw error;
        cause ??= error;
      }
      if (now() + wait >= until)
        throw new RegistryUnavailableError("the registry cannot be reached now", cause);
      await pause(wait, undefined, signal === undefined ? {} : { signal });
      wait = Math.min(wait * 2, LONGEST_PAUSE);
    }
  };

  const json = async (path: string, value: unknown, signal?: AbortSignal): Promise<unknown> => {
    const body = JSON.stringify(value);
    return JSON.parse((await send(path, () => body, signal)).text) as unknown;
  };

  return {
    async ping() {
      try {
        const signal = AbortSignal.timeout(PING_TIMEOUT);
        const reply = await client.send({ method: "GET", path: "/v1/ping", signal });
        return reply.status === 204;
      } catch {
        return false;
      }
    },

    read({
      tenant,
      plan,
      params,
    }: {
      tenant: string | null;
      plan: ReadPlan;
      params: Params;
    }): Promise<ReadAnswer> {
      const body = (whole: boolean): string =>
        JSON.stringify({ tenant, ...plans.reference(plan, whole), params });
      return send("/v1/read", body).then(({ text, headers }) => {
        plans.sent(plan);
        const missing = headers["x-sextant-missing"];
        return { text, missing: typeof missing === "string" ? missing.split(",").map(Number) : [] };
      });
    },

    async commit(commit: Commit): Promise<CommitAnswer> {
      const reads = [commit.before, commit.after].filter((one) => one !== undefined);
      const body = (whole: boolean): string => {
        const reference = (one: Commit["before"]) =>
          one && { ...plans.reference(one.plan, whole), params: one.params };
        return JSON.stringify({
          ...commit,
          before: reference(commit.before),
          after: reference(commit.after),
        });
      };
      const answer = await send("/v1/commit", body);
      for (const { plan } of reads) plans.sent(plan);
      return JSON.parse(answer.text) as CommitAnswer;
    },

    commitGroup: async (commits) => (await json("/v1/commit-group", { commits })) as GroupAnswer,

    revoked: async (request) => (await json("/v1/revoked", request)) as RevokedAnswer,

    watch: async (request, signal) => (await json("/v1/watch", request, signal)) as WatchAnswer,

    claim: async <Q extends Queue>(request: ClaimRequest & { queue: Q }, signal?: AbortSignal) =>
      (await json("/v1/claim", request, signal)) as readonly Claimed<Q>[],

    settle: async (request) => {
      const body = JSON.stringify(request);
      await send("/v1/settle", () => body);
    },

    findBySecret: async <K extends SecretKind>(kind: K, hash: string) =>
      ((await json("/v1/find-secret", { kind, hash })) as SecretHolder<K> | null) ?? undefined,

    findTenant: async (by: FindTenant) =>
      ((await json("/v1/find-tenant", by)) as StoredRecord<"tenant"> | null) ?? undefined,

    trustState: async () => (await json("/v1/trust-state", {})) as TrustState,

    countSealed: async (prefix) => Number(await json("/v1/count-sealed", { prefix })),

    listSealed: async (request) =>
      (await json("/v1/list-sealed", request)) as readonly SealedValue[],

    reseal: async (request) => {
      const body = JSON.stringify(request);
      await send("/v1/reseal", () => body);
    },

    close: () => client.close(),
  };
}
