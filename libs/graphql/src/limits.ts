/** How much one operation may ask: what is beyond is refused before any work. */
import { wholeNumber } from "@sextant/config";
import { invalidData, type SextantError } from "@sextant/errors";
import { z } from "zod";

/** The settings of the limits. Keys are names of environment variables. */
export const limitSettings = {
  /** Characters of a document. A specification of 10 MiB may be written into it, with escapes. */
  SEXTANT_MAX_DOCUMENT: wholeNumber(1_000, 100_000_000).default(24_000_000),
  /** Tokens of a document. */
  SEXTANT_MAX_TOKENS: wholeNumber(100, 1_000_000).default(10_000),
  /** Selections inside each other. */
  SEXTANT_MAX_DEPTH: wholeNumber(1, 200).default(20),
  /** Fields with all fragments put in their places: aliases of one field count each. */
  SEXTANT_MAX_FIELDS: wholeNumber(10, 100_000).default(5_000),
  /** Fields of Query or Mutation in one operation. */
  SEXTANT_MAX_ROOT_FIELDS: wholeNumber(1, 10_000).default(50),
  /**
   * Objects that the answer may have, when every page is full. The query of published clients for a whole page of applications
   * with bundles, their definitions, documents and credentials asks for 64.4 million at most.
   */
  SEXTANT_MAX_OBJECTS: wholeNumber(200, Number.MAX_SAFE_INTEGER).default(70_000_000),
} as const;

/** The limits of one service. */
export type Limits = {
  readonly document: number;
  readonly tokens: number;
  readonly depth: number;
  readonly fields: number;
  readonly rootFields: number;
  readonly objects: number;
};

/** The limits that settings say. */
export function limitsOf(settings: {
  readonly SEXTANT_MAX_DOCUMENT: number;
  readonly SEXTANT_MAX_TOKENS: number;
  readonly SEXTANT_MAX_DEPTH: number;
  readonly SEXTANT_MAX_FIELDS: number;
  readonly SEXTANT_MAX_ROOT_FIELDS: number;
  readonly SEXTANT_MAX_OBJECTS: number;
}): Limits {
  return {
    document: settings.SEXTANT_MAX_DOCUMENT,
    tokens: settings.SEXTANT_MAX_TOKENS,
    depth: settings.SEXTANT_MAX_DEPTH,
    fields: settings.SEXTANT_MAX_FIELDS,
    rootFields: settings.SEXTANT_MAX_ROOT_FIELDS,
    objects: settings.SEXTANT_MAX_OBJECTS,
  };
}

/** The limits where no setting says otherwise. */
export const defaultLimits: Limits = limitsOf(z.object(limitSettings).parse({}));

/** What each limit counts, and what to do about it. */
const explained: Readonly<Record<keyof Limits, readonly [counts: string, remedy: string]>> = {
  document: ["characters", "send large values as variables"],
  tokens: ["tokens", "ask in several operations"],
  depth: ["selections inside each other", "ask for what is deeper by its own id"],
  fields: ["fields, fragments put in their places", "ask in several operations"],
  rootFields: ["fields of its root", "send several operations"],
  objects: [
    "objects when every page is full",
    "ask for smaller pages with `first`, or in several operations",
  ],
};

/** A limit that is exceeded. `actual` undefined: nobody counted further. */
export type Excess = { readonly limit: keyof Limits; readonly actual: number | undefined };

const number = (value: number): string =>
  Number.isSafeInteger(value) ? String(value) : "more than can be counted";

/** INVALID_DATA that names each limit, what was asked, and what to do. */
export function limitError(limits: Limits, excesses: readonly Excess[]): SextantError {
  return invalidData(
    "Operation",
    excesses.map(({ limit, actual }) => {
      const [counts, remedy] = explained[limit];
      const asked = actual === undefined ? `more than ${limits[limit]}` : number(actual);
      return {
        field: limit,
        message: `${asked} ${counts}, at most ${limits[limit]} are allowed: ${remedy}`,
      };
    }),
  );
}
