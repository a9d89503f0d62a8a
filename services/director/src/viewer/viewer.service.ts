import type { ActingCall } from "../act/act.ts";

/** Says who the caller is. */
export function createViewerService() {
  return {
    viewer: async (_args: unknown, call: ActingCall) => {
      const { type, id } = call.caller.identity.consumer;
      return {
        id,
        type:
          type === "RUNTIME" || type === "APPLICATION" || type === "INTEGRATION_SYSTEM"
            ? type
            : "USER",
      };
    },
  };
}

/** See {@link createViewerService}. */
export type ViewerService = ReturnType<typeof createViewerService>;
