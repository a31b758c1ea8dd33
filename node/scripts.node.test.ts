import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ENGINES } from "../core/sandbox/languages/engines.ts";
import { scriptsContract } from "../core/sandbox/languages/scripts.contract.ts";
import { packageRoot } from "./package-root.ts";
import { nodeSandbox } from "./sandbox.ts";

scriptsContract("worker_threads", {
  sandbox: () => nodeSandbox({ cores: 1 }),
  engine: (kind) => readFile(join(packageRoot, "node_modules", ENGINES[kind].package, ENGINES[kind].file)),
});
