import { realClock } from "../core/platform/clock.ts";
import { sqlEngineContract } from "../core/ports/sql-engine.contract.ts";
import { nodeSqlEngine } from "./sql-engine.ts";

sqlEngineContract("worker_threads", () => ({ engine: nodeSqlEngine, clock: realClock }), { hasThreads: true });
