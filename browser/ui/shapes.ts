/** The three marks of a node: tabs round, containers square, this node a five-armed star. All about as large to the eye. */

/** A starfish of five soft arms around the origin, as an SVG path. */
export function starPath(radius: number): string {
  const inner = radius * 0.5;
  const points = Array.from({ length: 10 }, (_, i) => {
    const angle = -Math.PI / 2 + (i * Math.PI) / 5;
    const r = i % 2 === 0 ? radius : inner;
    return { x: r * Math.cos(angle), y: r * Math.sin(angle) };
  });
  // From notch to notch in a curve whose control points lie beside the tip: arms get round ends.
  let path = "";
  for (let arm = 0; arm < 5; arm++) {
    const from = points[(arm * 2 + 9) % 10];
    const tip = points[arm * 2];
    const to = points[arm * 2 + 1];
    if (from === undefined || tip === undefined || to === undefined) continue;
    const side = { x: -tip.y * 0.3, y: tip.x * 0.3 };
    if (arm === 0) path += `M${n(from.x)} ${n(from.y)}`;
    path += `C${n(tip.x * 1.12 - side.x)} ${n(tip.y * 1.12 - side.y)} ${n(tip.x * 1.12 + side.x)} ${n(tip.y * 1.12 + side.y)} ${n(to.x)} ${n(to.y)}`;
  }
  return `${path}Z`;
}

export function circlePath(radius: number): string {
  const r = n(radius);
  return `M${-r} 0A${r} ${r} 0 1 1 ${r} 0A${r} ${r} 0 1 1 ${-r} 0Z`;
}

export function squarePath(radius: number): string {
  const half = n(radius * 0.9);
  const corner = n(radius * 0.28);
  const edge = n(half - corner);
  return (
    `M${-edge} ${-half}H${edge}A${corner} ${corner} 0 0 1 ${half} ${-edge}V${edge}A${corner} ${corner} 0 0 1 ${edge} ${half}` +
    `H${-edge}A${corner} ${corner} 0 0 1 ${-half} ${edge}V${-edge}A${corner} ${corner} 0 0 1 ${-edge} ${-half}Z`
  );
}

/** Two decimals are far below a pixel. */
function n(value: number): number {
  return Math.round(value * 100) / 100;
}
