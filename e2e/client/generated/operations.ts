// Made by `npm run generate` of e2e/client/operations.graphql and the supergraph.
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
/** An API. */
export type ApiDefinitionInput = {
  /** 1 to 100 printable ASCII characters. */
  readonly name: string;
  /** At most 2000 characters. */
  readonly description?: string | null | undefined;
  /** Where the API is served: absolute http or https URL of at most 256 characters. */
  readonly targetURL: string;
  /** Puts APIs together; at most 100 characters. */
  readonly group?: string | null | undefined;
  /** Its description for machines. */
  readonly spec?: ApiSpecInput | null | undefined;
  /** Its version. */
  readonly version?: VersionInput | null | undefined;
};

/** An API's description for machines. */
export type ApiSpecInput = {
  /** The text, at most 10 MiB; it must parse as `format`. Give exactly one of this and `fetchRequest`. */
  readonly data?: string | null | undefined;
  /** What kind of description it is. */
  readonly type: ApiSpecType;
  /** OPEN_API: YAML or JSON. ODATA: XML or JSON. */
  readonly format: SpecFormat;
  /**
   * Where the text is fetched from, in the background. When it replaces another text or fetch request, the text stays what it is until
   * it was fetched, unless `type` or `format` changes.
   */
  readonly fetchRequest?: FetchRequestInput | null | undefined;
};

/** What kind of description an API has. */
export type ApiSpecType =
  /** OData metadata: XML or JSON. */
  | 'ODATA'
  /** An OpenAPI description: YAML or JSON. */
  | 'OPEN_API';

/** A new application. */
export type ApplicationRegisterInput = {
  /** Unique in the tenant; 1 to 100 printable ASCII characters. */
  readonly name: string;
  /** Who makes the application; at most 256 characters. */
  readonly providerName?: string | null | undefined;
  /** At most 2000 characters. */
  readonly description?: string | null | undefined;
  /** Labels by key. Without `group` it is in the default group. */
  readonly labels?: Readonly<Record<string, unknown>> | null | undefined;
  /** At most 100. */
  readonly webhooks?: ReadonlyArray<WebhookInput> | null | undefined;
  /**
   * Absolute http or https URL of at most 256 characters, not a private address unless the plane allows it. It is asked again and again:
   * 2xx says that the application is well (see `healthChecks`).
   */
  readonly healthCheckURL?: string | null | undefined;
  /** Bundles with all that is in them. */
  readonly bundles?: ReadonlyArray<BundleCreateInput> | null | undefined;
  /** The integration system that manages the application: of this tenant, or granted this tenant. */
  readonly integrationSystemID?: string | number | null | undefined;
  /** INITIAL when left out. */
  readonly statusCondition?: ApplicationStatusCondition | null | undefined;
};

/** How an application stands. */
export type ApplicationStatusCondition =
  /** Registered, and not heard of since. */
  | 'INITIAL'
  /** It has made an authenticated call. */
  | 'CONNECTED'
  /** It said so itself, or was found not to be well. */
  | 'FAILED';

/** How a request is authenticated. Stored encrypted. */
export type AuthInput = {
  /** Exactly one kind. */
  readonly credential?: CredentialDataInput | null | undefined;
  /** Headers that every request carries. */
  readonly additionalHeaders?: Readonly<Record<string, readonly string[]>> | null | undefined;
  /** The same as JSON text; give one of the two. */
  readonly additionalHeadersSerialized?: unknown;
  /** Query parameters that every request carries. */
  readonly additionalQueryParams?: unknown;
  /** The same as JSON text; give one of the two. */
  readonly additionalQueryParamsSerialized?: unknown;
  /** A request that has to come first. */
  readonly requestAuth?: CredentialRequestAuthInput | null | undefined;
};

/** User name and password (RFC 7617). */
export type BasicCredentialDataInput = {
  /** Without a colon. */
  readonly username: string;
  /** The password. */
  readonly password: string;
};

