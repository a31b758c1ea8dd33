/** A function as `declare -f` and `type` write it. */
import { print } from "unbash/printer";
import { parse } from "unbash";
import type { ShellFunction } from "./state.ts";

export function functionText({ name, text }: ShellFunction): string {
  const body = text.startsWith("{") ? text : `{\n${text}\n}`;
  let printed = body;
  try {
    printed = print(parse(body));
  } catch {
    // What the printer does not know stands as it was written.
  }
  return `${name} () \n${printed.trim()}\n`;
}
