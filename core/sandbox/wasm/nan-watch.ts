/**
 * Which NaNs have to be made canonical. Arithmetic on floats gives NaNs whose sign and payload the specification leaves
 * open, and engines differ (by the order of operands, by the processor). They matter only where bits are looked at:
 * most results are taken by further arithmetic or a comparison, to which all NaNs are equal. So a result is marked when
 * it is made, and the mark counts when something takes the value that may look at its bits, or might keep it: a store, a
 * local, a call, a branch. Values that are loaded or moved keep their bits, as the specification says.
 */
import { EDIT, type Plan } from "./plan.ts";

const EDITS: readonly number[] = [0, EDIT.f32, EDIT.f64, EDIT.f32x4, EDIT.f64x2];

export class NanWatch {
  readonly #plan: Plan;
  /** Of values on the operand stack that may be such NaNs, from below: where they are, of which shape, and their edits. */
  readonly #places: number[] = [];
  readonly #shapes: number[] = [];
  readonly #edits: number[] = [];
  /** How many there are. */
  count = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  begin(): void {
    this.count = 0;
  }

  /** The value at this height of the stack was made by an instruction that ends at `place`. */
  made(height: number, shape: number, place: number): void {
    const index = this.count++;
    this.#places[index] = height;
    this.#shapes[index] = shape;
    this.#edits[index] = this.#plan.add(place, EDITS[shape] ?? 0, 0);
  }

  /** All values from this height on are taken by an instruction to which the bits of NaNs of `shape` are nothing. */
  taken(height: number, shape: number): void {
    while (this.count > 0) {
      const index = this.count - 1;
      if ((this.#places[index] ?? 0) < height) return;
      const made = this.#shapes[index] ?? 0;
      if (made !== shape) {
        this.#plan.values[this.#edits[index] ?? 0] = 1;
        this.#plan.canonical |= 1 << (EDITS[made] ?? 0);
      }
      this.count = index;
    }
  }

  /** The value on top is thrown away. */
  dropped(height: number): void {
    if (this.count > 0 && (this.#places[this.count - 1] ?? 0) >= height) this.count--;
  }
}