/** A new bundle. */
export type BundleCreateInput = {
  /** 1 to 100 printable ASCII characters. */
  readonly name: string;
  /** At most 2000 characters. */
  readonly description?: string | null | undefined;
  /** What `inputParams` of a credential request must satisfy. */
  readonly instanceAuthRequestInputSchema?: unknown;
  /** Credentials that every runtime gets at once when it asks. */
  readonly defaultInstanceAuth?: AuthInput | null | undefined;
  /** APIs in it. */
  readonly apiDefinitions?: ReadonlyArray<ApiDefinitionInput> | null | undefined;
  /** Events in it. */
  readonly eventDefinitions?: ReadonlyArray<EventDefinitionInput> | null | undefined;
  /** Documents in it. */
  readonly documents?: ReadonlyArray<DocumentInput> | null | undefined;
};

/** A request for credentials. */
export type BundleInstanceAuthRequestInput = {
  /** Id that the new credential shall have; a UUID. Left out: one is made. */
  readonly id?: string | number | null | undefined;
  /** For which runtime; a runtime may name only itself. Left out by an admin: for none in particular. */
  readonly runtimeID?: string | number | null | undefined;
  /** Anything that identifies the use at the runtime. */
  readonly context?: unknown;
  /** Parameters, which must satisfy the bundle's `instanceAuthRequestInputSchema`. */
  readonly inputParams?: unknown;
};

/** An answer to a request for credentials. */
export type BundleInstanceAuthSetInput = {
  /** The credentials; required unless the condition is FAILED. */
  readonly auth?: AuthInput | null | undefined;
  /** Left out: SUCCEEDED. */
  readonly status?: BundleInstanceAuthStatusInput | null | undefined;
};

/** How an application answers a request. */
export type BundleInstanceAuthSetStatusConditionInput =
  /** Here are the credentials. */
  | 'SUCCEEDED'
  /** There are none; `message` and `reason` say why. */
  | 'FAILED';

/** How a credential stands. */
export type BundleInstanceAuthStatusCondition =
  /** Asked for, and not answered. */
  | 'PENDING'
  /** Ready for use. */
  | 'SUCCEEDED'
  /** Refused by the application. */
  | 'FAILED'
  /** No longer needed by the runtime; the application should remove it. */
  | 'UNUSED';

/** How an application answers a request. */
export type BundleInstanceAuthStatusInput = {
  /** The condition. */
  readonly condition?: BundleInstanceAuthSetStatusConditionInput;
  /** For people; at most 2000 characters. */
  readonly message: string;
  /** One word for machines, such as `CredentialsProvided`; at most 256 characters. */
  readonly reason: string;
};

/** Whether a certificate is accepted. */
export type CertificateState =
  /** It is being issued, or its issuing was cut off: nobody has it, and it is not accepted. */
  | 'ISSUING'
  /** It is accepted. */
  | 'VALID'
  /** Its time is over. */
  | 'EXPIRED'
  /** It was revoked, by its holder, by an admin or because its holder was unregistered. */
  | 'REVOKED';

/** Exactly one of these. */
export type CredentialDataInput = {
  /** User name and password. */
  readonly basic?: BasicCredentialDataInput | null | undefined;
  /** OAuth 2.0 client credentials. */
  readonly oauth?: OAuthCredentialDataInput | null | undefined;
};

/** A request that has to come first. */
export type CredentialRequestAuthInput = {
  /** Fetches a token against cross-site request forgery. */
  readonly csrf?: CsrfTokenCredentialRequestAuthInput | null | undefined;
};

/** A token against cross-site request forgery, fetched before the request. */
export type CsrfTokenCredentialRequestAuthInput = {
  /** Absolute http or https URL of at most 256 characters. */
  readonly tokenEndpointURL: string;
  /** How the fetching is authenticated. */
  readonly credential?: CredentialDataInput | null | undefined;
  /** Headers of the fetching. */
  readonly additionalHeaders?: Readonly<Record<string, readonly string[]>> | null | undefined;
  /** The same as JSON text; give one of the two. */
  readonly additionalHeadersSerialized?: unknown;
  /** Query parameters of the fetching. */
  readonly additionalQueryParams?: unknown;
  /** The same as JSON text; give one of the two. */
  readonly additionalQueryParamsSerialized?: unknown;
};

/** In which notation a document is written. */
export type DocumentFormat =
  /** CommonMark. */
  | 'MARKDOWN';

