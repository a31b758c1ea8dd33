import { hostileContract } from "../core/sandbox/hostile.contract.ts";
import { browserSandbox } from "./sandbox.ts";

hostileContract("Web Workers", () => browserSandbox({ cores: 2 }));
