/** What a story tells while it happens. The demo prints it; a test may keep it for the case of a failure. */

/** One request and its answer. */
export interface Exchange {
  /** Who asked. */
  readonly caller: string;
  /** What is special about the request. */
  readonly note: string | undefined;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A GraphQL document with its variables, or the body as it was sent. */
  readonly request: { readonly document: string; readonly variables: unknown } | string | undefined;
  readonly status: number;
  readonly answer: string;
  readonly milliseconds: number;
}

/** One command of a shell, with what it printed. */
export interface Command {
  readonly words: readonly string[];
  readonly output: string;
}

/** Whoever listens to a story. */
export interface Report {
  /** A new part of the story begins. */
  chapter(title: string): void;
  /** A step begins; its title is a sentence. */
  step(title: string): void;
  exchange(exchange: Exchange): void;
  command(command: Command): void;
  /** Something that was seen and is neither a request nor a command. */
  seen(what: string): void;
}

/** For a story to which nobody listens. */
export const silent: Report = {
  chapter: () => undefined,
  step: () => undefined,
  exchange: () => undefined,
  command: () => undefined,
  seen: () => undefined,
};
