import * as fc from "fast-check";
import { expect, test } from "vitest";
import { concat, equal, text, utf8 } from "../base/bytes.ts";
import { createPipe, readAll } from "./pipe.ts";

test("bytes arrive whole and in order, whatever the sizes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 20 }),
      async (parts, max) => {
        const pipe = createPipe(max);
        const writing = (async () => {
          for (const part of parts) await pipe.output.write(part);
          pipe.output.end();
        })();
        const whole = await readAll(pipe.input, 10_000);
        await writing;
        expect(equal(whole, concat(parts))).toBe(true);
      },
    ),
  );
});

test("the writer waits while the pipe is full", async () => {
  const pipe = createPipe(4);
  let written = false;
  const writing = pipe.output.write(utf8("abcdef")).then(() => (written = true));
  const reader = pipe.input[Symbol.asyncIterator]();
  await Promise.resolve();
  expect(written).toBe(false);
  const first = await reader.next();
  expect(text(first.value)).toBe("abcd");
  await writing;
  expect(text((await reader.next()).value)).toBe("ef");
});

test("a writer whose reader has gone gets closed, also while it waits", async () => {
  const pipe = createPipe(2);
  const writing = pipe.output.write(utf8("abcdef"));
  pipe.close();
  await expect(writing).rejects.toMatchObject({ code: "closed" });
  await expect(pipe.output.write(utf8("x"))).rejects.toMatchObject({ code: "closed" });
});

test("leaving a loop does not lose the rest", async () => {
  const pipe = createPipe();
  await pipe.output.write(utf8("a"));
  await pipe.output.write(utf8("b"));
  pipe.output.end();
  for await (const part of pipe.input) {
    expect(text(part)).toBe("a");
    break;
  }
  expect(text(await readAll(pipe.input, 10))).toBe("b");
});

test("readAll is bounded", async () => {
  const pipe = createPipe();
  await pipe.output.write(utf8("abc"));
  await expect(readAll(pipe.input, 2)).rejects.toMatchObject({ code: "too-large" });
});
