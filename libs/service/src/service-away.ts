/** A service, of the plane or outside, cannot be reached now, or broke off in the middle. The same request may succeed a moment later. */
export class ServiceAwayError extends Error {
  readonly service: string;

  constructor(service: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ServiceAwayError";
    this.service = service;
  }
}
