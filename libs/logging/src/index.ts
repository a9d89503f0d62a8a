/** Structured logs: an event in lower-case words, with fields. */
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";

export type { Logger } from "pino";

/** What a process says about its log. */
export type LogOptions = {
  /** Name of the service; in every line. */
  readonly service: string;
  /** The least severe level that is written. */
  readonly level: string;
  /** `json`: one object a line. `text`: one readable line. */
  readonly format: "json" | "text";
};

const levelNames: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};

const shown = (value: unknown): string => {
  if (typeof value === "string" && /^[\w./:@-]+$/.test(value)) return value;
  return JSON.stringify(value) ?? String(value);
};

/** One JSON log line as a readable line; a line that is not JSON comes back as it is. */
export function readableLine(line: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const { level, time, service, msg, err, pid: _pid, hostname: _hostname, ...fields } = entry;
  const details = Object.entries(fields).map(([name, value]) => `${name}=${shown(value)}`);
  const stack = (err as { stack?: string } | undefined)?.stack;
  const head = [
    String(time).slice(11, 23),
    (levelNames[Number(level)] ?? String(level)).padEnd(5),
    String(service).padEnd(19),
    String(msg ?? ""),
  ];
  return [...head, ...details].join(" ") + (stack === undefined ? "" : `\n${stack}`);
}

/** The logger of a process. Writes to standard output, or to `destination` in tests. */
export function createLogger(options: LogOptions, destination?: DestinationStream): Logger {
  const target = destination ?? pino.destination({ fd: 1, sync: true });
  const readable: DestinationStream = {
    write: (line) => target.write(`${readableLine(line.trimEnd())}\n`),
  };
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: stdTimeFunctions.isoTime,
    },
    options.format === "text" ? readable : target,
  );
}

/** A logger that writes nothing. */
export const silentLogger: Logger = pino({ level: "silent" });
