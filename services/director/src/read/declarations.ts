import type { Declarations } from "@sextant/graphql";
import type { Params } from "@sextant/registry-client";
import type { GroupNames } from "../label/label.ts";
import { apiDefinitionType } from "../api-definition/api-definition.read.ts";
import {
  applicationRead,
  applicationsForRuntimeRead,
  applicationsRead,
  applicationStatusType,
  applicationType,
} from "../application/application.read.ts";
import { apiTokensRead, apiTokenType } from "../api-token/api-token.read.ts";
import {
  applicationTemplateRead,
  applicationTemplatesRead,
  applicationTemplateType,
} from "../application-template/application-template.read.ts";
import { auditEntriesRead, auditEntryType } from "../audit/audit.read.ts";
import {
  integrationSystemRead,
  integrationSystemsRead,
  integrationSystemType,
  tenantGrantsRead,
  tenantGrantType,
} from "../integration-system/integration-system.read.ts";
import { systemAuthType } from "../system-auth/system-auth.read.ts";
import type { Openers } from "./openers.ts";
import { EVENTING_LABEL } from "../eventing/eventing.read.ts";
import {
  assignmentForGroupRead,
  assignmentsForSelectorRead,
  assignmentsRead,
  assignmentType,
  selectorType,
} from "../automatic-group-assignment/automatic-group-assignment.read.ts";
import { bundleByInstanceAuthRead, bundleType } from "../bundle/bundle.read.ts";
import { documentType } from "../document/document.read.ts";
import { healthChecksRead, healthCheckType } from "../health-check/health-check.read.ts";
import { fetchRequestStatusType, fetchRequestType } from "../fetch-request/fetch-request.read.ts";
import { eventDefinitionType } from "../event-definition/event-definition.read.ts";
import {
  bundleInstanceAuthRead,
  instanceAuthStatusType,
  instanceAuthType,
} from "../instance-auth/instance-auth.read.ts";
import {
  labelDefinitionRead,
  labelDefinitionsRead,
  labelDefinitionType,
} from "../label-definition/label-definition.read.ts";
import {
  runtimeContextRead,
  runtimeContextsRead,
  runtimeContextType,
} from "../runtime-context/runtime-context.read.ts";
import {
  runtimeMetadataType,
  runtimeRead,
  runtimesRead,
  runtimeStatusType,
  runtimeType,
  syncStateType,
} from "../runtime/runtime.read.ts";
import { apiSpecType, eventSpecType, versionType } from "../specification/specification.read.ts";
import { tenantsPageRead, tenantsRead, tenantType } from "../tenant/tenant.read.ts";
import { webhookType } from "../webhook/webhook.read.ts";

/** A runtime that was heard within so many seconds is online. */
const ONLINE_SECONDS = 120;

/** The parameters that the declared reads name, beside the caller. */
export function readParameters(groups: GroupNames): Params {
  return {
    groupLabel: groups.label,
    onlineSeconds: ONLINE_SECONDS,
    succeeded: "SUCCEEDED",
    connected: "CONNECTED",
    eventingLabel: EVENTING_LABEL,
  };
}

/** Everything that Director reads. */
export function declarations({ openAuth, openText, openTemplate }: Openers): Declarations {
  return {
    queries: {
      applications: applicationsRead,
      application: applicationRead,
      applicationsForRuntime: applicationsForRuntimeRead,
      runtimes: runtimesRead,
      runtime: runtimeRead,
      bundleByInstanceAuth: bundleByInstanceAuthRead,
      bundleInstanceAuth: bundleInstanceAuthRead,
      runtimeContexts: runtimeContextsRead,
      runtimeContext: runtimeContextRead,
      labelDefinitions: labelDefinitionsRead,
      labelDefinition: labelDefinitionRead,
      automaticGroupAssignments: assignmentsRead,
      automaticGroupAssignmentForGroup: assignmentForGroupRead,
      automaticGroupAssignmentsForSelector: assignmentsForSelectorRead,
      integrationSystems: integrationSystemsRead,
      integrationSystem: integrationSystemRead,
      applicationTemplates: applicationTemplatesRead,
      applicationTemplate: applicationTemplateRead,
      apiTokens: apiTokensRead,
      auditEntries: auditEntriesRead,
      tenants: tenantsRead,
      tenantsPage: tenantsPageRead,
      tenantGrants: tenantGrantsRead,
      healthChecks: healthChecksRead,
    },
    types: {
      Application: applicationType,
      ApplicationStatus: applicationStatusType,
      Runtime: runtimeType,
      RuntimeMetadata: runtimeMetadataType,
      RuntimeStatus: runtimeStatusType,
      RuntimeSyncState: syncStateType,
      RuntimeContext: runtimeContextType,
      LabelDefinition: labelDefinitionType,
      AutomaticGroupAssignment: assignmentType,
      Label: selectorType,
      Bundle: bundleType(openAuth),
      APIDefinition: apiDefinitionType,
      APISpec: apiSpecType,
      EventDefinition: eventDefinitionType,
      EventSpec: eventSpecType,
      Version: versionType,
      HealthCheck: healthCheckType,
      FetchRequest: fetchRequestType(openAuth),
      FetchRequestStatus: fetchRequestStatusType,
      Document: documentType,
      BundleInstanceAuth: instanceAuthType(openAuth),
      BundleInstanceAuthStatus: instanceAuthStatusType,
      Webhook: webhookType(openAuth, openText),
      Tenant: tenantType,
      IntegrationSystem: integrationSystemType,
      TenantGrant: tenantGrantType,
      SystemAuth: systemAuthType(openAuth),
      ApplicationTemplate: applicationTemplateType(openTemplate),
      APIToken: apiTokenType,
      AuditEntry: auditEntryType,
    },
  };
}
