import { mutatedContract } from "../core/sandbox/mutated.contract.ts";
import { browserSandbox } from "./sandbox.ts";

mutatedContract("Web Workers", () => browserSandbox({ cores: 1 }), 400);
