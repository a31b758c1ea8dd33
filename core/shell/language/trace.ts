/** `set -x`: prints each command to standard error before it runs. */
import { encodeText } from "./bytes.ts";
import type { Frame } from "./frame.ts";

export async function trace(text: string, frame: Frame): Promise<void> {
  const { state } = frame;
  if (!state.option("xtrace")) return;
  const shown = await frame.interpreter.prompt(state.variables.get("PS4") ?? "+ ", frame);
  const first = Array.from(shown)[0] ?? "";
  const number = Number(state.variables.get("BASH_XTRACEFD") ?? 2);
  const output = state.descriptors.get(number)?.output();
  await output?.write(encodeText(`${first.repeat(state.subshellDepth)}${shown}${text}\n`));
}
