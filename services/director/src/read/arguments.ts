import { type ArgsRead, equals, idParameter, type Where } from "@sextant/graphql";

/** The object whose id is in the argument `id`. */
export const byIDArgument: { readonly args: ArgsRead; readonly where: Where } = {
  args: { bind: (args) => ({ id: idParameter(args["id"]) }) },
  where: (param) => equals("id", param("id")),
};
