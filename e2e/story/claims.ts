/** What must have happened in the main story: one test a claim, the same wherever it is told. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Refusal } from "./caller.ts";
import { namesIn } from "./plans.ts";
import type { Story } from "./tell-story.ts";
import { errorsIn } from "./tenants.ts";

const SECOND = 1000;
/** The promise is one second; a machine that runs everything else at the same time gets more. */
const SOON = 5 * SECOND;

const unauthenticated = { status: 401, code: "UNAUTHENTICATED" };
const texts = (refusals: readonly Refusal[]): string =>
  refusals.map(({ message }) => message).join();

/** Declares the tests. `tell` tells the story, once. */
export function describeMainStory(tell: () => Promise<Story>): void {
  let story: Story;
  beforeAll(async () => {
    story = await tell();
  });

  describe("the application pairs", () => {
    test("the secret of a webhook is shown once, in the answer that makes it", () => {
      expect(story.shop.signingSecret).toMatch(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/);
      expect(story.shop.secretAskedAgain).toBeNull();
    });

    test("a one-time token comes with the Connector's address, also as one text in base64", () => {
      const { token } = story.pairedByRSA;
      expect(token.token).toMatch(/^[0-9a-f]{16}\.[A-Za-z0-9_-]{43}$/);
      const both = { token: token.token, connectorURL: token.connectorURL };
      expect(JSON.parse(token.raw)).toEqual(both);
      expect(JSON.parse(Buffer.from(token.rawEncoded, "base64").toString())).toEqual(both);
    });

    test("curl and openssl are enough to pair with an RSA and with an EC key", () => {
      expect(story.pairedByRSA.keyKind).toBe("rsaEncryption 2048");
      expect(story.pairedByEC.keyKind).toBe("id-ecPublicKey 256 P-256");
    });

    test("openssl verifies both chains up to the root that the plane shows to everybody", () => {
      for (const paired of [story.pairedByRSA, story.pairedByEC]) {
        expect(paired.verified).toMatch(/: OK$/);
        expect(paired.hasRootOfThePlane).toBe(true);
        expect(paired.described).toContain("TLS Web Client Authentication");
      }
    });

    test("a certificate has the subject that was told, and a name for machines", () => {
      const { described, configuration } = story.pairedByRSA;
      const { subject } = configuration.certificateSigningRequestInfo;
      expect(described.replaceAll(/\s*([,=])\s*/g, "$1")).toContain(`subject=${subject}\n`);
      expect(described).toMatch(
        new RegExp(`URI:sextant://[0-9a-f-]{36}/application/${story.shop.id}`),
      );
    });

    test("over mTLS the application is itself, and connected from then on", () => {
      for (const { viewer } of [story.pairedByRSA, story.pairedByEC])
        expect(viewer).toEqual({ id: story.shop.id, type: "APPLICATION" });
      expect(story.shop.condition).toBe("INITIAL");
      expect(story.shopCondition).toBe("CONNECTED");
    });
  });

  describe("the application's specifications", () => {
    test("a published OpenAPI description of three megabytes comes back byte for byte", () => {
      const { openAPI, openAPITitle } = story.bundle;
      expect(openAPI.bytes).toBeGreaterThan(1024 * 1024);
      expect(openAPI.storedHash).toBe(openAPI.sentHash);
      expect(openAPITitle).toContain("GitHub");
    });

    test("so do an AsyncAPI and a Markdown document", () => {
      for (const text of [story.bundle.asyncAPI, story.bundle.markdown])
        expect(text.storedHash).toBe(text.sentHash);
    });
  });

  describe("the runtime is provisioned", () => {
    test("the operation ends Succeeded, and says on the way what it does", () => {
      const { asked, ended, stages } = story.runtime;
      expect(asked).toMatchObject({ operation: "Provision", state: "Pending", lastError: null });
      expect(ended).toMatchObject({ id: asked.id, state: "Succeeded", lastError: null });
      expect(stages.length).toBeGreaterThan(2);
    });

    test("the runtime is connected, its agent in contact and its certificate valid, in one query over three services", () => {
      const { runtime } = story.runtime;
      expect(runtime.status.condition).toBe("CONNECTED");
      expect(runtime.online).toBe(true);
      expect(runtime.syncState).toMatchObject({ applied: true, ready: true });
      expect(runtime.provisioning.runtimeConnectionStatus.status).toBe("Connected");
      expect(runtime.certificates.data).toEqual([
        expect.objectContaining({
          state: "VALID",
          subject: expect.stringContaining(story.runtime.id),
        }),
      ]);
    });

    test("its plan has the application, with the hashes of its specifications, and was never half written", () => {
      expect(story.tornPlans).toBe(0);
      if (story.written === undefined) return;
      const { plan, mode } = story.written;
      expect(mode).toBe("600");
      expect(plan.runtime.id).toBe(story.runtime.id);
      expect(namesIn(plan)).toEqual([story.shop.name]);
      expect(JSON.stringify(plan)).toContain(story.bundle.openAPI.sentHash);
    });
  });

  describe("the credentials", () => {
    test("the application is told by a signed message that a runtime is ready", () => {
      const { ready, runtime } = story;
      expect(ready.message.type).toBe("runtime.ready");
      expect(ready.message.data).toEqual({ ids: { runtimeID: runtime.id } });
      expect(ready.genuine).toBe(true);
    });

    test("whoever is told so, and asks at once, finds the runtime connected and online", () => {
      const { ready, runtime } = story;
      expect(ready.runtimeAtOnce).toEqual({
        ...{ id: runtime.id, name: runtime.name, online: true },
        status: { condition: "CONNECTED" },
      });
    });

    test("a message that was changed, or that is signed by another secret, is not genuine", () => {
      expect(story.ready.genuineWhenChanged).toBe(false);
      expect(story.ready.genuineByAnotherSecret).toBe(false);
    });

    test("the message is thin: it holds ids and no name, credential or label", () => {
      const { body } = story.ready;
      expect(body).not.toContain(story.runtime.name);
      expect(body.length).toBeLessThan(300);
    });

    test("credentials reach the agent soon after they are given, and so does each change of them", () => {
      const { toFile, toPoll, changes } = story.credentials;
      for (const times of toFile === undefined ? [toPoll] : [toFile, toPoll]) {
        expect(times).toHaveLength(changes);
        expect(Math.max(...times)).toBeLessThan(SOON);
      }
    });

    test("no agent polls for that: its request is held until the plan changes", () => {
      const { polls, pollsInVain, changes, heldBefore } = story.credentials;
      // Where the gateway cannot be asked, the first of them may have been under way still.
      expect(polls).toBeLessThanOrEqual(heldBefore === undefined ? changes + 1 : changes);
      expect(pollsInVain).toBe(0);
      expect(heldBefore).not.toBe(0);
    });

    test("each runtime has its own credentials and nobody else's", () => {
      const own = [["factory"], ["edge"]].slice(-story.credentials.inPlan.length);
      expect(story.credentials.inPlan).toEqual(own);
    });
  });

  describe("groups", () => {
    test("an application of another group is invisible: in the plan, in lists, in counts and by id", () => {
      const { view } = story.invisible;
      const shopOnly = [story.shop.name];
      expect(view).toEqual({
        ...{ forRuntime: shopOnly, ownList: shopOnly, ownCount: 1, byID: null, plan: shopOnly },
      });
    });

    test("relabelling the runtime makes it appear and the other vanish in one plan", () => {
      for (const plans of Object.values(story.swapped.plans))
        expect(plans).toEqual([[story.invisible.warehouse.name]]);
    });

    test("never are both in one plan", () => {
      const both = [story.shop.name, story.invisible.warehouse.name];
      expect(story.allPlans.length).toBeGreaterThan(10);
      for (const names of story.allPlans)
        expect(both.every((name) => names.includes(name))).toBe(false);
    });

    test("credentials leave the plan with their application, and come back with it", () => {
      expect(story.swapped.users.flat()).toEqual([]);
      expect(story.swappedBack.users).toEqual(story.credentials.inPlan);
    });

    test("whoever is registered without a group is in the default group", () => {
      expect(story.defaultGroup.withoutLabels).toEqual({ group: ["default"] });
    });

    test("removing the last group puts a runtime in the default group, where it sees its applications", () => {
      const { runtimeAfterRemoval, inDefault, catalog } = story.defaultGroup;
      expect(runtimeAfterRemoval).toEqual(["default"]);
      for (const plans of Object.values(inDefault.plans)) {
        expect(plans.at(-1)).toContain(catalog.name);
        expect(plans.at(-1)).not.toContain(story.shop.name);
      }
    });

    test("the first explicit group replaces the default one, until it is removed", () => {
      const { afterFirstExplicit, afterRemoval, plansThen, catalog } = story.defaultGroup;
      expect(afterFirstExplicit).toEqual(["archive"]);
      expect(afterRemoval).toEqual(["default"]);
      for (const names of plansThen) expect(names).not.toContain(catalog.name);
    });
  });

  describe("a second tenant", () => {
    test("sees an empty plane: no object and no count, whatever the filter", () => {
      const { counts, objects } = story.emptyTenant;
      expect(objects).toBe(0);
      expect(new Set(Object.values(counts))).toEqual(new Set([0]));
    });

    test("may use the names that the first tenant uses", () => {
      expect(story.emptyTenant.sameNames).toBe(true);
    });

    test("gets for an id of the first tenant the same answer as for one that never was", () => {
      expect(story.probes.length).toBeGreaterThan(40);
      for (const { title, foreign, random } of story.probes)
        expect({ title, answer: foreign }).toEqual({ title, answer: random });
    });

    test("is refused as NOT_FOUND by every mutation of an object that is not its own", () => {
      const codes = story.probes
        .filter(
          ({ title }) => title.startsWith("mutation") && !title.includes("revokeCertificates"),
        )
        .map(({ title, foreign }) => ({ title, codes: errorsIn(foreign) }));
      for (const one of codes) expect(one).toEqual({ title: one.title, codes: ["NOT_FOUND"] });
    });

    test("changes nothing of the first tenant by trying", () => {
      expect(story.untouched).toMatchObject({
        application: {
          name: story.shop.name,
          labels: story.shop.labels,
          webhooks: [{ id: story.shop.webhookID }],
          bundle: {
            name: "orders",
            apiDefinitions: { totalCount: 1 },
            eventDefinitions: { totalCount: 1 },
            documents: { totalCount: 1 },
          },
        },
        runtime: { name: story.runtime.name, labels: story.shop.labels },
        credential: { status: { condition: "SUCCEEDED" } },
      });
    });

    test("has runtimes that see nothing of a group of the same name in the first", () => {
      const { runtimeSees, countForRuntime, byID, plan } = story.pairedInSecondTenant;
      expect({ runtimeSees, countForRuntime, byID }).toEqual({
        ...{ runtimeSees: [], countForRuntime: 0, byID: null },
      });
      expect(JSON.parse(plan)).toMatchObject({ applications: [] });
      for (const id of [story.shop.id, story.runtime.id, story.bundle.id])
        expect(plan).not.toContain(id);
    });
  });

  describe("refused is", () => {
    test("a one-time token that is used again, but for the repeat of the same request", () => {
      const { tokens } = story;
      expect(tokens.sameConfiguration).toBe(true);
      expect(tokens.sameCertificate).toBe(true);
      for (const refusal of [
        ...[tokens.pairingAgain, tokens.pairingWithAnotherKey, tokens.signingAnotherKey],
        ...[tokens.pairingTokenToSign, tokens.signingTokenToPair, tokens.unknownToken],
      ])
        expect(refusal).toMatchObject(unauthenticated);
    });

    test("a signing request for another subject, which costs no token", () => {
      const { anotherID, anotherKind, more, noRequest, stillGood } = story.otherSubjects;
      for (const refusal of [anotherID, anotherKind, more, noRequest])
        expect(refusal.code).toBe("INVALID_DATA");
      expect(anotherID.message).toContain("csr.subject.CN");
      expect(anotherKind.message).toContain("csr.subject.OU");
      expect(stillGood).toBe(true);
    });

    test("a certificate that the plane has not signed, and none at all", () => {
      const { selfSigned, anotherAuthority, none, planWithout, tokenInstead } =
        story.unknownCertificates;
      for (const refusal of [selfSigned, anotherAuthority, none, tokenInstead])
        expect(refusal).toMatchObject(unauthenticated);
      expect(planWithout).toBe(401);
    });

    test("a revoked certificate within a second, on the connection that is open and on a new one", () => {
      for (const revoked of [story.revokedByHolder, story.revokedByAdmin]) {
        expect(revoked.refusal).toMatchObject(unauthenticated);
        expect(revoked.onNewConnection).toMatchObject(unauthenticated);
        expect(revoked.connections).toBe(1);
        expect(revoked.onOpenConnection).toBeLessThan(SECOND);
      }
      expect(story.revokedByHolder.before).toBe("APPLICATION");
      expect(story.revokedByAdmin.before).toBe("RUNTIME");
    });

    test("a poll that was held while its certificate was revoked", () => {
      expect(story.revokedByAdmin.heldPoll?.status).toBe(401);
    });

    test("another tenant in the header, whether there is one of that name or not", () => {
      const { existing, absent, alike, byToken, stillGood } = story.otherTenants;
      for (const refusal of [existing, absent, byToken])
        expect(refusal).toMatchObject({ status: 404, code: "TENANT_NOT_FOUND" });
      expect(alike).toBe(true);
      expect(stillGood).toBe(true);
    });

    test("an identity that was made up outside, by whatever header", () => {
      const { withoutCredential, withCertificate, adminsOnly } = story.spoofed;
      for (const { title, refusal } of withoutCredential)
        expect({ title, ...refusal }).toMatchObject({ title, ...unauthenticated });
      const viewer = { id: story.shop.id, type: "APPLICATION" };
      for (const { title, viewer: seen } of withCertificate)
        expect({ title, viewer: seen }).toEqual({ title, viewer });
      expect(adminsOnly.code).toBe("INSUFFICIENT_SCOPES");
    });

    test("a query without a token, and its text tells nothing about the plane", () => {
      const { query, besideSchema, unknownToken, oneService } = story.withoutToken;
      for (const refusal of [query, besideSchema, unknownToken, oneService])
        expect(refusal).toMatchObject(unauthenticated);
      expect(texts([query, besideSchema, unknownToken, oneService])).not.toContain(story.shop.name);
    });
  });
}
