export { planeHosts, type HostSources } from "./hosts.ts";
export { SetUpError, type Owner } from "./key-files.ts";
export { setUp, type SetUpOptions, type SetUpResult } from "./set-up.ts";
