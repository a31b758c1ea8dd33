/** `set -x`: each command on standard error before it runs. */
import { encodeText } from "./bytes.ts";
import { expandTemplate } from "./expand.ts";
import type { Frame } from "./frame.ts";
import { expandPrompt } from "./prompt.ts";

export async function trace(text: string, frame: Frame): Promise<void> {
  const { state } = frame;
  if (!state.option("xtrace")) return;
  const prompt = state.variables.get("PS4") ?? "+ ";
  // What PS4 itself runs is not traced, and its status is nobody's.
  const { status } = state;
  state.options.delete("xtrace");
  let shown = prompt;
  try {
    if (/[$`\\]/.test(prompt))
      shown = await expandTemplate(frame.interpreter.templateOf(expandPrompt(prompt, frame)), frame);
  } finally {
    state.options.add("xtrace");
    state.status = status;
  }
  const first = Array.from(shown)[0] ?? "";
  const number = Number(state.variables.get("BASH_XTRACEFD") ?? 2);
  const output = state.descriptors.get(number)?.output();
  await output?.write(encodeText(`${first.repeat(state.subshellDepth)}${shown}${text}\n`));
}
