/** Small pieces of SQL text. Only names of the catalog become identifiers; whatever a caller has chosen becomes a literal. */

/** Column names of the catalog that are words of SQL. */
const RESERVED: ReadonlySet<string> = new Set(["group"]);

/** A table's or column's name of the catalog. */
export function identifier(name: string): string {
  return RESERVED.has(name) ? `"${name}"` : name;
}

/** A text as a literal, whatever it holds and whatever the server's settings are. */
export function literal(text: string): string {
  if (text.includes("\0")) throw new Error("PostgreSQL's text cannot hold the character NUL");
  const quoted = text.replaceAll("'", "''");
  return text.includes("\\") ? `E'${quoted.replaceAll("\\", "\\\\")}'` : `'${quoted}'`;
}

/** A part of a text that SQL puts together: a constant, or an expression whose null counts as the empty text. */
export type Piece = { readonly constant: string } | { readonly sql: string };

/** PostgreSQL's functions take a hundred arguments. */
const ARGUMENTS = 90;

/** The SQL expression for the pieces one after the other. Never null. */
export function concatenation(pieces: readonly Piece[]): string {
  const parts: string[] = [];
  let constant = "";
  const flush = () => {
    if (constant !== "") parts.push(literal(constant));
    constant = "";
  };
  for (const piece of pieces) {
    if ("constant" in piece) {
      constant += piece.constant;
    } else {
      flush();
      parts.push(piece.sql);
    }
  }
  flush();
  let rest = parts;
  while (rest.length > ARGUMENTS) {
    const next: string[] = [];
    for (let at = 0; at < rest.length; at += ARGUMENTS)
      next.push(`concat(${rest.slice(at, at + ARGUMENTS).join(", ")})`);
    rest = next;
  }
  return `concat(${rest.join(", ")})`;
}
