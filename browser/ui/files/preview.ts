/**
 * A look at a file. Who wrote it is any member, so nothing in it is ever run: text is shown as text, whatever it would be
 * elsewhere (HTML and SVG too), and of pictures those kinds that hold nothing but pixels, told by their first bytes.
 */
import type { Files, FileInfo } from "../../../core/disk/types.ts";
import { concat } from "../../../core/base/bytes.ts";
import { bytesWords } from "../../../core/shell/format.ts";
import { nameOf } from "./words.ts";

/** Several screens of text; more is for `cat`. */
const TEXT_BYTES_MAX: number = 64 * 1024;
/** What a page holds in memory, and a phone decodes. */
const PICTURE_BYTES_MAX: number = 32 * 1024 * 1024;

/** Kinds of pictures by how they begin; a dot stands for any byte. */
const PICTURES: readonly (readonly [type: string, beginning: RegExp])[] = [
  ["image/png", /^\x89PNG\r\n/],
  ["image/jpeg", /^\xff\xd8\xff/],
  ["image/gif", /^GIF8[79]a/],
  ["image/webp", /^RIFF[^]{4}WEBP/],
  ["image/avif", /^[^]{4}ftypavi[fs]/],
];

/** The elements that show it. Rejects as Files.read does. */
export async function previewOf(files: Files, info: FileInfo, signal: AbortSignal): Promise<HTMLElement[]> {
  const head = await bytesOf(files, info, TEXT_BYTES_MAX, signal);
  if (head.length === 0) return [said("This file is empty.")];
  const type = pictureType(head);
  if (type === undefined) return textOf(head, info) ?? [said("No preview: this is neither text nor a picture.")];
  if (info.sizeBytes > PICTURE_BYTES_MAX) {
    return [said(`This picture is larger than ${bytesWords(PICTURE_BYTES_MAX)}: download it to see it.`)];
  }
  return [picture(new Blob([await bytesOf(files, info, info.sizeBytes, signal)], { type }), nameOf(info))];
}

async function bytesOf(
  files: Files,
  { path, sizeBytes }: FileInfo,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  for await (const part of files.read(path, { to: Math.min(sizeBytes, bytesMax), signal })) parts.push(part);
  return concat(parts);
}

function pictureType(head: Uint8Array): string | undefined {
  const beginning = String.fromCharCode(...head.subarray(0, 16));
  return PICTURES.find(([, begins]) => begins.test(beginning))?.[0];
}

/** Undefined where it is no UTF-8. */
function textOf(head: Uint8Array, { sizeBytes }: FileInfo): HTMLElement[] | undefined {
  let text: string;
  try {
    // What is cut in the middle of a letter is no fault of the text.
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
  // Once decoded it needs its bytes no more.
  for (const end of ["load", "error"]) image.addEventListener(end, () => URL.revokeObjectURL(url), { once: true });
  image.addEventListener("error", () => image.replaceWith(said("No preview: the browser can't read this picture.")));
  return image;
}

export function said(words: string): HTMLParagraphElement {
  const paragraph = document.createElement("p");
  paragraph.textContent = words;
  return paragraph;
}
