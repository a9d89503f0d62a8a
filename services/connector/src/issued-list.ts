/** Lists of what was issued to applications and runtimes: filtered by texts, by whom it is for, and by its state. */
import { all, type Args, equals, expression, idParameter, type Where } from "@sextant/graphql";
import type { Condition, Params, Value } from "@sextant/registry-client";

type Forms = Readonly<Record<string, (sent: string) => string>>;

/** A text that is compared as it was sent. */
export const asSent = (text: string): string => text;

/** What was issued to one application or runtime. The names of the types are parameters of every plan. */
export const issuedTo = (kind: "application" | "runtime", id: Value): Condition =>
  all(equals("consumerType", { param: kind }), equals("consumerID", id));

/** Parameters that these conditions name. */
export const consumerTypes: Params = { application: "APPLICATION", runtime: "RUNTIME" };

const isNot = (condition: Condition): Condition => ({ op: "not", condition });

/** Makes the filter of a query, and the field that shows the state. */
export function issuedList(options: {
  /** Fields of the filter that have to be equal to the record's, with the form in which it has them. */
  readonly texts: Forms;
  /** States in the order in which they count, and the one of what is in none of them. */
  readonly states: readonly (readonly [string, Condition])[];
  readonly otherwise: string;
}) {
  const { states, otherwise } = options;
  const forms: Forms = { ...options.texts, applicationID: idParameter, runtimeID: idParameter };

  const filterOf = (args: Args) => (args["filter"] ?? {}) as Readonly<Record<string, unknown>>;
  /** What a filter gives, by its names. */
  const given = (args: Args): readonly (readonly [string, string])[] => {
    const filter = filterOf(args);
    return Object.keys(forms).flatMap((name) => {
      const value = filter[name];
      return typeof value === "string" ? [[name, value] as const] : [];
    });
  };
  const inState = (state: string): Condition => {
    const place = states.findIndex(([name]) => name === state);
    const before = states.slice(0, place === -1 ? states.length : place);
    return all(...before.map(([, condition]) => isNot(condition)), states[place]?.[1]);
  };
  const equal = (name: string, param: Value): Condition => {
    if (name === "applicationID") return issuedTo("application", param);
    return name === "runtimeID" ? issuedTo("runtime", param) : equals(name, param);
  };

  const where: Where = (param, args) => {
    const { state } = filterOf(args);
    return all(
      ...given(args).map(([name]) => equal(name, param(name))),
      typeof state === "string" ? inState(state) : undefined,
    );
  };
  return {
    filtered: {
      where,
      args: {
        shape: (args: Args) =>
          [...given(args).map(([name]) => name), String(filterOf(args)["state"])].join(),
        bind: (args: Args): Params =>
          Object.fromEntries(given(args).map(([name, sent]) => [name, forms[name]?.(sent) ?? ""])),
      },
    },
    state: expression({
      choose: states.map(([state, when]) => ({ when, then: JSON.stringify(state) })),
      otherwise: JSON.stringify(otherwise),
    }),
  };
}
