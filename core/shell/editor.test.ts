import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { utf8 } from "../base/bytes.ts";
import { type Key, KeyDecoder } from "./editor-keys.ts";
import { Editor, type EditorEvent, type EditorOptions } from "./editor.ts";
import { History, HISTORY_LINES_MAX } from "./history.ts";
import { LINE_LENGTH_MAX } from "./language/limits.ts";
import { PASTE_BEGIN, PASTE_END } from "./paste.ts";
import { graphemes, graphemeWidth } from "./width.ts";

/** A terminal of the sequences that the editor uses: enough to see what a person would see. */
class Screen {
  readonly columns: number;
  rows: string[][] = [[]];
  row = 0;
  column = 0;

  constructor(columns: number) {
    this.columns = columns;
  }

  write(text: string): void {
    // eslint-disable-next-line no-control-regex
    for (const [, csi, plain] of text.matchAll(/\x1b\[([0-9;?]*[A-Za-z])|([^\x1b]+)/g)) {
      if (csi !== undefined) this.#csi(csi);
      for (const grapheme of graphemes(plain ?? "")) this.#put(grapheme);
    }
  }

  #csi(sequence: string): void {
    const amount = Number.parseInt(sequence, 10) || 1;
    const letter = sequence.at(-1);
    if (letter === "A") this.row = Math.max(0, this.row - amount);
    if (letter === "C") this.column = Math.min(this.columns - 1, this.column + amount);
    if (letter === "B") this.row = Math.min(this.rows.length - 1, this.row + amount);
    if (sequence === "K") this.rows[this.row] = (this.rows[this.row] ?? []).slice(0, this.column);
    if (letter === "H") this.row = this.column = 0;
    if (sequence === "2J") this.rows = [[]];
    if (sequence === "J") {
      this.rows.length = this.row + 1;
      this.rows[this.row] = (this.rows[this.row] ?? []).slice(0, this.column);
    }
  }

  #put(grapheme: string): void {
    if (grapheme === "\r\n") return this.#newline();
    if (grapheme === "\r") {
      this.column = 0;
      return;
    }
    const width = graphemeWidth(grapheme);
    if (this.column + width > this.columns) this.#newline();
    const row = (this.rows[this.row] ??= []);
    while (row.length < this.column) row.push(" ");
    row[this.column] = grapheme;
    if (width === 2) row[this.column + 1] = "";
    this.column += width;
  }

  #newline(): void {
    this.row++;
    this.column = 0;
    this.rows[this.row] ??= [];
  }

  toString(): string {
    return this.rows.map((row) => row.join("")).join("\n");
  }
}

function terminal(
  columns = 40,
  candidates: readonly string[] = [],
  history?: History,
  options: Partial<EditorOptions> = {},
) {
  const screen = new Screen(columns);
  const keys = KeyDecoder.forLines();
  const editor = new Editor({ columns, ...(history === undefined ? {} : { history }), ...options });
  screen.write(editor.start("$ "));
  const events: EditorEvent[] = [];
  const press = (key: Key): void => {
    const step = editor.key(key);
    screen.write(step.screen);
    if (step.asks !== undefined) {
      const { line, cursor } = step.asks;
      const from = line.lastIndexOf(" ", cursor - 1) + 1;
      const fitting = candidates.filter((word) => word.startsWith(line.slice(from, cursor)));
      const found = fitting.map((text) => ({ text, isPart: false }));
      screen.write(editor.completed({ from, quote: "", candidates: found }));
    }
    if (step.event === undefined) return;
    events.push(step.event);
    screen.write(editor.start("$ "));
  };
  /** A paste comes alone. */
  const type = (typed: string): void => {
    if (typed.startsWith(PASTE_BEGIN)) {
      return press({ kind: "paste", text: typed.slice(PASTE_BEGIN.length, -PASTE_END.length) });
    }
    keys.feed(utf8(typed));
    for (let key = keys.next(); key !== undefined; key = keys.next()) press(key);
  };
  return { screen, editor, events, type };
}

