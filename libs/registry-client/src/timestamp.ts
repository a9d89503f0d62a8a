/** An instant, in milliseconds since 1970, as the Registry takes it. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
