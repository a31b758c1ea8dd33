/**
 * A part of walk.ts: the blocks, branches and calls of a function. It tracks the height of the operand stack, and notes
 * in the plan where calls and exits are, and where segments of fuel begin. Each method takes an instruction that begins
 * at `start` with its operands at `at`, and returns where it ends.
 */
import type { Bytes } from "../../base/bytes.ts";
import { BLOCK_SLOTS, CODE_SLOTS_MAX } from "../limits.ts";
import { bounded } from "./bounded.ts";
import type { FuelSegments } from "./fuel-segments.ts";
import { OP, unsupported } from "./opcodes.ts";
import { EDIT, type Plan } from "./plan.ts";
import { LEB32, lebEnd, lebValue, malformed } from "./reader.ts";
import { type FunctionType, isValueType } from "./types.ts";

/** The functions, types and so on that code may refer to. */
export interface Names {
  readonly types: readonly FunctionType[];
  /** The types of the functions, the imported ones first. */
  readonly functions: readonly number[];
  readonly globals: number;
}

interface Arity {
  readonly takes: number;
  readonly gives: number;
}

/** A block, loop or if that is open; the first is the function itself. */
interface Block {
  readonly opcode: number;
  /** The height of the stack below it. */
  readonly base: number;
  readonly takes: number;
  readonly gives: number;
  /** The segment of fuel in which it began. */
  readonly segment: number;
  /** The outermost block to which a branch inside it jumps. */
  outermost: number;
}

const NOTHING: Arity = { takes: 0, gives: 0 };
const ONE: Arity = { takes: 0, gives: 1 };
const EMPTY_BLOCK = 0x40;

export class Control {
  readonly #bytes: Bytes;
  readonly #names: Names;
  readonly #plan: Plan;
  readonly #fuel: FuelSegments;
  readonly #blocks: Block[] = [];
  #index = 0;
  /** The present and the largest height of the stack. */
  height = 0;
  heightMax = 0;
  /** Operands below this belong to outer blocks and can't be taken. Unreachable code may try. */
  base = 0;
  /** Places of values that a compiler remembers for all blocks so far. */
  #slots = 0;

  constructor(bytes: Bytes, names: Names, plan: Plan, fuel: FuelSegments) {
    this.#bytes = bytes;
    this.#names = names;
    this.#plan = plan;
    this.#fuel = fuel;
  }

  /** Whether the function has ended. */
  get isOver(): boolean {
    return this.#blocks.length === 0;
  }

  begin(index: number, type: FunctionType): void {
    this.#index = index;
    this.height = this.heightMax = this.base = this.#slots = 0;
    this.#blocks.length = 0;
    this.#open(OP.block, { takes: 0, gives: type.gives });
  }

  move(takes: number, gives: number): void {
    this.height = Math.max(this.height - takes, this.base) + gives;
    if (this.height > this.heightMax) this.heightMax = this.height;
  }

