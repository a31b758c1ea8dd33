/**
 * Bad input: whatever a line is, the prompt comes back, and endless growth ends at a bound with an error that says so.
 */
import { expect, test } from "vitest";
import { longRun } from "./long.ts";
import { runCase, type Outcome } from "./case.ts";
import recorded from "./recorded.json" with { type: "json" };

function run(code: string): Promise<Outcome> {
  return runCase({ name: "", code, status: 0 });
}

/** mulberry32: the same lines from the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const TOKENS =
  '; & && || | |& ( ) { } (( )) [[ ]] < > >> << <<< <( >( $( ${ } $(( ` \' " \\ $ ! # * ? [ ] = += ~ { , .. if then else elif fi for in while until do done case esac ;; ;& function time coproc select \n \0 \u202e é 😀 -- - 0 -1 999999999999 a[ @ : , % ^ / 2>&1 &> x=1 $x ${x} ${!x} "$@" $* $? $! eval exec set -e -u -x trap read printf %s declare -A local unset shift return break continue exit [ ]'.split(
    " ",
  );

/** A snippet with pieces cut, doubled, moved, and tokens of the language put in. */
function mutant(random: (below: number) => number): string {
  let text = recorded[random(recorded.length)]?.code ?? "";
  for (let i = 1 + random(4); i > 0; i--) {
    const at = random(text.length + 1);
    const to = at + random(12);
    const token = TOKENS[random(TOKENS.length)] ?? "";
    const pieces = [
      text.slice(0, at) + text.slice(to),
      `${text.slice(0, at)}${token}${text.slice(at)}`,
      `${text.slice(0, at)} ${token} ${text.slice(at)}`,
      text.slice(0, to) + text.slice(at),
      text.slice(at) + text.slice(0, at),
    ];
    text = pieces[random(pieces.length)] ?? "";
  }
  return text;
}

test("fuzzed lines crash nothing, and each gives a status", async () => {
  const seed = longRun.seed;
  const random = randomOf(seed);
  for (let i = 0; i < longRun.lines; i++) {
    const line = mutant(random);
    try {
      const { status } = await runCase({ name: "", code: line, status: 0 }, { timeMs: 200 });
      expect(status).toBeGreaterThanOrEqual(0);
      expect(status).toBeLessThanOrEqual(255);
    } catch (error) {
      throw new Error(`seed ${seed}, line ${i}: ${JSON.stringify(line)}`, { cause: error });
    }
  }
});

test.each([
  ["endless recursion", "f() { f; }; f", "nesting level exceeded"],
  ["recursion by eval", "f() { eval f; }; f", "nesting level exceeded"],
  ["a variable of 100 MB", 'x=0123456789; while :; do x="$x$x"; done', "at most"],
  ["a field of 100 MB", "printf '%0100000000d' 1 > /tmp/o", "too wide"],
  ["a million words", "echo {1..10000000}", "more than"],
  ["a million words of two", "echo {1..1000}{1..1001}", "more than"],
  ["an array of a million", "a=(); for ((i=0;i<3;i++)); do a+=({1..400000}); done", "at most"],
  ["deep arithmetic", `echo $((${"(".repeat(5_000)}1${")".repeat(5_000)}))`, ""],
  ["deep subshells", `${"(".repeat(3_000)}:${")".repeat(3_000)}`, ""],
  ["a descriptor beyond all", "exec 99999> f", "Bad file descriptor"],
])("%s meets a bound", async (_what, code, words) => {
  const { status, stderr } = await runCase({ name: "", code: `${code}\n`, status: 0 }, { timeMs: 25_000 });
  expect(stderr.slice(-500)).toContain(words);
  expect(status).not.toBe(130);
});

test("names of any kind survive globs, find and xargs", async () => {
  const names = [
    "new\nline",
    " lead",
    "qu'ote\"",
    "-dash",
    "\u202ebidi",
    "n".repeat(255),
    "star*",
    "back\\slash",
    "$x",
    "é",
  ];
  const quoted = names.map((name) => `'${name.replaceAll("'", "'\\''")}'`).join(" ");
  const { stdout, stderr } = await run(
    `mkdir d; cd d; for n in ${quoted}; do : > "./$n"; done; printf '%s\\0' * > ../globbed; ` +
      'find . -type f -print0 | xargs -0 -n 1 sh -c \'printf "%s\\0" "${1#./}"\' _ > ../found; ' +
      "cd ..; sort -z globbed | tr '\\0' '@' > a; sort -z found | tr '\\0' '@' > b; cmp a b 2>/dev/null || [ \"$(cat a)\" = \"$(cat b)\" ] && echo same; tr -cd '\\0' < globbed | wc -c",
  );
  expect([stdout.replaceAll(" ", ""), stderr]).toEqual([`same\n${names.length}\n`, ""]);
});

test.each([
  "yes > /dev/null",
  "yes | wc -l",
  "cat /dev/zero | wc -c",
  "seq 1000000000 > /dev/null",
  "yes | sed s/y/n/ | grep -c n",
  "sed ':a;ba' <<< x",
  "mapfile -d '' < /dev/zero",
  "yes | xargs -n1 true",
  "yes | while read x; do echo $x; done | wc -l",
])("what goes on for ever leaves the thread its turns: %s", async (code) => {
  const { status } = await runCase({ name: "", code, status: 0 }, { timeMs: 50 });
  expect(status).toBe(130);
});

test("an endless loop that only computes leaves the thread its turns, and ends when it is told to", async () => {
  const { status } = await runCase({ name: "", code: "while :; do :; done; echo no", status: 0 }, { timeMs: 50 });
  expect(status).toBe(130);
});
