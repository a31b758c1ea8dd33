/**
 * Scripts in Python, run by MicroPython. A script's text is an expression whose value is a function, or a module that
 * defines `task`. Each input finds the state that loading the script has left.
 */
import { type ErrorCode, isStarfishError } from "../../base/errors.ts";
import type { InputForm, SandboxProgram } from "../../ports/sandbox.ts";
import { Draw, VirtualClock } from "../virtual.ts";
import type { Meter } from "../wasm/meter.ts";
import { MicroPython, Raised } from "./micropython.ts";
import { PRELUDE } from "./python-prelude.ts";
import type { Answer, Script } from "./script.ts";
import type { Snapshot } from "./snapshot.ts";

/** The letters by which the prelude knows them. */
const LETTERS: Readonly<Record<InputForm, string>> = { lines: "l", values: "v", numbers: "n", text: "l" };
/** A traceback of endless calls has a line for each of them. */
const TRACE_LINES_MAX = 12;

/** Returns what is wrong with the script if it can't be loaded. Throws the errors of the module's instance. */
export function loadPython(module: WebAssembly.Module, program: SandboxProgram, meter: Meter): Script | Answer {
  const script = new Python(module, program, meter);
  const trouble = script.load(program);
  return trouble ?? script;
}

class Python implements Script {
  readonly #engine: MicroPython;
  readonly #meter: Meter;
  readonly #source: string;
  readonly #functions: { readonly call: number; readonly fold: number };
  /** Whether it may import `random`, which then begins anew for each input. */
  readonly #draws: boolean;
  #state: { readonly snapshot: Snapshot; readonly stackPointer: number } | undefined;
  #loadedAtMs = 0;
  #isBroken = false;
  #isFresh = true;
  #clock = new VirtualClock();
  #draw: Draw;

  constructor(module: WebAssembly.Module, { source = "", reduce = "" }: SandboxProgram, meter: Meter) {
    this.#meter = meter;
    this.#source = source;
    this.#draws = /random/.test(source + reduce);
    this.#draw = new Draw([source]);
    this.#engine = new MicroPython(module, { look: () => this.#clock.look(), draw: () => this.#draw.u32() }, meter);
    this.#engine.execute(PRELUDE);
    this.#functions = { call: this.#engine.named("_call"), fold: this.#engine.named("_fold") };
  }

  /** Undefined if all went well. */
  load({ source = "", reduce }: SandboxProgram): Answer | undefined {
    const loaded = this.#guarded(() => this.#engine.call(this.#engine.named("_load"), source));
    if (loaded.is !== "nothing") return loaded;
    if (reduce !== undefined) {
      const second = this.#guarded(() => this.#engine.call(this.#engine.named("_load_reduce"), reduce));
      if (second.is !== "nothing") return second;
    }
    this.#state = this.#engine.snapshot();
    this.#loadedAtMs = this.#clock.nowMs;
    return undefined;
  }

  call(form: InputForm, input: string): Answer {
    return this.#asked(input, () => {
      const seed = this.#draws ? String(this.#draw.u32()) : "";
      return this.#engine.call(this.#functions.call, `${LETTERS[form]}${seed} ${input}`);
    });
  }

  fold(values: readonly string[]): Answer {
    const text = `[${values.join(",")}]`;
    return this.#asked(text, () => this.#engine.call(this.#functions.fold, text));
  }

  /** Runs it as if it were the first input. */
  #asked(input: string, ask: () => string): Answer {
    return this.#guarded(() => {
      if (this.#state !== undefined && !this.#isFresh) {
        this.#engine.restore(this.#state.snapshot, this.#state.stackPointer, this.#isBroken);
      }
      this.#isFresh = this.#isBroken = false;
      this.#clock = new VirtualClock(this.#loadedAtMs);
      this.#draw = new Draw(this.#draws ? [this.#source, input] : [this.#source]);
      return ask();
    });
  }

  #guarded(work: () => string): Answer {
    try {
      return answerOf(work());
    } catch (error) {
      if (error instanceof Raised) return { is: "failed", code: codeOf(error), message: shortened(error.message) };
      this.#isBroken = true;
      if (isStarfishError(error)) return { is: "failed", code: error.code, message: error.message };
      const outcome = this.#meter.explain(error);
      return { is: "failed", code: outcome.code, message: outcome.message };
    }
  }
}

/** A letter for the kind of result, and the text (python-prelude.ts). */
function answerOf(text: string): Answer {
  const rest = text.slice(1);
  if (text.startsWith("j")) return { is: "json", text: rest };
  return text.startsWith("t") ? { is: "text", text: rest } : { is: "nothing" };
}

function codeOf({ type, message }: Raised): ErrorCode {
  if (type === "MemoryError") return "out-of-memory";
  return type === "RuntimeError" && message.includes("maximum recursion depth") ? "call-depth" : "task-failed";
}

/**
 * The last line of a traceback, which names the exception, and the innermost calls; those of the prelude are left out.
 */
function shortened(trace: string): string {
  const lines = trace.split("\n");
  const last = lines.at(-1) ?? "";
  const calls = lines.slice(1, -1).filter((line) => !/ in _(call|load|load_reduce|fold|function|written)$/.test(line));
  return [last, ...calls.slice(-TRACE_LINES_MAX).toReversed()].join("\n");
}
