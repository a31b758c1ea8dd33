/**
 * Cells that merge by parts, so that concurrent changes all count: a set has a part for each element that was added or
 * removed since the row was inserted. (The parts of a counter are in counter.ts; the index gets their sum as one part.) A
 * part names the version of the row that it belongs to, since a row that is inserted again begins anew. Pure.
 *
 *     stamp and writer of the row's version, 8 bytes each, as doubles; and a value: the sum, or the element as JSON,
 *     with a byte before it that says whether it is there
 */
import { isStarfishError } from "../../base/errors.ts";
import type { Version } from "../../memory/types.ts";
import { elementPart } from "../schema/names.ts";
import type { SqlValue } from "../types.ts";
import { CellReader, CellWriter } from "./pack.ts";

export interface Part {
  readonly of: Version;
  /** For an element of a set: whether the set has it. */
  readonly isThere: boolean;
  readonly value: SqlValue;
}

export function packPart({ of, isThere, value }: Part): Uint8Array<ArrayBuffer> {
  const writer = new CellWriter();
  writer.real(of.stamp);
  writer.real(of.writer);
  writer.value(isThere ? 1 : 0);
  writer.value(value);
  return writer.slice();
}

/** Undefined: these bytes are not a part. */
export function readPart(bytes: Uint8Array): Part | undefined {
  try {
    const reader = new CellReader(bytes);
    const [stamp, writer, isThere, value] = [reader.value(), reader.value(), reader.value(), reader.value()];
    if (typeof stamp !== "number" || typeof writer !== "number") return undefined;
    return { of: { stamp, writer }, isThere: isThere === 1, value };
  } catch (error) {
    if (isStarfishError(error)) return undefined;
    throw error;
  }
}

/** Whole numbers stay exact up to 64 bits; a value that is not a number counts as 0. */
export function plus(a: SqlValue, b: SqlValue): number | bigint {
  const [x, y] = [numeric(a), numeric(b)];
  if (typeof x === "bigint" && typeof y === "bigint") {
    const sum = BigInt.asIntN(64, x + y);
    return Number.isSafeInteger(Number(sum)) ? Number(sum) : sum;
  }
  return Number(x) + Number(y);
}

export function minus(a: SqlValue, b: SqlValue): number | bigint {
  const negative = numeric(b);
  return plus(a, typeof negative === "bigint" ? BigInt.asIntN(64, -negative) : -negative);
}

function numeric(value: SqlValue): number | bigint {
  if (typeof value === "bigint") return value;
  if (typeof value !== "number") return 0n;
  return Number.isSafeInteger(value) ? BigInt(value) : value;
}

/** The elements of a set by their names, as JSON: those of a JSON array, or none. */
export function elementsOf(value: SqlValue): Map<string, string> {
  const elements = new Map<string, string>();
  if (typeof value !== "string") return elements;
  let list: unknown;
  try {
    list = JSON.parse(value);
  } catch {
    return elements;
  }
  if (!Array.isArray(list)) return elements;
  for (const element of list) {
    const json = JSON.stringify(element);
    elements.set(elementPart(json), json);
  }
  return elements;
}

/** The set as a JSON array, in the order of its elements' JSON, so that it is the same on all nodes. */
export function setOf(elements: ReadonlyMap<string, string>): string {
  return `[${[...elements.values()].toSorted().join(",")}]`;
}
