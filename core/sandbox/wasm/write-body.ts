/**
 * Writes a function with the edits of its plan (plan.ts).
 *
 * The remaining fuel is a global. A function with loops keeps it in a local while it runs, which a compiler keeps in a
 * register: it is loaded at the entry and after calls, and stored before calls and exits. A function without loops uses
 * the global.
 *
 * The remaining room on the stack is a global too. A function subtracts its own frame from the value that it finds at
 * its entry, and stores the result before each of its calls. Nothing has to be restored: the next call stores it again.
 */
import type { Bytes } from "../../base/bytes.ts";
import { LEAF_FRAME_SLOTS } from "../limits.ts";
import { OP } from "./opcodes.ts";
import type { Output } from "./output.ts";
import { EDIT, type Plan } from "./plan.ts";
import { F32, F64, I64, V128 } from "./types.ts";

/** The numbers of what is added to the module. */
export interface Added {
  readonly fuel: number;
  readonly stack: number;
  readonly grow: number;
  readonly payBytes: number;
  readonly payEntries: number;
}

const EMPTY_BLOCK = 0x40;
const I32_EQZ = 0x45;
const I64_LT_S = 0x53;
const I64_ADD = 0x7c;
const I64_SUB = 0x7d;
const I64_OR = 0x84;
const F32_EQ = 0x5b;
const F64_EQ = 0x61;
/** v128.bitselect, f32x4.eq, f64x2.eq. */
const BITSELECT: readonly number[] = [OP.vector, 82];
const F32X4_EQ: readonly number[] = [OP.vector, 65];
const F64X2_EQ: readonly number[] = [OP.vector, 71];
const I32X4_ALL_TRUE: readonly number[] = [OP.vector, 0xa3, 1];
const I64X2_ALL_TRUE: readonly number[] = [OP.vector, 0xc3, 1];
/** The canonical NaNs, little-endian. */
const F32_NAN: readonly number[] = [OP.f32Const, 0, 0, 0xc0, 0x7f];
const F64_NAN: readonly number[] = [OP.f64Const, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f];
const F32X4_NAN: readonly number[] = [OP.vector, 12, ...[0, 1, 2, 3].flatMap(() => F32_NAN.slice(1))];
const F64X2_NAN: readonly number[] = [OP.vector, 12, ...[0, 1].flatMap(() => F64_NAN.slice(1))];

/** The most bytes of an edit, and of a body besides its edits: its length, its locals, its entry. */
const EDIT_BYTES_MAX = 96;
const BODY_BYTES_MORE = 128;

export class BodyWriter {
  readonly #out: Output;
  readonly #source: Bytes;
  readonly #plan: Plan;
  readonly #added: Added;
  /** Added locals: the remaining fuel, the remaining room on the stack, and a temporary value of each shape. */
  #fuel = 0;
  #room = 0;
  #f32 = 0;
  #f64 = 0;
  #v128 = 0;
  /** Whether the fuel is in a local. */
  #isLocal = false;
  #hasRoom = false;

  constructor(out: Output, source: Bytes, plan: Plan, added: Added) {
    this.#out = out;
    this.#source = source;
    this.#plan = plan;
    this.#added = added;
  }

