/**
 * Lets a trap for want of memory be told from any other: every `memory.grow` becomes a call of a function added at the
 * end, which does the same and raises a flag, exported under GROW_FAILED, when there was no more to be had. Allocators
 * can do nothing then but trap, and the flag says that this was the reason.
 */
import { type Bytes, concat } from "../../base/bytes.ts";
import { leb, Reader } from "./reader.ts";

export const GROW_FAILED = "starfish:grow-failed";

export interface Section {
  readonly id: number;
  readonly content: Bytes;
}

/** A function's body, and the places in it where memory grows; offsets into the file. */
export interface Body {
  readonly from: number;
  readonly to: number;
  readonly grows: readonly { readonly from: number; readonly to: number }[];
}

const SECTION = { type: 1, function: 3, global: 6, export: 7, code: 10 };
const I32 = 0x7f;
const MUTABLE = 0x01;
const END = 0x0b;
const GLOBAL = 3;
const CALL = 0x10;

/** The sections with the watch in them; the same ones if no memory grows. */
export function watchGrowth(
  sections: readonly Section[],
  file: Bytes,
  bodies: readonly Body[],
  imported: number,
): readonly Section[] {
  if (!bodies.some(({ grows }) => grows.length > 0)) return sections;
  const global = countOf(sections, SECTION.global);
  const type = countOf(sections, SECTION.type);
  const helper = imported + countOf(sections, SECTION.function);
  const name = new TextEncoder().encode(GROW_FAILED);
  const added: Readonly<Record<number, readonly number[]>> = {
    [SECTION.type]: [0x60, 1, I32, 1, I32],
    [SECTION.function]: leb(type),
    [SECTION.global]: [I32, MUTABLE, 0x41, 0x00, END],
    [SECTION.export]: [...leb(name.length), ...name, GLOBAL, ...leb(global)],
  };
  const watched: Section[] = [];
  for (const { id, content } of sections) {
    // A module without globals gets the section where it belongs: right before its exports.
    if (id === SECTION.export && global === 0)
      watched.push(appended(SECTION.global, Uint8Array.of(0), added[SECTION.global]));
    if (id === SECTION.code) watched.push({ id, content: rewrite(file, bodies, helper, global) });
    else if (id !== SECTION.global || global > 0) watched.push(appended(id, content, added[id]));
  }
  return watched;
}

function countOf(sections: readonly Section[], id: number): number {
  const section = sections.find((other) => other.id === id);
  return section === undefined ? 0 : new Reader(section.content).u32();
}

/** The section with one more element at its end. */
function appended(id: number, content: Bytes, element: readonly number[] | undefined): Section {
  if (element === undefined) return { id, content };
  const reader = new Reader(content);
  const count = reader.u32();
  return {
    id,
    content: concat([Uint8Array.from(leb(count + 1)), content.subarray(reader.at), Uint8Array.from(element)]),
  };
}

/** All bodies with their `memory.grow` replaced, and the helper's. */
function rewrite(file: Bytes, bodies: readonly Body[], helper: number, global: number): Uint8Array<ArrayBuffer> {
  const call = Uint8Array.from([CALL, ...leb(helper)]);
  const parts: Bytes[] = [Uint8Array.from(leb(bodies.length + 1))];
  for (const { from, to, grows } of bodies) {
    let length = to - from;
    for (const grow of grows) length += call.length - (grow.to - grow.from);
    parts.push(Uint8Array.from(leb(length)));
    let at = from;
    for (const grow of grows) {
      parts.push(file.subarray(at, grow.from), call);
      at = grow.to;
    }
    parts.push(file.subarray(at, to));
  }
  const body = [
    ...[0x00, 0x20, 0x00, 0x40, 0x00, 0x22, 0x00], // no locals; pages = memory.grow(pages)
    ...[0x41, 0x7f, 0x46, 0x04, 0x40, 0x41, 0x01, 0x24, ...leb(global), END], // if (pages == -1) flag = 1
    ...[0x20, 0x00, END], // pages
  ];
  parts.push(Uint8Array.from([...leb(body.length), ...body]));
  return concat(parts);
}
