/**
 * The single place through which all output of commands passes. On a terminal, bytes and text are made harmless, and
 * only sequences of ours (styled.ts) pass unchanged. A pipe or a file gets everything unchanged.
 */
import { type Bytes, utf8 } from "../base/bytes.ts";
import { harmless } from "./harmless.ts";
import { plain, shown, type Text } from "./styled.ts";
import type { Output, Sink } from "./types.ts";

/**
 * A sink that may hold back the beginning of a character or of a line end, until more comes or it is told that no more
 * will.
 */
export interface FlushableSink extends Sink {
  flush(): Promise<void>;
}

/** `isTerminal` is called for each write. */
export function sinkTo(output: Output, isTerminal: () => boolean): FlushableSink {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let held = "";
  const put = async (text: string): Promise<void> => {
    if (text !== "") await output.write(utf8(text));
  };
  const rest = (): string => {
    const text = harmless(held + decoder.decode());
    held = "";
    return text;
  };
  return {
    async write(bytes: Bytes): Promise<void> {
      if (!isTerminal()) return await output.write(bytes);
      const text = held + decoder.decode(bytes, { stream: true });
      // The next character tells whether it ends a line.
      held = text.endsWith("\r") ? "\r" : "";
      await put(harmless(text.slice(0, text.length - held.length)));
    },
    async print(text: Text): Promise<void> {
      if (isTerminal()) await put(rest() + shown(text));
      else await put(plain(text));
    },
    flush: () => put(rest()),
  };
}
