/** The main story, from an empty catalogue to a runtime that works with an application's credentials, told on a running plane. */
import {
  anAdminRegistersTheShopWithAWebhook,
  type ApplicationPairing,
  type RegisteredApplication,
  type RegisteredBundle,
  theShopPairsWithAnECKeyByCurlAndOpenssl,
  theShopPairsWithAnRSAKeyByCurlAndOpenssl,
  theShopRegistersABundleOverMTLS,
} from "./application.ts";
import {
  aSecondApplicationInAnotherGroupIsInvisible,
  type DefaultGroup,
  type InvisibleApplication,
  relabellingTheRuntimeBackBringsTheShopWithItsCredentials,
  relabellingTheRuntimeSwapsTheApplications,
  type Switch,
  watchedRuntimes,
  whoeverIsInNoGroupIsInTheDefaultGroup,
} from "./groups.ts";
import type { StoryPlane } from "./plane.ts";
import { namesIn } from "./plans.ts";
import {
  aCertificateRevokedByAnAdminIsRefused,
  aCertificateRevokedByItsHolderIsRefused,
  anUnknownCertificateIsRefused,
  aSpoofedIdentityIsRefused,
  type Revocation,
  type SpoofedIdentities,
  type UnknownCertificates,
} from "./refused-certificates.ts";
import {
  anotherTenantInTheHeaderIsRefused,
  aQueryWithoutATokenIsRefused,
  aSigningRequestForAnotherSubjectIsRefused,
  aUsedTokenIsRefused,
  type OtherSubjects,
  type OtherTenants,
  type TokenUses,
  type WithoutToken,
} from "./refused-tokens.ts";
import type { Report } from "./report.ts";
import {
  anAdminProvisionsARuntime,
  anotherRuntimePairsByHandAndPollsItsPlan,
  askWhenTold,
  type FollowedRuntime,
  type GivenCredentials,
  lookAtAgent,
  type ProvisionedRuntime,
  type ReadyMessage,
  theAgentHasWrittenItsPlan,
  theShopGivesTheRuntimesCredentials,
  theShopIsToldThatTheRuntimeIsReady,
  type WrittenPlan,
} from "./runtime.ts";
import { openStage, type Stage } from "./stage.ts";
import {
  anAdminRegistersASecondTenant,
  anObjectOfAnotherTenantLooksLikeNone,
  aRuntimeOfTheSecondTenantInAGroupOfThatNameSeesNothing,
  type EmptyTenant,
  everyListOfTheSecondTenantIsEmpty,
  type PairedInSecondTenant,
  type ProbeOutcome,
  type SecondTenant,
  type TenantObjects,
  theFirstTenantIsUntouched,
} from "./tenants.ts";

/** What was seen while the story was told. */
export interface Story {
  readonly shop: RegisteredApplication;
  readonly pairedByRSA: ApplicationPairing;
  readonly pairedByEC: ApplicationPairing;
  /** Condition of the application after its first call. */
  readonly shopCondition: string;
  readonly bundle: RegisteredBundle;
  readonly runtime: ProvisionedRuntime;
  /** Undefined where the agent's directory cannot be seen. */
  readonly written: WrittenPlan | undefined;
  readonly edge: Pick<FollowedRuntime, "id" | "name">;
  readonly ready: ReadyMessage;
  readonly credentials: GivenCredentials;
  readonly invisible: InvisibleApplication;
  readonly swapped: Switch;
  readonly swappedBack: Switch;
  readonly defaultGroup: DefaultGroup;
  /** Every plan of every watched runtime: the names of its applications. */
  readonly allPlans: readonly (readonly string[])[];
  /** How often an agent's file was seen that was no whole plan. */
  readonly tornPlans: number;
  readonly secondTenant: SecondTenant;
  readonly emptyTenant: EmptyTenant;
  readonly probes: readonly ProbeOutcome[];
  readonly pairedInSecondTenant: PairedInSecondTenant;
  readonly untouched: Awaited<ReturnType<typeof theFirstTenantIsUntouched>>;
  readonly tokens: TokenUses;
  readonly otherSubjects: OtherSubjects;
  readonly unknownCertificates: UnknownCertificates;
  readonly revokedByHolder: Revocation;
  readonly revokedByAdmin: Revocation;
  readonly otherTenants: OtherTenants;
  readonly spoofed: SpoofedIdentities;
  readonly withoutToken: WithoutToken;
}

