import { programsContract } from "../core/ports/programs.contract.ts";
import { nodePrograms } from "./programs.ts";

programsContract("worker_threads", nodePrograms, { threads: true });
