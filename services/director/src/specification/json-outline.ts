/** Reads JSON (RFC 8259) without building it: the memory needed does not depend on what the text would become. */
import { MAX_DEPTH, MAX_NODES, placeOf, TextFault, tooDeep, tooMany } from "./limits.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const literal = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const escape = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y;

/** Names and kinds of what is in the object at the root; undefined: the root is no object. Throws a TextFault. */
export function jsonOutline(text: string): ReadonlyMap<string, boolean> | undefined {
  let at = 0;
  let nodes = 0;

  const wrong = (): never => {
    const what =
      at >= text.length
        ? "is not valid JSON: it ends too early"
        : `is not valid JSON at ${placeOf(text, at)}`;
    throw new TextFault(what);
  };
  const space = (): void => {
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    }
  };
  const matched = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };

  /** Goes behind a text; says whether it has escapes. */
  const string = (): boolean => {
    let escaped = false;
    for (at += 1; ;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      // Beyond the end it is NaN, which fails here, too.
      if (!(code >= 0x20)) wrong();
      at += 1;
      if (code !== BACKSLASH) continue;
      escaped = true;
      if (!matched(escape)) wrong();
    }
    at += 1;
    return escaped;
  };

  const name = (): string => {
    if (text.charCodeAt(at) !== QUOTE) wrong();
    const start = at;
    const escaped = string();
    return escaped ? (JSON.parse(text.slice(start, at)) as string) : text.slice(start + 1, at - 1);
  };

  /** Gives the names of an object; undefined for everything else. */
  const value = (depth: number): Map<string, boolean> | undefined => {
    nodes += 1;
    if (nodes > MAX_NODES) throw new TextFault(tooMany);
    if (depth > MAX_DEPTH) throw new TextFault(tooDeep);
    const first = text[at];
    if (first === '"') string();
    else if (first === "{") return object(depth);
    else if (first === "[") array(depth);
    else if (!matched(literal)) wrong();
    return undefined;
  };

  const array = (depth: number): void => {
    at += 1;
    space();
    if (text[at] === "]") {
      at += 1;
      return;
    }
    for (;;) {
      space();
      value(depth + 1);
      space();
      const end = text[at];
      if (end !== "," && end !== "]") wrong();
      at += 1;
      if (end === "]") return;
    }
  };

  const object = (depth: number): Map<string, boolean> => {
    const names = new Map<string, boolean>();
    at += 1;
    space();
    if (text[at] === "}") {
      at += 1;
      return names;
    }
    for (;;) {
      space();
      const start = at;
      const key = name();
      if (names.has(key))
        throw new TextFault(`has the same name twice in one object at ${placeOf(text, start)}`);
      space();
      if (text[at] !== ":") wrong();
      at += 1;
      space();
      names.set(key, text.charCodeAt(at) === QUOTE);
      value(depth + 1);
      space();
      const end = text[at];
      if (end !== "," && end !== "}") wrong();
      at += 1;
      if (end === "}") return names;
    }
  };

  space();
  const root = value(1);
  space();
  if (at < text.length) wrong();
  return root;
}
