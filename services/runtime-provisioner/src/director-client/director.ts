/** What the provisioner asks of Director, over its GraphQL API like any admin. */
import { fromJSON, internal } from "@sextant/errors";
import type { InternalClient } from "@sextant/service";

/** A runtime as the provisioner sees it. */
export type SeenRuntime = {
  readonly id: string;
  readonly status: { readonly condition: string };
  readonly syncState: {
    readonly applied: boolean;
    readonly ready: boolean;
    readonly lastError: string | null;
    /** When the agent has reported last. */
    readonly reportedAt: string | null;
  } | null;
};

/** A runtime to be registered. */
export type NewRuntime = {
  readonly name: string;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, unknown>> | null;
};

/** Director, for one provisioner. */
export type Director = {
  /** Registers a runtime that has this mark among its labels; gives the one that has it already when there is one. */
  register(tenant: string, runtime: NewRuntime, mark: string): Promise<string>;
  /** The runtime that has this mark. */
  findMarked(tenant: string, mark: string): Promise<string | undefined>;
  find(tenant: string, id: string): Promise<SeenRuntime | undefined>;
  /** A one-time token for it, and where to use it. */
  requestToken(
    tenant: string,
    id: string,
  ): Promise<{ readonly token: string; readonly connectorURL: string }>;
  /** Unregisters it; none is fine. */
  unregister(tenant: string, id: string): Promise<void>;
};

/** The label by which a runtime is found again when its registration was not heard of. */
export const MARK = "provisioned_by";

type GraphAnswer = {
  readonly data?: unknown;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code?: string; readonly retryAfter?: number };
  }[];
};

/** Speaks to Director. */
export function createDirector(client: InternalClient): Director {
  const ask = async <Data>(tenant: string, query: string, variables: object): Promise<Data> => {
    const text = await client.text({
      method: "POST",
      path: "/graphql",
      tenant,
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = JSON.parse(text) as GraphAnswer;
    const [first] = errors ?? [];
    if (first === undefined) return data as Data;
    throw (
      fromJSON({ ...first.extensions, message: first.message }) ??
      internal(crypto.randomUUID(), new Error(first.message))
    );
  };

  const findMarked = async (tenant: string, mark: string): Promise<string | undefined> => {
    const query = `query($filter: [LabelFilter!]) { runtimes(filter: $filter, first: 1) { data { id } } }`;
    const filter = [{ key: MARK, query: JSON.stringify(mark) }];
    const { runtimes } = await ask<{ runtimes: { data: { id: string }[] } }>(tenant, query, {
      filter,
    });
    return runtimes.data[0]?.id;
  };

  return {
    findMarked,
    async register(tenant, runtime, mark) {
      const known = await findMarked(tenant, mark);
      if (known !== undefined) return known;
      const labels = { ...runtime.labels, [MARK]: mark };
      const query = `mutation($in: RuntimeInput!) { registerRuntime(in: $in) { id } }`;
      const input = { ...runtime, labels, statusCondition: "PROVISIONING" };
      const { registerRuntime } = await ask<{ registerRuntime: { id: string } }>(tenant, query, {
        in: input,
      });
      return registerRuntime.id;
    },
    async find(tenant, id) {
      const query = `query($id: ID!) { runtime(id: $id) { id status { condition } syncState { applied ready lastError reportedAt } } }`;
      const { runtime } = await ask<{ runtime: SeenRuntime | null }>(tenant, query, { id });
      return runtime ?? undefined;
    },
    async requestToken(tenant, id) {
      const query = `mutation($id: ID!) { token: requestOneTimeTokenForRuntime(id: $id) { token connectorURL } }`;
      const { token } = await ask<{ token: { token: string; connectorURL: string } }>(
        tenant,
        query,
        { id },
      );
      return token;
    },
    async unregister(tenant, id) {
      try {
        await ask(tenant, `mutation($id: ID!) { unregisterRuntime(id: $id) { id } }`, { id });
      } catch (error) {
        if ((error as { code?: string }).code !== "NOT_FOUND") throw error;
      }
    },
  };
}
