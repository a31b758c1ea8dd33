/** A valibot schema as the suite reads it: what it is made of, and the bounds that its checks set. */
import type { Schema } from "../../core/base/codec.ts";

/** One check or transformation of a pipe. */
interface Action {
  readonly kind: string;
  readonly type: string;
  readonly requirement?: unknown;
}

export interface Shape {
  readonly type: string;
  readonly pipe?: readonly Action[];
  readonly entries?: Readonly<Record<string, Shape>>;
  readonly items?: readonly Shape[];
  readonly item?: Shape;
  /** The values of a picklist, or the schemas of a union or variant. */
  readonly options?: readonly unknown[];
  readonly wrapped?: Shape;
  readonly literal?: unknown;
  readonly key?: Shape | string;
  readonly value?: Shape;
}

export function shapeOf(schema: Schema<unknown>): Shape {
  return schema;
}

/** The lower and upper bound of a number, or of the length of text, bytes and arrays; infinite where there is none. */
interface Bounds {
  readonly min: number;
  readonly max: number;
}

const LOWER = new Set(["min_value", "min_length", "min_bytes", "length"]);
const UPPER = new Set(["max_value", "max_length", "max_bytes", "length"]);

export function boundsOf(shape: Shape): Bounds {
  let [min, max] = [-Infinity, Infinity];
  for (const { type, requirement } of actionsOf(shape)) {
    if (typeof requirement !== "number") continue;
    if (LOWER.has(type)) min = Math.max(min, requirement);
    if (UPPER.has(type)) max = Math.min(max, requirement);
  }
  return { min, max };
}

/** The regular expressions that text has to match. */
function patternsOf(shape: Shape): RegExp[] {
  return actionsOf(shape).flatMap(({ requirement }) => (requirement instanceof RegExp ? [requirement] : []));
}

/** Those of a pipe that begins with a pipe too. */
function actionsOf({ pipe = [] }: Shape): Action[] {
  return pipe.flatMap((action, i) => [action, ...(i === 0 ? actionsOf(inner(action)) : [])]);
}

/** A pipe begins with the schema that it refines; its own `pipe` is there, unless it is the schema itself. */
function inner(action: Action): Shape {
  return action;
}

/** The schemas among which a union or variant chooses. */
export function choicesOf({ options = [] }: Shape): Shape[] {
  return options as Shape[];
}

/** Text that is long beyond all bounds, to see whether a pattern alone bounds it. */
const LONG = 20_000;

/** The places at which a value that passes may be larger than any limit: a path each, and what lacks its bound. */
export function unboundedIn(schema: Schema<unknown>): string[] {
  return [...unbounded(shapeOf(schema), "")];
}

function* unbounded(shape: Shape, path: string): Generator<string> {
  const { max } = boundsOf(shape);
  switch (shape.type) {
    case "number":
    case "bigint":
      if (max >= Number.MAX_SAFE_INTEGER) yield `${path}: number`;
      return;
    case "string":
      if (max === Infinity && isOpen(patternsOf(shape))) yield `${path}: text`;
      return;
    case "instance":
      if (max === Infinity) yield `${path}: bytes`;
      return;
    case "array":
      if (max === Infinity) yield `${path}: array`;
      if (shape.item !== undefined) yield* unbounded(shape.item, `${path}[]`);
      return;
    case "tuple":
    case "strict_tuple":
      for (const [i, item] of (shape.items ?? []).entries()) yield* unbounded(item, `${path}[${i}]`);
      return;
    case "object":
    case "strict_object":
    case "loose_object":
      for (const [name, entry] of Object.entries(shape.entries ?? {})) yield* unbounded(entry, `${path}.${name}`);
      return;
    case "union":
    case "variant":
      for (const [i, choice] of choicesOf(shape).entries()) yield* unbounded(choice, `${path}|${i}`);
      return;
    case "optional":
    case "exact_optional":
    case "nullable":
    case "nullish":
      if (shape.wrapped !== undefined) yield* unbounded(shape.wrapped, path);
      return;
    case "picklist":
    case "literal":
    case "null":
    case "boolean":
      return;
    default:
      yield `${path}: ${shape.type}`;
  }
}

function isOpen(patterns: readonly RegExp[]): boolean {
  const matches = (text: string): boolean => patterns.every((pattern) => new RegExp(pattern.source).test(text));
  return ["a", "0", "z/", "A"].some((unit) => matches(unit.repeat(LONG)));
}