describe("editing", () => {
  const CASES: readonly (readonly [what: string, typed: string, line: string])[] = [
    ["insertion in the middle", "ac\x1b[Db", "abc"],
    ["home and end", "b\x1b[Ha\x1b[Fc", "abc"],
    ["Ctrl-A, Ctrl-E", "b\x01a\x05c", "abc"],
    ["backspace and delete", "abxc\x1b[D\x7f\x01\x1b[3~", "bc"],
    ["Ctrl-K", "abcdef\x1b[D\x1b[D\x0b", "abcd"],
    ["Ctrl-U", "abcdef\x1b[D\x1b[D\x15", "ef"],
    ["Ctrl-W", "one two  \x17", "one "],
    ["words by Ctrl-arrows", "one two\x1b[1;5D\x1b[1;5Dx\x1b[1;5Cy", "xoney two"],
    ["Ctrl-D deletes in a line", "ab\x01\x04", "b"],
    ["unknown sequences are no text", "a\x1b[99;99Zb\x1b[15~c", "abc"],
    ["wide and combined characters", "a漢e\u0301👩‍🚀\x7f\x7fb", "a漢b"],
    ["a mark typed by itself joins its letter", "e\u0301\x7f", ""],
  ];
  test.each(CASES)("%s", (_, typed, line) => {
    const { editor, type } = terminal();
    type(typed);
    expect(editor.line).toBe(line);
  });

  test("a paste keeps newlines and drops controls", () => {
    const { editor, screen } = terminal();
    screen.write(editor.key({ kind: "paste", text: "a\r\nb\x1b[31mc\td\u009b2J\r\n" }).screen);
    expect(editor.line).toBe("a\nb[31mc    d2J");
  });

  test("a paste that does not fit is not taken, nor a part of it", () => {
    const { editor, screen } = terminal();
    screen.write(editor.key({ kind: "paste", text: "x".repeat(LINE_LENGTH_MAX - 3) }).screen);
    expect(editor.key({ kind: "paste", text: "four" })).toEqual({ screen: "", tooLong: 4 });
    expect(editor.key({ kind: "paste", text: "six" }).tooLong).toBeUndefined();
    expect(editor.line).toHaveLength(LINE_LENGTH_MAX);
  });

  test("what would change the direction of a line is shown as such, and stays in it", () => {
    const { editor, screen } = terminal();
    screen.write(editor.key({ kind: "paste", text: "rm a\u202etxt.b" }).screen);
    expect(screen.toString()).toBe("$ rm a\ufffdtxt.b");
    expect(editor.line).toBe("rm a\u202etxt.b");
    for (const key of ["left", "right", "home", "end"] as const)
      screen.write(editor.key({ kind: "named", name: key }).screen);
    expect(screen.column).toBe(2 + 10);
  });

  test("keys may come byte by byte", () => {
    const { editor, screen } = terminal();
    const keys = KeyDecoder.forLines();
    for (const byte of utf8("aä漢\x1b[Dx")) {
      keys.feed(Uint8Array.of(byte));
      for (let key = keys.next(); key !== undefined; key = keys.next()) screen.write(editor.key(key).screen);
    }
    expect(editor.line).toBe("aäx漢");
  });

  test("events", () => {
    const { events, type } = terminal();
    type("one\rtwo\x03\x04");
    expect(events).toEqual([{ kind: "line", line: "one" }, { kind: "interrupt" }, { kind: "end" }]);
  });
});

