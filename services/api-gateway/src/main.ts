/** The api-gateway: the only public door. It knows who calls and where to send it, and no rule of the domain. */
import { runService } from "@sextant/service";
import { start } from "./app.ts";
import { readSettings } from "./config.ts";

await runService("api-gateway", readSettings, start);
