import { expect, test } from "vitest";
import { isStarfishError } from "../../base/errors.ts";
import { ADJECTIVES, NOUNS } from "../../net/identity/names.ts";
import { codeBaseIn, codeLink, codeSocketUrl, makeCode, parseCode } from "./words.ts";

const CODE = { number: 7, text: "7-brisk-otter-meadow" };

test("a code is read as it is told, typed or pasted", () => {
  for (const given of [
    "7-brisk-otter-meadow",
    " 7 Brisk  Otter Meadow ",
    "7_brisk-otter.meadow",
    "code=7-brisk-otter-meadow",
    "#code=7-brisk-otter-meadow",
    "https://10.0.0.7:4500/#code=7-brisk-otter-meadow",
    "Here: <https://10.0.0.7:4500/#code=7-brisk-otter-meadow".replace("Here: <", "Here: "),
  ]) {
    expect(parseCode(given), given).toEqual(CODE);
  }
});

test("what can be no code is told so before anybody is asked", () => {
  for (const given of [
    "",
    "7",
    "brisk-otter-meadow",
    "7-brisk-otter",
    "7-brisk-otter-meadow-owl",
    "0-brisk-otter-meadow",
    "7-otter-brisk-meadow",
    "7-brisk-ottr-meadow",
    "99999-brisk-otter-meadow",
    `7-${"x".repeat(10_000)}`,
  ]) {
    let caught: unknown;
    try {
      parseCode(given);
    } catch (error) {
      caught = error;
    }
    expect(isStarfishError(caught, "usage"), given).toBe(true);
  }
});

test("links hold the code behind the #, and lead to the socket beside the page", () => {
  const link = codeLink("https://10.0.0.7:4500/", CODE);
  expect(link).toBe("https://10.0.0.7:4500/#code=7-brisk-otter-meadow");
  expect(codeBaseIn(link)).toBe("https://10.0.0.7:4500/");
  expect(codeBaseIn("7-brisk-otter-meadow")).toBeUndefined();
  expect(codeSocketUrl("https://10.0.0.7:4500/")).toBe("wss://10.0.0.7:4500/code");
  expect(codeSocketUrl("http://[::1]:4500/#code=7-a")).toBe("ws://[::1]:4500/code");
});

test("the words are 21 bits, all of them drawn", () => {
  expect(ADJECTIVES.length * NOUNS.length ** 2).toBe(2 ** 21);
  expect(new Set(ADJECTIVES).size).toBe(128);
  expect(new Set(NOUNS).size).toBe(128);
  const reals = [0, 0.5, 0.999_999];
  const random = { bytes: (length: number) => new Uint8Array(length), real: () => reals.shift() ?? 0 };
  const code = makeCode(3, random);
  expect(code.text).toBe(`3-${ADJECTIVES[0]}-${NOUNS[64]}-${NOUNS[127]}`);
  expect(parseCode(code.text)).toEqual(code);
});
