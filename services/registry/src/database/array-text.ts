/** An array as PostgreSQL writes it. */
export function arrayText(values: readonly (string | null)[]): string {
  const quoted = values.map((value) =>
    value === null ? "null" : `"${value.replaceAll(/["\\]/g, "\\$&")}"`,
  );
  return `{${quoted.join(",")}}`;
}
