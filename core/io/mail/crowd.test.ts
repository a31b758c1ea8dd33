/** Which mail is not listed if there are too many. */
import { expect, it } from "vitest";
import { Crowd } from "./crowd.ts";

interface One {
  readonly mail: { readonly from: string; readonly sentAtMs: number };
}

function mails(from: string, ...times: readonly number[]): One[] {
  return times.map((sentAtMs) => ({ mail: { from, sentAtMs } }));
}

/** What goes, one after the other, until so many are left. */
function goes(crowd: Crowd<One>, count: number): string[] {
  return Array.from({ length: count }, () => {
    const least = crowd.least();
    if (least === undefined) return "nothing";
    crowd.delete(least);
    return `${least.mail.from} ${least.mail.sentAtMs}`;
  });
}

it("drops the earliest of who has most, and leaves the others theirs", () => {
  const crowd = new Crowd<One>(() => true);
  for (const one of [...mails("a", 1), ...mails("b", 5, 3, 4, 6), ...mails("c", 2, 7)]) crowd.add(one);
  expect(goes(crowd, 2)).toEqual(["b 3", "b 4"]);
  // All have as many: who came to have them last.
  expect(goes(crowd, 2).toSorted()).toEqual(["b 5", "c 2"]);
  expect(goes(crowd, 4).at(-1)).toBe("nothing");
});

it("drops those of unknown senders first, as long as they are unknown", () => {
  const known = new Set(["a"]);
  const crowd = new Crowd<One>((sender) => known.has(sender));
  const strangers = Array.from({ length: 2_000 }, (_, i) => mails(`stranger ${i}`, i)).flat();
  for (const one of [...mails("a", 1, 2, 3), ...strangers]) crowd.add(one);
  known.add("stranger 0");
  expect(goes(crowd, 2)).toEqual(["stranger 1 1", "stranger 2 2"]);
  expect(goes(crowd, 1_997).every((name) => name.startsWith("stranger"))).toBe(true);
  expect(goes(crowd, 1)).toEqual(["a 1"]);
});
