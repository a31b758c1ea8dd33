/** A variable or an element of an array, as commands get it by text: `x`, `a[1]`, `m[key]`. */
import { evaluateText, expandText } from "./expand.ts";
import type { Frame } from "./frame.ts";
import { subscriptOf } from "./subscript.ts";
import type { Place } from "./variables.ts";

/** Undefined where the text is no name. Throws on a bad subscript. */
export async function splitPlace(text: string, frame: Frame): Promise<Place | undefined> {
  const [, name = "", subscript] = /^([A-Za-z_]\w*)(?:\[(.+)\])?$/s.exec(text) ?? [];
  if (name === "") return undefined;
  if (subscript === undefined) return { name };
  const expanded = (): Promise<string> => expandText(frame.interpreter.wordOf(subscript), frame);
  return { name, index: await subscriptOf(name, subscript, expanded, frame, (source) => evaluateText(source, frame)) };
}
