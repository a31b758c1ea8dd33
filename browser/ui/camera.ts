/**
 * The visible part of the picture: zoom and position, changed by wheel, drag, pinch and buttons. Marks keep their size
 * and only distances grow, so zooming in makes room for labels.
 */
import { Listeners, type Unsubscribe } from "../../core/base/events.ts";
import type { Point, Size } from "./swarm-layout.ts";

export interface View extends Point {
  readonly zoom: number;
}

/** At this zoom 1,000 nodes in 16 clusters are well apart. */
const ZOOM_MAX = 12;
/** A pointer that moved less than this has clicked, px. */
const DRAG_FROM_PX = 5;

export class Camera {
  readonly #changed = new Listeners<{ gentle: boolean }>();
  #size: Size = { width: 1, height: 1 };
  #view: View = { x: 0.5, y: 0.5, zoom: 1 };
  /** True from the first real movement of a drag until the click that ends it has passed. */
  dragged = false;

  get view(): View {
    return this.#view;
  }

  resize(size: Size): void {
    this.#size = size;
    if (this.#view.zoom === 1) this.#view = { x: size.width / 2, y: size.height / 2, zoom: 1 };
  }

  /** `gentle`: the picture may glide to the new view. */
  onChange(listener: (how: { gentle: boolean }) => void): Unsubscribe {
    return this.#changed.add(listener);
  }

  show(view: View, gentle = true): void {
    const zoom = Math.max(1, Math.min(ZOOM_MAX, view.zoom));
    const half = { x: this.#size.width / 2 / zoom, y: this.#size.height / 2 / zoom };
    this.#view = {
      zoom,
      x: Math.max(half.x, Math.min(this.#size.width - half.x, view.x)),
      y: Math.max(half.y, Math.min(this.#size.height - half.y, view.y)),
    };
    this.#changed.emit({ gentle });
  }

  all(): void {
    this.show({ x: 0, y: 0, zoom: 1 });
  }

  /** Zooms so that the point of the picture under `at` (px within the view) stays there. */
  zoomBy(factor: number, at: Point = { x: this.#size.width / 2, y: this.#size.height / 2 }, gentle = true): void {
    const { x, y, zoom } = this.#view;
    const next = Math.max(1, Math.min(ZOOM_MAX, zoom * factor));
    const offset = { x: at.x - this.#size.width / 2, y: at.y - this.#size.height / 2 };
    this.show(
      { x: x + offset.x / zoom - offset.x / next, y: y + offset.y / zoom - offset.y / next, zoom: next },
      gentle,
    );
  }

  project(point: Point, view: View): Point {
    return {
      x: (point.x - view.x) * view.zoom + this.#size.width / 2,
      y: (point.y - view.y) * view.zoom + this.#size.height / 2,
    };
  }

  listenTo(element: Element): void {
    const pointers = new Map<number, Point>();
    element.addEventListener("wheel", (event) => this.#onWheel(event as WheelEvent, element), { passive: false });
    element.addEventListener("pointerdown", (event) => {
      const pointer = event as PointerEvent;
      if (pointers.size === 0) this.dragged = false;
      pointers.set(pointer.pointerId, { x: pointer.clientX, y: pointer.clientY });
    });
    element.addEventListener("pointermove", (event) => this.#onMove(event as PointerEvent, pointers));
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
      element.addEventListener(end, (event) => pointers.delete((event as PointerEvent).pointerId));
    }
  }

  #onWheel(event: WheelEvent, element: Element): void {
    const inward = event.deltaY < 0;
    // At either end of the range the page may have the event.
    if ((inward && this.#view.zoom >= ZOOM_MAX) || (!inward && this.#view.zoom <= 1)) return;
    event.preventDefault();
    const box = element.getBoundingClientRect();
    this.zoomBy(Math.exp(-event.deltaY / 400), { x: event.clientX - box.left, y: event.clientY - box.top }, false);
  }

  #onMove(event: PointerEvent, pointers: Map<number, Point>): void {
    const before = pointers.get(event.pointerId);
    if (before === undefined) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other !== undefined) {
      pointers.set(event.pointerId, now);
      this.dragged = true;
      this.zoomBy(distance(now, other) / Math.max(1, distance(before, other)), undefined, false);
      return;
    }
    // Zoomed out there is nothing to drag, and a swipe belongs to the page.
    if (this.#view.zoom === 1 || (!this.dragged && distance(before, now) < DRAG_FROM_PX)) return;
    pointers.set(event.pointerId, now);
    this.dragged = true;
    const { x, y, zoom } = this.#view;
    this.show({ x: x - (now.x - before.x) / zoom, y: y - (now.y - before.y) / zoom, zoom }, false);
  }
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
