import { actorOf } from "@sextant/graphql";
import { authorise } from "@sextant/identity";
import { knownID, requireAdmin } from "../access/access.ts";
import { type ActingCall, type Context, keepValue } from "../act/act.ts";
import type { Trust, TrustSubject } from "../connector-client/trust.ts";
import { requireObject } from "../read/require-object.ts";

/** What starts an agent that pairs: with the pin, it trusts this plane and no other from its first connection on. */
function agentCommand(
  runtimeID: string,
  { token, connectorURL, caPin }: Awaited<ReturnType<Trust["issueToken"]>>,
): string {
  const settings = {
    AGENT_DIR: `agent-${runtimeID}`,
    CONNECTOR_URL: connectorURL,
    TOKEN: token,
    CA_PIN: caPin,
    RUNTIME_ID: runtimeID,
  };
  const words = Object.entries(settings).map(([name, value]) => `${name}='${value}'`);
  return [...words, "node agents/runtime-agent/src/main.ts"].join(" ");
}

/** Hands out one-time tokens, which the Connector makes. */
export function createOneTimeTokenService(context: Context, trust: Trust) {
  const request = async (call: ActingCall, subject: TrustSubject, given: string) => {
    const { identity } = call.caller;
    const isApplication = subject === "APPLICATION";
    const noun = isApplication ? "Application" : "Runtime";
    const tenant = authorise(identity, isApplication ? "application:write" : "runtime:write");
    requireAdmin(identity, "requesting a one-time token");
    const id = knownID(noun, given);
    await requireObject(context, tenant, isApplication ? "application" : "runtime", noun, id);
    const { token, connectorURL, caPin } = await trust.issueToken(
      tenant,
      subject,
      id,
      actorOf(call),
    );
    const raw = JSON.stringify({ token, connectorURL });
    const value = {
      token,
      connectorURL,
      caPin,
      raw,
      rawEncoded: Buffer.from(raw).toString("base64"),
      agentCommand: isApplication ? null : agentCommand(id, { token, connectorURL, caPin }),
    };
    await keepValue(context, call, tenant, value);
    return value;
  };

  return {
    forRuntime: (args: { id: string }, call: ActingCall) => request(call, "RUNTIME", args.id),
    forApplication: (args: { id: string }, call: ActingCall) =>
      request(call, "APPLICATION", args.id),
  };
}

/** See {@link createOneTimeTokenService}. */
export type OneTimeTokenService = ReturnType<typeof createOneTimeTokenService>;