/** A sentence from the name of a step. */
export function sentenceOf(name: string): string {
  const words = name
    .replaceAll(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll(/\bA([A-Z])/g, "A $1")
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .split(" ")
    .map((word) => (/^[A-Z]{2,}s?$/.test(word) ? word : word.toLowerCase()))
    .join(" ")
    .replaceAll("MTLS", "mTLS");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** Carries out one step. What goes wrong in it says where. */
async function step<Given extends readonly unknown[], Seen>(
  stage: Stage,
  act: (stage: Stage, ...given: Given) => Promise<Seen>,
  ...given: Given
): Promise<Seen> {
  const title = sentenceOf(act.name);
  stage.report.step(title);
  try {
    return await act(stage, ...given);
  } catch (error) {
    throw new Error(`"${title}": ${(error as Error).message}`, { cause: error });
  }
}

async function tell(stage: Stage): Promise<Story> {
  const { report, admin } = stage;

  report.chapter("An application is registered and pairs, with curl and openssl alone");
  const shop = await step(stage, anAdminRegistersTheShopWithAWebhook);
  const pairedByRSA = await step(stage, theShopPairsWithAnRSAKeyByCurlAndOpenssl, shop);
  const pairedByEC = await step(stage, theShopPairsWithAnECKeyByCurlAndOpenssl, shop);
  const client = stage.paired(shop.name, pairedByRSA);

  report.chapter("It says what it offers");
  const bundle = await step(stage, theShopRegistersABundleOverMTLS, shop, client);

  report.chapter("A runtime is provisioned");
  const askedAtOnce = askWhenTold(stage, client);
  const runtime = await step(stage, anAdminProvisionsARuntime);
  const watch = lookAtAgent(stage, runtime.id);
  const written = watch && (await step(stage, theAgentHasWrittenItsPlan, watch));
  const edge = await step(stage, anotherRuntimePairsByHandAndPollsItsPlan);

  report.chapter("The application is told, and gives credentials");
  const ready = await step(stage, theShopIsToldThatTheRuntimeIsReady, {
    ...{ shop, client, runtime, askedAtOnce },
  });
  const credentials = await step(stage, theShopGivesTheRuntimesCredentials, {
    ...{ client, bundle, runtime, watch, edge },
  });
  const { application } = await admin.ask<{ application: { status: { condition: string } } }>(
    "query ($id: ID!) { application(id: $id) { status { condition } } }",
    { id: shop.id },
    { quiet: true },
  );

  report.chapter("Groups decide who sees whom");
  const runtimes = watchedRuntimes(runtime, watch, edge);
  const invisible = await step(stage, aSecondApplicationInAnotherGroupIsInvisible, edge);
  const { warehouse } = invisible;
  const swapped = await step(stage, relabellingTheRuntimeSwapsTheApplications, runtimes, warehouse);
  const defaultGroup = await step(stage, whoeverIsInNoGroupIsInTheDefaultGroup, runtimes);
  const back = relabellingTheRuntimeBackBringsTheShopWithItsCredentials;
  const swappedBack = await step(stage, back, runtimes, shop);
  const allPlans = runtimes.flatMap(({ plans }) => plans.seen.map(({ plan }) => namesIn(plan)));

  report.chapter("Another tenant sees nothing of it");
  const objects: TenantObjects = {
    ...{ applicationID: shop.id, applicationName: shop.name, webhookID: shop.webhookID },
    ...{ runtimeID: runtime.id, runtimeName: runtime.name, operationID: runtime.asked.id },
    ...{ bundleID: bundle.id, apiID: bundle.apiID, eventID: bundle.eventID },
    ...{ documentID: bundle.documentID, instanceAuthID: credentials.id },
    serialNumber: pairedByRSA.serialNumber,
  };
  const secondTenant = await step(stage, anAdminRegistersASecondTenant);
  const emptyTenant = await step(stage, everyListOfTheSecondTenantIsEmpty, secondTenant, objects);
  const looksLikeNone = anObjectOfAnotherTenantLooksLikeNone;
  const probes = await step(stage, looksLikeNone, secondTenant, objects);
  const branch = aRuntimeOfTheSecondTenantInAGroupOfThatNameSeesNothing;
  const pairedInSecondTenant = await step(stage, branch, secondTenant, objects);
  const untouched = await step(stage, theFirstTenantIsUntouched, objects);

  report.chapter("What must be refused is refused");
  const tokens = await step(stage, aUsedTokenIsRefused, shop.id);
  const subjects = aSigningRequestForAnotherSubjectIsRefused;
  const otherSubjects = await step(stage, subjects, shop.id);
  const unknownCertificates = await step(stage, anUnknownCertificateIsRefused, pairedByRSA);
  const revokedByHolder = await step(stage, aCertificateRevokedByItsHolderIsRefused, pairedByEC);
  await edge.follower.stop();
  const revokedByAdmin = await step(stage, aCertificateRevokedByAnAdminIsRefused, {
    ...{ id: edge.id, paired: edge.paired, etag: edge.follower.etag() },
  });
  const otherTenants = await step(stage, anotherTenantInTheHeaderIsRefused, {
    ...{ client, applicationID: shop.id, tenant: secondTenant.id },
  });
  const spoofed = await step(stage, aSpoofedIdentityIsRefused, client, objects);
  const withoutToken = await step(stage, aQueryWithoutATokenIsRefused);

  await tidyUp(stage, shop, edge, secondTenant);
  return {
    ...{ shop, pairedByRSA, pairedByEC, bundle, runtime, written, ready, credentials },
    shopCondition: application.status.condition,
    edge: { id: edge.id, name: edge.name },
    ...{ invisible, swapped, swappedBack, defaultGroup, allPlans, tornPlans: watch?.torn() ?? 0 },
    ...{ secondTenant, emptyTenant, probes, pairedInSecondTenant, untouched },
    ...{ tokens, otherSubjects, unknownCertificates, revokedByHolder, revokedByAdmin },
    ...{ otherTenants, spoofed, withoutToken },
  };
}

/** What is left shows the story: the shop, the warehouse, the catalog and the provisioned runtime. The rest goes. */
async function tidyUp(
  { admin }: Stage,
  { webhookID }: Pick<RegisteredApplication, "webhookID">,
  edge: Pick<FollowedRuntime, "id">,
  { id: tenant, headers }: SecondTenant,
): Promise<void> {
  const unregisterRuntime = "mutation ($id: ID!) { unregisterRuntime(id: $id) { id } }";
  const there = { headers, quiet: true };
  await admin.ask(unregisterRuntime, { id: edge.id }, { quiet: true });
  // Its receiver ends with the story.
  await admin.ask(
    "mutation ($id: ID!) { deleteWebhook(webhookID: $id) { id } }",
    { id: webhookID },
    { quiet: true },
  );
  const { runtimes } = await admin.ask<{ runtimes: { data: { id: string }[] } }>(
    "{ runtimes { data { id } } }",
    {},
    there,
  );
  for (const { id } of runtimes.data) await admin.ask(unregisterRuntime, { id }, there);
  await admin.ask(
    "mutation ($id: ID!) { deleteTenant(id: $id) { id } }",
    { id: tenant },
    { quiet: true },
  );
}

/** Tells the whole story. Throws with the step in which something could not go on. */
export async function tellStory(plane: StoryPlane, report: Report): Promise<Story> {
  const stage = await openStage(plane, report);
  try {
    return await tell(stage);
  } finally {
    await stage.close();
  }
}
