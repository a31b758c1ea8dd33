/** Completes the word before the cursor: finds the word, and its candidates. */
import { candidates, type Candidate, type Sources } from "./completion/candidates.ts";
import { typedWord, type TypedWord } from "./completion/typed-word.ts";
import type { Completion } from "./completion/typing.ts";

/** Rejects with the reason of `signal`. */
export async function complete(
  line: string,
  cursor: number,
  sources: Sources,
  { signal }: { signal: AbortSignal },
): Promise<Completion> {
  const { variables } = sources.session.state;
  const typed = typedWord(line.slice(0, cursor), (name) => variables.get(name));
  const proposed = await candidates(typed, sources, signal);
  signal.throwIfAborted();
  return {
    from: typed.from,
    quote: typed.quote,
    candidates: sorted(proposed, typed),
    variable: typed.kind !== "variable" ? undefined : typed.isBraced ? "braced" : "bare",
  };
}

function sorted(proposed: readonly Candidate[], { value }: TypedWord): Candidate[] {
  const byText = new Map<string, Candidate>();
  for (const candidate of proposed) if (candidate.text.startsWith(value)) byText.set(candidate.text, candidate);
  return [...byText.values()].sort((a, b) => (a.text < b.text ? -1 : 1));
}
