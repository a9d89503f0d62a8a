/** Reads XML 1.0 with namespaces, and keeps nothing of it. */
import { SaxesParser } from "saxes";
import { MAX_DEPTH, MAX_NODES, TextFault, tooDeep, tooMany } from "./limits.ts";

/** Characters given to the reader at a time: what is too much is noticed before the rest is read. */
const CHUNK = 64 * 1024;

/** The local name of the root element. Throws a TextFault. */
export function xmlOutline(text: string): string | undefined {
  const parser = new SaxesParser({ xmlns: true });
  let root: string | undefined;
  let depth = 0;
  let nodes = 0;
  const count = (): void => {
    nodes += 1;
    if (nodes > MAX_NODES) throw new TextFault(tooMany);
  };
  parser.on("error", (error) => {
    // `line:column: what`; what the reader quotes of the text is left out.
    const [, line, column, reason] = /^(\d+):(\d+): ([^"'<:]*)/.exec(error.message) ?? [];
    const place = line === undefined ? "" : ` at line ${line}, column ${column}`;
    throw new TextFault(`is not valid XML${place}: ${reason?.trim() ?? "it does not parse"}`);
  });
  // A document type could declare entities that grow without bound; a metadata document has none.
  parser.on("doctype", () => {
    throw new TextFault("a document type is not allowed");
  });
  parser.on("attribute", count);
  parser.on("opentag", (tag) => {
    root ??= tag.local;
    depth += 1;
    count();
    if (depth > MAX_DEPTH) throw new TextFault(tooDeep);
  });
  parser.on("closetag", () => {
    depth -= 1;
  });
  for (let at = 0; at < text.length; at += CHUNK) parser.write(text.slice(at, at + CHUNK));
  parser.close();
  return root;
}
