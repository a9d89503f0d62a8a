import type { Declarations } from "@sextant/graphql";
import { apiDefinitionType } from "../api-definition/api-definition.read.ts";
import {
  applicationRead,
  applicationsForRuntimeRead,
  applicationsRead,
  applicationStatusType,
  applicationType,
} from "../application/application.read.ts";
import type { OpenAuth, OpenText } from "../auth/auth.ts";
import { bundleByInstanceAuthRead, bundleType } from "../bundle/bundle.read.ts";
import { documentType } from "../document/document.read.ts";
import { eventDefinitionType } from "../event-definition/event-definition.read.ts";
import {
  bundleInstanceAuthRead,
  instanceAuthStatusType,
  instanceAuthType,
} from "../instance-auth/instance-auth.read.ts";
import {
  runtimeMetadataType,
  runtimeRead,
  runtimesRead,
  runtimeStatusType,
  runtimeType,
  syncStateType,
} from "../runtime/runtime.read.ts";
import { specType, versionType } from "../specification/specification.read.ts";
import { tenantsPageRead, tenantsRead, tenantType } from "../tenant/tenant.read.ts";
import { webhookType } from "../webhook/webhook.read.ts";

/** Everything that Director reads. */
export function declarations(openAuth: OpenAuth, openText: OpenText): Declarations {
  return {
    queries: {
      applications: applicationsRead,
      application: applicationRead,
      applicationsForRuntime: applicationsForRuntimeRead,
      runtimes: runtimesRead,
      runtime: runtimeRead,
      bundleByInstanceAuth: bundleByInstanceAuthRead,
      bundleInstanceAuth: bundleInstanceAuthRead,
      tenants: tenantsRead,
      tenantsPage: tenantsPageRead,
    },
    types: {
      Application: applicationType,
      ApplicationStatus: applicationStatusType,
      Runtime: runtimeType,
      RuntimeMetadata: runtimeMetadataType,
      RuntimeStatus: runtimeStatusType,
      RuntimeSyncState: syncStateType,
      Bundle: bundleType(openAuth),
      APIDefinition: apiDefinitionType,
      APISpec: specType,
      EventDefinition: eventDefinitionType,
      EventSpec: specType,
      Version: versionType,
      Document: documentType,
      BundleInstanceAuth: instanceAuthType(openAuth),
      BundleInstanceAuthStatus: instanceAuthStatusType,
      Webhook: webhookType(openAuth, openText),
      Tenant: tenantType,
    },
  };
}
