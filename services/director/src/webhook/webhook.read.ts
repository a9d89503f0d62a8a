import { column, equals, me, none, type ObjectRead } from "@sextant/graphql";
import type { OpenAuth, OpenText } from "../auth/auth.ts";

/** How webhooks are read. A runtime sees none. */
export const webhookType = (openAuth: OpenAuth, openText: OpenText): ObjectRead => ({
  kind: "webhook",
  visible: (viewer) => {
    if (viewer === "RUNTIME") return none;
    return viewer === "APPLICATION" ? equals("applicationID", me) : undefined;
  },
  fields: {
    id: column("id"),
    applicationID: column("applicationID"),
    runtimeID: column("runtimeID"),
    integrationSystemID: column("integrationSystemID"),
    type: column("type"),
    mode: column("mode"),
    correlationIdKey: column("correlationIdKey"),
    retryInterval: column("retryInterval"),
    timeout: column("timeout"),
    url: column("url"),
    auth: { read: "sealed", expression: () => ({ field: "auth" }), open: openAuth },
    urlTemplate: column("urlTemplate"),
    inputTemplate: column("inputTemplate"),
    headerTemplate: column("headerTemplate"),
    outputTemplate: column("outputTemplate"),
    statusTemplate: column("statusTemplate"),
    signingSecret: {
      read: "sealed",
      expression: () => ({ field: "signingSecret" }),
      open: openText,
      once: true,
    },
    revision: column("revision"),
  },
});