/** A new document. */
export type DocumentInput = {
  /** 1 to 128 characters. */
  readonly title: string;
  /** 1 to 128 characters. */
  readonly displayName: string;
  /** At most 2000 characters. */
  readonly description: string;
  /** In which notation it is written. */
  readonly format: DocumentFormat;
  /** What kind of document it is; at most 256 characters. */
  readonly kind?: string | null | undefined;
  /** The text, at most 10 MiB. Give at most one of this and `fetchRequest`. */
  readonly data?: string | null | undefined;
  /** Where the text is fetched from, in the background. */
  readonly fetchRequest?: FetchRequestInput | null | undefined;
};

/** Events that an application sends. */
export type EventDefinitionInput = {
  /** 1 to 100 printable ASCII characters. */
  readonly name: string;
  /** At most 2000 characters. */
  readonly description?: string | null | undefined;
  /** Their description for machines. */
  readonly spec?: EventSpecInput | null | undefined;
  /** Puts event definitions together; at most 100 characters. */
  readonly group?: string | null | undefined;
  /** Their version. */
  readonly version?: VersionInput | null | undefined;
};

/** A description of events for machines. */
export type EventSpecInput = {
  /** The text, at most 10 MiB; it must parse as `format`. Give exactly one of this and `fetchRequest`. */
  readonly data?: string | null | undefined;
  /** What kind of description it is. */
  readonly type: EventSpecType;
  /** YAML or JSON. */
  readonly format: SpecFormat;
  /**
   * Where the text is fetched from, in the background. When it replaces another text or fetch request, the text stays what it is until
   * it was fetched, unless `type` or `format` changes.
   */
  readonly fetchRequest?: FetchRequestInput | null | undefined;
};

/** What kind of description events have. */
export type EventSpecType =
  /** An AsyncAPI description: YAML or JSON. */
  | 'ASYNC_API';

/** What is fetched from a URL. */
export type FetchMode =
  /** The URL gives the text itself. */
  | 'SINGLE'
  /** The URL gives an archive. It is stored and not carried out: the fetch request is FAILED with a message that says so. */
  | 'BUNDLE'
  /** The URL gives an index. It is stored and not carried out: the fetch request is FAILED with a message that says so. */
  | 'INDEX';

/**
 * Where a text is fetched from: in the background, in at most 30 seconds and with at most 10 MiB. Redirects are not followed, and
 * private addresses are refused unless the plane allows them. The text must be what the specification claims to be. When the server
 * cannot be reached, or answers 429 or 5xx, it is asked up to 4 times.
 */
export type FetchRequestInput = {
  /** Absolute http or https URL of at most 256 characters; not a private address unless the plane allows it. */
  readonly url: string;
  /** How the request is authenticated: basic, OAuth 2.0 client credentials, headers, query parameters, a CSRF token. */
  readonly auth?: AuthInput | null | undefined;
  /** What the URL gives. Only SINGLE is carried out. */
  readonly mode?: FetchMode | null | undefined;
  /** Chooses from what BUNDLE and INDEX give; at most 256 characters. It is stored and not used. */
  readonly filter?: string | null | undefined;
};

/** OAuth 2.0 client credentials (RFC 6749, 4.4). */
export type OAuthCredentialDataInput = {
  /** The client's id. */
  readonly clientId: string | number;
  /** The client's secret. */
  readonly clientSecret: string;
  /** The token endpoint: absolute http or https URL of at most 256 characters. */
  readonly url: string;
};

/** Whether a runtime's agent is in contact. */
export type RuntimeConnectionState =
  /** It has not made contact. */
  | 'Pending'
  /** It was heard within the last two minutes. */
  | 'Connected'
  /** It was heard, but not within the last two minutes. */
  | 'Disconnected';

/** A runtime's values. */
export type RuntimeInput = {
  /** Unique in the tenant; 1 to 256 letters, digits, `-`, `.` and `_`. */
  readonly name: string;
  /** At most 2000 characters. */
  readonly description?: string | null | undefined;
  /** Labels by key. Without `group` it is in the default group. */
  readonly labels?: Readonly<Record<string, unknown>> | null | undefined;
  /** INITIAL for a new runtime; left out in an update it stays as it is. */
  readonly statusCondition?: RuntimeStatusCondition | null | undefined;
};

/** How a runtime stands. */
export type RuntimeStatusCondition =
  /** Registered, and not heard of since. */
  | 'INITIAL'
  /** The Runtime Provisioner is making it. */
  | 'PROVISIONING'
  /** It has made an authenticated call. */
  | 'CONNECTED'
  /** It said so itself, its agent reported that it is not well, or it could not be made. */
  | 'FAILED';

