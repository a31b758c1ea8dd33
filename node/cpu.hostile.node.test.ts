import { hostileContract } from "../core/sandbox/hostile.contract.ts";
import { nodeSandbox } from "./sandbox.ts";

hostileContract("worker_threads", () => nodeSandbox({ cores: 2 }));
