/** The connector: trust. It makes one-time tokens, signs certificates and revokes them, and alone holds the CA's key. */
import { runService } from "@sextant/service";
import { start } from "./app.ts";
import { readSettings } from "./config.ts";

await runService("connector", readSettings, start);