/** In which notation a specification is written. */
export type SpecFormat =
  /** YAML 1.2. */
  | 'YAML'
  /** JSON (RFC 8259). */
  | 'JSON'
  /** XML 1.0. */
  | 'XML';

/** Which version of an API or event definition this is. */
export type VersionInput = {
  /** A semantic version, such as `1.4.0`. */
  readonly value: string;
  /** Whether it should no longer be used. */
  readonly deprecated?: boolean | null | undefined;
  /** The version since which it is deprecated. */
  readonly deprecatedSince?: string | null | undefined;
  /** Whether it will be removed. */
  readonly forRemoval?: boolean | null | undefined;
};

/** What a caller is. */
export type ViewerType =
  /** The agent of a runtime. */
  | 'RUNTIME'
  /** A paired application. */
  | 'APPLICATION'
  /** An integration system. */
  | 'INTEGRATION_SYSTEM'
  /** A person or a tool, by token. */
  | 'USER';

/** A webhook. */
export type WebhookInput = {
  /** What it is told of. */
  readonly type: WebhookType;
  /** Absolute http or https URL of at most 256 characters; not a private address unless the plane allows it. This or `urlTemplate`. */
  readonly url?: string | null | undefined;
  /** How its requests are authenticated, beside their signature. */
  readonly auth?: AuthInput | null | undefined;
  /** SYNC when left out. */
  readonly mode?: WebhookMode | null | undefined;
  /** Header of the answer that correlates it. */
  readonly correlationIdKey?: string | null | undefined;
  /** Seconds before a failed message is tried again; 1 to 86400. */
  readonly retryInterval?: number | null | undefined;
  /** Seconds after which an attempt is given up; 1 to 60. */
  readonly timeout?: number | null | undefined;
  /** Template of the URL. */
  readonly urlTemplate?: string | null | undefined;
  /** Template of the body. */
  readonly inputTemplate?: string | null | undefined;
  /** Template of the headers. */
  readonly headerTemplate?: string | null | undefined;
  /** Template of what is taken from the answer. */
  readonly outputTemplate?: string | null | undefined;
  /** Template of what is taken from the answer about its status. */
  readonly statusTemplate?: string | null | undefined;
};

/** Whether the receiver answers at once. */
export type WebhookMode =
  /** Its answer to the message is final. */
  | 'SYNC'
  /** It answers later. */
  | 'ASYNC';

/** What a webhook is told of. */
export type WebhookType =
  /** Every event that concerns the owner. */
  | 'CONFIGURATION_CHANGED'
  /** Its registration. */
  | 'REGISTER_APPLICATION'
  /** Its end. */
  | 'UNREGISTER_APPLICATION';

export type RegisterApplicationMutationVariables = Exact<{
  in: ApplicationRegisterInput;
}>;


export type RegisterApplicationMutation = { readonly registerApplication: { readonly id: string, readonly name: string, readonly labels: Readonly<Record<string, unknown>> | null, readonly status: { readonly condition: ApplicationStatusCondition }, readonly webhooks: ReadonlyArray<{ readonly id: string, readonly type: WebhookType, readonly url: string | null, readonly signingSecret: string | null }> | null, readonly bundles: { readonly totalCount: number, readonly data: ReadonlyArray<{ readonly id: string, readonly name: string, readonly apiDefinitions: { readonly data: ReadonlyArray<{ readonly id: string, readonly name: string, readonly targetURL: string, readonly spec: { readonly type: ApiSpecType, readonly format: SpecFormat } | null, readonly version: { readonly value: string } | null }> } | null }>, readonly pageInfo: { readonly hasNextPage: boolean } } | null } };

export type RegisterRuntimeMutationVariables = Exact<{
  in: RuntimeInput;
}>;


export type RegisterRuntimeMutation = { readonly registerRuntime: { readonly id: string, readonly name: string, readonly online: boolean, readonly metadata: { readonly creationTimestamp: string } } };

export type RequestTokensMutationVariables = Exact<{
  applicationID: string | number;
  runtimeID: string | number;
}>;