  write(): void {
    const plan = this.#plan;
    const out = this.#out;
    out.reserve(plan.end - plan.localsFrom + plan.count * EDIT_BYTES_MAX + BODY_BYTES_MORE);
    const length = out.openLength();
    this.#isLocal = plan.hasLoop;
    this.#hasRoom = plan.hasCall || plan.frameSlots > LEAF_FRAME_SLOTS;
    this.#writeLocals();
    if (plan.isCharged || this.#hasRoom) this.#writeEntry();
    let at = plan.codeFrom;
    for (let edit = 0; edit < plan.count; edit++) {
      const place = plan.places[edit] ?? 0;
      const value = plan.values[edit] ?? 0;
      const kind = plan.kinds[edit] ?? 0;
      if (at < place) out.copy(this.#source, at, place);
      at = place;
      this.#writeEdit(kind, value);
      if (kind === EDIT.grow) at += value;
    }
    out.copy(this.#source, at, plan.end);
    out.closeLength(length);
  }

  #writeLocals(): void {
    const plan = this.#plan;
    const out = this.#out;
    const numbers = (plan.isCharged ? 1 : 0) + (this.#hasRoom ? 1 : 0);
    const has = (...edits: readonly number[]): number =>
      edits.some((edit) => (plan.canonical & (1 << edit)) !== 0) ? 1 : 0;
    const f32s = has(EDIT.f32);
    const f64s = has(EDIT.f64);
    const vectors = has(EDIT.f32x4, EDIT.f64x2);
    this.#fuel = plan.locals;
    this.#room = plan.isCharged ? this.#fuel + 1 : this.#fuel;
    this.#f32 = plan.locals + numbers;
    this.#f64 = this.#f32 + f32s;
    this.#v128 = this.#f64 + f64s;
    out.leb(plan.localRuns + (numbers > 0 ? 1 : 0) + f32s + f64s + vectors);
    out.copy(this.#source, plan.localsFrom, plan.codeFrom);
    if (numbers > 0) out.pair(numbers, I64);
    if (f32s > 0) out.pair(1, F32);
    if (f64s > 0) out.pair(1, F64);
    if (vectors > 0) out.pair(1, V128);
  }

  #writeEntry(): void {
    const out = this.#out;
    const { isCharged, entryFuel, frameSlots } = this.#plan;
    if (isCharged) {
      out.indexed(OP.globalGet, this.#added.fuel);
      this.#subtract(entryFuel);
      out.indexed(this.#isLocal ? OP.localSet : OP.localTee, this.#fuel);
      if (!this.#isLocal) out.indexed(OP.globalSet, this.#added.fuel);
    }
    if (this.#hasRoom) {
      out.indexed(OP.globalGet, this.#added.stack);
      this.#subtract(frameSlots);
      out.indexed(OP.localSet, this.#room);
    }
    if (isCharged) out.indexed(OP.localGet, this.#fuel);
    if (this.#hasRoom) out.indexed(OP.localGet, this.#room);
    if (isCharged && this.#hasRoom) out.byte(I64_OR);
    this.#stopIfNegative(this.#hasRoom);
  }

  #writeEdit(kind: number, value: number): void {
    const out = this.#out;
    switch (kind) {
      case EDIT.charge:
        return this.#charge(value);
      case EDIT.loop:
        out.indexed(OP.localGet, this.#fuel);
        this.#subtract(value);
        out.indexed(OP.localTee, this.#fuel);
        return this.#stopIfNegative(false);
      case EDIT.call:
        this.#store();
        out.indexed(OP.localGet, this.#room);
        return out.indexed(OP.globalSet, this.#added.stack);
      case EDIT.called:
        return this.#load();
      case EDIT.tailCall:
        this.#store();
        out.indexed(OP.localGet, this.#room);
        out.byte(OP.i64Const);
        out.signedLeb(this.#plan.frameSlots);
        out.byte(I64_ADD);
        return out.indexed(OP.globalSet, this.#added.stack);
      case EDIT.leave:
        return this.#store();
      case EDIT.grow:
        return this.#callAdded(this.#added.grow);
      case EDIT.bulkBytes:
        return this.#callAdded(this.#added.payBytes);
      case EDIT.bulkEntries:
        return this.#callAdded(this.#added.payEntries);
      default:
        if (value === 1) this.#makeCanonical(kind);
    }
  }

  #charge(fuel: number): void {
    if (fuel === 0 || !this.#plan.isCharged) return;
    const out = this.#out;
    if (this.#isLocal) out.indexed(OP.localGet, this.#fuel);
    else out.indexed(OP.globalGet, this.#added.fuel);
    this.#subtract(fuel);
    if (this.#isLocal) out.indexed(OP.localSet, this.#fuel);
    else out.indexed(OP.globalSet, this.#added.fuel);
  }

  #subtract(value: number): void {
    this.#out.byte(OP.i64Const);
    this.#out.signedLeb(value);
    this.#out.byte(I64_SUB);
  }

  /** Traps if the value on the stack is below zero. The globals then tell why. */
  #stopIfNegative(withRoom: boolean): void {
    const out = this.#out;
    out.pair(OP.i64Const, 0);
    out.byte(I64_LT_S);
    out.pair(OP.if, EMPTY_BLOCK);
    if (withRoom) {
      out.indexed(OP.localGet, this.#room);
      out.indexed(OP.globalSet, this.#added.stack);
    }
    this.#store();
    out.pair(OP.unreachable, OP.end);
  }

  /** Copies the fuel from the local to the global. */
  #store(): void {
    if (!this.#isLocal) return;
    this.#out.indexed(OP.localGet, this.#fuel);
    this.#out.indexed(OP.globalSet, this.#added.fuel);
  }

  #load(): void {
    if (!this.#isLocal) return;
    this.#out.indexed(OP.globalGet, this.#added.fuel);
    this.#out.indexed(OP.localSet, this.#fuel);
  }

  #callAdded(index: number): void {
    this.#store();
    this.#out.indexed(OP.call, index);
    this.#load();
  }

  #makeCanonical(kind: number): void {
    if (kind === EDIT.f32) this.#canonicalNumber(this.#f32, F32_NAN, F32_EQ);
    else if (kind === EDIT.f64) this.#canonicalNumber(this.#f64, F64_NAN, F64_EQ);
    else if (kind === EDIT.f32x4) this.#canonicalVector(F32X4_NAN, F32X4_EQ, I32X4_ALL_TRUE);
    else this.#canonicalVector(F64X2_NAN, F64X2_EQ, I64X2_ALL_TRUE);
  }

  /** value == value ? value : NaN. */
  #canonicalNumber(local: number, nan: readonly number[], equal: number): void {
    const out = this.#out;
    out.indexed(OP.localTee, local);
    out.all(nan);
    out.indexed(OP.localGet, local);
    out.indexed(OP.localGet, local);
    out.pair(equal, OP.select);
  }

  /**
   * The same for each lane, if any of them is a NaN. Choosing the lanes each time would add some cycles to every
   * addition of a sum; a branch that is never taken does not.
   */
  #canonicalVector(nan: readonly number[], equal: readonly number[], allTrue: readonly number[]): void {
    const out = this.#out;
    out.indexed(OP.localSet, this.#v128);
    out.indexed(OP.localGet, this.#v128);
    out.indexed(OP.localGet, this.#v128);
    out.all(equal);
    out.all(allTrue);
    out.byte(I32_EQZ);
    out.pair(OP.if, EMPTY_BLOCK);
    out.indexed(OP.localGet, this.#v128);
    out.all(nan);
    out.indexed(OP.localGet, this.#v128);
    out.indexed(OP.localGet, this.#v128);
    out.all(equal);
    out.all(BITSELECT);
    out.indexed(OP.localSet, this.#v128);
    out.byte(OP.end);
    out.indexed(OP.localGet, this.#v128);
  }
}
