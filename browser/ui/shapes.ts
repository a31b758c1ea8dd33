/**
 * The three marks of a node: tabs are circles, Node.js nodes squares, and this node is a five-armed star. All look
 * about equally large.
 */

/** A starfish of five soft arms around the origin, as an SVG path: broad where they meet, rounded at the tip. */
export function starPath(radius: number): string {
  const at = (angle: number, r: number): string => `${n(r * Math.cos(angle))} ${n(r * Math.sin(angle))}`;
  const step = (2 * Math.PI) / 5;
  let path = "";
  for (let arm = 0; arm < 5; arm++) {
    const tip = -Math.PI / 2 + arm * step;
    if (arm === 0) path = `M${at(tip - step / 2, radius * 0.48)}`;
    // Up one side, round the tip, down the other side to the next notch.
    path += `Q${at(tip - step * 0.2, radius * 0.6)} ${at(tip - 0.2, radius * 0.88)}`;
    path += `Q${at(tip, radius * 1.14)} ${at(tip + 0.2, radius * 0.88)}`;
    path += `Q${at(tip + step * 0.2, radius * 0.6)} ${at(tip + step / 2, radius * 0.48)}`;
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
