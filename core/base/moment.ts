/** Moments as people read them, alike on every node whatever its zone: "2026-11-30 09:41 UTC". */
export function momentWords(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
