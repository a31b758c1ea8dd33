import { expect, test } from "vitest";
import { momentOf } from "./moment.ts";

const NOW: number = Date.UTC(2026, 10, 30, 14, 5, 30);

test.each([
  ["10 minutes ago", NOW - 600_000],
  ["1 minute ago", NOW - 60_000],
  ["90s", NOW - 90_000],
  ["1.5 h", NOW - 5_400_000],
  ["1 day ago", NOW - 86_400_000],
  [" 0 SECONDS ago ", NOW],
  ["14:05", Date.UTC(2026, 10, 30, 14, 5)],
  ["14:05:31", Date.UTC(2026, 10, 29, 14, 5, 31)],
  ["9:00", Date.UTC(2026, 10, 30, 9)],
  ["2026-11-30", Date.UTC(2026, 10, 30)],
  ["2026-11-30 12:00", Date.UTC(2026, 10, 30, 12)],
  ["2026-11-30T12:00:01Z", Date.UTC(2026, 10, 30, 12, 0, 1)],
  ["2026-11-30T12:00+02:00", Date.UTC(2026, 10, 30, 10)],
])("%s is a moment", (text, moment) => {
  expect(momentOf(text, NOW)).toBe(moment);
});

test.each(["", "soon", "10", "10 parsecs ago", "25:00", "24:00", "2026-13-01", "yesterday", "-5 minutes", "1;2"])(
  "%j is none",
  (text) => {
    expect(() => momentOf(text, NOW)).toThrow("'10 minutes ago'");
  },
);
