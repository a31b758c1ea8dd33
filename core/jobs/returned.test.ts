import { describe, expect, test } from "vitest";
import { utf8 } from "../base/bytes.ts";
import { GRAPH_TASKS_MAX, RETURNED_BYTES_MAX } from "./limits.ts";
import { readReturned } from "./returned.ts";

const PARENT = { needs: 2, programs: 2 };

function read(output: string): unknown {
  return readReturned(utf8(output), PARENT);
}

describe("what a task returns that may return others", () => {
  test.each([
    ["nothing", ""],
    ["a number", "55\n"],
    ["other JSON", '{"task": 1}'],
    ["a list of its own", '[{"tasks": []}]'],
    ["text that speaks of it", 'say {"tasks": []}'],
    ["bytes", "\0\xff\0"],
  ])("is a value: %s", (_, output) => {
    expect(read(output)).toBeUndefined();
  });

  test("is tasks, as JavaScript writes them and as Python does", () => {
    const nothing = { needs: [], given: [], program: 0, grows: false, input: utf8("") };
    expect(read('{"tasks":[{"input":"ü","grows":true},{"needs":[0,0],"given":[1],"program":1}]}')).toEqual([
      { ...nothing, input: utf8("ü"), grows: true },
      { ...nothing, needs: [0, 0], given: [1], program: 1 },
    ]);
    expect(read('{"tasks": [{"base64": "AP8+"}, {"base64": "-_8="}]}')).toEqual([
      { ...nothing, input: Uint8Array.of(0, 255, 62) },
      { ...nothing, input: Uint8Array.of(251, 255) },
    ]);
  });

  test.each([
    ["no JSON", '{"tasks":[', /./],
    ["none", '{"tasks":[]}', /tasks/],
    ["another field", '{"tasks":[{}],"more":1}', /more/],
    ["a field of a task that nobody knows", '{"tasks":[{"need":[0]}]}', /need/],
    ["a need of what follows", '{"tasks":[{"needs":[0]}]}', /needs/],
    ["a need that is no place", '{"tasks":[{},{"needs":[-1]}]}', /needs/],
    ["more than its parent needs", '{"tasks":[{"given":[2]}]}', /given/],
    ["a program that is not there", '{"tasks":[{"program":2}]}', /program/],
    ["an input twice", '{"tasks":[{"input":"","base64":""}]}', /twice/],
    ["no base64", '{"tasks":[{"base64":"!"}]}', /base64/],
    ["half a byte", '{"tasks":[{"base64":"A"}]}', /./],
    ["too many", `{"tasks":[${Array.from({ length: GRAPH_TASKS_MAX + 1 }, () => "{}").join(",")}]}`, /tasks/],
  ])("are no tasks: %s", (_, output, why) => {
    const malformed = expect.objectContaining({ code: "malformed", message: expect.stringMatching(why) });
    expect(() => read(output)).toThrow(malformed);
  });

  test("are not more bytes than every node reads", () => {
    const output = `{"tasks":[{"input":"${"x".repeat(RETURNED_BYTES_MAX)}"}]}`;
    expect(() => read(output)).toThrow(expect.objectContaining({ code: "too-large" }));
  });
});
