import type { Logger } from "@sextant/logging";

/** A service, of the plane or outside, cannot be reached now, or broke off in the middle. The same request may succeed a moment later. */
export class ServiceAwayError extends Error {
  readonly service: string;

  constructor(service: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ServiceAwayError";
    this.service = service;
  }
}

/** Milliseconds between two lines about the same service: while one is away every request is refused for it. */
const EVERY = 1_000;
const told = new Map<string, { at: number; unsaid: number }>();

/** Logs that a service is away: a line a second, with how many requests were refused since the last one. */
export function logAway(
  { service, message, cause }: ServiceAwayError,
  log: Logger,
  now = performance.now(),
): void {
  const last = told.get(service);
  if (last !== undefined && now - last.at < EVERY) {
    last.unsaid += 1;
    return;
  }
  const reason = cause instanceof Error ? cause.message : message;
  log.warn({ away: service, reason, more: last?.unsaid ?? 0 }, "a service is away");
  told.set(service, { at: now, unsaid: 0 });
}
