/**
 * Values at the edges of what a schema accepts, and just beyond them, made from the schema itself. For each field:
 * least, greatest, one less, one more, 0, -0, fractions, 2^53 - 1, no number, nothing, the longest, the deepest, the
 * same twice, another type. Then all fields at their least and greatest, and any two numbers at opposite ends, which
 * contradict each other if they should agree. An honest value supplies the other fields.
 */
import * as v from "valibot";
import type { Schema } from "../../core/base/codec.ts";
import { boundsOf, choicesOf, type Shape, shapeOf } from "./shape.ts";

export interface Extreme {
  /** Where the extreme differs from the honest value, and how. */
  readonly what: string;
  readonly value: unknown;
  /** Whether the schema accepts it. */
  readonly isValid: boolean;
}

interface ExtremeOptions {
  /** Byte strings with a meaning for a reader: entries, ranges, records at their own edges. */
  readonly bytes?: readonly Uint8Array[];
  /** Values whose encoding is much larger are left out. */
  readonly bytesMax?: number;
}

type Told = Omit<Extreme, "isValid">;

/** 60 KiB by default, which every message may carry. */
const BYTES_MAX_DEFAULT = 60_000;
/** How deep values nest: a recursive reader would overflow the stack. */
const DEPTH = 5_000;

export function* extremesOf(
  schema: Schema<unknown>,
  honest: unknown,
  options: ExtremeOptions = {},
): Generator<Extreme> {
  const shape = shapeOf(schema);
  const tell = ({ what, value }: Told): Extreme => ({ what, value, isValid: v.is(schema, value) });
  yield tell({ what: "as honest nodes say it", value: honest });
  const walk = new Walk(options.bytes ?? [], options.bytesMax ?? BYTES_MAX_DEFAULT);
  for (const told of walk.at(shape, honest, "")) yield tell(told);
  for (const told of walk.together(shape, honest)) yield tell(told);
}

