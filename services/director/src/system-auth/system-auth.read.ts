import { column, equals, me, type ObjectRead } from "@sextant/graphql";
import type { OpenAuth } from "../auth/auth.ts";

/** How client credentials are read: an application, a runtime and an integration system see their own. */
export const systemAuthType = (open: OpenAuth): ObjectRead => ({
  kind: "systemAuth",
  visible: (viewer) => {
    if (viewer === "APPLICATION") return equals("applicationID", me);
    if (viewer === "RUNTIME") return equals("runtimeID", me);
    return undefined;
  },
  fields: {
    id: column("id"),
    auth: { read: "sealed", expression: () => ({ field: "auth" }), open },
    revision: column("revision"),
  },
});
