/**
 * Scripts in JavaScript, run by QuickJS-ng. A script's text is an expression whose value is a function, or a module
 * that exports one as default. Each input finds the state that loading the script has left.
 */
import { type ErrorCode, isStarfishError } from "../../base/errors.ts";
import type { InputForm, SandboxProgram } from "../../ports/sandbox.ts";
import { Draw, VirtualClock } from "../virtual.ts";
import type { Meter } from "../wasm/meter.ts";
import { PRELUDE } from "./javascript-prelude.ts";
import { type Answers, QuickJs, Thrown, type Value } from "./quickjs.ts";
import type { Answer, Script } from "./script.ts";
import { Snapshot } from "./snapshot.ts";

/**
 * Memory that is there from the start. With it small inputs do not make the memory grow; grown memory can't be restored
 * in place.
 */
const ROOM_BYTES: number = 256 * 1024;
/** Names of a script's texts in its errors. */
const FILE = "task.js";
const REDUCE_FILE = "reduce.js";
/** The prelude removes this name from stacks. */
const PRELUDE_FILE = "starfish.js";

/** Returns what is wrong with the script if it can't be loaded. Throws the errors of the module's instance. */
export function loadJavaScript(module: WebAssembly.Module, program: SandboxProgram, meter: Meter): Script | Answer {
  const script = new JavaScript(module, program, meter);
  const trouble = script.load(program);
  return trouble ?? script;
}

class JavaScript implements Script {
  readonly #engine: QuickJs;
  readonly #meter: Meter;
  readonly #source: string;
  readonly #prelude: Value;
  #snapshot: Snapshot | undefined;
  #stackPointer = 0;
  #loadedAtMs = 0;
  #isBroken = false;
  #isFresh = true;
  #clock = new VirtualClock();
  #seeds: readonly string[];
  #draw: Draw | undefined;

  constructor(module: WebAssembly.Module, { source = "" }: SandboxProgram, meter: Meter) {
    this.#meter = meter;
    this.#source = source;
    this.#seeds = [source];
    const answers: Answers = {
      look: () => this.#clock.look(),
      draw: () => (this.#draw ??= new Draw(this.#seeds)).fraction(),
    };
    this.#engine = new QuickJs(module, answers, meter);
    const prelude = this.#engine.evaluate(PRELUDE, PRELUDE_FILE, false);
    this.#prelude = this.#engine.call(prelude, this.#engine.drawing());
  }

  /** Undefined if all went well. */
  load({ source = "", reduce }: SandboxProgram): Answer | undefined {
    const answer = this.#guarded(() => this.#loaded(source, FILE, "load"));
    if (answer.is !== "nothing") return answer;
    if (reduce !== undefined) {
      const second = this.#guarded(() => this.#loaded(reduce, REDUCE_FILE, "loadReduce"));
      if (second.is !== "nothing") return second;
    }
    this.#engine.makeRoom(ROOM_BYTES);
    this.#snapshot = new Snapshot(this.#engine.memory);
    this.#stackPointer = this.#engine.stackPointer;
    this.#loadedAtMs = this.#clock.nowMs;
    return undefined;
  }

  call(form: InputForm, input: string): Answer {
    return this.#asked([input], () => this.#ask("call", this.#engine.string(form), this.#engine.string(input)));
  }

  fold(values: readonly string[]): Answer {
    const text = `[${values.join(",")}]`;
    return this.#asked([text], () => this.#ask("fold", this.#engine.string(text)));
  }

  /** Runs it as if it were the first input. */
  #asked(seeds: readonly string[], ask: () => string): Answer {
    return this.#guarded(() => {
      if (this.#snapshot !== undefined && !this.#isFresh) {
        this.#engine.restore(this.#snapshot, this.#stackPointer, this.#isBroken);
      }
      this.#isFresh = this.#isBroken = false;
      this.#clock = new VirtualClock(this.#loadedAtMs);
      this.#seeds = [this.#source, ...seeds];
      this.#draw = undefined;
      return ask();
    });
  }

  /** Loads a text as an expression, or else as a module. */
  #loaded(source: string, file: string, load: "load" | "loadReduce"): string {
    const expression = source.trim().replace(/;+$/, "");
    try {
      const value = this.#engine.evaluate(`(${expression}\n)`, file, false);
      return this.#ask(load, value, this.#engine.boolean(false));
    } catch (error) {
      if (!(error instanceof Thrown)) throw error;
      const isSyntax = this.#engine.textOf(this.#call("isSyntax", error.value)) === "true";
      if (!isSyntax) throw error;
      return this.#loadedModule(source, file, load, error);
    }
  }

  #loadedModule(source: string, file: string, load: "load" | "loadReduce", asExpression: Thrown): string {
    try {
      return this.#ask(load, this.#engine.evaluate(source, file, true), this.#engine.boolean(true));
    } catch (error) {
      // If it has exports, it was meant to be a module.
      throw error instanceof Thrown && !/^\s*export\b/m.test(source) ? asExpression : error;
    }
  }

  #call(name: string, ...args: readonly Value[]): Value {
    return this.#engine.call(this.#engine.property(this.#prelude, name), ...args);
  }

  /** Calls a function of the prelude. Returns its answer after the promises that it made have run. */
  #ask(name: string, ...args: readonly Value[]): string {
    const answer = this.#engine.textOf(this.#call(name, ...args));
    if (answer !== "p") return answer;
    this.#engine.runJobs();
    return this.#engine.textOf(this.#call("settled"));
  }

  #guarded(work: () => string): Answer {
    try {
      return answerOf(work());
    } catch (error) {
      this.#isBroken = true;
      if (isStarfishError(error)) return { is: "failed", code: error.code, message: error.message };
      if (error instanceof Thrown) return this.#describe(error);
      const outcome = this.#meter.explain(error);
      return { is: "failed", code: outcome.code, message: outcome.message };
    }
  }

  /** Describes what was thrown; if there is no memory left for that, reports that. */
  #describe({ value }: Thrown): Answer {
    try {
      const message = this.#engine.textOf(this.#call("describe", value));
      return { is: "failed", code: codeOf(message), message };
    } catch {
      return { is: "failed", code: "out-of-memory", message: "The script's engine got no more memory" };
    }
  }
}

/** A letter for the kind of result, and the text (javascript-prelude.ts). */
function answerOf(text: string): Answer {
  const rest = text.slice(1);
  switch (text[0]) {
    case "j":
      return { is: "json", text: rest };
    case "t":
      return { is: "text", text: rest };
    case "n":
      return { is: "nothing" };
    case "p":
      return { is: "failed", code: "task-failed", message: "The function gave a promise that nothing settles" };
    default:
      return { is: "failed", code: codeOf(rest), message: rest };
  }
}

function codeOf(message: string): ErrorCode {
  if (/^(InternalError|RangeError): .*(call stack|stack overflow)/.test(message)) return "call-depth";
  return /^(InternalError|RangeError): out of memory/.test(message) ? "out-of-memory" : "task-failed";
}
