/** Whether a text is the specification that it claims to be. Blocks while it reads: it is done in a thread of its own. */
import { jsonOutline } from "./json-outline.ts";
import { TextFault } from "./limits.ts";
import { xmlOutline } from "./xml-outline.ts";
import { yamlOutline } from "./yaml-outline.ts";

/** A notation. */
export type Format = "YAML" | "JSON" | "XML";
/** A kind of specification. */
export type SpecType = "OPEN_API" | "ODATA" | "ASYNC_API";
/** A text with what it claims to be. */
export type SpecText = { readonly type: SpecType; readonly format: Format; readonly data: string };

const markers: Readonly<Record<string, readonly string[]>> = {
  OPEN_API: ["openapi", "swagger"],
  ASYNC_API: ["asyncapi"],
};

/** Names the first fault of a specification; undefined when it is what it claims to be. */
export function specificationFault({ type, format, data }: SpecText): string | undefined {
  try {
    if (format === "XML")
      return xmlOutline(data) === "Edmx"
        ? undefined
        : "has no Edmx element at its root: it is not ODATA";
    const root = format === "JSON" ? jsonOutline(data) : yamlOutline(data);
    if (root === undefined) return "must be an object";
    const names = markers[type];
    if (names === undefined || names.some((name) => root.get(name) === true)) return undefined;
    return `has no ${names.join(" or ")} version: it is not ${type}`;
  } catch (error) {
    if (error instanceof TextFault) return error.message;
    throw error;
  }
}
