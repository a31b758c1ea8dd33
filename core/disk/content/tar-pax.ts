/** Pax records: facts about the next entry, or about all following ones, beyond the fields of the header. */
import { type Bytes, text } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { decimal, type Run, runsOf } from "./tar-sparse.ts";

/** In their order, since the oldest form of sparse files repeats keys. */
export type PaxRecords = readonly (readonly [key: string, value: Bytes])[];

/** `length key=value\n`, again and again. Throws "malformed". */
export function parsePax(bytes: Bytes): PaxRecords {
  const records: [string, Bytes][] = [];
  for (let at = 0; at < bytes.length && bytes[at] !== 0;) {
    const space = bytes.indexOf(0x20, at);
    const digits = text(bytes.subarray(at, Math.min(space === -1 ? at : space, at + 20)));
    const length = /^\d+$/.test(digits) ? Number(digits) : 0;
    const equals = bytes.indexOf(0x3d, space);
    const end = at + length;
    if (space === -1 || equals === -1 || equals >= end || end > bytes.length || bytes[end - 1] !== 0x0a) {
      throw new StarfishError("malformed", "its extended header is damaged");
    }
    records.push([text(bytes.subarray(space + 1, equals)), bytes.slice(equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

/** Merges records: the later of two wins, and an empty value cancels a global one. */
export class Pax {
  readonly #values = new Map<string, Bytes>();
  readonly #sparseNumbers: string[] = [];

  constructor(...all: readonly PaxRecords[]) {
    for (const records of all) {
      for (const [key, value] of records) {
        if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") this.#sparseNumbers.push(text(value));
        if (value.length === 0) this.#values.delete(key);
        else this.#values.set(key, value);
      }
    }
  }

  bytes(key: string): Bytes | undefined {
    return this.#values.get(key);
  }

  text(key: string): string | undefined {
    const value = this.#values.get(key);
    return value && text(value);
  }

  /** Throws "malformed". */
  number(key: string): number | undefined {
    const value = this.text(key);
    if (value === undefined) return undefined;
    if (/^\d{1,16}$/.test(value) && Number.isSafeInteger(Number(value))) return Number(value);
    throw new StarfishError("malformed", `its extended header is damaged (${key})`);
  }

  /** Ms since 1970; fractions of a second are allowed. */
  get modifiedMs(): number | undefined {
    const seconds = Number(this.text("mtime") ?? Number.NaN);
    return Number.isFinite(seconds) ? Math.round(seconds * 1_000) : undefined;
  }

  /** The form of GNU sparse file that it is, if any. Throws "unsupported" for those of star and for future ones. */
  get sparseForm(): "0" | "1.0" | undefined {
    const major = this.text("GNU.sparse.major");
    const minor = this.text("GNU.sparse.minor");
    if (major === "1" && minor === "0") return "1.0";
    if (major !== undefined && major !== "0") {
      throw new StarfishError(
        "unsupported",
        `a sparse file of the form ${major}.${minor ?? ""}, which is not read here`,
      );
    }
    if (this.#sparseNumbers.length > 0 || this.text("GNU.sparse.map") !== undefined) return "0";
    if (this.text("GNU.sparse.size") !== undefined || this.text("GNU.sparse.numblocks") !== undefined) return "0";
    if (this.text("SCHILY.realsize") !== undefined) {
      throw new StarfishError("unsupported", "a sparse file of star's form, which is not read here");
    }
    return undefined;
  }

  /** The runs of forms 0.0 and 0.1. */
  get sparseRuns(): Run[] {
    const map = this.text("GNU.sparse.map");
    return runsOf((map === undefined ? this.#sparseNumbers : map.split(",")).map(decimal));
  }
}
