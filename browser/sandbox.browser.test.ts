import { sandboxContract } from "../core/ports/sandbox.contract.ts";
import { browserSandbox } from "./sandbox.ts";

sandboxContract("Web Workers", () => browserSandbox(), { threads: true });
