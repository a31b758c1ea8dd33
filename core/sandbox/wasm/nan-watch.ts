/**
 * Decides which NaNs have to be made canonical. The specification leaves the sign and payload of NaNs from float
 * arithmetic open, and engines differ (by the order of operands, by the processor). This matters only if the bits are
 * observed. Most results are operands of further arithmetic or of a comparison, which treat all NaNs alike. So a result
 * is marked when it is made. The mark takes effect when an instruction takes the value that may observe its bits or
 * keep it: a store, a call, a branch. Values that are loaded or moved keep their bits, as the specification says.
 *
 * A local that only ever holds results of arithmetic (the sum of a loop) may hold any NaN; instead, the values read
 * from it are marked. Which locals these are is known at the function's end (nan-locals.ts).
 */
import { NanLocals } from "./nan-locals.ts";
import { SHAPE } from "./opcodes.ts";
import { EDIT, type Plan } from "./plan.ts";

const EDITS: readonly number[] = [0, EDIT.f32, EDIT.f64, EDIT.f32x4, EDIT.f64x2];
const NO_LOCAL = -1;

export class NanWatch {
  readonly #plan: Plan;
  readonly locals: NanLocals;
  /**
   * The values on the operand stack that may be such NaNs, from the bottom: their heights, their shapes, their edits,
   * and the locals from which they were read.
   */
  readonly #places: number[] = [];
  readonly #shapes: number[] = [];
  readonly #edits: number[] = [];
  readonly #sources: number[] = [];
  /** The number of these values. */
  count = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.locals = new NanLocals(plan);
  }

  begin(): void {
    this.count = 0;
    this.locals.begin();
  }

  /** The value at this height of the stack was made by an instruction that ends at `place`. */
  made(height: number, shape: number, place: number): void {
    this.#push(height, shape, this.#plan.add(place, EDITS[shape] ?? 0, 0), NO_LOCAL);
  }

  /** The value at this height was read from a local of floats by an instruction that ends at `place`. */
  read(height: number, local: number, place: number): void {
    const shape = this.locals.shapeOf(local);
    this.#push(height, shape, this.#plan.add(place, EDITS[shape] ?? EDIT.f32x4, 0), local);
  }

  /**
   * The value at this height, on top, is written to a float local. `isNumber`: it is a constant and not a NaN. With a
   * tee it also stays on top.
   */
  written(height: number, local: number, isNumber: boolean, stays: boolean): void {
    const top = this.count - 1;
    if (this.count === 0 || (this.#places[top] ?? 0) < height) {
      if (!isNumber) this.locals.spoil(local);
      return;
    }
    const source = this.#sources[top] ?? NO_LOCAL;
    if (source === NO_LOCAL) this.locals.write(local, this.#edits[top] ?? 0, this.#shapes[top] ?? 0);
    else if (source !== local) {
      this.locals.spoil(local);
      this.#looked(top);
    }
    if (!stays) this.count = top;
  }

  /** All values from this height on are operands of an instruction that ignores the bits of NaNs of `shape`. */
  taken(height: number, shape: number): void {
    while (this.count > 0) {
      const index = this.count - 1;
      if ((this.#places[index] ?? 0) < height) return;
      const source = this.#sources[index] ?? NO_LOCAL;
      const isAbsorbed =
        shape !== SHAPE.none &&
        (source === NO_LOCAL ? this.#shapes[index] === shape : this.locals.isAbsorbed(source, shape));
      if (!isAbsorbed) this.#looked(index);
      this.count = index;
    }
  }

  /** The value on top is dropped. */
  dropped(height: number): void {
    if (this.count > 0 && (this.#places[this.count - 1] ?? 0) >= height) this.count--;
  }

  /** The bits of a value may be observed. */
  #looked(index: number): void {
    const source = this.#sources[index] ?? NO_LOCAL;
    const edit = this.#edits[index] ?? 0;
    if (source !== NO_LOCAL) return this.locals.look(source, edit);
    this.#plan.values[edit] = 1;
    this.#plan.canonical |= 1 << (EDITS[this.#shapes[index] ?? 0] ?? 0);
  }

  #push(height: number, shape: number, edit: number, source: number): void {
    const index = this.count++;
    this.#places[index] = height;
    this.#shapes[index] = shape;
    this.#edits[index] = edit;
    this.#sources[index] = source;
  }
}
