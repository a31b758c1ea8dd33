/**
 * Pulses on the lines of the picture, one for each message that really passed. A busy link would blur, so it shows at
 * most one at a time in each direction, which still says that it is busy. None are shown with `prefers-reduced-motion`,
 * or in a hidden tab.
 */
import { stillness, svg } from "./dom.ts";
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
  readonly #layer: SVGGElement;
  readonly #flying = new Set<string>();

  constructor(layer: SVGGElement) {
    this.#layer = layer;
  }

  send({ from, to, link, bytes }: Pulse): void {
    if (stillness.matches || document.visibilityState === "hidden") return;
    if (this.#flying.has(link) || this.#flying.size >= PULSES_MAX) return;
    this.#flying.add(link);
    // Larger messages are larger dots: 2 px for a heartbeat, 5 px for 64 KiB and more.
    const dot = svg("circle", { class: "pulse", r: Math.max(2, Math.min(5, Math.log2(Math.max(1, bytes)) / 3.2)) });
    this.#layer.append(dot);
    const flight = dot.animate(
      [
        { transform: `translate(${from.x}px, ${from.y}px)`, opacity: 0 },
        { opacity: 1, offset: 0.2 },
        { opacity: 1, offset: 0.8 },
        { transform: `translate(${to.x}px, ${to.y}px)`, opacity: 0 },
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
