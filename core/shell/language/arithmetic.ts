/**
 * Shell arithmetic: signed 64-bit integers, C's operators and precedence, `**`, assignments, names without `$`, and
 * `base#digits`. The text has been expanded already, as the bash manual says ("Shell Arithmetic").
 */
import { ARITHMETIC_DEPTH_MAX } from "./limits.ts";
import { ShellFault } from "./faults.ts";

/**
 * The variables that an expression reads and writes. A subscript is text: an expression, or the key of an associative
 * array.
 */
export interface ArithmeticScope {
  read(name: string, subscript: string | undefined, depth: number): string | undefined;
  write(name: string, subscript: string | undefined, value: string, depth: number): void;
}

type Node =
  | { readonly kind: "number"; readonly value: bigint }
  | { readonly kind: "variable"; readonly name: string; readonly subscript: string | undefined }
  | { readonly kind: "unary"; readonly operator: string; readonly operand: Node }
  | { readonly kind: "step"; readonly target: Node; readonly by: bigint; readonly isPrefix: boolean }
  | { readonly kind: "binary"; readonly operator: string; readonly left: Node; readonly right: Node }
  | { readonly kind: "assign"; readonly operator: string; readonly target: Node; readonly value: Node }
  | { readonly kind: "choice"; readonly test: Node; readonly yes: Node; readonly no: Node };

/** Expressions whose parse is kept, because loops evaluate the same text again and again. */
const PARSED_MAX = 256;
const parsed = new Map<string, Node>();

/** The value of an expression; an empty one is 0. Throws ShellFault. */
export function evaluate(text: string, scope: ArithmeticScope, depth = 0): bigint {
  if (depth > ARITHMETIC_DEPTH_MAX) throw new ShellFault(`${shorten(text)}: expression recursion level exceeded`);
  const simple = /^\s*(\d{1,15})\s*$/.exec(text);
  if (simple?.[1] !== undefined && (simple[1][0] !== "0" || simple[1] === "0")) return BigInt(simple[1]);
  let node = parsed.get(text);
  if (node === undefined) {
    node = new Parser(text).parse();
    if (parsed.size >= PARSED_MAX) parsed.clear();
    parsed.set(text, node);
  }
  return valueOf(node, { scope, depth, text });
}

interface Evaluation {
  readonly scope: ArithmeticScope;
  readonly depth: number;
  readonly text: string;
}

function valueOf(node: Node, run: Evaluation): bigint {
  switch (node.kind) {
    case "number":
      return node.value;
    case "variable": {
      const value = run.scope.read(node.name, node.subscript, run.depth);
      return value === undefined || value === "" ? 0n : evaluate(value, run.scope, run.depth + 1);
    }
    case "unary":
      return unary(node.operator, valueOf(node.operand, run));
    case "step": {
      const before = valueOf(node.target, run);
      const after = BigInt.asIntN(64, before + node.by);
      store(node.target, after, run);
      return node.isPrefix ? after : before;
    }
    case "assign": {
      const operator = node.operator.slice(0, -1);
      const right = operator === "" ? valueOf(node.value, run) : undefined;
      const value = right ?? binary(operator, valueOf(node.target, run), valueOf(node.value, run), run);
      store(node.target, value, run);
      return value;
    }
    case "choice":
      return valueOf(node.test, run) !== 0n ? valueOf(node.yes, run) : valueOf(node.no, run);
    case "binary": {
      const left = valueOf(node.left, run);
      if (node.operator === "&&") return left !== 0n && valueOf(node.right, run) !== 0n ? 1n : 0n;
      if (node.operator === "||") return left !== 0n || valueOf(node.right, run) !== 0n ? 1n : 0n;
      return binary(node.operator, left, valueOf(node.right, run), run);
    }
    default:
      return node satisfies never;
  }
}

function store(target: Node, value: bigint, run: Evaluation): void {
  if (target.kind !== "variable") throw fault(run.text, "attempted assignment to non-variable");
  run.scope.write(target.name, target.subscript, value.toString(), run.depth);
}

function unary(operator: string, value: bigint): bigint {
  if (operator === "-") return BigInt.asIntN(64, -value);
  if (operator === "~") return BigInt.asIntN(64, ~value);
  if (operator === "!") return value === 0n ? 1n : 0n;
  return value;
}

