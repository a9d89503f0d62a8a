/** Downloads what a fetch request names. What goes wrong is told in words that say nothing of a network or a secret. */
import type { StoredAuth } from "../auth/auth.ts";
import { authenticated, AuthenticationError, bearer, csrf } from "../outbound/authentication.ts";
import type { Outbound, OutboundAnswer } from "../outbound/outbound-client.ts";
import { MAX_SPECIFICATION } from "../specification/specification.ts";

/** Milliseconds for a fetch with all that it takes. */
const TIME_LIMIT = 30_000;

/** Why there is no text. `isTransient`: it may be otherwise the next time. */
export class FetchError extends Error {
  readonly isTransient: boolean;

  constructor(message: string, isTransient: boolean) {
    super(message);
    this.isTransient = isTransient;
  }
}

const isTransientStatus = (status: number): boolean => status === 429 || status >= 500;

/** The text of an answer. */
function textOf(answer: OutboundAnswer): string {
  const { status } = answer;
  if (status >= 300 && status < 400)
    throw new FetchError(
      `the server answered with a redirect (${status}): give its target as the url`,
      false,
    );
  if (status < 200 || status >= 300)
    throw new FetchError(`the server answered ${status}`, isTransientStatus(status));
  if (!answer.complete) throw new FetchError("the server gave more than 10 MiB", false);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(answer.body);
  } catch {
    throw new FetchError("what the server gave is not a text in UTF-8", false);
  }
}

/** Downloads a text. Throws a FetchError, or whatever ends this process's work. */
export async function download(
  outbound: Pick<Outbound, "exchange">,
  url: string,
  auth: StoredAuth | undefined,
  ending: AbortSignal,
  timeLimit: number = TIME_LIMIT,
): Promise<string> {
  const inTime = AbortSignal.timeout(timeLimit);
  const signal = AbortSignal.any([ending, inTime]);
  try {
    const target = authenticated(url, auth);
    const headers = {
      ...target.headers,
      ...(await csrf(outbound, auth?.requestAuth ?? null, signal)),
      ...(await bearer(outbound, auth?.credential, signal)),
    };
    const request = { method: "GET", url: target.url, headers, signal } as const;
    return textOf(await outbound.exchange({ ...request, maxBytes: MAX_SPECIFICATION }));
  } catch (error) {
    if (ending.aborted || error instanceof FetchError) throw error;
    if (error instanceof AuthenticationError)
      throw new FetchError(error.message, isTransientStatus(error.answer.status));
    if (inTime.aborted)
      throw new FetchError(`there was no answer within ${timeLimit / 1000} seconds`, true);
    // Whether a name is unknown, an address is a private one or nobody listens there is one and the same to who asks.
    throw new FetchError("the server cannot be reached, or not understood", true);
  }
}
