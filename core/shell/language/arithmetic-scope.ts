/** The variables of a shell, for arithmetic to read and write. */
import { AssociativeArray } from "./associative-array.ts";
import { evaluate, type ArithmeticScope } from "./arithmetic.ts";
import { ShellFault } from "./faults.ts";
import type { ShellState } from "./state.ts";
import { elementOf, scalarOf } from "./variables.ts";

export function arithmeticScope(state: ShellState): ArithmeticScope {
  const { variables } = state;
  const scope: ArithmeticScope = {
    read(name, subscript, depth) {
      const target = variables.resolve(name);
      const variable = variables.raw(target.name);
      const index = subscript ?? target.subscript;
      const value =
        variable === undefined
          ? undefined
          : index === undefined
            ? scalarOf(variable.value)
            : elementOf(variable, indexOf(target.name, index, depth));
      if (value === undefined && state.option("nounset")) {
        throw new ShellFault(`${name}: unbound variable`, { isFatal: true });
      }
      return value;
    },
    write(name, subscript, value, depth) {
      const index = subscript === undefined ? undefined : indexOf(variables.resolve(name).name, subscript, depth);
      variables.set({ name, index }, value, (text) => evaluate(text, scope, depth + 1).toString());
    },
  };
  const indexOf = (name: string, subscript: string, depth: number): number | string => {
    const variable = variables.raw(name);
    if (variable?.value instanceof AssociativeArray || variable?.isArray === "associative") return unquoted(subscript);
    return Number(evaluate(subscript, scope, depth + 1));
  };
  return scope;
}

function unquoted(text: string): string {
  return /^(['"]).*\1$/s.test(text) ? text.slice(1, -1) : text;
}
