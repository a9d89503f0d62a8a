import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { readableLine } from "@sextant/logging";

/** The one log of all the plane's processes. */
export interface Output {
  /** One line of a process's log. */
  line(service: string, text: string): void;
  /** Writes every line of a stream. `level` is for lines that are no log lines, such as a crash's stack. */
  follow(service: string, stream: Readable | null, level: "info" | "error"): void;
  /** Calls back with each line of a service, before it is written. */
  watch(listener: (service: string, text: string) => void): void;
}

const LEVELS = { info: 30, error: 50 };

// Where readableLine puts things: 12 characters of time, 5 of level, 19 of service, with blanks between.
const LEVEL_AT = 13;
const SERVICE_AT = 19;
const REST_AT = 38;

const SERVICE_COLOURS = [36, 35, 34, 32, 33, 96, 95, 94];
const LEVEL_COLOURS: Readonly<Record<string, number>> = {
  warn: 33,
  error: 31,
  fatal: 31,
  debug: 90,
  trace: 90,
};

const paint = (colour: number, text: string): string => `\u001B[${colour}m${text}\u001B[39m`;

function isLogLine(text: string): boolean {
  if (!text.startsWith("{")) return false;
  try {
    return typeof (JSON.parse(text) as { level?: unknown }).level === "number";
  } catch {
    return false;
  }
}

/** Merges the processes' logs: as they come in JSON, or one readable line each. */
export function createOutput(options: {
  readonly format: "json" | "text";
  readonly colour: boolean;
  write(text: string): void;
  now(): Date;
}): Output {
  const colours = new Map<string, number>();
  const listeners: ((service: string, text: string) => void)[] = [];

  const colourOf = (service: string): number => {
    const known =
      colours.get(service) ?? SERVICE_COLOURS[colours.size % SERVICE_COLOURS.length] ?? 36;
    colours.set(service, known);
    return known;
  };

  const readable = (service: string, text: string): string => {
    const plain = readableLine(text);
    if (!options.colour) return plain;
    const level = plain.slice(LEVEL_AT, SERVICE_AT);
    const levelColour = LEVEL_COLOURS[level.trim()];
    return (
      paint(90, plain.slice(0, LEVEL_AT)) +
      (levelColour === undefined ? level : paint(levelColour, level)) +
      paint(colourOf(service), plain.slice(SERVICE_AT, REST_AT)) +
      plain.slice(REST_AT)
    );
  };

  const line = (service: string, text: string): void => {
    for (const listener of listeners) listener(service, text);
    options.write(`${options.format === "json" ? text : readable(service, text)}\n`);
  };

  return {
    line,
    follow(service, stream, level) {
      if (stream === null) return;
      // The end of a process may tear its pipe; its exit is told elsewhere.
      stream.on("error", () => undefined);
      createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (text) => {
        if (text.trim() === "") return;
        const entry = {
          level: LEVELS[level],
          time: options.now().toISOString(),
          service,
          msg: text,
        };
        line(service, isLogLine(text) ? text : JSON.stringify(entry));
      });
    },
    watch: (listener) => void listeners.push(listener),
  };
}
