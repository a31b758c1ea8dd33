/**
 * Which NaNs have to be made canonical. Arithmetic on floats gives NaNs whose sign and payload the specification leaves
 * open, and engines differ (by the order of operands, by the processor). They matter only where bits are looked at:
 * most results are taken by further arithmetic or a comparison, to which all NaNs are equal. So a result is marked when
 * it is made, and the mark counts when something takes the value that may look at its bits, or might keep it: a store, a
 * call, a branch. Values that are loaded or moved keep their bits, as the specification says.
 *
 * A local that only ever holds results of arithmetic (the sum of a loop) may hold any NaN: what is read from it is marked
 * instead. Which locals are so is known at the function's end (nan-locals.ts).
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
   * Of values on the operand stack that may be such NaNs, from below: where they are, of which shape, their edits, and
   * the locals that they were read from.
   */
  readonly #places: number[] = [];
  readonly #shapes: number[] = [];
  readonly #edits: number[] = [];
  readonly #sources: number[] = [];
  /** How many there are. */
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
   * The value at this height, on top, goes to a local of floats. `isNumber`: it is a constant and no NaN. With a tee it
   * stays on top too.
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

  /** All values from this height on are taken by an instruction to which the bits of NaNs of `shape` are nothing. */
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

  /** The value on top is thrown away. */
  dropped(height: number): void {
    if (this.count > 0 && (this.#places[this.count - 1] ?? 0) >= height) this.count--;
  }

  /** Something may look at the bits of a value. */
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
