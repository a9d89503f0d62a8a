/** Nothing yet. */
export async function setup(): Promise<void> {}
