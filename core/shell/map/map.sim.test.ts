/** Scripts, modules and bundled tasks through `map`, on whole simulated computers. */
import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import jpeg from "jpeg-js";
import { utf8 } from "../../base/bytes.ts";
import { complains, passesOn, writes } from "../../../test/fixtures/programs.ts";
import { collector, moduleOf, type Ran, ShellBench } from "../../../test/sim/shell-bench.ts";

describe("map", () => {
  let bench: ShellBench;

  beforeEach(async () => {
    bench = new ShellBench({ seed: 7 });
    await bench.up("first");
  });

  async function given(line: string, stdin = ""): Promise<string> {
    const ran: Ran = await bench.run(line, { stdin });
    expect(ran).toMatchObject({ status: 0, stderr: "" });
    return ran.stdout;
  }

  test.each([
    ["map js 'x => x.length'", "one\nthree\n", "3\n5\n"],
    ["map js 'x => x.length' --lines 1", "one\nthree\n\n", "3\n5\n0\n"],
    ["map js 'x => x.length' --reduce '(a, b) => a + b'", "one\nthree\nfour\n", "12\n"],
    ["map js 'x => x' --reduce '(a, b) => a + b' --lines 1", "a\nb\nc\nd\ne\n", "abcde\n"],
    ["map js 'x => x > 2 ? x : undefined'", "1\n2\n3\n4\n", "3\n4\n"],
    ["map js '({ n }) => n + 1' --json", '{"n": 20}\n{"n": 22}\n', "21\n23\n"],
    ["map js 'n => n * n' --range 0..5 --chunks 2", "", "0\n1\n4\n9\n16\n"],
    ["map js 'n => n' --range 0..1001 --reduce '(a, b) => a + b'", "", "500500\n"],
    ["map ts '(x: string): number => x.length'", "one\n", "3\n"],
    ["map python 'lambda x: x.upper()'", "one\ntwo\n", "ONE\nTWO\n"],
    ["map python 'lambda n: n * n' --range 0..4 --reduce 'lambda a, b: a + b'", "", "14\n"],
    ["map js 'x => x'", "", ""],
    ["map js 'x => x' --reduce '(a, b) => a'", "", ""],
    ["map wordcount", "b a\nb\n", "2 b\n1 a\n"],
    ["map grep 'b+'", "abc\nxyz\nbb\n", "abc\nbb\n"],
    ["map grep -i B", "abc\nxyz\n", "abc\n"],
    ["map pi --range 0..1000000", "", "3.143256000\n"],
    ["map pi --range 0..1000000 --chunks 7", "", "3.143256000\n"],
  ])("%s", async (line, stdin, expected) => {
    expect(await given(line, stdin)).toBe(expected);
  });

  test("nbody is the same however it is cut", async () => {
    const sum = await given("map nbody --bodies 500");
    expect(sum).toMatch(/^\d{10,12}\n$/);
    expect(await given("map nbody --bodies 500 --chunks 9")).toBe(sum);
  });

  test("scripts come from files, of the swarm or of the person's machine", async () => {
    bench.files.set("./task.js", utf8("const add = (n) => n + 1;\nexport default (x) => add(Number(x));\n"));
    bench.files.set("./task.ts", utf8("export default (x: string): string => x + '!';\n"));
    bench.files.set("./sum.js", utf8("(a, b) => a + b"));
    await given("echo 'def task(x): return x * 2' > /double.py");
    expect(await given("map ./task.js", "1\n2\n")).toBe("2\n3\n");
    expect(await given("map js ./task.js --reduce ./sum.js", "1\n2\n")).toBe("5\n");
    expect(await given("map ./task.ts", "hey\n")).toBe("hey!\n");
    expect(await given("map /double.py", "ab\n")).toBe("abab\n");
  });

  test("a WASI command gets each chunk, and the words that map does not know", async () => {
    bench.files.set("./echo.wasm", passesOn());
    bench.files.set("./hello.wasm", writes("hello\n"));
    bench.files.set("./fails.wasm", complains("no such width", 2));
    expect(await given("map ./echo.wasm --lines 1", "a\nb\n")).toBe("a\nb\n");
    expect(await given("map ./hello.wasm -w 800 --lines 1 --args --range 5", "a\nb\n")).toBe("hello\nhello\n");
    const failed = await bench.run("map ./fails.wasm", { stdin: "a\n" });
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("The program exited with 2, and said: no such width");
  });

  test("files go through one by one, and come out under their names", async () => {
    bench.files.set("./echo.wasm", passesOn());
    await given("mkdir /in; echo one two > /in/a.txt; echo three > /in/b.txt");
    expect(await given("ls /in/* | map ./echo.wasm --each-file --out /out/; cat /out/b.txt /out/a.txt")).toBe(
      "three\none two\n",
    );
    await given("ls /in/* | map js 'x => x.split(/\\s+/).length - 1' --each-file --out /counts");
    expect(await given("cat /counts/a.txt /counts/b.txt")).toBe("21");
    expect(await given("map grep o /in/*")).toBe("/in/a.txt:1:one two\n");
    const sum = createHash("sha256").update("three\n").digest("hex");
    expect(await given("map sha256 /in/b.txt")).toBe(`${sum}  /in/b.txt\n`);
    expect(await given("ls /in/b.txt | map sha256")).toBe(`${sum}  /in/b.txt\n`);
  });

  test("pictures are made to fit, under their names", async () => {
    const data = new Uint8Array(4 * 64 * 48).fill(200);
    const picture = Uint8Array.from(jpeg.encode({ data, width: 64, height: 48 }, 90).data);
    for (const name of ["a.jpg", "b.jpg"]) {
      expect(await bench.run(`mkdir -p /photos; cat > /photos/${name}`, { stdin: picture })).toMatchObject({
        status: 0,
      });
    }
    await given(
      "ls /photos/* | map resize.wasm -w 16 --each-file --out /small/; map resize -h 6 --out /tiny /photos/b.jpg",
    );
    const sizeOf = async (path: string): Promise<number[]> => {
      const stdout = collector();
      await bench.run(`cat ${path}`, { stdout });
      const { width, height } = jpeg.decode(stdout.bytes());
      return [width, height];
    };
    expect(await sizeOf("/small/a.jpg")).toEqual([16, 12]);
    expect(await sizeOf("/small/b.jpg")).toEqual([16, 12]);
    expect(await sizeOf("/tiny/b.jpg")).toEqual([8, 6]);
    await given("echo hello > /photos/c.jpg");
    const refused = await bench.run("map resize -w 16 --out /small /photos/c.jpg");
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining("/photos/c.jpg: it is no JPEG") });
  });

  test("a module may make one of two outputs itself", async () => {
    bench.files.set("./pi.wasm", moduleOf("pi"));
    expect(await given("map ./pi.wasm --range 0..1000000 --reduce")).toBe("785814 1000000");
  });

  test("what a script throws is told with its line, and with the input's place", async () => {
    const failed = await bench.run("map js 'x => x.a.b'", { stdin: "one\ntwo\n" });
    expect(failed).toMatchObject({ status: 1, stdout: "" });
    expect(failed.stderr).toContain("Input 1 of 2: TypeError: cannot read property 'b' of undefined");
    expect(failed.stderr).toContain("task.js:1");
    const typed = await bench.run("map ts '(x: ) => x'", { stdin: "one\n" });
    expect(typed).toMatchObject({ status: 64, stderr: expect.stringContaining("not valid TypeScript") });
  });

  test.each([
    ["map js", "the function is missing"],
    ["map js x => x", "one word too many"],
    ["map primes 5", "'5' is one word too many"],
    ["map grep", "PATTERN is missing"],
    ["map grep '['", "no regular expression"],
    ["map pi", "--range is missing"],
    ["map nbody --bodies 1", "--bodies must be"],
    ["map resize --out /d", "the size is missing"],
    ["map resize -w 0 --out /d", "-w must be"],
    ["map resize -w 5", "--out is missing"],
    ["map resize -x --out /d", "there is no option -x"],
    ["map js 'x => x' --out /d", "--out DIR is for --each-file"],
    ["map js 'x => x' --each-file --range 0..5", "--each-file takes files whole"],
    ["map js 'x => x' --range 0..99999999999", "more than"],
    ["map js 'x => x' --each-file --out /d --reduce '(a, b) => a'", "--reduce makes one result"],
    ["map rust 'fn'", "there is no task 'rust'"],
  ])("%s: %s", async (line, why) => {
    expect(await bench.run(line)).toMatchObject({ status: 64, stderr: expect.stringContaining(why) });
  });

  test("two inputs of one name can't have one output each", async () => {
    await given("mkdir /in /other; echo 1 > /in/a; echo 2 > /other/a");
    const ran = await bench.run("ls /in/a /other/a | map js 'x => x' --each-file --out /out");
    expect(ran).toMatchObject({ status: 64, stderr: expect.stringContaining("called a") });
  });

  test("scripts run on other members, who are sent the engine", async () => {
    await bench.company();
    const lines = Array.from({ length: 60 }, (_, i) => `line ${i}\n`).join("");
    const expected = Array.from({ length: 60 }, (_, i) => `LINE ${i}\n`).join("");
    for (const script of ["js 'x => x.toUpperCase()'", "python 'lambda x: x.upper()'"]) {
      expect(await given(`map ${script} --lines 1`, lines)).toBe(expected);
    }
  });
});
