import { hostileContract } from "../core/cpu/hostile.contract.ts";
import { nodeSandbox } from "./sandbox.ts";

hostileContract("worker_threads", () => nodeSandbox({ cores: 2 }));