describe("screen", () => {
  test("the screen shows the line and the cursor, whatever is typed", () => {
    const keys = [
      ...graphemes("ab 漢é"),
      "👍",
      "\x1b[D",
      "\x1b[C",
      "\x01",
      "\x05",
      "\x7f",
      "\x0b",
      "\x17",
      "\x1b[A",
      "\x1b[B",
      "\x1b[200~p\nq\x1b[201~",
      "\x0c",
    ];
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 20 }),
        fc.array(fc.constantFrom(...keys), { maxLength: 60 }),
        (columns, typed) => {
          const { screen, editor, type } = terminal(columns, [], new History(["older line", "短い"]));
          for (const key of typed) {
            type(key);
            const expected = new Screen(columns);
            expected.write(`$ ${editor.line.replaceAll("\n", "\r\n> ")}`);
            expect(screen.toString().trimEnd()).toBe(expected.toString().trimEnd());
          }
          type("\x05!");
          const end = new Screen(columns);
          end.write(`$ ${editor.line.replaceAll("\n", "\r\n> ")}`);
          const wrapped = end.column === columns;
          expect([screen.row, screen.column]).toEqual(wrapped ? [end.row + 1, 0] : [end.row, end.column]);
        },
      ),
    );
  });

  test("suggestions, marks and searching leave the screen as the line is", () => {
    const keys = [
      ...graphemes("abl "),
      "\x1b[D",
      "\x1b[C",
      "\x05",
      "\x7f",
      "\x0b",
      "\x15",
      "\x19",
      "\x1f",
      "\x12",
      "\x07",
      "\x1b[A",
      "\x1b\r",
    ];
    fc.assert(
      fc.property(
        fc.integer({ min: 8, max: 24 }),
        fc.array(fc.constantFrom(...keys), { maxLength: 60 }),
        (columns, typed) => {
          const history = new History(["able was i", "b漢 and more of it"]);
          const { screen, editor, type } = terminal(columns, [], history, {
            hasGhosts: () => true,
            marks: (line) => (line.startsWith("b") ? [{ from: 0, to: 1, kind: "wrong" }] : []),
          });
          for (const key of typed) type(key);
          // Leaves a search, and removes the suggestion, which is shown only behind the end of the line.
          type("\x07\x05x\x01");
          const expected = new Screen(columns);
          expected.write(`$ ${editor.line.replaceAll("\n", "\r\n> ")}`);
          expect(screen.toString().trimEnd()).toBe(expected.toString().trimEnd());
        },
      ),
    );
  });

  test("the cursor is where the next key goes", () => {
    const { screen, type } = terminal(10);
    type("abcdefghij\x1b[D\x1b[D");
    expect([screen.row, screen.column]).toEqual([1, 0]);
    type("\x01");
    expect([screen.row, screen.column]).toEqual([0, 2]);
  });

  test("other output goes above the line", () => {
    const { screen, editor, type } = terminal(10);
    type("abcdefghijkl");
    screen.write(`${editor.hide()}news\r\n${editor.show()}`);
    expect(screen.toString()).toBe("news\n$ abcdefgh\nijkl");
  });
});

describe("completion", () => {
  test("a single candidate is taken, with a blank", () => {
    const { editor, type } = terminal(40, ["peers", "ping"]);
    type("pe\t");
    expect(editor.line).toBe("peers ");
  });

  test("several are completed as far as they agree, then listed", () => {
    const { editor, screen, type } = terminal(40, ["mandelbrot", "mandolin"]);
    type("ma\t");
    expect(editor.line).toBe("mand");
    type("\t");
    expect(screen.toString()).toBe("$ mand\nmandelbrot  mandolin\n$ mand");
  });

  test("what needs a quote has one, and it is left open where more is to come", () => {
    const { editor, type } = terminal(40, ["my file 1", "my file 2"]);
    type("my\t");
    expect(editor.line).toBe("'my file ");
    const other = terminal(40, ["it's; rm -r /"]);
    other.type("it\t");
    expect(other.editor.line).toBe("'it'\\''s; rm -r /' ");
  });

  test("none changes nothing", () => {
    const { editor, type } = terminal(40, ["a"]);
    type("zz\t");
    expect(editor.line).toBe("zz");
  });
});

describe("undo, kill and yank", () => {
  const CASES: readonly (readonly [what: string, typed: string, line: string])[] = [
    ["twice, and a deletion", "abc\x7f\x1f\x1f", ""],
    ["Ctrl-Y gives back what Ctrl-W took", "one two\x17\x19\x19", "one twotwo"],
    ["kills in a row are one", "a b c\x17\x17\x01\x19", "b ca "],
    ["Alt-Y gives the one before", "one \x15two \x15\x19\x1by", "one "],
    ["Alt-D takes letters", "one/two\x01\x1bd", "/two"],
    ["Alt-Backspace takes letters back", "one/two\x1b\x7f", "one/"],
  ];
  test.each(CASES)("%s", (_, typed, line) => {
    const { editor, type } = terminal();
    type(typed);
    expect(editor.line).toBe(line);
  });
});

