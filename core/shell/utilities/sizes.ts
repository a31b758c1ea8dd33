/** Sizes as `ls -h`, `du -h` and `df -h` print them: in powers of 1024, rounded up. Pure. */
export function sizeWords(bytes: number): string {
  if (bytes < 1024) return String(bytes);
  const units = "KMGTPE";
  let value = bytes;
  let unit = -1;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const shown = value < 10 ? Math.ceil(value * 10) / 10 : Math.ceil(value);
  return `${value < 10 && shown < 10 ? shown.toFixed(1) : shown}${units.charAt(unit)}`;
}
