import { load } from "js-yaml";
import { SaxesParser } from "saxes";
import type { Spec } from "./specification.ts";

const markers: Readonly<Record<string, readonly string[]>> = {
  OPEN_API: ["openapi", "swagger"],
  ASYNC_API: ["asyncapi"],
};

/** Names the first fault of a specification; undefined when it is what it claims to be. Blocks while it reads a large text. */
export function specificationFault(spec: Spec): string | undefined {
  try {
    return spec.format === "XML" ? xmlFault(spec.data) : documentFault(spec);
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : "";
    return `is not valid ${spec.format}: ${reason.slice(0, 200)}`;
  }
}

function documentFault(spec: Spec): string | undefined {
  const document: unknown = spec.format === "JSON" ? JSON.parse(spec.data) : load(spec.data);
  if (document === null || typeof document !== "object" || Array.isArray(document))
    return "must be an object";
  const names = markers[spec.type];
  if (
    names === undefined ||
    names.some((name) => typeof (document as Record<string, unknown>)[name] === "string")
  )
    return undefined;
  return `has no ${names.join(" or ")} version: it is not ${spec.type}`;
}

function xmlFault(text: string): string | undefined {
  const parser = new SaxesParser({ xmlns: true });
  let root: string | undefined;
  // A document type could declare entities that grow without bound; a metadata document has none.
  parser.on("doctype", () => {
    throw new Error("a document type is not allowed");
  });
  parser.on("opentag", (tag) => {
    root ??= tag.local;
  });
  parser.write(text).close();
  return root === "Edmx" ? undefined : "has no Edmx element at its root: it is not ODATA";
}
