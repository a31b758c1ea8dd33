/** A variable or an element of an array, named by a text, as commands get it: `x`, `a[1]`, `m[key]`. */
import { evaluateText, expandText } from "./expand.ts";
import type { Frame } from "./frame.ts";
import { wordOf } from "./source-text.ts";
import { subscriptOf } from "./subscript.ts";
import type { Place } from "./variables.ts";

/** Undefined if the text is no name. Throws on a bad subscript. */
export async function splitPlace(text: string, frame: Frame): Promise<Place | undefined> {
  const [, name = "", subscript] = /^([A-Za-z_]\w*)(?:\[(.+)\])?$/s.exec(text) ?? [];
  if (name === "") return undefined;
  return subscript === undefined ? await placeOfName(name, frame) : await elementPlace(name, subscript, frame);
}

/** The variable, or the element to which it refers (`declare -n x='m[key]'`). */
export async function placeOfName(name: string, frame: Frame): Promise<Place> {
  const target = frame.state.variables.resolve(name);
  return target.subscript === undefined ? { name } : await elementPlace(target.name, target.subscript, frame);
}

/** `subscript` is text that is not expanded yet. */
async function elementPlace(name: string, subscript: string, frame: Frame): Promise<Required<Place>> {
  const expanded = (): Promise<string> => expandText(wordOf(subscript), frame);
  return { name, index: await subscriptOf(name, subscript, expanded, frame, (source) => evaluateText(source, frame)) };
}
