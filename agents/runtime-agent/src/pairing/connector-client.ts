/** The Connector's two operations that the agent needs (GraphQL). */
import { z } from "zod";
import { PlaneError, statusFault } from "../plane/plane-error.ts";
import type { PlaneConnection } from "../plane/plane-connection.ts";

const CONFIGURATION = `query Configuration {
  configuration {
    token { token }
    certificateSigningRequestInfo { subject keyAlgorithm }
    managementPlaneInfo { directorURL certificateSecuredConnectorURL }
  }
}`;

const RENEWAL = `query Renewal { configuration { renewal { start end retryAfterSeconds } } }`;

const SIGN = `mutation Sign($csr: String!) {
  signCertificateSigningRequest(csr: $csr) { certificateChain caCertificate clientCertificate }
}`;

const configurationData = z.object({
  configuration: z.object({
    token: z.object({ token: z.string().min(1) }).nullish(),
    certificateSigningRequestInfo: z.object({ subject: z.string().min(1) }),
    managementPlaneInfo: z.object({
      certificateSecuredConnectorURL: z.url({ protocol: /^https$/ }),
    }),
  }),
});

const renewalData = z.object({
  configuration: z.object({
    renewal: z.object({
      start: z.iso.datetime(),
      end: z.iso.datetime(),
      retryAfterSeconds: z.number().min(0),
    }),
  }),
});

const signData = z.object({
  signCertificateSigningRequest: z.object({
    certificateChain: z.base64(),
    clientCertificate: z.base64(),
  }),
});

const graphqlErrors = z.object({
  errors: z
    .array(
      z.object({
        message: z.string(),
        extensions: z
          .object({ code: z.string().optional(), retryAfter: z.number().optional() })
          .optional(),
      }),
    )
    .min(1),
});

/** How one request is authenticated and made repeatable. */
export type Credentials = { readonly token?: string; readonly idempotencyKey?: string };

/** What the plane wants to see in a request, and where the agent lives from then on. */
export type Configuration = {
  /** One-time token for the signing; none for who has a certificate. */
  readonly token: string | undefined;
  readonly subject: string;
  /** The Connector on the mTLS listener. */
  readonly connectorUrl: string;
};

/** When the plane wants the certificate renewed, and in how many milliseconds to ask again. */
export type RenewalWindow = {
  readonly start: Date;
  readonly end: Date;
  readonly retryAfterMs: number;
};

/** A signed certificate, PEM. */
export type SignedCertificate = { readonly certificate: string; readonly chain: string };

/** The Connector behind one URL and one connection. */
export type ConnectorClient = {
  configuration(credentials: Credentials): Promise<Configuration>;
  /** The window of the certificate that the connection shows. */
  renewal(): Promise<RenewalWindow>;
  sign(csr: string, credentials: Credentials): Promise<SignedCertificate>;
};

/** Speaks to the Connector at `url`. */
export function createConnectorClient(
  connection: PlaneConnection,
  url: string,
  signal: AbortSignal,
): ConnectorClient {
  const ask = async <Schema extends z.ZodType>(
    document: { readonly query: string; readonly variables?: Readonly<Record<string, string>> },
    { token, idempotencyKey }: Credentials,
    schema: Schema,
  ): Promise<z.output<Schema>> => {
    const answer = await connection.send(
      {
        method: "POST",
        url,
        signal,
        headers: {
          accept: "application/json",
          ...(token === undefined ? {} : { "connector-token": token }),
          ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
        },
        body: JSON.stringify(document),
      },
      // GraphQL explains itself in the body, whatever the status.
      () => true,
    );
    const body = parseJson(answer.text);
    const failed = graphqlErrors.safeParse(body);
    if (failed.success)
      throw graphqlFault(failed.data.errors[0], answer.status, answer.retryAfterMs);
    if (answer.status >= 400)
      throw statusFault(
        answer.status,
        `the Connector answered ${answer.status}`,
        answer.retryAfterMs,
      );
    const data = schema.safeParse((body as { data?: unknown } | undefined)?.data);
    if (!data.success)
      throw new PlaneError("invalid", "the Connector's answer has another form than expected");
    return data.data;
  };
  return {
    async configuration(credentials) {
      const { configuration } = await ask({ query: CONFIGURATION }, credentials, configurationData);
      return {
        token: configuration.token?.token,
        subject: configuration.certificateSigningRequestInfo.subject,
        connectorUrl: configuration.managementPlaneInfo.certificateSecuredConnectorURL,
      };
    },
    async renewal() {
      const { configuration } = await ask({ query: RENEWAL }, {}, renewalData);
      const { start, end, retryAfterSeconds } = configuration.renewal;
      return {
        start: new Date(start),
        end: new Date(end),
        retryAfterMs: retryAfterSeconds * 1_000,
      };
    },
    async sign(csr, credentials) {
      const variables = { csr: Buffer.from(csr).toString("base64") };
      const { signCertificateSigningRequest: signed } = await ask(
        { query: SIGN, variables },
        credentials,
        signData,
      );
      return {
        certificate: Buffer.from(signed.clientCertificate, "base64").toString(),
        chain: Buffer.from(signed.certificateChain, "base64").toString(),
      };
    },
  };
}

type GraphqlError = z.output<typeof graphqlErrors>["errors"][number];

function graphqlFault(
  error: GraphqlError | undefined,
  status: number,
  retryAfterMs: number | undefined,
): PlaneError {
  const { code = "", retryAfter } = error?.extensions ?? {};
  const wait = retryAfter === undefined ? retryAfterMs : retryAfter * 1_000;
  const message = `${code} ${error?.message ?? ""}`.trim();
  if (code === "UNAUTHENTICATED" || code === "FORBIDDEN" || code === "INSUFFICIENT_SCOPES") {
    return new PlaneError("refused", message, wait);
  }
  if (code === "RATE_LIMITED" || code === "INTERNAL")
    return new PlaneError("unavailable", message, wait);
  return status >= 400
    ? statusFault(status, message, wait)
    : new PlaneError("invalid", message, wait);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
