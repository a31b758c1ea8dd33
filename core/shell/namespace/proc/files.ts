/** The files that directories of /proc have in common. */
import { encodeText } from "../../language/bytes.ts";
import type { DirectoryView, View } from "../view.ts";

/** The length of a line in a long listing. */
export const ABOUT_CHARS_MAX = 200;

/** As in Linux: each word ends with a NUL, and bytes are unchanged. */
export function zeroEnded(words: readonly string[]): View {
  const bytes = encodeText(words.map((word) => `${word}\0`).join(""));
  return {
    kind: "file",
    async *stream() {
      yield await Promise.resolve(bytes);
    },
  };
}

export function directory(files: readonly (readonly [string, View])[], about: string): DirectoryView {
  const all = new Map(files);
  return { kind: "directory", list: () => all, about };
}