test("Ctrl-_ takes back what was typed word by word", () => {
  const { editor, type } = terminal();
  for (const letter of "echo one two") type(letter);
  type("\x1f");
  expect(editor.line).toBe("echo one");
});

describe("lines of several rows", () => {
  test("Enter goes on while something is open, and all of it is one line", () => {
    const { screen, events, type } = terminal(40, [], undefined, { isIncomplete: (line) => !line.endsWith("done") });
    type("for x in 1 2\rdo echo $x\r");
    expect(screen.toString()).toBe("$ for x in 1 2\n> do echo $x\n> ");
    type("\x1b[A\x1b[1;5C\x1b[1;5C\x1b[1;5C;\x1b[B\x05done\r");
    expect(events).toEqual([{ kind: "line", line: "for x in 1 2\ndo echo $x;\ndone" }]);
  });

  test("up and down go from row to row before they leaf", () => {
    const { editor, type } = terminal(40, [], new History(["before"]));
    type("one\x1b\rtwo\x1b[A!\x1b[A");
    expect(editor.line).toBe("before");
    type("\x1b[B");
    expect(editor.line).toBe("one!\ntwo");
  });
});

describe("searching the history", () => {
  const LINES = ["make test", "ls /net", "make clean", "cat notes"];

  test("Ctrl-R finds the newest, again the one before, and Enter runs it", () => {
    const { events, screen, type } = terminal(60, [], new History(LINES));
    type("\x12mak");
    expect(screen.toString()).toBe("(search 'mak') make clean");
    type("\x12");
    expect(screen.toString()).toBe("(search 'mak') make test");
    type("\r");
    expect(events).toEqual([{ kind: "line", line: "make test" }]);
  });

  test("other keys edit what was found, Ctrl-G gives up", () => {
    const { editor, screen, type } = terminal(60, [], new History(LINES));
    type("draft\x12net\x05x");
    expect(editor.line).toBe("ls /netx");
    type("\x12zzz");
    expect(screen.toString()).toBe("(nothing with 'zzz') ls /netx");
    type("\x07");
    expect(screen.toString()).toBe("$ ls /netx");
  });
});

describe("suggestions", () => {
  test("the newest line that begins so stands behind it; Right takes it, Alt-F a word", () => {
    const { editor, screen, type } = terminal(60, [], new History(["echo one two", "ls"]), { hasGhosts: () => true });
    type("ec");
    expect(screen.toString()).toBe("$ echo one two");
    expect([editor.line, screen.column]).toEqual(["ec", 4]);
    type("\x1bf");
    expect(editor.line).toBe("echo");
    type("\x1b[C");
    expect(editor.line).toBe("echo one two");
  });

  test("what nobody took is gone when the line runs", () => {
    const { events, screen, type } = terminal(60, [], new History(["echo one two"]), { hasGhosts: () => true });
    type("ec\r");
    expect(events).toEqual([{ kind: "line", line: "ec" }]);
    expect(screen.toString()).toBe("$ ec\n$ ");
  });
});

describe("history", () => {
  test("leafs back and forth and keeps the draft", () => {
    const { editor, type } = terminal();
    type("one\rtwo\rdra\x1b[A");
    expect(editor.line).toBe("two");
    type("\x1b[A\x1b[A");
    expect(editor.line).toBe("one");
    type("\x1b[B\x1b[B");
    expect(editor.line).toBe("dra");
  });

  test("is bounded and skips repetitions", () => {
    const history = new History();
    for (let i = 0; i < HISTORY_LINES_MAX + 5; i++) history.add(`line ${i}`);
    history.add(`line ${HISTORY_LINES_MAX + 4}`);
    history.add("  ");
    expect(history.lines).toHaveLength(HISTORY_LINES_MAX);
    expect(history.lines.at(-1)).toBe(`line ${HISTORY_LINES_MAX + 4}`);
  });
});
