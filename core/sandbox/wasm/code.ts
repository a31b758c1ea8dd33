/**
 * Walks over the code of a module: finds where memory grows, and bounds what compiling a function costs. A compiler of
 * one pass (V8's Liftoff) remembers for each block, loop, if and branch target where every local and every operand is;
 * measured, that is some 25 bytes each, so that 30 kB of code with 50,000 locals and 5,000 ifs took 5.8 GB.
 */
import { StarfishError } from "../../base/errors.ts";
import { BLOCK_SLOTS, CODE_SLOTS_MAX, FUNCTION_BYTES_MAX, LOCALS_MAX, LOCALS_SUM_MAX } from "../limits.ts";
import type { Body } from "./grow-watch.ts";
import { skipInstruction } from "./instructions.ts";
import { Reader } from "./reader.ts";
import { stackEffect } from "./stack-effect.ts";

/** Values that a function or block takes and leaves. */
interface Arity {
  readonly takes: number;
  readonly gives: number;
}

interface Signatures {
  readonly types: readonly Arity[];
  /** The type of each function, those that are imported first. */
  readonly functions: readonly number[];
}

const MEMORY_GROW = 0x40;
const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const ELSE = 0x05;
const END = 0x0b;
const CALL = 0x10;
const CALL_INDIRECT = 0x11;
const NOTHING: Arity = { takes: 0, gives: 0 };

/** The bodies of the code section; `imported` functions have none. Throws "too-large" for those that would cost too much to compile. */
export function walkCode(section: Reader, signatures: Signatures, imported: number): Body[] {
  const bodies: Body[] = [];
  let localsSum = 0;
  const count = section.count();
  for (let index = 0; index < count; index++) {
    const body = section.sized();
    const from = body.at;
    bounded(body.end - from, FUNCTION_BYTES_MAX, `bytes in function ${index}`);
    const locals = countLocals(body);
    bounded(locals, LOCALS_MAX, `locals in function ${index}`);
    localsSum += locals;
    bounded(localsSum, LOCALS_SUM_MAX, "locals in all its functions");
    const signature = signatures.types[signatures.functions[imported + index] ?? -1] ?? NOTHING;
    const frame = new Frame(signatures, locals + signature.takes);
    const grows: { from: number; to: number }[] = [];
    while (!body.done) {
      const at = body.at;
      skipInstruction(body);
      const opcode = body.bytes[at] ?? 0;
      if (opcode === MEMORY_GROW) grows.push({ from: at, to: body.at });
      frame.take(opcode, new Reader(body.bytes, at + 1, body.at));
      bounded(frame.slots, CODE_SLOTS_MAX, `places of values to remember at the blocks of function ${index}`);
    }
    bodies.push({ from, to: body.end, grows });
  }
  return bodies;
}

function countLocals(body: Reader): number {
  let locals = 0;
  for (let runs = body.count(); runs > 0; runs--) {
    locals += body.u32();
    body.skip(1);
  }
  return locals;
}

/** Never says less than there is, for code that is valid: what is not, the engine refuses. */
class Frame {
  readonly #signatures: Signatures;
  readonly #locals: number;
  /** Operands on the stack. */
  #height = 0;
  /** The height at which each open block began, and its arity. */
  readonly #open: { readonly height: number; readonly arity: Arity }[] = [];
  /** Places of values that are remembered for all blocks so far. */
  slots: number;

  constructor(signatures: Signatures, locals: number) {
    this.#signatures = signatures;
    this.#locals = locals;
    this.slots = BLOCK_SLOTS + locals;
  }

  take(opcode: number, operands: Reader): void {
    const block = this.#open.at(-1);
    switch (opcode) {
      case BLOCK:
      case LOOP:
      case IF:
        return this.#enter(opcode === IF ? 1 : 0, this.#blockArity(operands));
      case ELSE:
        if (block !== undefined) this.#height = block.height + block.arity.takes;
        return;
      case END:
        if (block !== undefined) this.#height = block.height + block.arity.gives;
        this.#open.pop();
        return;
      case CALL:
        return this.#move(this.#typeOf(this.#signatures.functions[operands.u32()] ?? -1), 0);
      case CALL_INDIRECT:
        return this.#move(this.#typeOf(operands.u32()), 1);
      default:
        return this.#move({ takes: 0, gives: stackEffect(opcode, operands) }, 0);
    }
  }

  #enter(condition: number, arity: Arity): void {
    this.#move(NOTHING, condition);
    this.slots += BLOCK_SLOTS + this.#locals + this.#height;
    this.#open.push({ height: Math.max(0, this.#height - arity.takes), arity });
  }

  #move({ takes, gives }: Arity, more: number): void {
    // Code that can't be reached may take what is not there, but nothing from below its block.
    this.#height = Math.max(this.#open.at(-1)?.height ?? 0, this.#height - takes - more + gives);
  }

  /** Nothing, one value, or a type's number. */
  #blockArity(operands: Reader): Arity {
    const first = operands.bytes[operands.at] ?? 0;
    if (first === 0x40) return NOTHING;
    if (first > 0x40 && first < 0x80) return { takes: 0, gives: 1 };
    return this.#typeOf(operands.u32());
  }

  #typeOf(index: number): Arity {
    return this.#signatures.types[index] ?? NOTHING;
  }
}

/** Throws "too-large" where there are more. */
export function bounded(count: number, max: number, what: string): number {
  if (count <= max) return count;
  throw new StarfishError("too-large", `The module has ${count} ${what}, the most is ${max}`);
}
