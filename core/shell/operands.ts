/** Checks the words that are not options. */
import { StarfishError } from "../base/errors.ts";

/** A dash and a letter is an option. A dash and a digit is an operand, as -0.5 may be. */
const OPTION = /^-[A-Za-z]/;

export function noOperands([word]: readonly string[]): void {
  if (word === undefined) return;
  throw new StarfishError("usage", OPTION.test(word) ? `there is no option ${word}` : `'${word}' is one word too many`);
}

/** The single operand of a command, named as in its usage line. */
export function oneOperand(operands: readonly string[], name: string): string {
  const operand = atMostOneOperand(operands);
  if (operand === undefined) throw new StarfishError("usage", `${name} is missing`);
  return operand;
}

export function atMostOneOperand(operands: readonly string[]): string | undefined {
  // The message names an unknown option, and not the word after it.
  noOperands(operands.slice(OPTION.test(operands[0] ?? "") && operands.length > 1 ? 0 : 1));
  return operands[0];
}

/** In the words of GNU's programs. */
export function noMoreOperands(operands: readonly string[], max: number): void {
  if (operands[max] !== undefined) throw new StarfishError("usage", `extra operand '${operands[max]}'`);
}
