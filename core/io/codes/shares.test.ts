/** Which member's place is taken when all are. */
import { expect, it } from "vitest";
import { CARRIED_MAX, CARRIED_PER_MEMBER_MAX } from "./limits.ts";
import { Shares } from "./shares.ts";

function full(members: readonly string[]): { readonly shares: Shares; readonly dismissed: string[] } {
  const shares = new Shares();
  const dismissed: string[] = [];
  for (let i = 0; i < CARRIED_MAX; i++) {
    const member = members[i % members.length] ?? "";
    shares.enter(member, () => dismissed.push(`${member} ${Math.floor(i / members.length)}`));
  }
  return { shares, dismissed };
}

const NOBODY = (): void => {};

it("gives each member so many places and no more", () => {
  const shares = new Shares();
  const back = Array.from({ length: CARRIED_PER_MEMBER_MAX }, () => shares.enter("a", NOBODY));
  expect(() => shares.enter("a", NOBODY)).toThrow("carries as much");
  back[0]?.();
  back[0]?.();
  shares.enter("a", NOBODY);
  expect(() => shares.enter("a", NOBODY)).toThrow("carries as much");
});

it("takes the newest place of who has the most, as long as that is more than a fair share", () => {
  const { shares, dismissed } = full(["a", "b", "c", "d"]);
  for (let i = 0; i < 6; i++) shares.enter("honest", NOBODY);
  expect(dismissed).toEqual(["a 7", "b 7", "c 7", "d 7", "a 6", "b 6"]);
  expect(() => shares.enter("honest", NOBODY)).toThrow("carries as much");
});

it("takes nothing from those who have one place each", () => {
  const { shares, dismissed } = full(Array.from({ length: CARRIED_MAX }, (_, i) => `member ${i}`));
  expect(() => shares.enter("honest", NOBODY)).toThrow("carries as much");
  expect(dismissed).toEqual([]);
});
