/**
 * Pulses on the lines of the picture, one for each message that really passed. A busy link would blur, so it shows at
 * most one at a time in each direction, which still says that it is busy. None are shown with `prefers-reduced-motion`,
 * or in a hidden tab. They are elements of HTML behind the picture: the browser moves those without laying out the
 * page. If they were parts of the SVG, it would lay out the page for each frame.
 */
import { stillness } from "./dom.ts";
import type { Point } from "./swarm-layout.ts";

const PULSE_MS = 650;
/** More at once would distract, and cost frames. */
const PULSES_MAX = 24;

export interface Pulse {
  readonly from: Point;
  readonly to: Point;
  /** Names link and direction. */
  readonly link: string;
  readonly bytes: number;
}

export class Pulses {
  readonly #layer: HTMLElement;
  readonly #flying = new Set<string>();

  constructor(layer: HTMLElement) {
    this.#layer = layer;
  }

  send({ from, to, link, bytes }: Pulse): void {
    if (stillness.matches || document.visibilityState === "hidden") return;
    if (this.#flying.has(link) || this.#flying.size >= PULSES_MAX) return;
    this.#flying.add(link);
    // Larger messages are larger dots: 2 px for a heartbeat, 5 px for 64 KiB and more.
    const radius = Math.max(2, Math.min(5, Math.log2(Math.max(1, bytes)) / 3.2));
    const dot = document.createElement("span");
    dot.className = "pulse";
    dot.style.width = dot.style.height = `${2 * radius}px`;
    this.#layer.append(dot);
    const at = ({ x, y }: Point): string => `translate(${x - radius}px, ${y - radius}px)`;
    const flight = dot.animate(
      [
        { transform: at(from), opacity: 0 },
        { opacity: 1, offset: 0.2 },
        { opacity: 1, offset: 0.8 },
        { transform: at(to), opacity: 0 },
      ],
      { duration: PULSE_MS, easing: "ease-in-out" },
    );
    const landed = (): void => {
      dot.remove();
      this.#flying.delete(link);
    };
    flight.addEventListener("finish", landed);
    flight.addEventListener("cancel", landed);
  }
}
