/** Applications: their checked inputs. */
import { z } from "zod";
import type { Context } from "../act/act.ts";
import { type BundleChecks, bundleCreateInput } from "../bundle/bundle.ts";
import { absoluteURL, asciiName, description, text } from "../input/input.ts";
import { labelsInput } from "../label/label.ts";
import { targetFault } from "../outbound/target.ts";
import { MAX_WEBHOOKS, webhookInput } from "../webhook/webhook.ts";

const MAX_BUNDLES = 200;
const condition = z.enum(["INITIAL", "CONNECTED", "FAILED"]).nullish();
const integrationSystemID = z.guid("must be a UUID").nullish();

/** ApplicationUpdateInput. */
export const applicationUpdateInput = ({
  allowPrivateTargets,
}: Pick<Context, "allowPrivateTargets">) =>
  z.object({
    providerName: text(0, 256).nullish(),
    description,
    healthCheckURL: absoluteURL
      .refine((url) => allowPrivateTargets || URL.parse(url) === null || !targetFault(url), {
        error: "must not be a private address",
      })
      .nullish(),
    integrationSystemID,
    statusCondition: condition,
  });

/** ApplicationRegisterInput. */
export const applicationRegisterInput = (context: BundleChecks & Pick<Context, "groups">) =>
  applicationUpdateInput(context).extend({
    name: asciiName(100),
    labels: labelsInput(context.groups),
    webhooks: z
      .array(webhookInput(context.allowPrivateTargets))
      .max(MAX_WEBHOOKS, `must have at most ${MAX_WEBHOOKS} entries`)
      .nullish(),
    bundles: z
      .array(bundleCreateInput(context))
      .max(MAX_BUNDLES, `must have at most ${MAX_BUNDLES} entries`)
      .nullish(),
  });
