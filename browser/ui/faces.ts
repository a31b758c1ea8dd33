/**
 * Small round pictures of people beside the names of their nodes. An element says with `data-face` which person or
 * whose node it names; a style sheet of rules, one for each person with a picture, puts it before the text. So lists
 * may come and go without anybody looking after pictures.
 */
import type { Computer } from "../../core/computer.ts";
import type { PersonId, Picture, Pictures } from "../../core/io/people/types.ts";

/** Changes within this time are drawn together. */
const DRAWN_MS = 200;

interface Face {
  readonly picture: Picture;
  /** Undefined while it is being looked at, and if the browser can't show it. */
  url: string | undefined;
}

/** `tell` says which picture can't be shown. */
export async function showFaces({ people }: Computer, tell: (words: string) => void): Promise<void> {
  const faces = new Faces(await people.pictures(), tell);
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  let isDue = false;
  let shown = "";
  let drawn: Promise<void> = Promise.resolve();
  const draw = async (): Promise<void> => {
    isDue = false;
    const rules: string[] = [];
    for (const { id, name, nodes } of people.all()) {
      const url = await faces.urlOf(id, name);
      if (url === undefined) continue;
      const names = [id, ...nodes].map((each) => `[data-face="${CSS.escape(each)}"]::before`).join(",");
      rules.push(`${names}{${LOOK};background-image:url("${url}")}`);
    }
    faces.forgetOthers();
    const css = rules.join("");
    if (css !== shown) sheet.replaceSync(css);
    shown = css;
  };
  const soon = (): void => {
    if (isDue) return;
    isDue = true;
    // One at a time: a picture that another drawing looks at has no URL yet.
    setTimeout(() => void (drawn = drawn.then(draw, draw)), DRAWN_MS);
  };
  people.onChange(soon);
  (await people.pictures()).onChange(soon);
  soon();
}

const LOOK =
  'content:"";display:inline-block;width:1.5em;height:1.5em;margin-inline-end:.4em;vertical-align:-.4em;' +
  "border-radius:50%;background-size:cover;background-position:center";

class Faces {
  readonly #pictures: Pictures;
  readonly #tell: (words: string) => void;
  readonly #faces = new Map<PersonId, Face>();

  constructor(pictures: Pictures, tell: (words: string) => void) {
    this.#pictures = pictures;
    this.#tell = tell;
  }

  /** Undefined if there is no picture, or one that this browser can't show. */
  async urlOf(person: PersonId, name: string): Promise<string | undefined> {
    const picture = this.#pictures.of(person);
    const known = this.#faces.get(person);
    if (known !== undefined && known.picture === picture) return known.url;
    this.#forget(person);
    if (picture === undefined) return undefined;
    const face: Face = { picture, url: undefined };
    this.#faces.set(person, face);
    const blob = new Blob([new Uint8Array(picture.bytes)], { type: picture.type });
    try {
      (await createImageBitmap(blob)).close();
    } catch {
      this.#tell(`The picture of ${name} is broken, and is not shown.`);
      return undefined;
    }
    if (this.#faces.get(person) !== face) return undefined;
    return (face.url = URL.createObjectURL(blob));
  }

  /** Lets go of pictures that are no more. */
  forgetOthers(): void {
    for (const person of this.#faces.keys()) if (this.#pictures.of(person) === undefined) this.#forget(person);
  }

  #forget(person: PersonId): void {
    const url = this.#faces.get(person)?.url;
    if (url !== undefined) URL.revokeObjectURL(url);
    this.#faces.delete(person);
  }
}
