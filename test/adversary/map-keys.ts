/** Keys of the maps that no honest node makes, and valid ones; and entries under them. */
import { columnId, columnKey, tableId } from "../../core/db/schema/names.ts";
import { encode } from "../../core/base/codec.ts";
import { LIVE } from "../../core/memory/entry.ts";
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "../../core/memory/limits.ts";
import { Packer } from "../../core/memory/pack.ts";
import type { Speaker } from "./samples.ts";

const LAST_STAMP = (2 ** 53 - 1).toString(36).padStart(11, "0");
const LAST_WRITER = (2 ** 48 - 1).toString(36).padStart(10, "0");

/** The first one is valid. */
export function keysOf(map: string, { cid, layout, nowMs, victim }: Speaker): string[] {
  const long = "k".repeat(900);
  if (map === "layout") {
    return [
      `c/${cid}/x1`,
      `c/bafyothers/${layout}`,
      `c/${cid}/`,
      "c//",
      "c/",
      `c/${long}/x2`,
      `c/${cid}/${long}`,
      `c/${cid}/x3/x4/x5`,
      `c/__proto__/constructor`,
      "l/x6",
      `l/${layout}`,
      `l/${long}`,
      "p/0",
      "p/1023",
      "p/1024",
      "p/-1",
      "p/1e9",
      "p/NaN",
      "p/0x10",
      "p/",
      `p/${"9".repeat(300)}`,
      "d/nobody",
      "d/",
      `d/${long}`,
      "d/\u001b[2J",
      "z/what/is/this",
      "",
      "/",
      "k".repeat(KEY_BYTES_MAX),
    ];
  }
  if (map === "proc" || map === "work") {
    const job = "00000000000000ab";
    const kinds = ["j", "c", "r"].map((kind) => `${kind}/${job}`);
    kinds.push(`v/${job}/1`, `v/${job}`);
    const works = [666, 2 ** 48 - 1].map((writer) => `${job}/${writer.toString(36)}`);
    const task = "0".repeat(64);
    works.push(`t/${task}/666`, `t/${task}/`, "t/", `t/${task}`, `t/${long}/1`);
    const odd = [
      "j/",
      "j/0",
      `j/${job}0`,
      "x/",
      `J/${job}`,
      `j/${"g".repeat(16)}`,
      `${job}/`,
      `${job}/zzzz/1`,
      `${job}/-1`,
    ];
    return [...(map === "proc" ? kinds : works), ...odd, `j/${long}`, "", "/", "__proto__", "k".repeat(KEY_BYTES_MAX)];
  }
  if (map === "people") {
    return [
      victim,
      victim.slice(1),
      `${victim}1`,
      "z".repeat(52),
      long,
      "",
      "/",
      "\u001b[2J",
      "k".repeat(KEY_BYTES_MAX),
    ];
  }
  if (map === "pictures") {
    const person = "0".repeat(64);
    return [person, person.slice(1), `${person}0`, "g".repeat(64), "A".repeat(64), long, "", "/", "__proto__"];
  }
  if (map === "mail") {
    const id = "0".repeat(32);
    const receipts = ["0/read", "0/deleted", "31/delivered", "32/read", "-1/read", "0/eaten", "0/", "0/read/0", ""];
    const mails = [`m/${id}`, `m/${id}0`, "m/", `m/${"g".repeat(32)}`, `M/${id}`, `m/${long}`];
    return [...mails, ...receipts.map((rest) => `r/${id}/${rest}`), "r/", "x/1", "", "/", "k".repeat(KEY_BYTES_MAX)];
  }
  if (map === "db") {
    const table = tableId("notes", 1, ["id"]);
    const column = columnKey(table, columnId("id", 0));
    const rows = ["xrow", "M1", "k".repeat(18), "", "x!", "u", "y0", 'x"x', long].map((row) => `${table}/${row}`);
    return [
      "!o/notes/1",
      column,
      "!o/notes/0",
      "!o/notes/99999999999",
      "!o/sqlite_schema/1",
      "!o/_k_x/1",
      `!o/${long}/1`,
      "!o//1",
      "!x/notes/1",
      "!x/__proto__/1",
      "!c/short/AAAAAA",
      `!c/${table}/`,
      "!z/",
      "!",
      ...rows,
      ...rows.map((row) => `${row} ${column.slice(-6)}`),
      `${table}/xrow AAAAAA`,
      `${table}/xrow long column`,
      "unknown0/M1",
      "",
      "/",
      "__proto__",
      "k".repeat(KEY_BYTES_MAX),
    ];
  }
  const now = (nowMs * 2_048).toString(36).padStart(11, "0");
  const right = now + LAST_WRITER;
  const versions = [right, LAST_STAMP + LAST_WRITER, "0".repeat(21), right + LAST_STAMP + LAST_WRITER, "z".repeat(21)];
  const names = ["n", "many", "..", ".", "a/b", "\u001b[2J", "__proto__", "\u202egnp", "e\u0301", long];
  return [
    `\0n\0f${right}`,
    ...names.flatMap((name) => versions.map((version) => `\0${name}\0f${version}`)),
    ...versions.map((version) => `\0n\0d${version}`),
    ...versions.map((version) => `n/n/n/n\0n\0f${version}`),
    ...versions.map((version) => `../..\0n\0f${version}`),
    "\0\0f",
    "\0n\0x",
    "n",
    "",
    "\0".repeat(100),
    `${"d/".repeat(400)}d\0n\0f${right}`,
  ];
}

/** A packed entry, or nothing if it is too long. It has a writer of its own, so that it can stand after others. */
export function entryOf(key: string, value: unknown, nowMs: number): Uint8Array[] {
  const bytes = encode(value);
  if (bytes.length > VALUE_BYTES_MAX || new TextEncoder().encode(key).length > KEY_BYTES_MAX) return [];
  const packer = new Packer();
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  packer.add(key, {
    stamp: nowMs * 2_048 + nextCount(),
    writer: 666,
    state: LIVE,
    value: text,
    expiresAtMs: undefined,
  });
  return [packer.take()];
}

let count = 0;

function nextCount(): number {
  count = (count + 1) % 2_048;
  return count;
}
