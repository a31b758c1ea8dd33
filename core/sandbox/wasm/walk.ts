/**
 * Walks over the code of a function once and plans what is written into it (plan.ts): where fuel is paid, where calls
 * and exits are, which NaNs have to be made canonical. The engine checks the types. But every index is checked here, so
 * that code which refers to the rewriter's own globals and locals is refused.
 *
 * It also bounds the cost of compiling the function. A one-pass compiler (V8's Liftoff) remembers for each block, loop,
 * if and branch target where every local and every operand is. That was measured as some 25 bytes each: 30 kB of code
 * with 50,000 locals and 5,000 ifs took 5.8 GB.
 */
import type { Bytes } from "../../base/bytes.ts";
import { CALL_FUEL, FRAME_SLOTS, FUNCTION_BYTES_MAX, LOCALS_MAX } from "../limits.ts";
import { bounded } from "./bounded.ts";
import { Control, type Names } from "./control.ts";
import { FuelSegments } from "./fuel-segments.ts";
import { NanWatch } from "./nan-watch.ts";
import {
  BULK,
  BULK_BYTES,
  BULK_ENTRIES,
  FORM,
  OP,
  type Opcodes,
  PACK,
  PACKED,
  PLAIN,
  SHAPE,
  unsupported,
  unsupportedOpcode,
  VECTOR,
} from "./opcodes.ts";
import { EDIT, Plan } from "./plan.ts";
import { LEB32, LEB64, lebEnd, lebValue, malformed, type Reader } from "./reader.ts";
import { type FunctionType, isReferenceType, isValueType, V128 } from "./types.ts";

/** The bit of a memory argument's alignment that says that a memory's number follows. */
const MEMORY_INDEX_FLAG = 0x40;

export class Walker {
  readonly plan: Plan = new Plan();
  readonly #bytes: Bytes;
  readonly #names: Names;
  readonly #fuel: FuelSegments = new FuelSegments(this.plan);
  readonly #nans: NanWatch = new NanWatch(this.plan);
  readonly #control: Control;
  #hasVectors = false;
  #hasBulk = false;

  constructor(bytes: Bytes, names: Names) {
    this.#bytes = bytes;
    this.#names = names;
    this.#control = new Control(bytes, names, this.plan, this.#fuel);
  }

  /**
   * Plans a function from its body, its number among the module's own functions, and its type. Throws "too-large",
   * "not-wasm", "wasm-unsupported".
   */
  walk(body: Reader, index: number, type: FunctionType): void {
    const { plan } = this;
    plan.clear();
    bounded(body.end - body.at, FUNCTION_BYTES_MAX, `bytes in function ${index}`);
    this.#nans.begin();
    const localSlots = type.slots + this.#readLocals(body, index, type);
    plan.codeFrom = body.at;
    plan.end = body.end;
    this.#hasVectors = this.#hasBulk = false;
    this.#fuel.begin();
    this.#control.begin(index, type);
    this.#code(body.at, body.end);
    this.#nans.locals.end();
    plan.frameSlots = FRAME_SLOTS + localSlots + this.#control.heightMax * (this.#hasVectors ? 2 : 1);
    const fuel = this.#fuel.end();
    plan.isCharged = plan.hasLoop || plan.hasCall || this.#hasBulk || fuel > CALL_FUEL;
  }

