/** How a runtime is made: six verbs. Each may be repeated: a provisioner that crashed in the middle does it again. */

/** What a driver is told of a runtime. */
export type RuntimeSpec = {
  readonly id: string;
  readonly name: string;
  /** The driver's own parameters, checked by `validate`. */
  readonly parameters: Readonly<Record<string, unknown>>;
};

/** What the runtime's agent needs to pair: written where only the agent reads it. */
export type Injected = {
  readonly CONNECTOR_URL: string;
  readonly RUNTIME_ID: string;
  /** External id of the tenant. */
  readonly TENANT: string;
  readonly TOKEN: string;
  /** SHA-256 of the public key of the plane's root, as curl writes pins. */
  readonly CA_PIN: string;
};

/** A violated parameter. */
export type ParameterFault = { readonly field: string; readonly message: string };

/** Makes and removes runtimes of one kind. */
export type Driver = {
  /** What is wrong with parameters; none: nothing. */
  validate(parameters: Readonly<Record<string, unknown>>): readonly ParameterFault[];
  /** Makes room for the runtime, or changes it to new parameters. */
  create(spec: RuntimeSpec): Promise<void>;
  /** Hands the agent its configuration and token; one that has paired before pairs anew. */
  inject(id: string, injected: Injected): Promise<void>;
  /** Starts the runtime, or starts it again when it runs. */
  start(id: string): Promise<void>;
  /** Whether it runs. */
  observe(id: string): Promise<"running" | "stopped" | "absent">;
  /** Ends the runtime and removes all of it; none is fine. */
  remove(id: string): Promise<void>;
};

/** The drivers of a provisioner by their names. */
export type Drivers = Readonly<Record<string, Driver>>;
