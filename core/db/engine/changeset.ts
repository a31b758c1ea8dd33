/**
 * SQLite's changesets as the session extension writes them (https://sqlite.org/session/changeset.html and
 * sqlite3session.c): the net changes of a transaction. Decoding here is several times faster than SQLite's own
 * iterator. Pure.
 */
import { assert } from "../../base/assert.ts";
import { exact } from "../cells/pack.ts";
import type { SqlValue } from "../types.ts";

export interface Cell {
  readonly value: SqlValue;
  readonly isReal: boolean;
}
/** Undefined: this column did not change. */
export type Record = readonly (Cell | undefined)[];

export interface Change {
  readonly table: string;
  readonly kind: "insert" | "update" | "delete";
  /** The old values. An update has the primary key and the columns that changed, an insertion has nothing. */
  readonly before: Record;
  /** The new values. An update has the columns that changed, a deletion has nothing. */
  readonly after: Record;
  /** Which columns are the primary key. */
  readonly isKey: readonly boolean[];
}

const TABLE = 0x54;
const INSERT = 18;
const UPDATE = 23;
const DELETE = 9;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function* changesOf(changeset: Uint8Array): Generator<Change, void, undefined> {
  const reader = new ChangesetReader(changeset);
  let table = "";
  let isKey: boolean[] = [];
  while (!reader.done) {
    const op = reader.byte();
    if (op === TABLE) {
      isKey = reader.keyFlags();
      table = reader.name();
      continue;
    }
    // Whether a trigger or a foreign key made the change.
    reader.byte();
    const count = isKey.length;
    if (op === INSERT) yield { table, kind: "insert", before: [], after: reader.record(count), isKey };
    else if (op === DELETE) yield { table, kind: "delete", before: reader.record(count), after: [], isKey };
    else {
      assert(op === UPDATE, "a changeset has inserts, updates and deletes");
      yield { table, kind: "update", before: reader.record(count), after: reader.record(count), isKey };
    }
  }
}

class ChangesetReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  keyFlags(): boolean[] {
    return Array.from({ length: this.#varint() }, () => this.byte() !== 0);
  }

  name(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const name = decoder.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    return name;
  }

  record(count: number): (Cell | undefined)[] {
    const record: (Cell | undefined)[] = [];
    for (let i = 0; i < count; i++) record.push(this.#cell());
    return record;
  }

  #cell(): Cell | undefined {
    switch (this.byte()) {
      case 0:
        return undefined;
      case 1: {
        const high = this.#view.getInt32(this.#at);
        const low = this.#view.getUint32(this.#at + 4);
        const number = high * 4_294_967_296 + low;
        const value = Number.isSafeInteger(number) ? number : exact(this.#view.getBigInt64(this.#at));
        this.#at += 8;
        return { value, isReal: false };
      }
      case 2:
        this.#at += 8;
        return { value: this.#view.getFloat64(this.#at - 8), isReal: true };
      case 3:
        return { value: decoder.decode(this.#run()), isReal: false };
      case 4:
        return { value: this.#run().slice(), isReal: false };
      default:
        return { value: null, isReal: false };
    }
  }

  #run(): Uint8Array {
    const length = this.#varint();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** SQLite's varint: seven bits in each byte, the highest first. */
  #varint(): number {
    let value = 0;
    for (let i = 0; i < 5; i++) {
      const byte = this.byte();
      value = value * 128 + (byte & 127);
      if (byte < 128) break;
    }
    return value;
  }
}
