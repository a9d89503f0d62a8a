import { serveThread } from "../thread/serve-thread.ts";
import { type SpecText, specificationFault } from "./parse.ts";

serveThread((spec: SpecText) => specificationFault(spec));
