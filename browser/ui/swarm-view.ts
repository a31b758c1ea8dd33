/**
 * The picture of the swarm, drawn from facts: each node once, its links as this node has them, a pulse for each message
 * that really passed. When nothing happens, it does not move and costs nothing. The table (swarm-table.ts) says the
 * same.
 */
import { colourOf } from "../../core/net/identity/names.ts";
import type { PeerId } from "../../core/ports/network.ts";
import { Camera, type View } from "./camera.ts";
import { byId, set, setText, stillness, svg } from "./dom.ts";
import { NodeMark } from "./node-mark.ts";
import { Pulses } from "./pulses.ts";
import { layout, readable, type Cluster, type Layout, type Point } from "./swarm-layout.ts";
import { linkWords, type NodeFacts, type SwarmFacts, type SwarmModel } from "./swarm-model.ts";

/** Time in which nodes glide to new places, ms. */
const GLIDE_MS = 420;
/**
 * Nodes at this distance have room for most of their names, px. Names of closer nodes would be mistaken for each
 * other's.
 */
const LABEL_ROOM_PX = 44;

/** How close a finger or a quick hand comes to what it aims at. */
const AIM_PX = 34;

const ALONE_AGAIN = "The others are out of reach or have gone. This tab keeps trying to reach them.";

interface Drawn {
  readonly mark: NodeMark;
  readonly line: SVGLineElement;
  /** Where it is now, and where its glide began. */
  at: Point;
  from: Point;
}

export class SwarmView {
  readonly #picture = byId("picture", HTMLElement);
  readonly #svg = byId("swarm", SVGSVGElement);
  readonly #camera = new Camera();
  readonly #pulses = new Pulses(byId("swarm-pulses", HTMLElement));
  readonly #drawn = new Map<PeerId, Drawn>();
  readonly #clusters = new Map<Cluster, SVGGElement>();
  readonly #onSelect: (node: NodeFacts | undefined) => void;
  #facts: SwarmFacts = { nodes: [], present: 0, linked: 0 };
  #layout: Layout = { seats: new Map(), clusters: [], spacing: 0 };
  /** A node that is alone after others were here does not wait for the first one. */
  #hadOthers = false;
  #seated = "";
  #view: View = { x: 0, y: 0, zoom: 1 };
  #viewFrom: View = this.#view;
  #glideStart = 0;
  #frame: number | undefined;

  constructor(onSelect: (node: NodeFacts | undefined) => void) {
    this.#onSelect = onSelect;
    new ResizeObserver(() => this.#resize()).observe(this.#picture);
    this.#camera.listenTo(this.#picture);
    this.#camera.onChange(({ gentle }) => this.#move(gentle));
    const zoom = byId("zoom", HTMLElement);
    zoom.addEventListener("click", (event) => {
      const how = event.target instanceof HTMLElement ? event.target.dataset["zoom"] : undefined;
      if (how === "in") this.#camera.zoomBy(1.6);
      else if (how === "out") this.#camera.zoomBy(1 / 1.6);
      else if (how === "all") this.#camera.all();
    });
    this.#svg.addEventListener("click", () => {
      if (!this.#camera.dragged) this.#onSelect(undefined);
    });
  }

  show(model: SwarmModel): void {
    this.#update(model.facts);
    model.onChange((facts) => this.#update(facts));
    model.onTraffic(({ peer, direction, bytes }) => {
      const other = this.#drawn.get(peer);
      const self = this.#self();
      if (other === undefined || self === undefined || this.#frame !== undefined) return;
      const [from, to] = direction === "out" ? [self, other] : [other, self];
      this.#pulses.send({
        from: this.#project(from.at),
        to: this.#project(to.at),
        link: `${direction} ${peer}`,
        bytes,
      });
    });
  }

