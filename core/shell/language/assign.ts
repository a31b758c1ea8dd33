/** Assignments: `x=1`, `a[2]+=3`, `a=(1 [5]=x "$@")`. */
import type { ArrayValue, Assignment, Word } from "unbash";
import { evaluate } from "./arithmetic.ts";
import { evaluateText, expandText, expandWords, scopeOf } from "./expand.ts";
import { ShellFault } from "./faults.ts";
import type { Frame } from "./frame.ts";
import { subscriptOf } from "./subscript.ts";
import { IndexedArray, type AssociativeArray } from "./variables.ts";

export async function assign(assignment: Assignment, frame: Frame): Promise<void> {
  const { name, value, index } = assignment;
  const { variables } = frame.state;
  if (value.type === "ArrayValue") {
    if (index !== undefined) throw new ShellFault(`${name}[${index.text}]: cannot assign list to array member`);
    await assignArray(name, value, assignment.append === true, frame);
    return;
  }
  const text = await expandText(value, frame, { isAssignment: true });
  const at = index === undefined ? undefined : await indexOf(name, index, frame);
  setVariable(name, at, text, assignment.append === true, frame);
  if (frame.state.option("allexport"))
    variables.declare(variables.resolve(name).name, { global: true }).isExported = true;
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
  if (variable?.value instanceof Map || variable?.isArray === "associative") {
    const before = isAppended && variable.value instanceof Map ? variable.value : undefined;
    variables.setWhole(name, await associative(elements, before, evaluated, frame));
    return;
  }
  const array = new IndexedArray();
  if (isAppended && variable?.value instanceof IndexedArray)
    for (const key of variable.value.keys()) array.set(key, variable.value.get(key) ?? "");
  else if (isAppended && typeof variable?.value === "string") array.set(0, variable.value);
  await fill(array, elements, evaluated, frame);
  variables.setWhole(name, array);
}

async function fill(
  array: IndexedArray,
  elements: readonly Word[],
  evaluated: (text: string) => string,
  frame: Frame,
): Promise<void> {
  let next = array.end;
  for (const element of elements) {
    const keyed = keyedElement(element.text);
    if (keyed === undefined) {
      for (const value of await expandWords([element], frame)) array.set(next++, evaluated(value));
      continue;
    }
    let index = Number(await evaluateText(keyed.key, frame));
    if (index < 0) index += array.end;
    if (index < 0) throw new ShellFault(`[${keyed.key}]=: bad array subscript`);
    const value = await expandText(frame.interpreter.wordOf(keyed.value), frame, { isAssignment: true });
    array.set(index, evaluated(keyed.isAppended ? (array.get(index) ?? "") + value : value));
    next = index + 1;
  }
}

async function associative(
  elements: readonly Word[],
  before: AssociativeArray | undefined,
  evaluated: (text: string) => string,
  frame: Frame,
): Promise<AssociativeArray> {
  const map: AssociativeArray = new Map(before);
  if (elements.length > 0 && elements.every(({ text }) => keyedElement(text) === undefined)) {
    // Keys and values by turns.
    const words = await expandAll(elements, frame);
    for (let i = 0; i < words.length; i += 2) map.set(words[i] ?? "", evaluated(words[i + 1] ?? ""));
    return map;
  }
  for (const element of elements) {
    const keyed = keyedElement(element.text);
    if (keyed === undefined)
      throw new ShellFault(`${element.text}: must use subscript when assigning associative array`);
    const key = await expandText(frame.interpreter.wordOf(keyed.key), frame);
    const value = await expandText(frame.interpreter.wordOf(keyed.value), frame, { isAssignment: true });
    map.set(key, evaluated(keyed.isAppended ? (map.get(key) ?? "") + value : value));
  }
  return map;
}

async function expandAll(elements: readonly Word[], frame: Frame): Promise<string[]> {
  const words: string[] = [];
  for (const element of elements) words.push(await expandText(element, frame));
  return words;
}

/** `[key]=value` as it stands in a list. */
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
