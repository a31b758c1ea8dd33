import { mutatedContract } from "../core/sandbox/mutated.contract.ts";
import { nodeSandbox } from "./sandbox.ts";

mutatedContract("worker_threads", () => nodeSandbox({ cores: 1 }), process.env["LONG"] === undefined ? 400 : 10_000);
