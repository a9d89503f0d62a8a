import { invalidData } from "@sextant/errors";
import { type Params, readCursor } from "@sextant/registry-client";
import type { Args } from "./declaration.ts";

/** The largest page, which is also the size when none is asked for. */
export const MAX_PAGE = 200;

/** The parameters of a page from its arguments `first` and `after`. */
export function bindPage(args: Args): Params {
  const first = args["first"] ?? MAX_PAGE;
  const after = args["after"] ?? null;
  const faults = [];
  if (!Number.isInteger(first) || Number(first) < 1 || Number(first) > MAX_PAGE) {
    faults.push({ field: "first", message: `must be from 1 to ${MAX_PAGE}, got ${String(first)}` });
  }
  // The cursor of an empty page is the empty text: it leads to the first page again.
  const isText = typeof after === "string";
  const id = after === null || after === "" ? null : isText ? readCursor(after) : undefined;
  if (id === undefined)
    faults.push({
      field: "after",
      message: "is not a cursor of this API: pass endCursor as it came",
    });
  if (faults.length > 0) throw invalidData("Page", faults);
  return { first: Number(first), after: id ?? null };
}
