/** What runs tasks on this node, shared by all parts that bring some: the pool of workers, and the compiled modules. */
import type { Clock } from "../ports/clock.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import { type CoreBudget, unsharedCores } from "../sandbox/core-budget.ts";
import { Modules } from "../sandbox/modules.ts";
import { Pool } from "../sandbox/pool.ts";

export interface Workers {
  /** Cores of this device that could be lent. */
  readonly cores: number;
  readonly pool: Pool;
  readonly modules: Modules;
}

export function createWorkers(parts: { sandbox: Sandbox; clock: Clock; budget?: CoreBudget | undefined }): Workers {
  const { sandbox, clock, budget = unsharedCores } = parts;
  return {
    cores: sandbox.cores,
    pool: new Pool({ sandbox, clock, budget }),
    modules: new Modules(sandbox, clock),
  };
}
