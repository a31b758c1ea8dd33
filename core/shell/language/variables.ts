/**
 * Variables of a shell with their attributes and scopes. Scoping is dynamic, as in bash: the functions that a function
 * calls see its locals. Pure, except for the hooks of special variables.
 */
import { AssociativeArray } from "./associative-array.ts";
import { ELEMENTS_MAX, TEXT_CHARS_MAX } from "./limits.ts";
import { ShellFault } from "./faults.ts";

/** A sparse array; indices are whole numbers from 0. */
export class IndexedArray {
  readonly #items = new Map<number, string>();
  #sorted: number[] | undefined = [];

  static of(values: Iterable<string>): IndexedArray {
    const array = new IndexedArray();
    let index = 0;
    for (const value of values) array.set(index++, value);
    return array;
  }

  get size(): number {
    return this.#items.size;
  }

  get(index: number): string | undefined {
    return this.#items.get(index);
  }

  set(index: number, value: string): void {
    if (!this.#items.has(index)) {
      if (this.#items.size >= ELEMENTS_MAX) throw new ShellFault(`an array has at most ${ELEMENTS_MAX} elements`);
      const last = this.#sorted?.at(-1);
      if (this.#sorted !== undefined && (last === undefined || last < index)) this.#sorted.push(index);
      else this.#sorted = undefined;
    }
    this.#items.set(index, value);
  }

  delete(index: number): void {
    if (this.#items.delete(index)) this.#sorted = undefined;
  }

  /** Ascending. */
  keys(): readonly number[] {
    this.#sorted ??= [...this.#items.keys()].sort((a, b) => a - b);
    return this.#sorted;
  }

  values(): string[] {
    return this.keys().map((index) => this.#items.get(index) ?? "");
  }

  /** The greatest index plus 1. */
  get end(): number {
    return (this.keys().at(-1) ?? -1) + 1;
  }

  copy(): IndexedArray {
    const copy = new IndexedArray();
    for (const index of this.keys()) copy.set(index, this.#items.get(index) ?? "");
    return copy;
  }
}

export type Value = string | IndexedArray | AssociativeArray;

export interface Variable {
  value: Value | undefined;
  isExported?: boolean;
  isReadonly?: boolean;
  isInteger?: boolean;
  isReference?: boolean;
  /** Set if it was declared as an array and has no value yet. */
  isArray?: "indexed" | "associative";
  letters?: "upper" | "lower" | "capital";
  /** Whether it is an assignment before a command (`x=1 cmd`), which only that command sees. */
  isTemporary?: boolean;
}

/** A variable whose value is computed, as $RANDOM. */
export interface SpecialVariable {
  get(): Value | undefined;
  /** Absent if assignments have no effect. */
  set?(value: string): void;
}

/** A name, and perhaps an element of an array; the caller handles `*` and `@`. */
export interface Place {
  readonly name: string;
  readonly index?: number | string | undefined;
}

const NAME = /^[A-Za-z_]\w*$/;

export function isName(text: string): boolean {
  return NAME.test(text);
}

/** References that are followed one after the other; ends circles as in `declare -n a=b b=a`. */
const REFERENCE_HOPS_MAX = 16;

interface Scope {
  readonly variables: Map<string, Variable>;
  /** Whether it has the assignments before one command; `local` and `declare` skip it. */
  readonly isTemporary: boolean;
}

export class Variables {
  readonly #scopes: Scope[] = [{ variables: new Map(), isTemporary: false }];
  readonly #special: Map<string, SpecialVariable>;

  constructor(special: Map<string, SpecialVariable> = new Map()) {
    this.#special = special;
  }

  /** A subshell's copy: later changes are not seen on the other side. */
  copy(): Variables {
    const copy = new Variables(new Map(this.#special));
    copy.#scopes.length = 0;
    for (const scope of this.#scopes) {
      const variables = new Map([...scope.variables].map(([name, variable]) => [name, copyOf(variable)]));
      copy.#scopes.push({ ...scope, variables });
    }
    return copy;
  }

  /** Replaces the special variables that a copy took over with the shell's own; unset ones stay unset. */
  rebind(specials: ReadonlyMap<string, SpecialVariable>): void {
    for (const name of this.#special.keys()) {
      const special = specials.get(name);
      if (special !== undefined) this.#special.set(name, special);
    }
  }

  get depth(): number {
    return this.#scopes.length;
  }

  pushScope(options: { isTemporary?: boolean } = {}): void {
    this.#scopes.push({ variables: new Map(), isTemporary: options.isTemporary ?? false });
  }

  /** The scope of a function call. An assignment before the call is in it, like a local variable. */
  pushFunctionScope(): void {
    const before = this.#scopes.at(-1);
    const variables = before?.isTemporary === true ? new Map(before.variables) : new Map<string, Variable>();
    if (before?.isTemporary === true) before.variables.clear();
    this.#scopes.push({ variables, isTemporary: false });
  }

  popScope(): void {
    this.#scopes.pop();
  }

  /** The variable itself, without following references. */
  raw(name: string): Variable | undefined {
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const found = this.#scopes[i]?.variables.get(name);
      if (found !== undefined) return found;
    }
    const special = this.#special.get(name);
    return special === undefined ? undefined : { value: special.get() };
  }

  isLocal(name: string): boolean {
    const top = this.#top;
    return top > 0 && this.#scopes[top]?.variables.has(name) === true;
  }

  /** The index of the innermost function scope, or of the global scope. */
  get #top(): number {
    return this.#scopes.findLastIndex(({ isTemporary }) => !isTemporary);
  }

  /** Whether a function is running. */
  get isInFunction(): boolean {
    return this.#top > 0;
  }

  /** Follows `declare -n`. Text after a reference's name ("a[2]") is the element that it means. */
  resolve(name: string): { name: string; subscript?: string | undefined } {
    let current = name;
    for (let hops = 0; hops < REFERENCE_HOPS_MAX; hops++) {
      const variable = this.raw(current);
      if (variable?.isReference !== true || typeof variable.value !== "string" || variable.value === "") {
        return { name: current };
      }
      const [, target = "", subscript] = /^([A-Za-z_]\w*)(?:\[(.*)\])?$/s.exec(variable.value) ?? [];
      if (target === "") return { name: current };
      if (subscript !== undefined) return { name: target, subscript };
      if (target === current) return { name: current };
      current = target;
    }
    throw new ShellFault(`${name}: circular name reference`);
  }

  /** The variable of a name, after following references. */
  find(name: string): Variable | undefined {
    return this.raw(this.resolve(name).name);
  }

  /** The value as a scalar: element 0 of an array. */
  get(name: string): string | undefined {
    const variable = this.find(name);
    if (variable === undefined) return undefined;
    return scalarOf(variable.value);
  }

  isSet(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Names that begin with `prefix` and have a value or attributes, sorted. */
  names(prefix = ""): string[] {
    const names = new Set<string>();
    for (const { variables } of this.#scopes) for (const name of variables.keys()) names.add(name);
    for (const name of this.#special.keys()) names.add(name);
    return [...names].filter((name) => name.startsWith(prefix) && this.raw(name) !== undefined).sort();
  }

  /** Sets an assignment before a command. It is exported, and ends with the temporary scope on top. */
  setTemporary(name: string, value: string): void {
    if (this.find(name)?.isReadonly === true) throw new ShellFault(`${name}: readonly variable`);
    this.#scopes.at(-1)?.variables.set(name, { value, isExported: true, isTemporary: true });
  }

  /** Sets a scalar or one element, as its attributes require. `evaluate` does arithmetic, for `-i`. */
  set(place: Place, value: string, evaluate: (text: string) => string, options: { append?: boolean } = {}): void {
    const { name, subscript } = this.resolve(place.name);
    const special = this.#special.get(name);
    if (special !== undefined && !this.#isDeclared(name)) {
      if (place.index === undefined) special.set?.(value);
      return;
    }
    const variable = this.#forWriting(name);
    const index = place.index ?? indexOfReference(variable, subscript);
    const current = index === undefined ? scalarOf(variable.value) : elementOf(variable, index);
    let written = options.append === true && variable.isInteger !== true ? (current ?? "") + value : value;
    if (variable.isInteger === true) {
      written = evaluate(options.append === true && (current ?? "") !== "" ? `(${current})+(${value})` : value);
    }
    if (written.length > TEXT_CHARS_MAX)
      throw new ShellFault(`${name}: a value has at most ${TEXT_CHARS_MAX} characters`);
    written = inLetters(written, variable);
    if (index === undefined) this.#setScalar(variable, written);
    else setElement(variable, index, written);
  }

  #setScalar(variable: Variable, value: string): void {
    if (variable.value instanceof IndexedArray) variable.value.set(0, value);
    else if (variable.value instanceof AssociativeArray) variable.value.set("0", value);
    else if (variable.isArray === "indexed") variable.value = IndexedArray.of([value]);
    else if (variable.isArray === "associative") variable.value = AssociativeArray.of([["0", value]]);
    else variable.value = value;
  }

  /** Replaces the whole value, also an array's. */
  setWhole(name: string, value: Value): void {
    const variable = this.#forWriting(this.resolve(name).name);
    if (value instanceof IndexedArray)
      for (const i of value.keys()) value.set(i, inLetters(value.get(i) ?? "", variable));
    variable.value = value;
    variable.isArray = value instanceof IndexedArray ? "indexed" : "associative";
    if (typeof value === "string") delete variable.isArray;
  }

  /** The variable, which is made in the global scope if there is none. Throws if it is readonly. */
  #forWriting(name: string): Variable {
    const found = this.#isDeclared(name) ? this.raw(name) : undefined;
    if (found?.isReadonly === true) throw new ShellFault(`${name}: readonly variable`);
    if (found !== undefined) return found;
    const made: Variable = { value: undefined };
    this.#scopes[0]?.variables.set(name, made);
    return made;
  }

  #isDeclared(name: string): boolean {
    return this.#scopes.some(({ variables }) => variables.has(name));
  }

  /** The variable in the innermost scope (`local`, `declare` in a function) or, with `global`, the outermost. */
  declare(name: string, options: { global?: boolean; inherit?: boolean } = {}): Variable {
    const top = this.#top;
    const scope = this.#scopes[options.global === true ? 0 : top]?.variables;
    const found = scope?.get(name);
    if (found !== undefined) {
      delete found.isTemporary;
      return found;
    }
    const outer = this.raw(name);
    const isSpecial = this.#special.has(name) && !this.#isDeclared(name);
    const isGlobal = top === 0 || options.global === true;
    // `local` begins with the value of an assignment before the function call, as in bash.
    const base = options.inherit === true || outer?.isTemporary === true ? outer : undefined;
    const made: Variable = base === undefined ? { value: undefined } : { ...copyOf(base) };
    if (isSpecial && isGlobal) made.value = outer?.value;
    delete made.isTemporary;
    if (outer?.isReadonly === true && !isGlobal) throw new ShellFault(`${name}: readonly variable`);
    scope?.set(name, made);
    return made;
  }

  /** Variables declared in the innermost scope, for `local` without words. */
  locals(): string[] {
    return [...(this.#scopes[this.#top]?.variables.keys() ?? [])].sort();
  }

  unset(name: string): void {
    const target = this.raw(name)?.isReference === true ? this.resolve(name).name : name;
    this.unsetRaw(target);
  }

  /** As `unset -n`: removes the reference itself. */
  unsetRaw(name: string): void {
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const variable = this.#scopes[i]?.variables.get(name);
      if (variable === undefined) continue;
      if (variable.isReadonly === true) throw new ShellFault(`${name}: cannot unset: readonly variable`);
      // An unset local stays local, and hides the outer variable.
      if (i === this.#top && i > 0 && variable.isTemporary !== true)
        this.#scopes[i]?.variables.set(name, { value: undefined });
      else this.#scopes[i]?.variables.delete(name);
      return;
    }
    this.#special.delete(name);
  }

  unsetElement(name: string, index: number | string): void {
    const variable = this.find(name);
    if (variable?.isReadonly === true) throw new ShellFault(`${name}: cannot unset: readonly variable`);
    if (variable?.value instanceof IndexedArray && typeof index === "number") variable.value.delete(index);
    else if (variable?.value instanceof AssociativeArray) variable.value.delete(String(index));
    else if (typeof variable?.value === "string" && index === 0) this.unset(name);
  }

  /** Exports exactly these. */
  setEnvironment(environment: ReadonlyMap<string, string>): void {
    for (const { variables } of this.#scopes) for (const variable of variables.values()) delete variable.isExported;
    for (const [name, value] of environment) {
      const variable = this.declare(name);
      variable.value = value;
      variable.isExported = true;
    }
  }

  /** The environment of a command. */
  environment(): Map<string, string> {
    const environment = new Map<string, string>();
    for (const { variables } of this.#scopes) {
      for (const [name, { isExported, value }] of variables) {
        if (isExported === true && typeof value === "string") environment.set(name, value);
        else environment.delete(name);
      }
    }
    return environment;
  }
}

function copyOf(variable: Variable): Variable {
  const { value } = variable;
  if (value instanceof IndexedArray) return { ...variable, value: value.copy() };
  if (value instanceof AssociativeArray) return { ...variable, value: value.copy() };
  return { ...variable };
}

export function scalarOf(value: Value | undefined): string | undefined {
  if (value instanceof IndexedArray) return value.get(0);
  if (value instanceof AssociativeArray) return value.get("0");
  return value;
}

/** All elements; a scalar counts as an array of one. */
export function elementsOf(value: Value | undefined): string[] {
  if (value === undefined) return [];
  if (value instanceof IndexedArray) return value.values();
  if (value instanceof AssociativeArray) return [...value.values()];
  return [value];
}

export function keysOf(value: Value | undefined): string[] {
  if (value === undefined) return [];
  if (value instanceof IndexedArray) return value.keys().map(String);
  if (value instanceof AssociativeArray) return [...value.keys()];
  return ["0"];
}

export function elementOf({ value }: Pick<Variable, "value">, index: number | string): string | undefined {
  if (value instanceof IndexedArray) {
    if (typeof index !== "number") return undefined;
    return value.get(index < 0 ? value.end + index : index);
  }
  if (value instanceof AssociativeArray) return value.get(String(index));
  return index === 0 || index === -1 ? value : undefined;
}

function setElement(variable: Variable, index: number | string, value: string): void {
  if (variable.value instanceof AssociativeArray || variable.isArray === "associative") {
    if (!(variable.value instanceof AssociativeArray)) variable.value = new AssociativeArray();
    variable.value.set(String(index), value);
    return;
  }
  if (!(variable.value instanceof IndexedArray)) {
    variable.value = variable.value === undefined ? new IndexedArray() : IndexedArray.of([variable.value]);
    variable.isArray = "indexed";
  }
  const at = Number(index) < 0 ? variable.value.end + Number(index) : Number(index);
  if (!(at >= 0)) throw new ShellFault(`[${index}]: bad array subscript`);
  variable.value.set(at, value);
}

function indexOfReference(variable: Variable, subscript: string | undefined): number | string | undefined {
  if (subscript === undefined) return undefined;
  return variable.value instanceof AssociativeArray || variable.isArray === "associative"
    ? subscript
    : Number(subscript);
}

function inLetters(value: string, { letters }: Variable): string {
  if (letters === "upper") return value.toUpperCase();
  if (letters === "lower") return value.toLowerCase();
  if (letters === "capital") return value.charAt(0).toUpperCase() + value.slice(1).toLowerCase();
  return value;
}
