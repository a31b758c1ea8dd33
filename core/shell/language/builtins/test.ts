/** test, [: conditions by words (POSIX "test", with bash's primaries). */
import { BINARY, testBinary, testUnary, UNARY } from "../conditional.ts";
import { ShellFault } from "../faults.ts";
import type { Builtin, BuiltinCall, Frame } from "../frame.ts";

export const test: Builtin = {
  name: "test",
  summary: "say by the exit status whether a condition holds",
  usage: "test EXPRESSION",
  run: ({ args, frame, complain }) => evaluate(args, frame, complain),
};

export const bracket: Builtin = {
  name: "[",
  summary: "the same as test, ended by ]",
  usage: "[ EXPRESSION ]",
  async run({ args, frame, complain }) {
    if (args.at(-1) !== "]") {
      await complain("missing `]'");
      return 2;
    }
    return await evaluate(args.slice(0, -1), frame, complain);
  },
};

async function evaluate(args: readonly string[], frame: Frame, complain: BuiltinCall["complain"]): Promise<number> {
  try {
    return (await new Test(args, frame).run()) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ShellFault)) throw error;
    await complain(error.message);
    return 2;
  }
}

class Test {
  readonly #words: readonly string[];
  readonly #frame: Frame;
  #at = 0;

  constructor(words: readonly string[], frame: Frame) {
    this.#words = words;
    this.#frame = frame;
  }

  /** Up to four words have a meaning of their own (POSIX); more are an expression. */
  async run(): Promise<boolean> {
    const words = this.#words;
    const [first = "", second = "", third = ""] = words;
    switch (words.length) {
      case 0:
        return false;
      case 1:
        return first !== "";
      case 2:
        if (first === "!") return second === "";
        if (UNARY.has(first)) return await testUnary(first, second, this.#frame);
        throw new ShellFault(`${first}: unary operator expected`, { status: 2 });
      case 3:
        if (BINARY.has(second)) return await testBinary(second, first, third, this.#frame);
        if (second === "-a") return first !== "" && third !== "";
        if (second === "-o") return first !== "" || third !== "";
        if (first === "!") return !(await new Test(words.slice(1), this.#frame).run());
        if (first === "(" && third === ")") return second !== "";
        throw new ShellFault(`${second}: binary operator expected`, { status: 2 });
      case 4:
        if (first === "!") return !(await new Test(words.slice(1), this.#frame).run());
        if (first === "(" && words[3] === ")") return await new Test(words.slice(1, 3), this.#frame).run();
        break;
      default:
    }
    const value = await this.#or();
    if (this.#at < words.length) throw new ShellFault("too many arguments", { status: 2 });
    return value;
  }

  async #or(): Promise<boolean> {
    let value = await this.#and();
    while (this.#words[this.#at] === "-o") {
      this.#at++;
      const right = await this.#and();
      value = value || right;
    }
    return value;
  }

  async #and(): Promise<boolean> {
    let value = await this.#not();
    while (this.#words[this.#at] === "-a") {
      this.#at++;
      const right = await this.#not();
      value = value && right;
    }
    return value;
  }

  async #not(): Promise<boolean> {
    if (this.#words[this.#at] !== "!") return await this.#primary();
    this.#at++;
    return !(await this.#not());
  }

  async #primary(): Promise<boolean> {
    const [word, operator, right] = this.#words.slice(this.#at, this.#at + 3);
    if (word === undefined) throw new ShellFault("argument expected", { status: 2 });
    if (word === "(") {
      this.#at++;
      const value = await this.#or();
      if (this.#words[this.#at++] !== ")") throw new ShellFault("`)' expected", { status: 2 });
      return value;
    }
    if (operator !== undefined && right !== undefined && BINARY.has(operator)) {
      this.#at += 3;
      return await testBinary(operator, word, right, this.#frame);
    }
    if (UNARY.has(word) && operator !== undefined) {
      this.#at += 2;
      return await testUnary(word, operator, this.#frame);
    }
    this.#at++;
    return word !== "";
  }
}
