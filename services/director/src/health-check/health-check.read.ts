import {
  all,
  type Args,
  column,
  equals,
  idParameter,
  me,
  type ObjectRead,
  type RootRead,
} from "@sextant/graphql";
import type { Params } from "@sextant/registry-client";
import { healthCheckTypes } from "./health-check.ts";

/** The one type that is asked for; undefined: all of them. */
function typeOf(args: Args): string | undefined {
  const types = new Set((args["types"] as readonly string[] | null | undefined) ?? []);
  const [only] = types;
  return types.size > 0 && types.size < healthCheckTypes.length ? only : undefined;
}

const hasOrigin = (args: Args): boolean => typeof args["origin"] === "string";

export const healthChecksRead: RootRead = {
  read: "page",
  scopes: ["health_checks:read"],
  args: {
    shape: (args) => `${typeOf(args) === undefined ? "all" : "type"} ${hasOrigin(args)}`,
    bind: (args): Params => ({
      ...(typeOf(args) === undefined ? {} : { type: typeOf(args) as string }),
      ...(hasOrigin(args) ? { origin: idParameter(args["origin"]) } : {}),
    }),
  },
  where: (param, args) =>
    all(
      ...(typeOf(args) === undefined ? [] : [equals("type", param("type"))]),
      ...(hasOrigin(args) ? [equals("origin", param("origin"))] : []),
    ),
};

export const healthCheckType: ObjectRead = {
  kind: "healthCheck",
  visible: (viewer) => {
    if (viewer === "RUNTIME") return equals("runtimeID", me);
    return viewer === "APPLICATION" ? equals("origin", me) : undefined;
  },
  fields: {
    type: column("type"),
    condition: column("condition"),
    origin: column("origin"),
    runtimeID: column("runtimeID"),
    message: column("message"),
    timestamp: column("timestamp"),
  },
};
