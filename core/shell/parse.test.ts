import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isStarfishError } from "../base/errors.ts";
import { quote } from "./complete.ts";
import { graphemes } from "./width.ts";
import { LINE_LENGTH_MAX, parse, STAGES_MAX, SyntaxFault } from "./parse.ts";

/** Words of a one-command line as GNU bash 5.2.15 passes them to the command (printed there with `printf '%s\n'`). */
const BASH_WORDS: readonly (readonly [line: string, words: readonly string[]])[] = [
  ["echo a b", ["echo", "a", "b"]],
  ["echo 'a b' \"c d\"", ["echo", "a b", "c d"]],
  ["echo a\\ b", ["echo", "a b"]],
  ['echo "a\\b \\" \\\\ \\$ \\`"', ["echo", 'a\\b " \\ $ `']],
  ["echo 'a\\b'", ["echo", "a\\b"]],
  ["echo a'b'\"c\"d", ["echo", "abcd"]],
  ["echo ''", ["echo", ""]],
  ['echo "" a', ["echo", "", "a"]],
  ["echo a#b", ["echo", "a#b"]],
  ["echo a # b", ["echo", "a"]],
  ["echo a\\\nb", ["echo", "ab"]],
  ['echo "a\\\nb"', ["echo", "ab"]],
  ["echo \\\na", ["echo", "a"]],
  ["echo $", ["echo", "$"]],
  ['echo "a$"', ["echo", "a$"]],
  ["echo $,", ["echo", "$,"]],
  ["echo 'it'\\''s'", ["echo", "it's"]],
  ["echo a[b", ["echo", "a[b"]],
  ["echo {a}", ["echo", "{a}"]],
  ["echo {}", ["echo", "{}"]],
  ["echo a=b", ["echo", "a=b"]],
  ["echo x~", ["echo", "x~"]],
  ["echo !", ["echo", "!"]],
  ["echo if", ["echo", "if"]],
  ["echo %x @y ^z +w", ["echo", "%x", "@y", "^z", "+w"]],
  ['echo "x;y|z&&w"', ["echo", "x;y|z&&w"]],
  ["echo -- --x", ["echo", "--", "--x"]],
  ["echo 0..20 -0.5,0,1", ["echo", "0..20", "-0.5,0,1"]],
  ["echo '*' \"?\" \\~ '$x' \\& '<'", ["echo", "*", "?", "~", "$x", "&", "<"]],
];

describe("words", () => {
  test.each(BASH_WORDS)("%j", (line, words) => {
    expect(parse(line)).toEqual([{ when: "always", stages: [words] }]);
  });

  test("any words survive quoting", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), (words) => {
        const line = ["echo", ...words].map((word) => quote(word)).join(" ");
        expect(parse(line)).toEqual([{ when: "always", stages: [["echo", ...words]] }]);
      }),
    );
  });
});

describe("lists and pipes", () => {
  test("blank lines and comments are nothing", () => {
    for (const line of ["", "  ", "\n\n", "# only", "  # only"]) expect(parse(line)).toEqual([]);
  });

  test("steps carry when they run", () => {
    expect(parse("a&&b||c ; d\ne")).toEqual([
      { when: "always", stages: [["a"]] },
      { when: "on-success", stages: [["b"]] },
      { when: "on-failure", stages: [["c"]] },
      { when: "always", stages: [["d"]] },
      { when: "always", stages: [["e"]] },
    ]);
  });

  test("a pipe goes on over a newline, as do && and ||", () => {
    expect(parse("a |\n b")).toEqual([{ when: "always", stages: [["a"], ["b"]] }]);
    expect(parse("a &&\n\n b")).toHaveLength(2);
  });

  test("a trailing separator is fine", () => {
    expect(parse("a ; ")).toHaveLength(1);
    expect(parse("\n\na\n\n")).toHaveLength(1);
  });
});

/** Lines that bash refuses with status 2, and where we say the fault is. */
const REFUSED: readonly (readonly [line: string, position: number, incomplete: boolean])[] = [
  ["echo |", 6, true],
  ["| cat", 0, false],
  [";", 0, false],
  ["&& a", 0, false],
  ["a && ", 5, true],
  ["a ;; b", 2, false],
  ["a || || b", 5, false],
  ['echo "x', 5, true],
  ["echo 'x", 5, true],
  ["a | | b", 4, false],
  ["; ;", 0, false],
  ["echo a;\n;", 8, false],
  ["echo a \\", 8, true],
];

describe("faults", () => {
  test.each(REFUSED)("%j at %d", (line, position, incomplete) => {
    expect(faultOf(line)).toMatchObject({ code: "usage", position, incomplete });
  });

  test("bounds", () => {
    expect(faultOf(`echo ${"x".repeat(LINE_LENGTH_MAX)}`).message).toContain("longer than");
    expect(faultOf(Array.from({ length: STAGES_MAX + 1 }, () => "a").join("|")).message).toContain("stages");
  });

  test("nothing but a SyntaxFault is ever thrown", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...graphemes("ab '\"\\;|&$#*?[]{}<>()~`\n=!,.")) }), (line) => {
        expect(outcomeOf(line)).toBeOneOf(["accepted", "refused"]);
      }),
    );
  });
});

describe("what the full shell will have is refused, not taken literally", () => {
  test.each([
    "echo $x",
    'echo "$x"',
    "echo ${x}",
    "echo $?",
    "echo $(x)",
    "echo `x`",
    "echo $'x'",
    "x=1",
    "x=1 a",
    "echo *",
    "echo a?",
    "echo [ab]",
    "echo ~",
    "echo ~/x",
    "echo {a,b}",
    "echo {1..3}",
    "echo > x",
    "a < b",
    "a 2>&1",
    "a &",
    "a |& b",
    "(a)",
    "{ a; }",
    "! a",
    "if a",
    "for x",
    "while a",
  ])("%s", (line) => {
    const fault = faultOf(line);
    expect(fault.code).toBe("unsupported");
    expect(fault.message).toContain("not there yet");
  });
});

function outcomeOf(line: string): unknown {
  try {
    parse(line);
    return "accepted";
  } catch (error) {
    return error instanceof SyntaxFault ? "refused" : error;
  }
}

function faultOf(line: string): SyntaxFault {
  try {
    parse(line);
  } catch (error) {
    if (error instanceof SyntaxFault && isStarfishError(error)) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(line)} was accepted`);
}
