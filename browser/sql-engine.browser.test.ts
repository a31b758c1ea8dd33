import { realClock } from "../core/platform/clock.ts";
import { sqlEngineContract } from "../core/ports/sql-engine.contract.ts";
import { browserSqlEngine } from "./sql-engine.ts";

sqlEngineContract("Web Workers", () => ({ engine: browserSqlEngine, clock: realClock }), { hasThreads: true });