  /** A block, loop or if. */
  enter(opcode: number, at: number): number {
    const end = lebEnd(this.#bytes, at, LEB32);
    const arity = this.#blockArity(at, end);
    if (opcode === OP.if) this.move(1, 0);
    this.#open(opcode, arity);
    if (opcode === OP.loop) {
      this.#plan.hasLoop = true;
      this.#fuel.loop(end);
    } else if (opcode === OP.if) this.#fuel.branch(end, this.#fuel.current);
    return end;
  }

  else(at: number): number {
    const block = this.#blocks.at(-1);
    if (block?.opcode !== OP.if) throw malformed("an else without an if", at);
    this.height = block.base + block.takes;
    this.#fuel.branch(at, block.segment);
    return at;
  }

  end(start: number, at: number): number {
    const block = this.#blocks.pop();
    if (block === undefined) throw malformed("an end too many", at);
    const outer = this.#blocks.at(-1);
    if (outer === undefined) {
      this.#plan.add(start, EDIT.leave, 0);
      return at;
    }
    this.height = block.base;
    this.base = outer.base;
    this.move(0, block.gives);
    outer.outermost = Math.min(outer.outermost, block.outermost);
    // If no branch inside it jumps further out, the code after the block runs exactly if the block ran.
    if (block.outermost >= this.#blocks.length) this.#fuel.current = block.segment;
    else this.#fuel.branch(at, block.segment);
    return at;
  }

  /** br and br_if. */
  branch(opcode: number, start: number, at: number): number {
    const end = lebEnd(this.#bytes, at, LEB32);
    const isOut = this.#target(lebValue(this.#bytes, at), at);
    if (isOut) this.#plan.add(start, EDIT.leave, 0);
    if (opcode === OP.brIf) {
      this.move(1, 0);
      this.#fuel.branch(end, this.#fuel.current);
    }
    return end;
  }

  branchTable(start: number, at: number): number {
    let next = lebEnd(this.#bytes, at, LEB32);
    let isOut = false;
    const count = lebValue(this.#bytes, at);
    if (count > this.#plan.end - next) throw malformed("a list is longer than its function", at);
    for (let left = count; left >= 0; left--) {
      isOut = this.#target(lebValue(this.#bytes, next), next) || isOut;
      next = lebEnd(this.#bytes, next, LEB32);
    }
    if (isOut) this.#plan.add(start, EDIT.leave, 0);
    this.move(1, 0);
    return next;
  }

  return(start: number, at: number): number {
    this.#target(this.#blocks.length - 1, at);
    this.#plan.add(start, EDIT.leave, 0);
    return at;
  }

  call(opcode: number, start: number, at: number): number {
    const isIndirect = opcode === OP.callIndirect || opcode === OP.returnCallIndirect;
    let end = lebEnd(this.#bytes, at, LEB32);
    if (isIndirect) end = lebEnd(this.#bytes, end, LEB32);
    const named = lebValue(this.#bytes, at);
    const type = this.#names.types[isIndirect ? named : this.functionType(named, at)];
    if (type === undefined) throw malformed("a type that is not there", at);
    this.#plan.hasCall = true;
    this.move(type.takes + (isIndirect ? 1 : 0), type.gives);
    if (opcode === OP.call || opcode === OP.callIndirect) {
      this.#plan.add(start, EDIT.call, 0);
      this.#plan.add(end, EDIT.called, 0);
    } else {
      this.#target(this.#blocks.length - 1, at);
      this.#plan.add(start, EDIT.tailCall, 0);
    }
    return end;
  }

  /** The type of the function with this number. */
  functionType(named: number, at: number): number {
    const type = this.#names.functions[named];
    if (type === undefined) throw malformed("a function that is not there", at);
    return type;
  }

  /** Counts what a compiler remembers at this number of blocks that begin here. */
  remember(blocks: number): void {
    this.#slots += blocks * (BLOCK_SLOTS + this.#plan.locals + this.height);
    if (this.#slots > CODE_SLOTS_MAX)
      bounded(this.#slots, CODE_SLOTS_MAX, `values that a compiler remembers at the blocks of function ${this.#index}`);
  }

  /** Notes a branch, and returns whether it leaves the function. */
  #target(label: number, at: number): boolean {
    const target = this.#blocks.length - 1 - label;
    const block = this.#blocks.at(-1);
    if (target < 0 || block === undefined) throw malformed("a branch to nowhere", at);
    block.outermost = Math.min(block.outermost, target);
    return target === 0;
  }

  #open(opcode: number, { takes, gives }: Arity): void {
    // The rewriter's own code has an `if` at the function's entry and at the head of a loop.
    this.remember(opcode === OP.loop || this.#blocks.length === 0 ? 2 : 1);
    this.base = Math.max(this.base, this.height - takes);
    const { base } = this;
    const segment = this.#fuel.current;
    this.#blocks.push({ opcode, base, takes, gives, segment, outermost: Number.POSITIVE_INFINITY });
  }

  /** No value, one value, or the number of a type. */
  #blockArity(at: number, end: number): Arity {
    const first = this.#bytes[at] ?? 0;
    if (first === EMPTY_BLOCK) return NOTHING;
    if (isValueType(first)) return ONE;
    // The number is signed: from 0x40 on, a single byte is a type that is not known here.
    if (end === at + 1 && first > EMPTY_BLOCK) throw unsupported("reference types of garbage collection");
    const type = this.#names.types[lebValue(this.#bytes, at)];
    if (type === undefined) throw malformed("a type that is not there", at);
    return type;
  }
}
