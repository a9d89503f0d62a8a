import { all, column, none, type ObjectRead, type RootRead } from "@sextant/graphql";
import type { OpenText } from "../auth/auth.ts";
import { byIDArgument } from "../read/arguments.ts";

export const applicationTemplatesRead: RootRead = {
  read: "page",
  scopes: ["application_template:read"],
  where: () => all(),
};

export const applicationTemplateRead: RootRead = {
  read: "one",
  scopes: ["application_template:read"],
  ...byIDArgument,
};

/** How templates are read: by those who register applications. `open` opens the sealed input. */
export const applicationTemplateType = (open: OpenText): ObjectRead => ({
  kind: "applicationTemplate",
  visible: (viewer) => (viewer === "APPLICATION" || viewer === "RUNTIME" ? none : undefined),
  fields: {
    id: column("id"),
    name: column("name"),
    description: column("description"),
    applicationInput: { read: "sealed", expression: () => ({ field: "applicationInput" }), open },
    placeholders: {
      read: "sealed",
      expression: () => ({ field: "placeholders" }),
      open: (stored) => stored,
    },
    accessLevel: column("accessLevel"),
    revision: column("revision"),
  },
});
