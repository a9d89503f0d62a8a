/** The agent's own two requests on the mTLS listener. */
import { PlaneError } from "../plane/plane-error.ts";
import type { PlaneConnection } from "../plane/plane-connection.ts";
import { TRUST_BUNDLE_HEADER } from "../plane/trust-bundle.ts";
import type { StatusReport } from "./plan.ts";

/** A plan as it was sent, or the word that there is nothing new, or no plan yet; and the hash of the plane's trust bundle. */
export type PlanAnswer = { readonly trustBundle?: string | undefined } & (
  | { readonly changed: true; readonly text: string; readonly etag: string }
  | { readonly changed: false }
);

/** What the plane is asked with. */
export type PlanRequest = {
  readonly etag: string | undefined;
  /** Hash of the trust bundle that the agent knows: so the plane learns that it does. */
  readonly trustBundle: string | undefined;
  /** How long the plane may hold the request; 0: it answers at once. */
  readonly holdSeconds: number;
  readonly signal: AbortSignal;
};

/** Asks for the plan. */
export async function fetchPlan(
  connection: PlaneConnection,
  origin: string,
  { etag, trustBundle, holdSeconds, signal }: PlanRequest,
): Promise<PlanAnswer> {
  const answer = await connection.send({
    method: "GET",
    url: `${origin}/v1/runtime/plan`,
    signal,
    headers: {
      accept: "application/json",
      ...(etag === undefined ? {} : { "if-none-match": etag }),
      ...(trustBundle === undefined ? {} : { [TRUST_BUNDLE_HEADER]: trustBundle }),
      ...(holdSeconds > 0 ? { prefer: `wait=${holdSeconds}` } : {}),
    },
  });
  const { trustBundle: named } = answer;
  if (answer.status === 304 || answer.status === 204) return { changed: false, trustBundle: named };
  // Without one, every poll would bring the same plan again.
  if (answer.etag === undefined) throw new PlaneError("invalid", "a plan came without an ETag");
  return { changed: true, text: answer.text, etag: answer.etag, trustBundle: named };
}

/** Reports what became of a plan. */
export async function sendStatus(
  connection: PlaneConnection,
  origin: string,
  report: StatusReport,
  signal: AbortSignal,
): Promise<void> {
  await connection.send({
    method: "POST",
    url: `${origin}/v1/runtime/status`,
    body: JSON.stringify(report),
    signal,
  });
}
