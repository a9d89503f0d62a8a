/** Why the local plane cannot run, in words for whoever typed the command, and what to do about it. */
export class Fault extends Error {
  readonly remedy: string;

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Fault";
    this.remedy = remedy;
  }
}

/** The code of a system error such as `EACCES`, or undefined. */
export function systemCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
