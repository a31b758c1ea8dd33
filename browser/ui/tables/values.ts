/** Values of cells as they are shown and typed. Pure. */
import { fromHex, toHex } from "../../../core/base/bytes.ts";
import type { SqlValue } from "../../../core/db/types.ts";

export type Parsed =
  | { readonly isRight: true; readonly value: SqlValue }
  /** `why` is for the person who typed it. */
  | { readonly isRight: false; readonly why: string };

const INT64_MIN: bigint = -(2n ** 63n);
const INT64_MAX: bigint = 2n ** 63n - 1n;

/** NULL is shown as empty; the caller marks it. */
export function shown(value: SqlValue): string {
  if (value === null) return "";
  return value instanceof Uint8Array ? `x'${toHex(value)}'` : String(value);
}

/** The value of a text that is typed into a column of that type. An empty text is NULL if it is no valid value. */
export function parsed(text: string, type: string): Parsed {
  const kind = kindOf(type);
  const typed = text.trim();
  if (kind === "text") return { isRight: true, value: text };
  if (typed === "") return { isRight: true, value: null };
  if (kind === "blob") return parsedBlob(typed);
  if (/^[+-]?\d+$/.test(typed)) return parsedInteger(typed);
  if (kind === "integer") return { isRight: false, why: "A whole number belongs here." };
  const number = Number(typed);
  if (Number.isFinite(number)) return { isRight: true, value: number };
  if (kind === "real") return { isRight: false, why: "A number belongs here, such as 3.5." };
  return { isRight: true, value: text };
}

/** SQLite's rules for the affinity of a column, in their order. */
export function kindOf(type: string): "integer" | "text" | "blob" | "real" | "numeric" {
  const name = type.toUpperCase();
  if (name.includes("INT") || name === "COUNTER") return "integer";
  if (/CHAR|CLOB|TEXT|UUID|JSON|SET/.test(name) || name === "") return "text";
  if (name.includes("BLOB")) return "blob";
  return /REAL|FLOA|DOUB/.test(name) ? "real" : "numeric";
}

function parsedInteger(typed: string): Parsed {
  const exact = BigInt(typed.replace(/^\+/, ""));
  if (exact < INT64_MIN || exact > INT64_MAX)
    return { isRight: false, why: "A whole number here has at most 64 bits." };
  const number = Number(exact);
  return { isRight: true, value: Number.isSafeInteger(number) ? number : exact };
}

function parsedBlob(typed: string): Parsed {
  const [, hex] = /^(?:x'|0x)?((?:[0-9a-f]{2})*)'?$/i.exec(typed) ?? [];
  if (hex === undefined) return { isRight: false, why: "Bytes belong here, in hex: x'00ff'." };
  return { isRight: true, value: fromHex(hex.toLowerCase()) };
}
