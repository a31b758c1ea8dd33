import { programsContract } from "../core/ports/programs.contract.ts";
import { browserPrograms } from "./programs.ts";

programsContract("Web Workers", browserPrograms, { threads: true });
