/** What all directories of /proc are made of. */
import { encodeText } from "../../language/bytes.ts";
import type { DirectoryView, View } from "../view.ts";

/** One line of a long listing. */
export const ABOUT_CHARS_MAX = 200;

/** As Linux has it: each word ends with a NUL, and bytes are as they are. */
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
