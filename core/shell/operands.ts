/** Checks of the words that are not options. */
import { StarfishError } from "../base/errors.ts";

export function noOperands(operands: readonly string[]): void {
  if (operands[0] !== undefined) throw new StarfishError("usage", `'${operands[0]}' is one word too many`);
}

/** The one operand that a command takes, named as its usage line names it. */
export function oneOperand(operands: readonly string[], name: string): string {
  const [operand, extra] = operands;
  if (operand === undefined) throw new StarfishError("usage", `${name} is missing`);
  if (extra !== undefined) throw new StarfishError("usage", `'${extra}' is one word too many`);
  return operand;
}

export function atMostOneOperand(operands: readonly string[]): string | undefined {
  noOperands(operands.slice(1));
  return operands[0];
}