/** An array or map nested as deep as a message may be. */
function nested(depth: number = DEPTH): unknown {
  let value: unknown = 0;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

const NUMBERS: readonly unknown[] = [0, -0, 1, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 48, 2 ** 53 - 1, 2 ** 53, 1e308, 1e-308];
const NO_NUMBERS: readonly unknown[] = [NaN, Infinity, -Infinity, 2n ** 64n - 1n, "1"];
const TEXTS: readonly string[] = [
  "",
  "\0",
  "/",
  "..",
  "../../etc/passwd",
  "__proto__",
  "constructor",
  "\u001b]0;title\u0007\u001b[2J\u001b]52;c;AAAA\u0007",
  "\u202egnp.exe",
  "\ud800",
  "\ufffd\ufeff",
  "e\u0301".repeat(9),
];
const OTHER_TYPES: readonly unknown[] = [undefined, null, true, 7, "text", [], {}, new Uint8Array(3)];

class Walk {
  readonly #bytes: readonly Uint8Array[];
  readonly #bytesMax: number;

  constructor(bytes: readonly Uint8Array[], bytesMax: number) {
    this.#bytes = bytes;
    this.#bytesMax = bytesMax;
  }

  /** Changes one place at a time. */
  *at(shape: Shape, honest: unknown, path: string): Generator<Told> {
    for (const other of OTHER_TYPES) yield { what: `${path} is ${say(other)}`, value: other };
    yield* this.#inside(shape, honest, path);
  }

  *#inside(shape: Shape, honest: unknown, path: string): Generator<Told> {
    switch (shape.type) {
      case "number":
        yield* this.#numbers(shape, path);
        return;
      case "string":
        yield* this.#texts(shape, path);
        return;
      case "instance":
        yield* this.#byteStrings(shape, path);
        return;
      case "array":
        yield* this.#arrays(shape, honest, path);
        return;
      case "tuple":
      case "strict_tuple":
        yield* this.#tuples(shape, honest, path);
        return;
      case "object":
      case "strict_object":
      case "loose_object":
        yield* this.#objects(shape, honest, path);
        return;
      case "union":
      case "variant":
        for (const [i, choice] of choicesOf(shape).entries()) {
          const like = isLike(choice, honest) ? honest : this.#greatest(choice, undefined);
          yield { what: `${path} chooses ${i}`, value: like };
          yield* this.#inside(choice, like, `${path}|${i}`);
        }
        return;
      case "optional":
      case "exact_optional":
      case "nullable":
      case "nullish":
        if (shape.wrapped !== undefined) yield* this.#inside(shape.wrapped, honest, path);
        return;
      case "picklist":
        for (const option of shape.options ?? []) yield { what: `${path} is ${say(option)}`, value: option };
        yield { what: `${path} is of no list`, value: "nobody knows this" };
        return;
      case "unknown":
        yield { what: `${path} is nested`, value: nested() };
        yield { what: `${path} is many`, value: Array.from({ length: 10_000 }, () => 0) };
        return;
      default:
    }
  }

  *#numbers(shape: Shape, path: string): Generator<Told> {
    const { min, max } = boundsOf(shape);
    const edges = [min, max, min - 1, max + 1].filter((edge) => Number.isFinite(edge));
    for (const value of new Set([...edges, ...NUMBERS, ...NO_NUMBERS]))
      yield { what: `${path} is ${say(value)}`, value };
  }

  *#texts(shape: Shape, path: string): Generator<Told> {
    const { min, max } = this.#lengths(shape);
    for (const text of TEXTS) yield { what: `${path} is ${say(text)}`, value: text };
    for (const length of new Set([min - 1, min, max, max + 1])) {
      if (length < 0) continue;
      for (const unit of ["a", "0", "\u6f22", "\u{1f469}", "e\u0301"]) {
        const value = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
        yield { what: `${path} is ${length} units of ${unit}`, value };
      }
    }
  }

  *#byteStrings(shape: Shape, path: string): Generator<Told> {
    const { min, max } = this.#lengths(shape);
    for (const length of new Set([0, 1, min - 1, min, max, max + 1])) {
      if (length < 0) continue;
      for (const byte of [0, 0x7f, 0x80, 0xff]) {
        yield { what: `${path} is ${length} bytes of ${byte}`, value: new Uint8Array(length).fill(byte) };
      }
    }
    for (const [i, value] of this.#bytes.entries()) {
      if (value.length <= max) yield { what: `${path} is the bytes ${i} of the dictionary`, value };
    }
  }

  *#arrays(shape: Shape, honest: unknown, path: string): Generator<Told> {
    const { item } = shape;
    if (item === undefined) return;
    const list: readonly unknown[] = Array.isArray(honest) ? honest : [];
    const sample = list[0] ?? this.#greatest(item, undefined);
    const { min, max } = boundsOf(shape);
    const most = Math.min(max, Math.max(1, Math.floor(this.#bytesMax / sizeOf(sample))));
    for (const length of new Set([0, 1, 2, min - 1, most, most + 1])) {
      if (length < 0 || !Number.isFinite(length)) continue;
      yield { what: `${path} is the same ${length} times`, value: Array.from({ length }, () => sample) };
    }
    for (const { what, value } of this.at(item, sample, `${path}[0]`)) {
      yield { what, value: [value, ...list.slice(1)] };
    }
  }

  *#tuples(shape: Shape, honest: unknown, path: string): Generator<Told> {
    const items = shape.items ?? [];
    const list: readonly unknown[] = Array.isArray(honest)
      ? honest
      : items.map((item) => this.#greatest(item, undefined));
    yield { what: `${path} lacks its last`, value: list.slice(0, -1) };
    yield { what: `${path} has one more`, value: [...list, 0] };
    for (const [i, item] of items.entries()) {
      for (const { what, value } of this.at(item, list[i], `${path}[${i}]`)) yield { what, value: list.with(i, value) };
    }
  }

  *#objects(shape: Shape, honest: unknown, path: string): Generator<Told> {
    const base = isRecord(honest) ? honest : {};
    yield { what: `${path} has one more`, value: { ...base, more: nested(100) } };
    for (const [name, entry] of Object.entries(shape.entries ?? {})) {
      const { [name]: _, ...others } = base;
      yield { what: `${path} lacks ${name}`, value: others };
      for (const { what, value } of this.at(entry, base[name], `${path}.${name}`)) {
        if (value !== undefined) yield { what, value: { ...base, [name]: value } };
      }
    }
  }

  /** Changes all places at once, and two numbers to opposite ends. */
  *together(shape: Shape, honest: unknown): Generator<Told> {
    yield { what: "all at their greatest", value: this.#greatest(shape, honest) };
    yield { what: "all at their least", value: this.#least(shape, honest) };
    const places = [...numbersIn(shape, honest, [])];
    for (const low of places) {
      for (const high of places) {
        if (low === high) continue;
        const value = put(put(honest, low.path, low.least), high.path, high.greatest);
        yield { what: `${low.path.join(".")} at its least, ${high.path.join(".")} at its greatest`, value };
      }
    }
  }

  #greatest(shape: Shape, honest: unknown): unknown {
    const { max } = boundsOf(shape);
    if (shape.type === "number") return Number.isFinite(max) ? max : Number.MAX_SAFE_INTEGER;
    return this.#edge(shape, honest, (inner, value) => this.#greatest(inner, value), this.#lengths(shape).max);
  }

  #least(shape: Shape, honest: unknown): unknown {
    const { min } = boundsOf(shape);
    if (shape.type === "number") return Number.isFinite(min) ? min : 0;
    return this.#edge(
      shape,
      honest,
      (inner, value) => this.#least(inner, value),
      Math.max(0, this.#lengths(shape).min),
    );
  }

  #edge(shape: Shape, honest: unknown, inner: (shape: Shape, honest: unknown) => unknown, length: number): unknown {
    const isEmptied = length <= 1;
    switch (shape.type) {
      case "string":
        return v.is(shape as unknown as Schema<unknown>, "a".repeat(length)) ? "a".repeat(length) : (honest ?? "a");
      case "instance":
        return new Uint8Array(length).fill(0xff);
      case "array": {
        const sample = shape.item === undefined ? 0 : inner(shape.item, Array.isArray(honest) ? honest[0] : undefined);
        const { min, max } = boundsOf(shape);
        const most = Math.min(max, Math.max(1, Math.floor(this.#bytesMax / sizeOf(sample) / 4)));
        return Array.from({ length: isEmptied ? Math.max(0, min) : most }, () => sample);
      }
      case "tuple":
      case "strict_tuple":
        return (shape.items ?? []).map((item, i) => inner(item, Array.isArray(honest) ? honest[i] : undefined));
      case "object":
      case "strict_object":
      case "loose_object": {
        const base = isRecord(honest) ? honest : {};
        return Object.fromEntries(
          Object.entries(shape.entries ?? {}).map(([name, entry]) => [name, inner(entry, base[name])]),
        );
      }
      case "union":
      case "variant": {
        const like = choicesOf(shape).find((choice) => isLike(choice, honest)) ?? choicesOf(shape)[0];
        return like === undefined ? honest : inner(like, honest);
      }
      case "optional":
      case "exact_optional":
      case "nullable":
      case "nullish":
        return shape.wrapped === undefined ? honest : inner(shape.wrapped, honest);
      case "picklist":
        return honest ?? shape.options?.[0];
      case "literal":
        return shape.literal;
      case "null":
        return null;
      case "boolean":
        return true;
      default:
        return honest;
    }
  }

  /** The lengths that a text or byte string may have, within what a message takes. */
  #lengths(shape: Shape): { readonly min: number; readonly max: number } {
    const { min, max } = boundsOf(shape);
    return { min: Math.max(0, min), max: Math.min(max, this.#bytesMax) };
  }
}

interface Place {
  readonly path: readonly (string | number)[];
  readonly least: number;
  readonly greatest: number;
}

/** The numbers of the honest value, in what it has. */
function* numbersIn(shape: Shape, honest: unknown, path: readonly (string | number)[]): Generator<Place> {
  if (shape.type === "number") {
    const { min, max } = boundsOf(shape);
    yield {
      path,
      least: Number.isFinite(min) ? min : 0,
      greatest: Number.isFinite(max) ? max : Number.MAX_SAFE_INTEGER,
    };
  }
  if (shape.wrapped !== undefined && honest !== undefined) yield* numbersIn(shape.wrapped, honest, path);
  if (shape.item !== undefined && Array.isArray(honest) && honest.length > 0) {
    yield* numbersIn(shape.item, honest[0], [...path, 0]);
  }
  for (const [i, item] of (shape.items ?? []).entries()) {
    if (Array.isArray(honest)) yield* numbersIn(item, honest[i], [...path, i]);
  }
  for (const [name, entry] of Object.entries(shape.entries ?? {})) {
    if (isRecord(honest)) yield* numbersIn(entry, honest[name], [...path, name]);
  }
  if (shape.type === "union" || shape.type === "variant") {
    const like = choicesOf(shape).find((choice) => isLike(choice, honest));
    if (like !== undefined) yield* numbersIn(like, honest, path);
  }
}

function put(value: unknown, path: readonly (string | number)[], to: unknown): unknown {
  const [at, ...rest] = path;
  if (at === undefined) return to;
  if (Array.isArray(value)) return value.with(Number(at), put(value[Number(at)], rest, to));
  return isRecord(value) ? { ...value, [at]: put(value[at], rest, to) } : value;
}

function isLike(shape: Shape, value: unknown): boolean {
  return v.is(shape as unknown as Schema<unknown>, value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** Bytes that it takes encoded, roughly. */
function sizeOf(value: unknown): number {
  if (value instanceof Uint8Array) return value.length + 5;
  if (typeof value === "string") return 3 * value.length + 5;
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + sizeOf(each), 5);
  if (isRecord(value)) return Object.entries(value).reduce((sum, [key, each]) => sum + key.length + sizeOf(each), 5);
  return 9;
}

function say(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === "bigint" || typeof value === "number") return String(value);
  return JSON.stringify(value) ?? "absent";
}
