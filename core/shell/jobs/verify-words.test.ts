import { expect, test } from "vitest";
import type { JobState } from "../../jobs/types.ts";
import { testNode } from "../../../test/fixtures/node-parts.ts";
import { verifyWords } from "./verify-words.ts";

test("names who disagreed, and says what a job waits for", async () => {
  const { net, otter } = await testNode();
  const words = (state: Pick<JobState, "named" | "lacking">): string[] => verifyWords(state, { net });
  expect(words({ named: [{ peer: otter, task: 7 }], lacking: undefined })).toEqual([
    "otter gave other answers than the others, to task 7 for one: none of its answers was taken",
  ]);
  expect(words({ named: [], lacking: { devices: 1, needed: 2 } })).toEqual([
    "It waits: 2 devices have to agree on each task, and only 1 is here",
  ]);
  expect(words({ named: [], lacking: undefined })).toEqual([]);
});
