import { sandboxContract } from "../core/ports/sandbox.contract.ts";
import { nodeSandbox } from "./sandbox.ts";

sandboxContract("worker_threads", () => nodeSandbox(), { threads: true });