  /** The node whose mark is nearest to the pointer, if the pointer is on it or close by. */
  nodeAt({ clientX, clientY, target }: DragEvent): NodeFacts | undefined {
    if (!(target instanceof Node) || !this.#picture.contains(target)) return undefined;
    const box = this.#picture.getBoundingClientRect();
    const at = { x: clientX - box.left, y: clientY - box.top };
    let [nearest, distance] = [undefined as PeerId | undefined, AIM_PX];
    for (const [peer, drawn] of this.#drawn) {
      const mark = this.#project(drawn.at);
      const away = Math.hypot(mark.x - at.x, mark.y - at.y);
      if (away < distance) [nearest, distance] = [peer, away];
    }
    return this.#facts.nodes.find(({ peer }) => peer === nearest);
  }

  /** Shows on which node something would be dropped. */
  aim(peer: PeerId | undefined): void {
    for (const [other, { mark }] of this.#drawn) mark.element.classList.toggle("aimed", other === peer);
  }

  #self(): Drawn | undefined {
    const self = this.#facts.nodes.find((node) => node.isSelf);
    return self && this.#drawn.get(self.peer);
  }

  #update(facts: SwarmFacts): void {
    this.#facts = facts;
    this.#hadOthers ||= facts.present > 1;
    const seated = facts.nodes
      .map((node) => node.peer)
      .sort()
      .join();
    if (seated !== this.#seated) {
      this.#seated = seated;
      this.#seat(true);
    }
    const names = new Map(facts.nodes.map((node) => [node.peer, node.name]));
    for (const node of facts.nodes) {
      const drawn = this.#drawn.get(node.peer);
      if (drawn === undefined) continue;
      drawn.mark.update(
        node,
        linkWords(node, (peer) => names.get(peer) ?? "another node"),
      );
      const line = node.isSelf || node.link === undefined ? "none" : node.link.path.kind;
      drawn.line.setAttribute("class", `link ${node.status === "gone" ? "none" : line}`);
    }
    setText(
      byId("empty", HTMLElement),
      facts.present > 1
        ? ""
        : this.#hadOthers
          ? ALONE_AGAIN
          : "Nobody else is here yet. Type invite to bring in a friend.",
    );
    set(this.#svg, { "aria-label": summary(facts) });
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#picture;
    if (width === 0 || height === 0) return;
    set(this.#svg, { viewBox: `0 0 ${width} ${height}` });
    this.#camera.resize({ width, height });
    this.#camera.show(this.#camera.view, false);
    this.#seat(false);
  }

  /** Gives every node its place; new nodes appear there, the others glide. */
  #seat(gentle: boolean): void {
    const { clientWidth: width, clientHeight: height } = this.#picture;
    if (width === 0 || height === 0) return;
    this.#layout = layout(
      this.#facts.nodes.map((node) => node.peer),
      { width, height },
    );
    for (const [peer, { mark, line }] of this.#drawn) {
      if (this.#layout.seats.has(peer)) continue;
      mark.remove();
      line.remove();
      this.#drawn.delete(peer);
    }
    for (const node of this.#facts.nodes) {
      const seat = this.#layout.seats.get(node.peer);
      if (seat !== undefined && !this.#drawn.has(node.peer)) this.#draw(node, seat);
    }
    this.#drawClusters();
    byId("zoom", HTMLElement).hidden = this.#layout.clusters.length === 0;
    if (this.#layout.clusters.length === 0 && this.#camera.view.zoom > 1) this.#camera.all();
    this.#move(gentle);
  }

  #draw(node: NodeFacts, seat: Point): void {
    const line = svg("line", { class: "link none" });
    const colour = colourOf(node.peer);
    line.style.setProperty("--colour", `light-dark(${colour.light.hex}, ${colour.dark.hex})`);
    byId("swarm-links", SVGGElement).append(line);
    const mark = new NodeMark(node, () => {
      if (!this.#camera.dragged) this.#onSelect(this.#facts.nodes.find((other) => other.peer === node.peer));
    });
    const layer = byId("swarm-nodes", SVGGElement);
    // This node is drawn over the others where they touch.
    if (node.isSelf) layer.append(mark.element);
    else layer.prepend(mark.element);
    this.#drawn.set(node.peer, { mark, line, at: seat, from: seat });
  }

  #drawClusters(): void {
    for (const element of this.#clusters.values()) element.remove();
    this.#clusters.clear();
    for (const cluster of this.#layout.clusters) {
      const element = svg("g", { class: "cluster" });
      const label = svg("text", { class: "cluster-count" });
      label.textContent = `${cluster.peers.length}`;
      element.append(svg("circle"), label);
      element.addEventListener("click", (event) => {
        if (this.#camera.dragged) return;
        event.stopPropagation();
        const { clientWidth, clientHeight } = this.#picture;
        this.#camera.show({
          x: cluster.x,
          y: cluster.y,
          zoom: (0.46 * Math.min(clientWidth, clientHeight)) / cluster.radius,
        });
      });
      byId("swarm-clusters", SVGGElement).append(element);
      this.#clusters.set(cluster, element);
    }
  }

  /** Glides to the present positions and view, or jumps there. */
  #move(gentle: boolean): void {
    for (const drawn of this.#drawn.values()) drawn.from = drawn.at;
    this.#viewFrom = this.#view;
    const still = stillness.matches || !gentle || document.visibilityState === "hidden" || this.#viewFrom.x === 0;
    this.#glideStart = performance.now() - (still ? GLIDE_MS : 0);
    if (still) this.#step(performance.now());
    else this.#frame ??= requestAnimationFrame((now) => this.#step(now));
  }

  #step(now: number): void {
    const linear = Math.min(1, Math.max(0, (now - this.#glideStart) / GLIDE_MS));
    const progress = 1 - (1 - linear) ** 3;
    this.#frame = linear < 1 ? requestAnimationFrame((next) => this.#step(next)) : undefined;
    const { view } = this.#camera;
    this.#view = {
      x: between(this.#viewFrom.x, view.x, progress),
      y: between(this.#viewFrom.y, view.y, progress),
      zoom: between(this.#viewFrom.zoom, view.zoom, progress),
    };
    for (const [peer, drawn] of this.#drawn) {
      const seat = this.#layout.seats.get(peer) ?? drawn.at;
      drawn.at = { x: between(drawn.from.x, seat.x, progress), y: between(drawn.from.y, seat.y, progress) };
    }
    this.#paint();
  }

  #paint(): void {
    const spacing = this.#layout.spacing * this.#view.zoom;
    const radius = Math.max(3.5, Math.min(15, spacing * 0.16));
    const labels = spacing >= LABEL_ROOM_PX;
    const self = this.#self();
    const centre = self && this.#project(self.at);
    // This node's own name takes precedence where two would overlap.
    const ordered = [...this.#drawn.values()].sort((a, b) => Number(b === self) - Number(a === self));
    const placed = ordered.map((drawn) => {
      const at = this.#project(drawn.at);
      return { drawn, at, label: drawn.mark.label(at, radius, this.#picture.clientWidth) };
    });
    const isReadable = labels ? readable(placed.map(({ label }) => label)) : [];
    for (const [i, { drawn, at, label }] of placed.entries()) {
      drawn.mark.place(at, radius, label, drawn === self || isReadable[i] === true);
      if (centre !== undefined) set(drawn.line, { x1: centre.x, y1: centre.y, x2: at.x, y2: at.y });
    }
    for (const [cluster, element] of this.#clusters) {
      const { x, y } = this.#project(cluster);
      const r = cluster.radius * this.#view.zoom;
      set(element, { transform: `translate(${x} ${y})` });
      const [circle, label] = element.children;
      if (circle !== undefined) set(circle, { r });
      if (label !== undefined) set(label, { y: -r + 4, opacity: labels ? 0 : 1 });
    }
  }

  #project(point: Point): Point {
    const { x, y } = this.#camera.project(point, this.#view);
    return { x: Math.round(x * 10) / 10, y: Math.round(y * 10) / 10 };
  }
}

function between(from: number, to: number, progress: number): number {
  return from + (to - from) * progress;
}

/** The picture in one sentence. */
function summary({ nodes, present, linked }: SwarmFacts): string {
  const working = nodes.filter((node) => node.tasksRunning > 0).length;
  const nodesWords = present === 1 ? "1 node: this one" : `${present} nodes, ${linked} of them linked to this one`;
  return `Picture of the swarm: ${nodesWords}; ${working === 0 ? "none" : working} at work. The table tells more.`;
}