export type RequestTokensMutation = { readonly forApplication: { readonly token: string, readonly connectorURL: string, readonly raw: string | null, readonly rawEncoded: string | null }, readonly forRuntime: { readonly token: string, readonly connectorURL: string, readonly raw: string | null, readonly rawEncoded: string | null } };

type OneTimeToken_OneTimeTokenForApplication_Fragment = { readonly token: string, readonly connectorURL: string, readonly raw: string | null, readonly rawEncoded: string | null };

type OneTimeToken_OneTimeTokenForRuntime_Fragment = { readonly token: string, readonly connectorURL: string, readonly raw: string | null, readonly rawEncoded: string | null };

export type OneTimeTokenFragment =
  | OneTimeToken_OneTimeTokenForApplication_Fragment
  | OneTimeToken_OneTimeTokenForRuntime_Fragment
;

export type ConfigurationQueryVariables = Exact<{ [key: string]: never; }>;


export type ConfigurationQuery = { readonly configuration: { readonly token: { readonly token: string } | null, readonly certificateSigningRequestInfo: { readonly subject: string, readonly keyAlgorithm: string }, readonly managementPlaneInfo: { readonly directorURL: string | null, readonly certificateSecuredConnectorURL: string | null } } };

export type SignCertificateSigningRequestMutationVariables = Exact<{
  csr: string;
}>;


export type SignCertificateSigningRequestMutation = { readonly signCertificateSigningRequest: { readonly certificateChain: string, readonly caCertificate: string, readonly clientCertificate: string } };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { readonly viewer: { readonly id: string, readonly type: ViewerType } };

