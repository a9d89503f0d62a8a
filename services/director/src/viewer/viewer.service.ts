import { forbidden } from "@sextant/errors";
import type { ActingCall } from "../act/act.ts";

/** Says who the caller is. */
export function createViewerService() {
  return {
    viewer: async (_args: unknown, call: ActingCall) => {
      const { type, id } = call.caller.identity.consumer;
      if (type === "ONE_TIME_TOKEN") throw forbidden("a one-time token is for pairing only");
      return { id, type: type === "SERVICE" ? "USER" : type };
    },
  };
}

/** See {@link createViewerService}. */
export type ViewerService = ReturnType<typeof createViewerService>;
