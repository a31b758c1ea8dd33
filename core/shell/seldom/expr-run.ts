/** The code of expr: evaluates its words. Throws "usage". */
import { StarfishError } from "../../base/errors.ts";
import { posixSource } from "../language/posix-regex.ts";

export function valueOf(words: readonly string[]): string {
  return new Expression(words).value();
}

const LEVELS: readonly (readonly string[])[] = [
  ["|"],
  ["&"],
  ["<", "<=", "=", "==", "!=", ">=", ">"],
  ["+", "-"],
  ["*", "/", "%"],
  [":"],
];

class Expression {
  readonly #words: readonly string[];
  #at = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  value(): string {
    if (this.#words.length === 0) throw new StarfishError("usage", "missing operand");
    const value = this.#level(0);
    if (this.#at < this.#words.length)
      throw new StarfishError("usage", `syntax error: unexpected argument '${this.#words[this.#at] ?? ""}'`);
    return value;
  }

  #level(level: number): string {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#primary();
    let left = this.#level(level + 1);
    for (
      let operator = this.#words[this.#at];
      operator !== undefined && operators.includes(operator);
      operator = this.#words[this.#at]
    ) {
      this.#at++;
      left = apply(operator, left, this.#level(level + 1));
    }
    return left;
  }

  #primary(): string {
    const word = this.#words[this.#at++];
    if (word === undefined) throw new StarfishError("usage", "syntax error: missing argument");
    if (word === "(") {
      const value = this.#level(0);
      if (this.#words[this.#at++] !== ")") throw new StarfishError("usage", "syntax error: expecting ')'");
      return value;
    }
    const isLast = this.#at >= this.#words.length;
    if (isLast) return word;
    if (word === "+") return this.#words[this.#at++] ?? "";
    if (word === "length") return String(Array.from(this.#primary()).length);
    if (word === "match") return matched(this.#primary(), this.#primary());
    if (word === "index") {
      const [text, wanted] = [Array.from(this.#primary()), Array.from(this.#primary())];
      return String(text.findIndex((character) => wanted.includes(character)) + 1);
    }
    if (word === "substr") {
      const [text, from, count] = [Array.from(this.#primary()), Number(this.#primary()), Number(this.#primary())];
      return from >= 1 && count >= 1 ? text.slice(from - 1, from - 1 + count).join("") : "";
    }
    return word;
  }
}

function apply(operator: string, left: string, right: string): string {
  const isTrue = (text: string): boolean => text !== "" && !/^-?0+$/.test(text);
  if (operator === "|") return isTrue(left) ? left : isTrue(right) ? right : "0";
  if (operator === "&") return isTrue(left) && isTrue(right) ? left : "0";
  if (operator === ":") return matched(left, right);
  if (LEVELS[2]?.includes(operator) === true) return compared(operator, left, right) ? "1" : "0";
  const [a, b] = [whole(left), whole(right)];
  if ((operator === "/" || operator === "%") && b === 0n) throw new StarfishError("usage", "division by zero");
  const value =
    operator === "+" ? a + b : operator === "-" ? a - b : operator === "*" ? a * b : operator === "/" ? a / b : a % b;
  return value.toString();
}

function compared(operator: string, left: string, right: string): boolean {
  const areNumbers = /^-?\d+$/.test(left) && /^-?\d+$/.test(right);
  const [a, b] = areNumbers ? [BigInt(left), BigInt(right)] : [left, right];
  if (operator === "=" || operator === "==") return a === b;
  if (operator === "!=") return a !== b;
  if (operator === "<") return a < b;
  if (operator === "<=") return a <= b;
  return operator === ">" ? a > b : a >= b;
}

function whole(text: string): bigint {
  if (!/^-?\d+$/.test(text)) throw new StarfishError("usage", "non-integer argument");
  return BigInt(text);
}

/** The text of the first group, or the number of characters matched; always from the beginning. */
function matched(text: string, pattern: string): string {
  let expression: RegExp;
  try {
    expression = new RegExp(`^(?:${posixSource(pattern.replace(/^\^/, ""), { isExtended: false })})`, "su");
  } catch {
    throw new StarfishError("usage", "Invalid regular expression");
  }
  const match = expression.exec(text);
  if (pattern.includes("\\(")) return match?.[1] ?? "";
  return String(Array.from(match?.[0] ?? "").length);
}
