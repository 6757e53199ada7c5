// The CWL text: CodeMirror in a shadow root, where its styles need no leave from the page's policy.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, codeFolding, foldGutter, foldKeymap, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { positionsField, positionsHistory } from "../document/positions";

/** The lines of the selected node, from the first to the last; null for none. */
export const markLines = StateEffect.define<readonly [first: number, last: number] | null>();

const selectedLine = Decoration.line({ class: "cm-of-node" });

const markedLines = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let now = marks.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(markLines)) continue;
      const [first, last] = effect.value ?? [1, 0];
      const { doc } = transaction.state;
      const ranges = [];
      for (let line = first; line <= Math.min(last, doc.lines); line++) ranges.push(selectedLine.range(doc.line(line).from));
      now = Decoration.set(ranges);
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const colours = HighlightStyle.define([
  { tag: tags.definition(tags.propertyName), color: "var(--oiii)" },
  { tag: [tags.propertyName, tags.attributeName], color: "var(--oiii)" },
  { tag: tags.comment, color: "var(--ink-soft)", fontStyle: "italic" },
  { tag: [tags.string, tags.content], color: "var(--ink)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--busy)" },
  { tag: [tags.meta, tags.keyword, tags.typeName, tags.labelName], color: "var(--warn)" },
  { tag: [tags.punctuation, tags.separator], color: "var(--ink-soft)" },
  { tag: tags.invalid, color: "var(--bad)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--panel)", fontSize: "0.8125rem" },
  "&.cm-focused": { outline: "2px solid var(--oiii)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)", padding: "0.5rem 0" },
  ".cm-gutters": { backgroundColor: "var(--well)", color: "var(--ink-soft)", borderInlineEnd: "1px solid var(--line)" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "2rem" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in oklch, var(--oiii-wash) 55%, transparent)" },
  ".cm-of-node": { backgroundColor: "var(--oiii-wash)", boxShadow: "inset 3px 0 0 var(--sodium)" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "light-dark(oklch(0.87 0.07 195), oklch(0.42 0.07 200))" },
  ".cm-selectionMatch": { backgroundColor: "var(--busy-wash)" },
  ".cm-panels": { backgroundColor: "var(--well)", color: "var(--ink)", fontFamily: "var(--sans)" },
  ".cm-tooltip": { backgroundColor: "var(--panel)", color: "var(--ink)", border: "1px solid var(--line-strong)", boxShadow: "var(--float)" },
  ".cm-diagnostic": { fontFamily: "var(--sans)", padding: "0.25rem 0.5rem", whiteSpace: "pre-wrap", maxWidth: "26rem" },
  ".cm-diagnostic-error": { borderLeft: "4px solid var(--bad)" },
  ".cm-diagnostic-warning": { borderLeft: "4px solid var(--sodium)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad)" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--sodium)" },
  ".cm-textfield, .cm-button": { backgroundColor: "var(--panel)", backgroundImage: "none", color: "var(--ink)", border: "1px solid var(--line-strong)", borderRadius: "3px" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--well)", color: "var(--ink-soft)", border: "1px solid var(--line)" },
});

/** What every open document has; a lone carriage return stays a character of its line, so that saving keeps each byte. */
export function makeState(text: string, writable: boolean, more: Extension): EditorState {
  const windows = text.includes("\r\n") && !/(^|[^\r])\n|\r(?!\n)/.test(text);
  return EditorState.create({
    doc: text,
    extensions: [
      EditorState.lineSeparator.of(windows ? "\r\n" : "\n"),
      EditorState.readOnly.of(!writable),
      EditorState.tabSize.of(2),
      indentUnit.of("  "),
      history({ minDepth: 500 }),
      positionsField,
      positionsHistory,
      markedLines,
      lineNumbers(),
      foldGutter(),
      codeFolding(),
      lintGutter(),
      drawSelection(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      highlightSelectionMatches(),
      indentOnInput(),
      bracketMatching(),
      yaml(),
      syntaxHighlighting(colours),
      search({ top: true }),
      keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, ...foldKeymap, ...lintKeymap, indentWithTab]),
      EditorView.contentAttributes.of({ "aria-label": "CWL text. Escape, then Tab, leaves it.", tabindex: "0" }),
      look,
      more,
    ],
  });
}

/** Make a host element that can be put anywhere, with the editor in its shadow. */
export function makeView(state: EditorState): { host: HTMLElement; view: EditorView } {
  const host = document.createElement("div");
  host.className = "text-host";
  const root = host.attachShadow({ mode: "open" });
  const view = new EditorView({ state, root });
  root.append(view.dom);
  return { host, view };
}