  /** Returns how many slots of 8 bytes the locals take. */
  #readLocals(body: Reader, index: number, type: FunctionType): number {
    const { plan } = this;
    let slots = 0;
    plan.locals = type.takes;
    plan.localRuns = body.count();
    plan.localsFrom = body.at;
    for (let left = plan.localRuns; left > 0; left--) {
      const count = body.u32();
      const valueType = body.byte();
      if (!isValueType(valueType)) throw unsupported("reference types of garbage collection");
      this.#nans.locals.declare(type.takes, plan.locals, count, valueType);
      plan.locals += count;
      bounded(plan.locals, LOCALS_MAX, `locals in function ${index}`);
      slots += count * (valueType === V128 ? 2 : 1);
    }
    return slots;
  }

  /**
   * The loop over all instructions. Frequent ones are handled here, with the state in local variables; the others in
   * methods.
   */
  #code(from: number, end: number): void {
    const bytes = this.#bytes;
    const control = this.#control;
    const nans = this.#nans;
    const { locals } = this.plan;
    const floats = nans.locals.areThere ? nans.locals : undefined;
    let { height, base } = control;
    let heightMax = height;
    let fuel = 0;
    let at = from;
    let before = from;
    let start = from;
    while (at < end) {
      before = start;
      start = at;
      const opcode = bytes[at++] ?? 0;
      const packed = PACKED[opcode] ?? 0;
      const form = packed & 15;
      if (form === FORM.special) {
        control.height = height;
        this.#fuel.pay(fuel);
        fuel = 0;
        at = this.#special(opcode, start, at);
        if (control.isOver) break;
        ({ height, base } = control);
        continue;
      }
      const operand = bytes[at] ?? 0;
      if (form === FORM.local && operand < 0x80 && operand < locals) at++;
      else if (form === FORM.index && operand < 0x80) at++;
      else if (form !== FORM.nothing) at = this.#operand(form, opcode, at);
      if (floats !== undefined && form === FORM.local && floats.isOne(lebValue(bytes, start + 1))) {
        const local = lebValue(bytes, start + 1);
        fuel += (packed >> PACK.fuel) & 0xff;
        if (opcode === OP.localGet) nans.read(height++, local, at);
        else {
          // In unreachable code there may be no value to write.
          const top = Math.max(height - 1, base);
          nans.written(top, local, isNumber(bytes, before, start), opcode === OP.localTee);
          height = opcode === OP.localTee ? top + 1 : top;
        }
        if (height > heightMax) heightMax = height;
        continue;
      }
      const below = height - ((packed >> PACK.takes) & 3);
      if (nans.count > 0) {
        if (opcode === OP.drop) nans.dropped(below);
        else nans.taken(below, (packed >> PACK.absorbs) & 7);
      }
      height = (below < base ? base : below) + ((packed >> PACK.gives) & 1);
      if (height > heightMax) heightMax = height;
      fuel += (packed >> PACK.fuel) & 0xff;
      if (packed >> PACK.makes !== 0) nans.made(height - 1, packed >> PACK.makes, at);
      if (opcode === OP.memoryGrow) {
        this.#hasBulk = true;
        this.plan.add(start, EDIT.grow, at - start);
      }
    }
    control.heightMax = Math.max(control.heightMax, heightMax);
    if (at !== end || !control.isOver) throw malformed("a function's code does not end where it should", at);
  }

  /** The operands, results and cost of an instruction that ends at `end`: as in the loop, for rare ones. */
  #effect(opcodes: Opcodes, opcode: number, end: number): void {
    const control = this.#control;
    const nans = this.#nans;
    if (nans.count > 0) {
      const height = control.height - (opcodes.takes[opcode] ?? 0);
      nans.taken(height, opcodes.absorbs[opcode] ?? 0);
    }
    control.move(opcodes.takes[opcode] ?? 0, opcodes.gives[opcode] ?? 0);
    this.#fuel.pay(opcodes.fuel[opcode] ?? 0);
    const shape = opcodes.makes[opcode] ?? 0;
    if (shape !== SHAPE.none) nans.made(control.height - 1, shape, end);
  }

  /** Skips what follows an opcode, and checks the indices in it. */
  #operand(form: number, opcode: number, at: number): number {
    const bytes = this.#bytes;
    switch (form) {
      case FORM.nothing:
        return at;
      case FORM.local:
        if (lebValue(bytes, at) >= this.plan.locals) throw malformed("a local that is not there", at);
        return lebEnd(bytes, at, LEB32);
      case FORM.index:
        return lebEnd(bytes, at, LEB32);
      case FORM.memory:
        return this.#memoryArgument(at);
      case FORM.global:
        if (lebValue(bytes, at) >= this.#names.globals) throw malformed("a global that is not there", at);
        return lebEnd(bytes, at, LEB32);
      case FORM.i64:
        return lebEnd(bytes, at, LEB64);
      case FORM.bytes4:
        return at + 4;
      case FORM.bytes8:
        return at + 8;
      case FORM.bytes16:
        return at + 16;
      case FORM.indices:
        return lebEnd(bytes, lebEnd(bytes, at, LEB32), LEB32);
      case FORM.lane:
        return at + 1;
      case FORM.memoryLane:
        return this.#memoryArgument(at) + 1;
      default:
        throw unsupportedOpcode(opcode);
    }
  }

  #memoryArgument(at: number): number {
    if ((lebValue(this.#bytes, at) & MEMORY_INDEX_FLAG) !== 0) throw unsupported("several memories");
    return lebEnd(this.#bytes, lebEnd(this.#bytes, at, LEB32), LEB32);
  }

  /** Handles an instruction that begins at `start` with its operands at `at`; returns where it ends. */
  #special(opcode: number, start: number, at: number): number {
    if (opcode === OP.bulk || opcode === OP.vector) return this.#prefixed(opcode, start, at);
    if (opcode === OP.refNull || opcode === OP.refFunc) return this.#reference(opcode, at);
    if (opcode === OP.selectTyped) return this.#selectTyped(at);
    const control = this.#control;
    // NaNs are not tracked through branches and calls.
    if (this.#nans.count > 0) this.#nans.taken(0, SHAPE.none);
    // A loop pays at its head, each time.
    if (opcode !== OP.loop) this.#fuel.pay(PLAIN.fuel[opcode] ?? 0);
    switch (opcode) {
      case OP.block:
      case OP.if:
        return control.enter(opcode, at);
      case OP.loop: {
        const end = control.enter(opcode, at);
        this.#fuel.pay(PLAIN.fuel[opcode] ?? 0);
        return end;
      }
      case OP.else:
        return control.else(at);
      case OP.end:
        return control.end(start, at);
      case OP.br:
      case OP.brIf:
        return control.branch(opcode, start, at);
      case OP.brTable:
        return control.branchTable(start, at);
      case OP.return:
        return control.return(start, at);
      case OP.call:
      case OP.callIndirect:
      case OP.returnCall:
      case OP.returnCallIndirect:
        return control.call(opcode, start, at);
      case OP.unreachable:
        return at;
      default:
        throw unsupportedOpcode(opcode);
    }
  }

  #prefixed(prefix: number, start: number, at: number): number {
    const operation = lebValue(this.#bytes, at);
    const next = lebEnd(this.#bytes, at, LEB32);
    const opcodes = prefix === OP.bulk ? BULK : VECTOR;
    if (prefix === OP.vector && operation > 0xff) throw unsupported("relaxed SIMD");
    const form = opcodes.form[operation] ?? FORM.refused;
    if (form === FORM.refused) throw unsupported(`the instruction 0x${prefix.toString(16)} ${operation}`);
    const end = this.#operand(form, prefix, next);
    if (prefix === OP.vector) {
      this.#hasVectors = true;
      if (VECTOR.makes[operation] !== SHAPE.none) this.#control.remember(1);
    } else if (BULK_BYTES.has(operation) || BULK_ENTRIES.has(operation)) {
      this.#hasBulk = true;
      this.plan.add(start, BULK_BYTES.has(operation) ? EDIT.bulkBytes : EDIT.bulkEntries, 0);
    }
    this.#effect(opcodes, operation, end);
    return end;
  }

  #reference(opcode: number, at: number): number {
    if (opcode === OP.refFunc) this.#control.functionType(lebValue(this.#bytes, at), at);
    else if (!isReferenceType(this.#bytes[at] ?? 0)) throw unsupported("reference types of garbage collection");
    const end = lebEnd(this.#bytes, at, LEB32);
    this.#effect(PLAIN, opcode, end);
    return end;
  }

  /** It has a list with a single type. */
  #selectTyped(at: number): number {
    if (this.#bytes[at] !== 1) throw malformed("a select of other than one type", at);
    if (!isValueType(this.#bytes[at + 1] ?? 0)) throw unsupported("reference types of garbage collection");
    this.#effect(PLAIN, OP.selectTyped, at + 2);
    return at + 2;
  }
}

/** Whether the instruction from `start` to `end` is a constant that is a number, not a NaN. */
function isNumber(bytes: Bytes, start: number, end: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  switch (bytes[start]) {
    case OP.f32Const:
      return end - start === 5 && !Number.isNaN(view.getFloat32(1, true));
    case OP.f64Const:
      return end - start === 9 && !Number.isNaN(view.getFloat64(1, true));
    case OP.vector:
      // v128.const of zeros, in any shape.
      return (
        end - start === 18 && bytes[start + 1] === 12 && bytes.subarray(start + 2, end).every((byte) => byte === 0)
      );
    default:
      return false;
  }
}
