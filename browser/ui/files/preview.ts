/**
 * A preview of a file. Any member may have written it, so nothing in it is ever run. Text is shown as plain text, also
 * HTML and SVG. Pictures are shown if their first bytes say a format that has nothing but pixels.
 */
import type { Files, FileInfo } from "../../../core/disk/types.ts";
import { concat } from "../../../core/base/bytes.ts";
import { bytesWords } from "../../../core/shell/format.ts";
import { nameOf } from "./words.ts";

/** Several screens of text; use `cat` for more. */
const TEXT_BYTES_MAX: number = 64 * 1024;
/** As much as a page holds in memory and a phone decodes. */
const PICTURE_BYTES_MAX: number = 32 * 1024 * 1024;

/** Formats of pictures by their first bytes; a dot stands for any byte. */
const PICTURES: readonly (readonly [type: string, beginning: RegExp])[] = [
  ["image/png", /^\x89PNG\r\n/],
  ["image/jpeg", /^\xff\xd8\xff/],
  ["image/gif", /^GIF8[79]a/],
  ["image/webp", /^RIFF[^]{4}WEBP/],
  ["image/avif", /^[^]{4}ftypavi[fs]/],
  ["image/bmp", /^BM[^]{12}[\x28\x6c\x7c]\0\0\0/],
];

/** What is previewed: bytes that are read from the beginning. */
export interface Looked {
  /** A name for people. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Reads at least up to `to`. */
  read(to: number): AsyncIterable<Uint8Array>;
}

/** The elements that show it. Rejects as Files.read does. */
export async function previewOf(files: Files, info: FileInfo, signal: AbortSignal): Promise<HTMLElement[]> {
  const read = (to: number): AsyncIterable<Uint8Array> => files.read(info.path, { to, signal });
  return await lookAt({ name: nameOf(info), sizeBytes: info.sizeBytes, read });
}

/** The same for anything that can be read. Rejects as its `read` does. */
export async function lookAt(looked: Looked): Promise<HTMLElement[]> {
  const { name, sizeBytes } = looked;
  const head = await bytesOf(looked, Math.min(sizeBytes, TEXT_BYTES_MAX));
  if (head.length === 0) return [said("There is nothing in it.")];
  const type = pictureType(head);
  if (type === undefined) return textOf(head, sizeBytes) ?? [said("No preview: this is neither text nor a picture.")];
  if (sizeBytes > PICTURE_BYTES_MAX) {
    return [said(`This picture is larger than ${bytesWords(PICTURE_BYTES_MAX)}: download it to see it.`)];
  }
  return [picture(new Blob([await bytesOf(looked, sizeBytes)], { type }), name)];
}

async function bytesOf(looked: Looked, to: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of looked.read(to)) {
    parts.push(part);
    length += part.length;
    if (length >= to) break;
  }
  return concat(parts).subarray(0, to);
}

function pictureType(head: Uint8Array): string | undefined {
  const beginning = String.fromCharCode(...head.subarray(0, 18));
  return PICTURES.find(([, begins]) => begins.test(beginning))?.[0];
}

/** Undefined if it is not UTF-8. */
function textOf(head: Uint8Array, sizeBytes: number): HTMLElement[] | undefined {
  let text: string;
  try {
    // The text may be cut in the middle of a letter.
    text = new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: head.length < sizeBytes });
  } catch {
    return undefined;
  }
  if (text.includes("\0")) return undefined;
  const shown = document.createElement("pre");
  shown.textContent = text;
  if (head.length >= sizeBytes) return [shown];
  return [shown, said(`The first ${bytesWords(head.length)} of ${bytesWords(sizeBytes)}.`)];
}

function picture(pixels: Blob, name: string): HTMLElement {
  const image = document.createElement("img");
  const url = URL.createObjectURL(pixels);
  image.alt = name;
  image.src = url;
  // Once decoded, the picture no longer needs its bytes.
  for (const end of ["load", "error"]) image.addEventListener(end, () => URL.revokeObjectURL(url), { once: true });
  image.addEventListener("error", () => image.replaceWith(said("No preview: the browser can't read this picture.")));
  return image;
}

export function said(words: string): HTMLParagraphElement {
  const paragraph = document.createElement("p");
  paragraph.textContent = words;
  return paragraph;
}
