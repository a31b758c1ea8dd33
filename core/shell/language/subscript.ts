/** An array's subscript: arithmetic for indexed arrays, text for associative ones. */
import { AssociativeArray } from "./associative-array.ts";
import { ShellFault } from "./faults.ts";
import type { Frame } from "./frame.ts";

/** `text` is the source; `expanded` gives it after its expansions. */
export async function subscriptOf(
  name: string,
  text: string,
  expanded: () => Promise<string>,
  frame: Frame,
  evaluate: (text: string) => Promise<bigint>,
): Promise<number | string> {
  const { variables } = frame.state;
  const variable = variables.find(name);
  if (variable?.value instanceof AssociativeArray || variable?.isArray === "associative") {
    const key = await expanded();
    return key;
  }
  if (text.trim() === "") throw new ShellFault(`${name}[${text}]: bad array subscript`);
  return Number(await evaluate(text));
}
