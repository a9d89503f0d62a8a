import { SextantError } from "@sextant/errors";

/** A credential that nobody knows: it may be guessed. One that was good once, and is over, is no guess. */
export class UnknownCredentialError extends SextantError {
  constructor(message: string) {
    super("UNAUTHENTICATED", message);
  }
}
