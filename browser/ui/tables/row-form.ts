/** A new row: a field for each column. An empty field gets the column's default. */
import { messageOf } from "../../../core/base/errors.ts";
import type { SqlValue } from "../../../core/db/types.ts";
import { oneLine } from "../../../core/shell/harmless.ts";
import { setText } from "../dom.ts";
import { button, make } from "../make.ts";
import type { Shape } from "./statements.ts";
import { parsed } from "./values.ts";

/** `insert` rejects as a statement does. */
export function rowForm(
  { columns }: Shape,
  insert: (values: Readonly<Record<string, SqlValue>>) => Promise<void>,
  close: () => void,
): HTMLFormElement {
  const said = make("p", { class: "trouble", role: "alert" });
  const fields = columns.map((column) => ({
    column,
    input: make("input", {
      autocomplete: "off",
      spellcheck: "false",
      placeholder: hintOf(column.default, column.type),
    }),
  }));
  const labels = fields.map(({ column, input }) => make("label", {}, make("span", {}, oneLine(column.name)), input));
  const form = make("form", { id: "row-new", "aria-label": "New row" }, ...labels, said);
  form.append(
    make(
      "div",
      { class: "buttons" },
      make("button", { type: "submit", class: "accent" }, "Add"),
      button("Close", close),
    ),
  );
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const values: Record<string, SqlValue> = {};
    for (const { column, input } of fields) {
      if (input.value === "") continue;
      const value = parsed(input.value, column.type ?? "");
      if (!value.isRight) {
        setText(said, `${oneLine(column.name)}: ${value.why}`);
        return input.focus();
      }
      values[column.name] = value.value;
    }
    insert(values).then(
      () => {
        setText(said, "");
        for (const { input } of fields) input.value = "";
        fields[0]?.input.focus();
      },
      (error: unknown) => setText(said, messageOf(error)),
    );
  });
  return form;
}

function hintOf(fallback: string | undefined, type: string | undefined): string {
  return fallback === undefined ? (type ?? "").toLowerCase() : `${fallback} if empty`;
}
