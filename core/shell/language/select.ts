/** The menu of `select`: numbered words, a question, and an answer from standard input. */
import { abortable } from "../../ports/clock.ts";
import { encodeText } from "./bytes.ts";
import type { Frame } from "./frame.ts";
import { readLine } from "./read-line.ts";

/** Returns whether there was an answer. */
export async function select(name: string, words: readonly string[], frame: Frame): Promise<boolean> {
  const { state } = frame;
  const error = state.descriptors.get(2)?.output();
  const menu = words.map((word, i) => `${String(i + 1).padStart(String(words.length).length)}) ${word}\n`).join("");
  const prompt = state.variables.get("PS3") ?? "#? ";
  for (let isShown = false; ;) {
    await error?.write(encodeText(`${isShown ? "" : menu}${prompt}`));
    isShown = true;
    const stdin = state.descriptors.get(0);
    const line = stdin === undefined ? undefined : await abortable(frame.signal, readLine(stdin, { delimiter: "\n" }));
    if (line === undefined || (!line.isEnded && line.text === "")) {
      await error?.write(encodeText("\n"));
      state.status = 1;
      return false;
    }
    if (line.text === "") {
      isShown = false;
      continue;
    }
    state.variables.set({ name: "REPLY" }, line.text, (text) => text);
    const choice = /^\s*\d+\s*$/.test(line.text) ? words[Number(line.text) - 1] : undefined;
    state.variables.set({ name }, choice ?? "", (text) => text);
    return true;
  }
}
