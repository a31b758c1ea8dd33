/** Assignments: `x=1`, `a[2]+=3`, `a=(1 [5]=x "$@")`. */
import type { ArrayValue, Assignment, Word } from "unbash";
import { evaluate } from "./arithmetic.ts";
import { AssociativeArray } from "./associative-array.ts";
import { expandBraces } from "./brace.ts";
import { evaluateText, expandText, expandWords, scopeOf } from "./expand.ts";
import { ShellFault } from "./faults.ts";
import type { Frame } from "./frame.ts";
import { placeOfName } from "./place.ts";
import { wordOf } from "./source-text.ts";
import { subscriptOf } from "./subscript.ts";
import { IndexedArray } from "./variables.ts";

export async function assign(assignment: Assignment, frame: Frame): Promise<void> {
  const { name, value, index } = assignment;
  const { variables } = frame.state;
  checkTarget(assignment, frame);
  if (value.type === "ArrayValue") {
    if (index !== undefined) throw new ShellFault(`${name}[${index.text}]: cannot assign list to array member`);
    await assignArray(name, value, assignment.append === true, frame);
    return;
  }
  const text = await expandText(value, frame, { isAssignment: true });
  const place =
    index === undefined ? await placeOfName(name, frame) : { name, index: await indexOf(name, index, frame) };
  setVariable(place.name, place.index, text, assignment.append === true, frame);
  if (frame.state.option("allexport"))
    variables.declare(variables.resolve(name).name, { global: true }).isExported = true;
}

/** A reference to an element can't be a list, nor have elements. */
function checkTarget({ name, value, index }: Assignment, { state: { variables } }: Frame): void {
  const { name: target, subscript } = variables.resolve(name);
  if (subscript !== undefined && (index !== undefined || value.type === "ArrayValue"))
    throw new ShellFault(`\`${target}[${subscript}]': not a valid identifier`);
}

async function indexOf(name: string, index: Word, frame: Frame): Promise<number | string> {
  return await subscriptOf(
    name,
    index.text,
    () => expandText(index, frame),
    frame,
    (text) => evaluateText(text, frame),
  );
}

export function setVariable(
  name: string,
  index: number | string | undefined,
  text: string,
  isAppended: boolean,
  frame: Frame,
): void {
  const scope = scopeOf(frame);
  frame.state.variables.set({ name, index }, text, (source) => evaluate(source, scope).toString(), {
    append: isAppended,
  });
}

async function assignArray(name: string, { elements }: ArrayValue, isAppended: boolean, frame: Frame): Promise<void> {
  const { variables } = frame.state;
  const variable = variables.find(name);
  if (variable?.isReadonly === true) throw new ShellFault(`${name}: readonly variable`);
  const isInteger = variable?.isInteger === true;
  const evaluated = (text: string): string => (isInteger ? evaluate(text, scopeOf(frame)).toString() : text);
  if (variable?.value instanceof AssociativeArray || variable?.isArray === "associative") {
    const before = variable.value instanceof AssociativeArray ? variable.value : new AssociativeArray();
    variables.setWhole(name, await associative(elements, { before, isAppended, evaluated }, frame));
    return;
  }
  const array = new IndexedArray();
  if (isAppended && variable?.value instanceof IndexedArray)
    for (const key of variable.value.keys()) array.set(key, variable.value.get(key) ?? "");
  else if (isAppended && typeof variable?.value === "string") array.set(0, variable.value);
  await fill(array, await elementsOf(elements, frame), evaluated, frame);
  variables.setWhole(name, array);
}

/** An element of a list, with its value expanded and its key not yet. */
interface Element {
  readonly key?: string;
  readonly value: string;
  readonly isAppended: boolean;
}

/** All values are expanded before the first subscript is evaluated, as in bash. */
async function elementsOf(words: readonly Word[], frame: Frame): Promise<Element[]> {
  const elements: Element[] = [];
  for (const word of words) {
    const keyed = keyedElement(word.text);
    if (keyed === undefined || hasBraces(word, frame)) {
      for (const value of await expandWords([word], frame)) elements.push({ value, isAppended: false });
      continue;
    }
    const { key, isAppended } = keyed;
    elements.push({ key, isAppended, value: await expandText(wordOf(keyed.value), frame, { isAssignment: true }) });
  }
  return elements;
}

/** Braces are expanded first; what they make is no longer `[key]=value`. */
function hasBraces({ text }: Word, { state }: Frame): boolean {
  return text.includes("{") && state.option("braceexpand") && expandBraces(text).length > 1;
}

async function fill(
  array: IndexedArray,
  elements: readonly Element[],
  evaluated: (text: string) => string,
  frame: Frame,
): Promise<void> {
  let next = array.end;
  for (const { key, value, isAppended } of elements) {
    let index = key === undefined ? next : Number(await evaluateText(key, frame));
    if (index < 0) index += array.end;
    if (index < 0) throw new ShellFault(`[${key ?? ""}]=: bad array subscript`);
    array.set(index, evaluated(isAppended ? (array.get(index) ?? "") + value : value));
    next = index + 1;
  }
}

async function associative(
  elements: readonly Word[],
  how: { before: AssociativeArray; isAppended: boolean; evaluated: (text: string) => string },
  frame: Frame,
): Promise<AssociativeArray> {
  const { before, evaluated } = how;
  const map = how.isAppended ? before.copy() : new AssociativeArray();
  if (elements.length > 0 && elements.every(({ text }) => keyedElement(text) === undefined)) {
    // Keys and values alternate.
    const words = await expandAll(elements, frame);
    for (let i = 0; i < words.length; i += 2) map.set(words[i] ?? "", evaluated(words[i + 1] ?? ""));
    return map;
  }
  for (const element of elements) {
    const keyed = keyedElement(element.text);
    if (keyed === undefined)
      throw new ShellFault(`${element.text}: must use subscript when assigning associative array`);
    const key = await expandText(wordOf(keyed.key), frame);
    // A tilde means itself here, as in bash, because after the quotes it is not the first character.
    const value = await expandText(wordOf(`""${keyed.value}`), frame);
    // In a new list `+=` adds to the old list's value.
    const had = (how.isAppended ? map : before).get(key) ?? "";
    map.set(key, evaluated(keyed.isAppended ? had + value : value));
  }
  return map;
}

async function expandAll(elements: readonly Word[], frame: Frame): Promise<string[]> {
  const words: string[] = [];
  for (const element of elements) words.push(await expandText(element, frame));
  return words;
}

/** A `[key]=value` in a list. */
function keyedElement(text: string): { key: string; value: string; isAppended: boolean } | undefined {
  if (!text.startsWith("[")) return undefined;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "\\") i++;
    else if (character === "'" || character === '"') i = Math.max(i, text.indexOf(character, i + 1));
    else if (character === "[") depth++;
    else if (character === "]" && --depth === 0) {
      const isAppended = text.startsWith("+=", i + 1);
      if (!isAppended && text[i + 1] !== "=") return undefined;
      return { key: text.slice(1, i), value: text.slice(i + (isAppended ? 3 : 2)), isAppended };
    }
  }
  return undefined;
}
