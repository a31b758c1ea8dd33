/** POSIX basic regular expressions as extended ones. Pure. */

/** `\(` groups, `\{` counts, `\|`, `\+`, `\?` as GNU has them; bare they are themselves. */
export function basicToExtended(pattern: string): string {
  let result = "";
  let isStart = true;
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i] ?? "";
    if (character === "\\") {
      const next = pattern[++i] ?? "\\";
      result += /[(){}|+?]/.test(next) ? next : `\\${next}`;
      isStart = next === "(" || next === "|";
      continue;
    }
    if (character === "[") {
      const end = bracketEnd(pattern, i);
      result += pattern.slice(i, end);
      i = end - 1;
    } else if (character === "*" && isStart) result += "\\*";
    else if (character === "^" && !isStart) result += "\\^";
    else if (
      character === "$" &&
      i < pattern.length - 1 &&
      !pattern.startsWith("\\)", i + 1) &&
      !pattern.startsWith("\\|", i + 1)
    )
      result += "\\$";
    else if (/[(){}|+?]/.test(character)) result += `\\${character}`;
    else result += character;
    isStart = isStart && character === "^";
  }
  return result;
}

function bracketEnd(pattern: string, open: number): number {
  let i = open + 1;
  if (pattern[i] === "^") i++;
  if (pattern[i] === "]") i++;
  for (; i < pattern.length; i++) {
    if (pattern[i] === "[" && /[:.=]/.test(pattern[i + 1] ?? "")) {
      const close = pattern.indexOf(`${pattern[i + 1] ?? ""}]`, i + 2);
      if (close >= 0) i = close + 1;
    } else if (pattern[i] === "]") return i + 1;
  }
  return pattern.length;
}
