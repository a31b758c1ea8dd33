/**
 * Names and colours that people see instead of ids: two friendly words and a colour. Both are pure functions of the
 * PeerId, so that every node shows the same without asking. Names are not unique (16,384 of them) and prove nothing.
 */
import { StarfishError } from "../../base/errors.ts";
import type { PeerId } from "../../ports/network.ts";

/** Longer ones would not fit beside a node in the picture of the swarm. */
export const NAME_LENGTH_MAX = 32;

export const ADJECTIVES: readonly string[] = words(`
  able agile airy amber ample apt avid azure balmy beaming blithe blooming bold bonny brave breezy bright brisk
  bubbly buoyant calm candid caring cheery chipper civil clear clever cosy crisp curious dainty dapper daring
  dazzling dear deft diligent dreamy eager earnest easy elegant epic fair famed fancy fearless festive fine fleet
  fluffy fond frank free fresh friendly gallant generous gentle giddy glad gleaming golden good grand great handy
  happy hardy hearty helpful honest hopeful humble ideal jaunty jolly jovial joyful keen kind lively loyal lucid
  lucky lush mellow merry mighty mild mindful modest neat nimble noble patient peaceful perky plucky polite proud
  quick quiet radiant ready rosy serene shiny silver sincere smart snug sparkling spry steady sunny sweet swift
  tidy tranquil true upbeat vivid warm wise witty zesty
`);

export const NOUNS: readonly string[] = words(`
  acorn alpaca anchor apple apricot aspen aurora badger bamboo beacon beaver berry birch bison blossom breeze
  brook canyon cedar cherry cloud clover comet condor coral cove crane creek cricket crystal daisy dolphin dove
  dragonfly dune eagle ember falcon fern finch firefly fjord forest fox galaxy garden gazelle geyser ginkgo
  glacier grove gull harbor hare harvest hazel heron hill honey horizon iris island ivy jasmine juniper kestrel
  kiwi koala lagoon lake lantern lark laurel lemur lilac lily linden lotus lynx magnolia maple marigold marmot
  meadow moon moss mountain nectar nightingale oak oasis ocean olive orchard orchid otter owl panda pebble pelican
  penguin petal pine planet plum poppy puffin quail quartz rainbow raven reef river robin rowan saffron sail
  sequoia sparrow spruce star stream summit swallow swan tide tulip valley
`);

/**
 * Hue in degrees, and the colour as text on dark and on light ground. Chosen by search for the largest least distance
 * (OKLab) between any two, as seen with full colour vision and with each of the three colour blindnesses (Machado
 * 2009); brightness differs where hues would be confused. Contrast is at least 4.5 (WCAG AA) on grounds as light as
 * #1a1a1a or as dark as #f4f4f4.
 */
const COLOURS: readonly (readonly [hue: number, dark: string, light: string])[] = [
  [10, "#f9411c", "#4f0f02"],
  [60, "#efef06", "#727203"],
  [120, "#05d005", "#025b02"],
  [150, "#05b35c", "#024624"],
  [170, "#1b9782", "#082c26"],
  [190, "#b5f1fd", "#04788f"],
  [220, "#8eb3fc", "#0542bb"],
  [240, "#7777fc", "#04048c"],
  [260, "#d8c6fe", "#6921f9"],
  [300, "#ec06ec", "#4a024a"],
  [320, "#e673c0", "#701451"],
  [340, "#ed9bb7", "#951a43"],
];

export interface Shade {
  /** "#rrggbb" */
  readonly hex: string;
  /** The same as numbers from 0 to 255, as ANSI escapes want them. */
  readonly rgb: readonly [red: number, green: number, blue: number];
}

export interface Colour {
  /** Degrees on the colour wheel; equal hues are equal colours. */
  readonly hue: number;
  /** For text and lines on a dark ground. */
  readonly dark: Shade;
  /** For text and lines on a light ground. */
  readonly light: Shade;
}

/** Two kind words with a hyphen, for a node that has no name of its own. */
export function friendlyName(peer: PeerId): string {
  const hash = hashOf(peer);
  const adjective = ADJECTIVES[hash % ADJECTIVES.length] ?? "";
  const noun = NOUNS[Math.floor(hash / ADJECTIVES.length) % NOUNS.length] ?? "";
  return `${adjective}-${noun}`;
}

/**
 * Throws "usage" unless a person may give this name: it can be typed without quotes, and takes one line wherever it is
 * shown. `what` names the option in the error.
 */
export function checkName(text: string, what: string): void {
  if (text.length <= NAME_LENGTH_MAX && /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._-]*$/u.test(text)) return;
  throw new StarfishError(
    "usage",
    `${what} must be 1 to ${NAME_LENGTH_MAX} letters, digits, '-', '_' or '.', beginning with a letter or digit, not '${text}'`,
  );
}

/** The node's colour, everywhere. There are twelve: labels have to carry the meaning too. */
export function colourOf(peer: PeerId): Colour {
  // Other bits than those of the name, so that nodes of one name mostly differ in colour.
  const [hue, dark, light] = COLOURS[hashOf(`colour ${peer}`) % COLOURS.length] ?? [0, "#ffffff", "#000000"];
  return { hue, dark: shade(dark), light: shade(light) };
}

function shade(hex: string): Shade {
  const channel = (at: number): number => Number.parseInt(hex.slice(at, at + 2), 16);
  return { hex, rgb: [channel(1), channel(3), channel(5)] };
}

/** FNV-1a, 32 bits, with a final mix (MurmurHash3's) because its low bits alone are weak. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
