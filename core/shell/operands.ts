/** Checks of the words that are not options. */
import { StarfishError } from "../base/errors.ts";

export function noOperands(operands: readonly string[]): void {
  if (operands[0] !== undefined) throw new StarfishError("usage", `'${operands[0]}' is one word too many`);
}

/** The one operand that a command takes, named as its usage line names it. */
export function oneOperand(operands: readonly string[], name: string): string {
  const operand = atMostOneOperand(operands);
  if (operand === undefined) throw new StarfishError("usage", `${name} is missing`);
  return operand;
}

export function atMostOneOperand(operands: readonly string[]): string | undefined {
  noOperands(operands.slice(1));
  return operands[0];
}

/** As GNU's programs say it. */
export function noMoreOperands(operands: readonly string[], max: number): void {
  if (operands[max] !== undefined) throw new StarfishError("usage", `extra operand '${operands[max]}'`);
}
