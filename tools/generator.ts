/** Makes files from other files of the repository. */
export interface Generator {
  /** Shown when a file is stale. */
  readonly name: string;
  /** Folders that hold nothing but this generator's files, from the root. */
  readonly owns: readonly string[];
  /** The whole content of every file it makes, by path from the root. Same input, same output. */
  make(root: string): Promise<Readonly<Record<string, string>>>;
}