export type ApplicationsForRuntimeQueryVariables = Exact<{
  runtimeID: string | number;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ApplicationsForRuntimeQuery = { readonly applicationsForRuntime: { readonly totalCount: number, readonly data: ReadonlyArray<{ readonly id: string, readonly name: string, readonly bundles: { readonly data: ReadonlyArray<{ readonly id: string, readonly name: string }> } | null }>, readonly pageInfo: { readonly endCursor: string, readonly hasNextPage: boolean } } };

export type RequestCredentialsMutationVariables = Exact<{
  bundleID: string | number;
  in: BundleInstanceAuthRequestInput;
}>;


export type RequestCredentialsMutation = { readonly requestBundleInstanceAuthCreation: { readonly id: string, readonly runtimeID: string | null, readonly status: { readonly condition: BundleInstanceAuthStatusCondition, readonly reason: string }, readonly auth: { readonly additionalHeaders: Readonly<Record<string, readonly string[]>> | null, readonly credential:
        | { readonly __typename: 'BasicCredentialData', readonly username: string, readonly password: string }
        | { readonly __typename: 'OAuthCredentialData', readonly clientId: string, readonly clientSecret: string, readonly url: string }
       | null } | null } };

export type SetCredentialsMutationVariables = Exact<{
  authID: string | number;
  in: BundleInstanceAuthSetInput;
}>;


export type SetCredentialsMutation = { readonly setBundleInstanceAuth: { readonly id: string, readonly runtimeID: string | null, readonly status: { readonly condition: BundleInstanceAuthStatusCondition, readonly reason: string }, readonly auth: { readonly additionalHeaders: Readonly<Record<string, readonly string[]>> | null, readonly credential:
        | { readonly __typename: 'BasicCredentialData', readonly username: string, readonly password: string }
        | { readonly __typename: 'OAuthCredentialData', readonly clientId: string, readonly clientSecret: string, readonly url: string }
       | null } | null } };

export type CredentialsQueryVariables = Exact<{
  id: string | number;
}>;


export type CredentialsQuery = { readonly bundleInstanceAuth: { readonly id: string, readonly runtimeID: string | null, readonly status: { readonly condition: BundleInstanceAuthStatusCondition, readonly reason: string }, readonly auth: { readonly additionalHeaders: Readonly<Record<string, readonly string[]>> | null, readonly credential:
        | { readonly __typename: 'BasicCredentialData', readonly username: string, readonly password: string }
        | { readonly __typename: 'OAuthCredentialData', readonly clientId: string, readonly clientSecret: string, readonly url: string }
       | null } | null } | null };

export type ReturnCredentialsMutationVariables = Exact<{
  authID: string | number;
}>;


export type ReturnCredentialsMutation = { readonly requestBundleInstanceAuthDeletion: { readonly id: string, readonly runtimeID: string | null, readonly status: { readonly condition: BundleInstanceAuthStatusCondition, readonly reason: string }, readonly auth: { readonly additionalHeaders: Readonly<Record<string, readonly string[]>> | null, readonly credential:
        | { readonly __typename: 'BasicCredentialData', readonly username: string, readonly password: string }
        | { readonly __typename: 'OAuthCredentialData', readonly clientId: string, readonly clientSecret: string, readonly url: string }
       | null } | null } };

export type DeleteCredentialsMutationVariables = Exact<{
  authID: string | number;
}>;


export type DeleteCredentialsMutation = { readonly deleteBundleInstanceAuth: { readonly id: string } };

export type InstanceAuthFragment = { readonly id: string, readonly runtimeID: string | null, readonly status: { readonly condition: BundleInstanceAuthStatusCondition, readonly reason: string }, readonly auth: { readonly additionalHeaders: Readonly<Record<string, readonly string[]>> | null, readonly credential:
      | { readonly __typename: 'BasicCredentialData', readonly username: string, readonly password: string }
      | { readonly __typename: 'OAuthCredentialData', readonly clientId: string, readonly clientSecret: string, readonly url: string }
     | null } | null };

export type WholeQueryVariables = Exact<{
  applicationID: string | number;
  runtimeID: string | number;
}>;


export type WholeQuery = { readonly application: { readonly status: { readonly condition: ApplicationStatusCondition }, readonly certificates: { readonly data: ReadonlyArray<{ readonly state: CertificateState, readonly serialNumber: string }> } } | null, readonly runtime: { readonly status: { readonly condition: RuntimeStatusCondition }, readonly provisioning: { readonly runtimeConnectionStatus: { readonly status: RuntimeConnectionState } } | null, readonly certificates: { readonly totalCount: number } } | null };

export type RevokeOwnCertificateMutationVariables = Exact<{ [key: string]: never; }>;


export type RevokeOwnCertificateMutation = { readonly revokeCertificate: boolean };

export type UnregisterMutationVariables = Exact<{
  applicationID: string | number;
  runtimeID: string | number;
}>;


export type UnregisterMutation = { readonly unregisterApplication: { readonly id: string }, readonly unregisterRuntime: { readonly id: string } };

export const OneTimeTokenFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"OneTimeToken"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"OneTimeToken"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"token"}},{"kind":"Field","name":{"kind":"Name","value":"connectorURL"}},{"kind":"Field","name":{"kind":"Name","value":"raw"}},{"kind":"Field","name":{"kind":"Name","value":"rawEncoded"}}]}}]} as unknown as DocumentNode<OneTimeTokenFragment, unknown>;
export const InstanceAuthFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"InstanceAuth"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"BundleInstanceAuth"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"runtimeID"}},{"kind":"Field","name":{"kind":"Name","value":"status"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"condition"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}},{"kind":"Field","name":{"kind":"Name","value":"auth"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"credential"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"BasicCredentialData"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"username"}},{"kind":"Field","name":{"kind":"Name","value":"password"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"OAuthCredentialData"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"clientId"}},{"kind":"Field","name":{"kind":"Name","value":"clientSecret"}},{"kind":"Field","name":{"kind":"Name","value":"url"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"additionalHeaders"}}]}}]}}]} as unknown as DocumentNode<InstanceAuthFragment, unknown>;
export const RegisterApplicationDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"RegisterApplication"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"in"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ApplicationRegisterInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"registerApplication"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"in"},"value":{"kind":"Variable","name":{"kind":"Name","value":"in"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"labels"}},{"kind":"Field","name":{"kind":"Name","value":"status"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"condition"}}]}},{"kind":"Field","name":{"kind":"Name","value":"webhooks"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"signingSecret"}}]}},{"kind":"Field","name":{"kind":"Name","value":"bundles"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"data"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"apiDefinitions"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"data"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"targetURL"}},{"kind":"Field","name":{"kind":"Name","value":"spec"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"format"}}]}},{"kind":"Field","name":{"kind":"Name","value":"version"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"value"}}]}}]}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}}]}},{"kind":"Field","name":{"kind":"Name","value":"totalCount"}}]}}]}}]}}]} as unknown as DocumentNode<RegisterApplicationMutation, RegisterApplicationMutationVariables>;
export const RegisterRuntimeDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"RegisterRuntime"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"in"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"RuntimeInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"registerRuntime"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"in"},"value":{"kind":"Variable","name":{"kind":"Name","value":"in"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"online"}},{"kind":"Field","name":{"kind":"Name","value":"metadata"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"creationTimestamp"}}]}}]}}]}}]} as unknown as DocumentNode<RegisterRuntimeMutation, RegisterRuntimeMutationVariables>;
export const RequestTokensDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"RequestTokens"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"applicationID"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"runtimeID"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","alias":{"kind":"Name","value":"forApplication"},"name":{"kind":"Name","value":"requestOneTimeTokenForApplication"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"applicationID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"OneTimeToken"}}]}},{"kind":"Field","alias":{"kind":"Name","value":"forRuntime"},"name":{"kind":"Name","value":"requestOneTimeTokenForRuntime"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"runtimeID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"OneTimeToken"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"OneTimeToken"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"OneTimeToken"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"token"}},{"kind":"Field","name":{"kind":"Name","value":"connectorURL"}},{"kind":"Field","name":{"kind":"Name","value":"raw"}},{"kind":"Field","name":{"kind":"Name","value":"rawEncoded"}}]}}]} as unknown as DocumentNode<RequestTokensMutation, RequestTokensMutationVariables>;
export const ConfigurationDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Configuration"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"configuration"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"token"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"token"}}]}},{"kind":"Field","name":{"kind":"Name","value":"certificateSigningRequestInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"subject"}},{"kind":"Field","name":{"kind":"Name","value":"keyAlgorithm"}}]}},{"kind":"Field","name":{"kind":"Name","value":"managementPlaneInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"directorURL"}},{"kind":"Field","name":{"kind":"Name","value":"certificateSecuredConnectorURL"}}]}}]}}]}}]} as unknown as DocumentNode<ConfigurationQuery, ConfigurationQueryVariables>;
export const SignCertificateSigningRequestDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"SignCertificateSigningRequest"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"csr"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"signCertificateSigningRequest"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"csr"},"value":{"kind":"Variable","name":{"kind":"Name","value":"csr"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"certificateChain"}},{"kind":"Field","name":{"kind":"Name","value":"caCertificate"}},{"kind":"Field","name":{"kind":"Name","value":"clientCertificate"}}]}}]}}]} as unknown as DocumentNode<SignCertificateSigningRequestMutation, SignCertificateSigningRequestMutationVariables>;
export const ViewerDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Viewer"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"viewer"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"type"}}]}}]}}]} as unknown as DocumentNode<ViewerQuery, ViewerQueryVariables>;
export const ApplicationsForRuntimeDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ApplicationsForRuntime"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"runtimeID"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"PageCursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"applicationsForRuntime"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"runtimeID"},"value":{"kind":"Variable","name":{"kind":"Name","value":"runtimeID"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"data"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"bundles"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"data"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"endCursor"}},{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}}]}},{"kind":"Field","name":{"kind":"Name","value":"totalCount"}}]}}]}}]} as unknown as DocumentNode<ApplicationsForRuntimeQuery, ApplicationsForRuntimeQueryVariables>;
export const RequestCredentialsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"RequestCredentials"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"bundleID"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"in"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"BundleInstanceAuthRequestInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requestBundleInstanceAuthCreation"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"bundleID"},"value":{"kind":"Variable","name":{"kind":"Name","value":"bundleID"}}},{"kind":"Argument","name":{"kind":"Name","value":"in"},"value":{"kind":"Variable","name":{"kind":"Name","value":"in"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"InstanceAuth"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"InstanceAuth"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"BundleInstanceAuth"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"runtimeID"}},{"kind":"Field","name":{"kind":"Name","value":"status"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"condition"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}},{"kind":"Field","name":{"kind":"Name","value":"auth"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"credential"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"BasicCredentialData"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"username"}},{"kind":"Field","name":{"kind":"Name","value":"password"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"OAuthCredentialData"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"clientId"}},{"kind":"Field","name":{"kind":"Name","value":"clientSecret"}},{"kind":"Field","name":{"kind":"Name","value":"url"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"additionalHeaders"}}]}}]}}]} as unknown as DocumentNode<RequestCredentialsMutation, RequestCredentialsMutationVariables>;
export const SetCredentialsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"SetCredentials"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"authID"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"in"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"BundleInstanceAuthSetInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"setBundleInstanceAuth"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"authID"},"value":{"kind":"Variable","name":{"kind":"Name","value":"authID"}}},{"kind":"Argument","name":{"kind":"Name","value":"in"},"value":{"kind":"Variable","name":{"kind":"Name","value":"in"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"InstanceAuth"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"InstanceAuth"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"BundleInstanceAuth"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"runtimeID"}},{"kind":"Field","name":{"kind":"Name","value":"status"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"condition"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}},{"kind":"Field","name":{"kind":"Name","value":"auth"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"credential"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"BasicCredentialData"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"username"}},{"kind":"Field","name":{"kind":"Name","value":"password"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"OAuthCredentialData"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"clientId"}},{"kind":"Field","name":{"kind":"Name","value":"clientSecret"}},{"kind":"Field","name":{"kind":"Name","value":"url"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"additionalHeaders"}}]}}]}}]} as unknown as DocumentNode<SetCredentialsMutation, SetCredentialsMutationVariables>;
export const CredentialsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Credentials"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"bundleInstanceAuth"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"InstanceAuth"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"InstanceAuth"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"BundleInstanceAuth"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"runtimeID"}},{"kind":"Field","name":{"kind":"Name","value":"status"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"condition"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}},{"kind":"Field","name":{"kind":"Name","value":"auth"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"credential"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"BasicCredentialData"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"username"}},{"kind":"Field","name":{"kind":"Name","value":"password"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"OAuthCredentialData"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"clientId"}},{"kind":"Field","name":{"kind":"Name","value":"clientSecret"}},{"kind":"Field","name":{"kind":"Name","value":"url"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"additionalHeaders"}}]}}]}}]} as unknown as DocumentNode<CredentialsQuery, CredentialsQueryVariables>;
export const ReturnCredentialsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"ReturnCredentials"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"authID"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"requestBundleInstanceAuthDeletion"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"authID"},"value":{"kind":"Variable","name":{"kind":"Name","value":"authID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"InstanceAuth"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"InstanceAuth"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"BundleInstanceAuth"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"runtimeID"}},{"kind":"Field","name":{"kind":"Name","value":"status"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"condition"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}},{"kind":"Field","name":{"kind":"Name","value":"auth"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"credential"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"BasicCredentialData"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"username"}},{"kind":"Field","name":{"kind":"Name","value":"password"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"OAuthCredentialData"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"clientId"}},{"kind":"Field","name":{"kind":"Name","value":"clientSecret"}},{"kind":"Field","name":{"kind":"Name","value":"url"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"additionalHeaders"}}]}}]}}]} as unknown as DocumentNode<ReturnCredentialsMutation, ReturnCredentialsMutationVariables>;
export const DeleteCredentialsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"DeleteCredentials"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"authID"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"deleteBundleInstanceAuth"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"authID"},"value":{"kind":"Variable","name":{"kind":"Name","value":"authID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}}]}}]} as unknown as DocumentNode<DeleteCredentialsMutation, DeleteCredentialsMutationVariables>;
export const WholeDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Whole"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"applicationID"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"runtimeID"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"application"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"applicationID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"condition"}}]}},{"kind":"Field","name":{"kind":"Name","value":"certificates"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"data"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"state"}},{"kind":"Field","name":{"kind":"Name","value":"serialNumber"}}]}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"runtime"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"runtimeID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"condition"}}]}},{"kind":"Field","name":{"kind":"Name","value":"provisioning"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"runtimeConnectionStatus"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"certificates"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"totalCount"}}]}}]}}]}}]} as unknown as DocumentNode<WholeQuery, WholeQueryVariables>;
export const RevokeOwnCertificateDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"RevokeOwnCertificate"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"revokeCertificate"}}]}}]} as unknown as DocumentNode<RevokeOwnCertificateMutation, RevokeOwnCertificateMutationVariables>;
export const UnregisterDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Unregister"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"applicationID"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"runtimeID"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"unregisterApplication"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"applicationID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"unregisterRuntime"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"runtimeID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}}]}}]} as unknown as DocumentNode<UnregisterMutation, UnregisterMutationVariables>;