import { z } from "zod";

/** The services of a plane: each signs its own calls. */
export const serviceNames = [
  "registry",
  "director",
  "connector",
  "runtime-provisioner",
  "api-gateway",
] as const;

/** One of them. */
export type ServiceName = (typeof serviceNames)[number];

/** Checks a service's name. */
export const serviceName = z.enum(serviceNames);
