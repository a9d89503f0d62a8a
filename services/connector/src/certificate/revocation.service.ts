import { forbidden, internal, invalidData } from "@sextant/errors";
import { actorOf, all, equals, idParameter } from "@sextant/graphql";
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
import type { RevocationCode } from "@sextant/x509";
import { type ActingCall, commitOf, type Context, inForce, type Subject } from "../context.ts";

/** Why certificates are revoked: for people, and for revocation lists. */
type Reason = { readonly text: string; readonly code: RevocationCode };

/** Certificates revoked by one commit. */
const BATCH = 500;
/** Commits in a row that may be refused because others change the same certificates. */
const PATIENCE = 20;
const MAX_SERIALS = 200;

/** Revokes certificates: the record and the event that tells the gateways are one commit. */
export function createRevocationService(context: Context) {
  const revoke = async (
    tenant: string,
    actor: Actor,
    which: Condition,
    params: Params,
    { text, code }: Reason,
  ): Promise<number> => {
    let revoked = 0;
    for (let refused = 0; refused < PATIENCE;) {
      const found = await readList(
        context.registry,
        tenant,
        "certificate",
        all(which, inForce),
        ["id", "revision", "hash", "consumerID"],
        params,
        BATCH,
      );
      if (found.length === 0) return revoked;
      const values = {
        revokedAt: timestamp(context.now()),
        revocationReason: text,
        revocationCode: code,
      };
      // By its revision: one that is just being issued gets the hash by which the gateways have to know it.
      const steps = found.flatMap(({ id, revision, hash, consumerID }): Step[] => [
        update("certificate", id, values, { expectedRevision: revision }),
        { op: "event", type: "certificate.revoked", id, data: { hash, consumerID } },
      ]);
      const commit = commitOf(context, tenant, actor, "revokeCertificates", steps);
      const answer = await context.registry.commit(commit);
      if (answer.ok) revoked += found.length;
      else refused += 1;
    }
    throw internal(
      crypto.randomUUID(),
      new Error("certificates change faster than they are revoked"),
    );
  };

  const ofConsumer = (type: Subject, id: string): [Condition, Params] => [
    all(equals("consumerType", { param: "type" }), equals("consumerID", { param: "id" })),
    { type, id: idParameter(id) },
  ];

  return {
    /** See the SDL: `revokeCertificate`. */
    async revokeOwn(args: { reason: RevocationCode }, call: ActingCall): Promise<boolean> {
      const { tenant, credential } = call.caller.identity;
      if (tenant === undefined || credential?.kind !== "certificate")
        throw forbidden("only a certificate can revoke itself, over mTLS");
      const isIt = equals("id", { param: "id" });
      const reason = { text: "by its holder", code: args.reason };
      return (await revoke(tenant, actorOf(call), isIt, { id: credential.id }, reason)) > 0;
    },

    /** See the SDL: `revokeCertificates`. */
    async revokeMany(
      args: {
        serialNumbers?: readonly string[] | null;
        applicationID?: string | null;
        runtimeID?: string | null;
        reason: RevocationCode;
      },
      call: ActingCall,
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
      const reason = { text: "by an admin", code: args.reason };
      const serials = serialNumbers.map((serial) => serial.toLowerCase());
      const bySerial: Condition = { op: "in", field: "serialNumber", values: { param: "serials" } };
      let revoked =
        serials.length === 0 ? 0 : await revoke(tenant, actor, bySerial, { serials }, reason);
      for (const [type, id] of [
        ["APPLICATION", args.applicationID],
        ["RUNTIME", args.runtimeID],
      ] as const) {
        if (id) revoked += await revoke(tenant, actor, ...ofConsumer(type, id), reason);
      }
      return revoked;
    },

    /** Ends all trust in an application or runtime that is being unregistered: certificates and unused tokens. */
    async revokeConsumer(tenant: string, type: Subject, id: string, actor: Actor): Promise<void> {
      const [which, params] = ofConsumer(type, id);
      const unused = all(
        which,
        { op: "isNull", field: "usedAt" },
        { op: "isNull", field: "revokedAt" },
      );
      const values = { revokedAt: timestamp(context.now()) };
      const step: Step = { op: "updateAll", kind: "oneTimeToken", where: unused, values };
      const commit = commitOf(context, tenant, actor, "revokeOneTimeTokens", [step], params);
      await carryOut(context.registry, commit, { noun: "OneTimeToken", id });
      const reason = {
        text: "its holder was unregistered",
        code: "CESSATION_OF_OPERATION",
      } as const;
      await revoke(tenant, actor, which, params, reason);
    },
  };
}

/** See {@link createRevocationService}. */
export type RevocationService = ReturnType<typeof createRevocationService>;
