/**
 * Checks the entries of the map `layout` (catalogue.ts describes them). Any member can write there. So each number has
 * a bound that follows from a limit, and numbers that follow from others have to agree with them: the stripes with the
 * size, the length of the shard list with size and code, the code with what may be stored per byte. Pure.
 */
import * as v from "valibot";
import { bytesOf, check, integerOf, type Schema, textOf } from "../../base/codec.ts";
import { isStarfishError } from "../../base/errors.ts";
import { DATA_SHARDS_MAX, SHARDS_MAX } from "../../ports/coder.ts";
import { isContentCid } from "../content/block.ts";
import { type Layout, holdersWanted, STORAGE_FACTOR_MAX, storageFactor } from "../code/layout.ts";
import {
  CONTENT_BYTES_MAX,
  DEVICE_CHARS_MAX,
  HOLDERS_MAX,
  LAYOUT_ID_CHARS_MAX,
  LIST_BYTES_MAX,
  LIST_INLINE_BYTES_MAX,
  STORAGE_BYTES_MAX,
} from "../limits.ts";
import { PARTITIONS } from "./placement.ts";
import { listBytes } from "../code/shard-list.ts";
import type { ContentRef } from "../types.ts";

export interface ContentEntry {
  readonly sizeBytes: number;
  readonly code: Layout;
  readonly list: Uint8Array | ContentRef;
}

export interface Storage {
  readonly offeredBytes: number;
  readonly freeBytes: number;
}

/** The parsed entry, or why it was refused. */
export type Read<T> = { readonly value: T } | { readonly why: string };

const ID = new RegExp(`^[a-z0-9]{1,${LAYOUT_ID_CHARS_MAX}}$`);

const copiesSchema: v.GenericSchema<unknown, 1 | 2> = v.picklist([1, 2]);
/** Older entries lack this number. */
const wholesSchema: v.OptionalSchema<v.GenericSchema<unknown, 0 | 1>, 0> = v.optional(v.picklist([0, 1]), 0);
type Code = readonly [k: number, n: number, copies: 1 | 2, wholes: 0 | 1];
const codeSchema: v.GenericSchema<unknown, Code> = v.pipe(
  v.tuple([integerOf(1, DATA_SHARDS_MAX), integerOf(1, SHARDS_MAX), copiesSchema, wholesSchema]),
  v.check(([k, n]) => n >= k, "fewer shards than data"),
  v.check((code) => holdersWanted(layoutOf(code)) <= HOLDERS_MAX, "more holders than a stripe has"),
  v.check((code) => storageFactor(layoutOf(code)) <= STORAGE_FACTOR_MAX, "more is stored than any code wants"),
);
const refSchema: Schema<ContentRef> = v.object({
  cid: v.pipe(textOf(64), v.check(isContentCid, "no CID of a content")),
  sizeBytes: integerOf(LIST_INLINE_BYTES_MAX + 1, LIST_BYTES_MAX),
});
interface Said {
  readonly size: number;
  readonly code: Code;
  readonly list: Uint8Array | ContentRef;
}
const storedSchema: Schema<Said> = v.pipe(
  v.object({
    size: integerOf(0, CONTENT_BYTES_MAX),
    code: codeSchema,
    list: v.union([bytesOf(1, LIST_INLINE_BYTES_MAX), refSchema]),
  }),
  v.check(
    ({ size, code, list }) => lengthOf(list) === listBytes({ sizeBytes: size, code: layoutOf(code) }),
    "a list of another length than size and code want",
  ),
  // So lists of lists come to an end.
  v.check(({ list, size }) => list instanceof Uint8Array || list.sizeBytes < size, "a list as long as its content"),
);
const slotsSchema: Schema<readonly string[]> = v.pipe(
  v.array(textOf(DEVICE_CHARS_MAX)),
  v.maxLength(HOLDERS_MAX),
  v.check((devices) => new Set(devices).size === devices.length, "a device twice"),
);
const storageSchema: Schema<readonly [offered: number, free: number]> = v.pipe(
  v.tuple([integerOf(0, STORAGE_BYTES_MAX), integerOf(0, STORAGE_BYTES_MAX)]),
  v.check(([offered, free]) => free <= offered, "more is free than offered"),
);

export function readContent(cid: string, id: string, value: unknown): Read<ContentEntry> {
  if (!isContentCid(cid)) return { why: "no CID of a content" };
  if (!ID.test(id)) return { why: "no id of a layout" };
  return read(storedSchema, value, ({ size, code, list }) => ({ sizeBytes: size, code: layoutOf(code), list }));
}

/** @param partition the partition in the key */
export function readSlots(partition: string, value: unknown): Read<readonly string[]> {
  const number = Number(partition);
  const isPartition = Number.isInteger(number) && number >= 0 && number < PARTITIONS && String(number) === partition;
  return isPartition ? read(slotsSchema, value, (devices) => devices) : { why: "no such partition" };
}

export function readStorage(value: unknown): Read<Storage> {
  return read(storageSchema, value, ([offeredBytes, freeBytes]) => ({ offeredBytes, freeBytes }));
}

function layoutOf([k, n, copies, wholes]: Code): Layout {
  return { k, n, copies, wholes };
}

function lengthOf(list: Uint8Array | ContentRef): number {
  return list instanceof Uint8Array ? list.length : list.sizeBytes;
}

function read<S, T>(schema: Schema<S>, value: unknown, as: (said: S) => T): Read<T> {
  try {
    return { value: as(check(schema, value)) };
  } catch (error) {
    if (isStarfishError(error, "malformed")) return { why: error.message };
    throw error;
  }
}

/** For the test suite that sends extreme values of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { storedSchema, slotsSchema, storageSchema };
