/** The part of a syntax tree's node that these rules look at. */
export interface Node {
  type: string;
  range: [number, number];
  [property: string]: unknown;
}

/** What the linter gives a rule about the file at hand. */
export interface RuleContext {
  readonly filename: string;
  readonly cwd: string;
  readonly options: readonly unknown[];
  readonly sourceCode: {
    readonly text: string;
    readonly lines: readonly string[];
    readonly ast: Node;
  };
  report(problem: { node: Node; message: string }): void;
}

/** A lint rule: called once a file, answers with a visitor of the node types it cares about. */
export interface Rule {
  meta?: { schema?: unknown[] };
  create(context: RuleContext): Record<string, (node: Node) => void>;
}
