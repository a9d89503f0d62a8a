/** How much structure a specification may have, in every notation. Its reader needs no more memory than these allow. */
export const MAX_DEPTH = 500;
/** Values, elements and attributes; those that aliases repeat are counted each time. */
export const MAX_NODES = 1_000_000;

/** Where a text stops being what it should be. What stands there is not repeated: it may be nobody's business. */
export class TextFault extends Error {}

/** The line and column of a place, as people count. */
export function placeOf(text: string, position: number): string {
  const before = text.slice(0, position);
  const line = before.split("\n").length;
  return `line ${line}, column ${position - before.lastIndexOf("\n")}`;
}

/** Nesting beyond the limit. */
export const tooDeep = `is nested deeper than ${MAX_DEPTH}`;
/** Structure beyond the limit. */
export const tooMany = `has more than ${MAX_NODES} values`;
