import { collectDefaultMetrics, Registry as MetricsRegistry } from "prom-client";

export { Counter, Gauge, Histogram } from "prom-client";
export type { Registry as MetricsRegistry } from "prom-client";

/** A process's metrics, with those of the process itself. */
export function createMetrics(service: string): MetricsRegistry {
  const metrics = new MetricsRegistry();
  metrics.setDefaultLabels({ service });
  collectDefaultMetrics({ register: metrics });
  return metrics;
}
