/**
 * Values that are too large for the map: the cell has the CID and the size of a content on the disk instead. Such a cell
 * always has an entry of its own. Pure.
 *
 *     0x07        the tag; no other cell begins with it
 *     1 byte      1: text in UTF-8, 0: bytes
 *     the size in bytes, and the CID as text, both as values (pack.ts)
 */
import * as v from "valibot";
import type { Bytes } from "../../base/bytes.ts";
import { check, integerOf, type Schema } from "../../base/codec.ts";
import { isStarfishError } from "../../base/errors.ts";
import { CELL_BYTES_MAX, SQL_VALUE_BYTES_MAX } from "../limits.ts";
import { BLOB, CellReader, CellWriter, TEXT } from "./pack.ts";

export interface LargeRef {
  readonly isText: boolean;
  readonly sizeBytes: number;
  readonly cid: string;
}

const LARGE = 0x07;
const largeSchema: Schema<LargeRef> = v.strictObject({
  isText: v.boolean(),
  // What fits into a cell is in the cell.
  sizeBytes: integerOf(CELL_BYTES_MAX + 1, SQL_VALUE_BYTES_MAX),
  cid: v.pipe(v.string(), v.regex(/^b[a-z2-7]{20,110}$/)),
});

export function isLarge(cell: Bytes): boolean {
  return cell[0] === LARGE;
}

export function packLarge({ isText, sizeBytes, cid }: LargeRef): Uint8Array<ArrayBuffer> {
  const writer = new CellWriter();
  writer.bytes(Uint8Array.of(LARGE, isText ? 1 : 0));
  writer.value(sizeBytes);
  writer.value(cid);
  return writer.slice();
}

/** Undefined: it is no such cell, or an impossible one. */
export function readLarge(cell: Bytes): LargeRef | undefined {
  if (!isLarge(cell)) return undefined;
  try {
    const reader = new CellReader(cell);
    const [, kind = 2] = reader.bytes(2);
    const [sizeBytes, cid] = [reader.value(), reader.value()];
    if (kind > 1 || !reader.done) return undefined;
    return check(largeSchema, { isText: kind === 1, sizeBytes, cid });
  } catch (error) {
    if (isStarfishError(error)) return undefined;
    throw error;
  }
}

/** The cell with the value itself. */
export function packContent(isText: boolean, content: Bytes): Uint8Array<ArrayBuffer> {
  const writer = new CellWriter();
  writer.bytes(Uint8Array.of(isText ? TEXT : BLOB));
  writer.varint(content.length);
  writer.bytes(content);
  return writer.slice();
}

/** The value of a cell that is too large for the map, as a view; undefined: it fits. */
export function contentOf(cell: Bytes): { readonly isText: boolean; readonly content: Bytes } | undefined {
  if (cell.length <= CELL_BYTES_MAX) return undefined;
  const reader = new CellReader(cell);
  const [tag] = reader.bytes(1);
  const length = reader.varint();
  return length <= CELL_BYTES_MAX ? undefined : { isText: tag === TEXT, content: reader.bytes(length) };
}

/** For the test suite that sends extreme values of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { largeSchema };
