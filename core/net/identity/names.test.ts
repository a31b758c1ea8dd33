import { expect, test } from "vitest";
import { colourOf, friendlyName, type Shade } from "./names.ts";

const peers = Array.from({ length: 20_000 }, (_, i) => `12D3KooW${i}`);

/** WCAG 2.2 contrast. */
function contrast(a: readonly number[], b: readonly number[]): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

function luminance(rgb: readonly number[]): number {
  const [red = 0, green = 0, blue = 0] = rgb.map((byte) => {
    const part = byte / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test("a name is two words, the same each time, and spreads over all of them", () => {
  const names = new Set(peers.map(friendlyName));
  for (const name of names) expect(name).toMatch(/^[a-z]+-[a-z]+$/);
  // 20,000 draws of 16,384: 11,550 different ones expected.
  expect(names.size).toBeGreaterThan(11_000);
  expect(new Set([...names].map((name) => name.split("-")[0])).size).toBe(128);
  expect(new Set([...names].map((name) => name.split("-")[1])).size).toBe(128);
  expect(friendlyName("12D3KooW0")).toBe(friendlyName("12D3KooW0"));
});

test("colours are stable, evenly used and readable on both grounds", () => {
  const counts = new Map<number, number>();
  for (const peer of peers) {
    const { hue, dark, light } = colourOf(peer);
    counts.set(hue, (counts.get(hue) ?? 0) + 1);
    expect(contrast(dark.rgb, [0x1a, 0x1a, 0x1a])).toBeGreaterThanOrEqual(4.5);
    expect(contrast(light.rgb, [0xf4, 0xf4, 0xf4])).toBeGreaterThanOrEqual(4.5);
  }
  expect(counts.size).toBe(12);
  for (const count of counts.values()) expect(count).toBeGreaterThan(peers.length / 12 / 1.2);
});

test("the hex and the numbers of a shade are the same colour", () => {
  const same = ({ hex, rgb }: Shade): void => {
    expect(`#${rgb.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`).toBe(hex);
  };
  same(colourOf("12D3KooW1").dark);
  same(colourOf("12D3KooW1").light);
});