function binary(operator: string, a: bigint, b: bigint, { text }: Evaluation): bigint {
  switch (operator) {
    case ",":
      return b;
    case "+":
      return BigInt.asIntN(64, a + b);
    case "-":
      return BigInt.asIntN(64, a - b);
    case "*":
      return BigInt.asIntN(64, a * b);
    case "/":
    case "%":
      if (b === 0n) throw fault(text, "division by 0");
      return BigInt.asIntN(64, operator === "/" ? a / b : a % b);
    case "**":
      return power(a, b, text);
    case "<<":
      return BigInt.asIntN(64, a << (b & 63n));
    case ">>":
      return a >> (b & 63n);
    case "&":
      return a & b;
    case "|":
      return a | b;
    case "^":
      return a ^ b;
    default:
      return compare(operator, a, b) ? 1n : 0n;
  }
}

function compare(operator: string, a: bigint, b: bigint): boolean {
  if (operator === "==") return a === b;
  if (operator === "!=") return a !== b;
  if (operator === "<") return a < b;
  if (operator === ">") return a > b;
  return operator === "<=" ? a <= b : a >= b;
}

/** By squaring, modulo 2^64, so that a huge exponent takes at most 64 steps. */
function power(base: bigint, exponent: bigint, text: string): bigint {
  if (exponent < 0n) throw fault(text, "exponent less than 0");
  let result = 1n;
  let square = BigInt.asIntN(64, base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = BigInt.asIntN(64, result * square);
    square = BigInt.asIntN(64, square * square);
  }
  return result;
}

const OPERATORS =
  /^(?:<<=|>>=|\*\*|<<|>>|<=|>=|==|!=|&&|\|\||\+\+|--|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|[-+*/%<>=!~&|^?:,()])/;
