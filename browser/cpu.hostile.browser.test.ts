import { hostileContract } from "../core/cpu/hostile.contract.ts";
import { browserSandbox } from "./sandbox.ts";

hostileContract("Web Workers", () => browserSandbox({ cores: 2 }));
