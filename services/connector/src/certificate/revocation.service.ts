import { forbidden, invalidData } from "@sextant/errors";
import { actorOf, all, equals, type GraphCall, idParameter } from "@sextant/graphql";
import { authorise } from "@sextant/identity";
import {
  type Actor,
  carryOut,
  type Condition,
  type Params,
  readList,
  type Step,
  update,
  timestamp,
} from "@sextant/registry-client";
import { commitOf, type Context, type Subject } from "../context.ts";

type Call = Pick<GraphCall, "caller" | "requestID" | "clientAddress">;

/** Certificates revoked by one commit. */
const BATCH = 500;
const MAX_SERIALS = 200;

const inForce: Condition = { op: "isNull", field: "revokedAt" };

/** Revokes certificates: the record and the event that tells the gateways are one commit. */
export function createRevocationService(context: Context) {
  const revoke = async (
    tenant: string,
    actor: Actor,
    which: Condition,
    params: Params,
    reason: string,
  ): Promise<number> => {
    let revoked = 0;
    for (;;) {
      const found = await readList(
        context.registry,
        tenant,
        "certificate",
        all(which, inForce),
        ["id", "hash", "consumerID"],
        params,
        BATCH,
      );
      if (found.length === 0) return revoked;
      const values = { revokedAt: timestamp(context.now()), revocationReason: reason };
      const steps = found.flatMap(({ id, hash, consumerID }): Step[] => [
        update("certificate", id, values),
        { op: "event", type: "certificate.revoked", id, data: { hash, consumerID } },
      ]);
      const commit = commitOf(context, tenant, actor, "revokeCertificates", steps);
      await carryOut(context.registry, commit, { noun: "Certificate", id: found[0]?.id ?? "" });
      revoked += found.length;
    }
  };

  const ofConsumer = (type: Subject, id: string): [Condition, Params] => [
    all(equals("consumerType", { param: "type" }), equals("consumerID", { param: "id" })),
    { type, id: idParameter(id) },
  ];

  return {
    /** See the SDL: `revokeCertificate`. */
    async revokeOwn(_args: unknown, call: Call): Promise<boolean> {
      const { tenant, credential } = call.caller.identity;
      if (tenant === undefined || credential?.kind !== "certificate")
        throw forbidden("only a certificate can revoke itself, over mTLS");
      const isIt = equals("id", { param: "id" });
      return (
        (await revoke(tenant, actorOf(call), isIt, { id: credential.id }, "by its holder")) > 0
      );
    },

    /** See the SDL: `revokeCertificates`. */
    async revokeMany(
      args: {
        serialNumbers?: readonly string[] | null;
        applicationID?: string | null;
        runtimeID?: string | null;
      },
      call: Call,
    ): Promise<number> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "certificate:write");
      const actor = actorOf(call);
      const serialNumbers = args.serialNumbers ?? [];
      if (serialNumbers.length === 0 && !args.applicationID && !args.runtimeID) {
        throw invalidData("revokeCertificates", [
          { field: "serialNumbers", message: "name serial numbers, an application or a runtime" },
        ]);
      }
      if (serialNumbers.length > MAX_SERIALS) {
        throw invalidData("revokeCertificates", [
          { field: "serialNumbers", message: `must have at most ${MAX_SERIALS} entries` },
        ]);
      }
      const reason = "by an admin";
      const serials = serialNumbers.map((serial) => serial.toLowerCase());
      const bySerial: Condition = { op: "in", field: "serialNumber", values: { param: "serials" } };
      let revoked =
        serials.length === 0 ? 0 : await revoke(tenant, actor, bySerial, { serials }, reason);
      if (args.applicationID)
        revoked += await revoke(
          tenant,
          actor,
          ...ofConsumer("APPLICATION", args.applicationID),
          reason,
        );
      if (args.runtimeID)
        revoked += await revoke(tenant, actor, ...ofConsumer("RUNTIME", args.runtimeID), reason);
      return revoked;
    },

    /** Ends all trust in an application or runtime that is being unregistered: certificates and unused tokens. */
    async revokeConsumer(tenant: string, type: Subject, id: string, actor: Actor): Promise<void> {
      const [which, params] = ofConsumer(type, id);
      const unused: Condition = all(which, { op: "isNull", field: "usedAt" });
      const values = { usedAt: timestamp(context.now()), usedBy: "revoked" };
      const step: Step = { op: "updateAll", kind: "oneTimeToken", where: unused, values };
      const commit = commitOf(context, tenant, actor, "revokeOneTimeTokens", [step], params);
      await carryOut(context.registry, commit, { noun: "OneTimeToken", id });
      await revoke(tenant, actor, which, params, "its holder was unregistered");
    },
  };
}

/** See {@link createRevocationService}. */
export type RevocationService = ReturnType<typeof createRevocationService>;
