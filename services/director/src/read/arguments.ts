import { type ArgsRead, equals, idParameter, type Where } from "@sextant/graphql";

/** An argument of type ID as a parameter: what cannot be an id finds nothing. */
export const idOf = idParameter;

/** The object whose id is in the argument `id`. */
export const byIDArgument: { readonly args: ArgsRead; readonly where: Where } = {
  args: { bind: (args) => ({ id: idOf(args["id"]) }) },
  where: (param) => equals("id", param("id")),
};
