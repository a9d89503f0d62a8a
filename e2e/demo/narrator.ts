/** Prints a story for a person: every request and answer, shortened so that it can be read. */
import { inspect, styleText } from "node:util";
import type { GraphAnswer } from "../story/caller.ts";
import type { Command, Exchange, Report } from "../story/report.ts";

/** How it is printed. */
export interface NarratorOptions {
  readonly write: (text: string) => void;
  readonly colour: boolean;
  /** Characters in a line. */
  readonly width: number;
  /** False: the steps alone. */
  readonly details: boolean;
}

const LONGEST_TEXT = 88;
const INDENT = "     ";
/** Headers that say something about a request; the others are the same every time. */
const TELLING =
  /^(?:connector-token|tenant|idempotency-key|prefer|if-none-match|x-.*|ssl-.*|forwarded)$/;

type Style = Parameters<typeof styleText>[0];

/** Shortens what nobody reads: certificates, requests and long tokens in base64. */
export function shortened(text: string): string {
  return text.replaceAll(
    /[A-Za-z0-9+/_.-]{90,}={0,2}/g,
    (long) => `${long.slice(0, 24)}… (${long.length} characters)`,
  );
}

/** Breaks a text at its spaces, so that no line is longer than `width`; what goes on is indented. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const one of text.split("\n")) {
    const indent = `${/^\s*/.exec(one)?.[0] ?? ""}  `;
    let rest = one;
    while (rest.length > width) {
      const space = rest.lastIndexOf(" ", width);
      if (space <= indent.length) break;
      lines.push(rest.slice(0, space));
      rest = indent + rest.slice(space + 1);
    }
    lines.push(rest);
  }
  return lines;
}

/** A command as one would type it, an option and its value in one piece. */
function typed(words: readonly string[]): string[] {
  const pieces: string[] = [];
  for (const word of words) {
    const short = shortened(word);
    const plain = /^[\w./:=@,+-]+$/.test(word) ? short : `'${short.replaceAll("'", `'\\''`)}'`;
    const before = pieces.at(-1);
    const isValue =
      before?.startsWith("-") === true && !before.includes(" ") && !word.startsWith("-");
    if (isValue && !/^-(?:new|nodes|noout|x509|req|A|sS)$/.test(before))
      pieces[pieces.length - 1] += ` ${plain}`;
    else pieces.push(plain);
  }
  return pieces;
}

/** Takes away the indentation that a document has from the program's text. */
function dedented(document: string): string {
  const lines = document.split("\n").filter((line) => line.trim() !== "");
  const [first = "", ...rest] = lines;
  const depth = Math.min(...rest.map((line) => line.search(/\S/)));
  return [first, ...rest.map((line) => line.slice(depth))].join("\n");
}

/** Makes a report that prints. */
export function createNarrator({ write, colour, width, details }: NarratorOptions): Report {
  const style = (how: Style, text: string): string =>
    colour ? styleText(how, text, { validateStream: false }) : text;
  const room = width - INDENT.length;
  const line = (text = ""): void => write(`${text}\n`);
  const indented = (lines: readonly string[], how?: Style): void => {
    for (const one of lines) line(`${INDENT}${how === undefined ? one : style(how, one)}`);
  };
  const inspected = (value: unknown, breakLength: number): string =>
    inspect(value, {
      ...{ colors: colour, depth: 8, breakLength, compact: 4 },
      ...{ maxStringLength: LONGEST_TEXT, maxArrayLength: 4 },
    }).replaceAll(/\.\.\. (\d+) more characters/g, "… $1 more characters");
  const shown = (value: unknown): string[] => inspected(value, room).split("\n");
  /** What was shown in full before is shown in one line. */
  const before = new Set<string>();
  const cut = (text: string): string => (text.length > room ? `${text.slice(0, room - 1)}…` : text);

  const showRequest = ({ request, headers }: Exchange, isKnown: boolean): void => {
    for (const [name, value] of Object.entries(headers)) {
      const isMadeUp = name === "authorization" && !value.startsWith("Bearer sxt_");
      if (TELLING.test(name) || isMadeUp)
        indented(wrapped(`${name}: ${shortened(value)}`, room), "dim");
    }
    if (request === undefined) return;
    if (typeof request === "string") {
      indented(wrapped(shortened(request), room), "cyan");
      return;
    }
    const flat = request.document.replaceAll(/\s+/g, " ");
    if (isKnown) indented([cut(flat)], "cyan");
    else indented(wrapped(flat.length <= room ? flat : dedented(request.document), room), "cyan");
    for (const [name, value] of Object.entries(request.variables ?? {})) {
      const [first = "", ...rest] = shown(value);
      indented([`${style("dim", `$${name} =`)} ${first}`, ...rest]);
    }
  };

  const showAnswer = ({ status, answer, milliseconds }: Exchange, isKnown: boolean): void => {
    const took = style("dim", `${milliseconds.toFixed(0)} ms`);
    const body = parsed(answer);
    const [error] = body?.errors ?? [];
    if (error !== undefined || status >= 400) {
      const fault = error ?? (body as { code?: string; message?: string } | undefined);
      const code = error?.extensions?.code ?? (body as { code?: string } | undefined)?.code ?? "";
      line(`   ${style("yellow", `✗ ${status} ${code}`)} ${took}`);
      indented(wrapped(fault?.message ?? answer, room));
      return;
    }
    line(`   ${style("green", `← ${status}`)} ${took}`);
    if (body === undefined) return;
    const data = body.data ?? body;
    const flat = inspect(data, { breakLength: Infinity, depth: 8, maxStringLength: LONGEST_TEXT });
    if (isKnown && flat.length > room) indented([cut(flat)]);
    else indented(shown(data));
  };

  const showExchange = (exchange: Exchange): void => {
    const { caller, method, url, note, request } = exchange;
    line(`   ${style("bold", caller)} → ${method} ${url}`);
    if (note !== undefined) indented(wrapped(`(${note})`, room), "italic");
    const key = typeof request === "object" ? request.document : `${method} ${url}`;
    const isKnown = before.has(key);
    before.add(key);
    showRequest(exchange, isKnown);
    showAnswer(exchange, isKnown);
  };

  const showCommand = ({ words, output }: Command): void => {
    const lines: string[] = [];
    let current = "$";
    for (const piece of typed(words)) {
      if (current.length + piece.length + 3 > room && current.trim().length > 1) {
        lines.push(`${current} \\`);
        current = "   ";
      }
      current += ` ${piece}`;
    }
    indented(wrapped([...lines, current].join("\n"), room), "bold");
    const text = output.trim();
    if (text === "") return;
    const answer = parsed(text);
    if (answer === undefined) indented(wrapped(shortened(text), room));
    else indented(shown(answer.data ?? answer));
  };

  const ignore = (): void => undefined;
  let chapters = 0;
  return {
    chapter(title) {
      chapters += 1;
      const heading = `${chapters}. ${title} `;
      line();
      line(style("bold", `── ${heading}${"─".repeat(Math.max(3, width - heading.length - 3))}`));
    },
    step(title) {
      if (details) line();
      line(` ${style(["bold", "magenta"], "▸")} ${style("bold", title)}`);
    },
    exchange: details ? showExchange : ignore,
    command: details ? showCommand : ignore,
    seen(what) {
      for (const [index, one] of wrapped(what, room).entries())
        line(`   ${index === 0 ? "•" : " "} ${style("blue", one)}`);
    },
  };
}

function parsed(text: string): GraphAnswer | undefined {
  try {
    return text.startsWith("{") ? (JSON.parse(text) as GraphAnswer) : undefined;
  } catch {
    return undefined;
  }
}
