/**
 * The answer's JSON text. `accepted` is false when the request itself was wrong and nothing was carried out; `status` is then
 * an HTTP status that fits better than 400.
 */
export type GraphAnswer = {
  readonly accepted: boolean;
  readonly text: string;
  readonly status?: number;
};