const ASSIGNMENTS = new Set(["=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^="]);
const PRECEDENCE: Readonly<Record<string, number>> = {
  ",": 1,
  "||": 4,
  "&&": 5,
  "|": 6,
  "^": 7,
  "&": 8,
  "==": 9,
  "!=": 9,
  "<": 10,
  ">": 10,
  "<=": 10,
  ">=": 10,
  "<<": 11,
  ">>": 11,
  "+": 12,
  "-": 12,
  "*": 13,
  "/": 13,
  "%": 13,
  "**": 14,
};
const COMMA = 1;
const ASSIGNMENT = 2;
const CHOICE = 3;

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Node {
    this.#skipSpace();
    if (this.#at >= this.#text.length) return { kind: "number", value: 0n };
    const node = this.#expression(COMMA);
    if (this.#at < this.#text.length) throw this.#unexpected();
    return node;
  }

  #expression(precedence: number): Node {
    if (++this.#depth > ARITHMETIC_DEPTH_MAX) {
      throw new ShellFault(`${shorten(this.#text)}: expression recursion level exceeded`);
    }
    let left = this.#unary();
    for (;;) {
      const operator = this.#peek();
      if (ASSIGNMENTS.has(operator)) {
        if (precedence > ASSIGNMENT) break;
        if (left.kind !== "variable") throw fault(this.#text, "attempted assignment to non-variable");
        this.#take(operator);
        left = { kind: "assign", operator, target: left, value: this.#expression(ASSIGNMENT) };
        continue;
      }
      if (operator === "?") {
        if (precedence > CHOICE) break;
        left = this.#choice(left);
        continue;
      }
      const own = Object.hasOwn(PRECEDENCE, operator) ? PRECEDENCE[operator] : undefined;
      if (own === undefined || own < precedence) break;
      this.#take(operator);
      left = { kind: "binary", operator, left, right: this.#expression(operator === "**" ? own : own + 1) };
    }
    this.#depth--;
    return left;
  }

  #choice(test: Node): Node {
    this.#take("?");
    const yes = this.#expression(COMMA);
    if (this.#peek() !== ":") throw fault(this.#text, "`:' expected for conditional expression");
    this.#take(":");
    return { kind: "choice", test, yes, no: this.#expression(CHOICE) };
  }

  #unary(): Node {
    const operator = this.#peek();
    if (operator === "++" || operator === "--") {
      this.#take(operator);
      const target = this.#unary();
      // `++5` and `--x--` are just signs, as in bash.
      if (target.kind !== "variable") return sign(operator, target);
      return { kind: "step", target, by: operator === "++" ? 1n : -1n, isPrefix: true };
    }
    if (operator === "+" || operator === "-" || operator === "!" || operator === "~") {
      this.#take(operator);
      // `-2 ** 2` is 4, because the sign binds more tightly than the power.
      return { kind: "unary", operator, operand: this.#unary() };
    }
    return this.#postfix();
  }

  #postfix(): Node {
    const target = this.#primary();
    const operator = this.#peek();
    if (target.kind !== "variable" || (operator !== "++" && operator !== "--")) return target;
    this.#take(operator);
    return { kind: "step", target, by: operator === "++" ? 1n : -1n, isPrefix: false };
  }

  #primary(): Node {
    if (this.#peek() === "(") {
      this.#take("(");
      const inner = this.#expression(COMMA);
      if (this.#peek() !== ")") throw fault(this.#text, "missing `)'");
      this.#take(")");
      return inner;
    }
    const rest = this.#text.slice(this.#at);
    const number = /^\d[\w@#]*/.exec(rest)?.[0];
    if (number !== undefined) {
      this.#advance(number.length);
      return { kind: "number", value: numberOf(number) };
    }
    const name = /^[A-Za-z_]\w*/.exec(rest)?.[0];
    if (name === undefined) throw this.#unexpected();
    this.#at += name.length;
    let subscript: string | undefined;
    if (this.#text[this.#at] === "[") subscript = this.#subscript();
    this.#skipSpace();
    return { kind: "variable", name, subscript };
  }

  #subscript(): string {
    const start = this.#at + 1;
    let depth = 0;
    for (let at = this.#at; at < this.#text.length; at++) {
      if (this.#text[at] === "[") depth++;
      if (this.#text[at] === "]" && --depth === 0) {
        this.#at = at + 1;
        return this.#text.slice(start, at);
      }
    }
    throw fault(this.#text, "bad array subscript");
  }

  #peek(): string {
    return OPERATORS.exec(this.#text.slice(this.#at, this.#at + 3))?.[0] ?? "";
  }

  #take(operator: string): void {
    this.#advance(operator.length);
  }

  #advance(length: number): void {
    this.#at += length;
    this.#skipSpace();
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  #unexpected(): ShellFault {
    const token = this.#text.slice(this.#at);
    const why = this.#at >= this.#text.trimEnd().length ? "operand expected" : "arithmetic syntax error";
    return new ShellFault(`${shorten(this.#text)}: ${why} (error token is "${shorten(token)}")`);
  }
}

function sign(operator: string, operand: Node): Node {
  const one = { kind: "unary", operator: operator.charAt(0), operand } as const;
  return { kind: "unary", operator: operator.charAt(0), operand: one };
}

/** `10`, `0x1f`, `017`, `2#101`, `64#@_`: digits are 0-9, a-z, A-Z, @ and _. Up to base 36 the case of letters does not matter. */
function numberOf(text: string): bigint {
  const [base, digits] = baseAndDigits(text);
  if (base < 2 || base > 64) throw new ShellFault(`${text}: invalid arithmetic base (error token is "${text}")`);
  let value = 0n;
  for (const digit of digits) {
    const number = digitOf(digit, base);
    if (number < 0 || number >= base) {
      throw new ShellFault(`${text}: value too great for base (error token is "${text}")`);
    }
    value = BigInt.asIntN(64, value * BigInt(base) + BigInt(number));
  }
  return value;
}

function baseAndDigits(text: string): [number, string] {
  const hash = text.indexOf("#");
  if (hash >= 0) {
    if (hash === text.length - 1) throw new ShellFault(`${text}: invalid integer constant (error token is "${text}")`);
    return [Number(text.slice(0, hash)), text.slice(hash + 1)];
  }
  if (/^0[xX]/.test(text)) return [16, text.slice(2)];
  return text.length > 1 && text.startsWith("0") ? [8, text.slice(1)] : [10, text];
}

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@_";

function digitOf(digit: string, base: number): number {
  return DIGITS.indexOf(base <= 36 ? digit.toLowerCase() : digit);
}

function fault(text: string, why: string): ShellFault {
  return new ShellFault(`${shorten(text.trim())}: ${why}`);
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
