// Fields of the inspector: what is typed counts when the field is left or Enter is pressed.
import { type KeyboardEvent, type ReactElement, useEffect, useId, useState } from "react";

interface TextProps {
  label: string;
  value: string;
  hint?: string;
  rows?: number;
  code?: boolean;
  disabled?: boolean;
  options?: readonly string[];
  onCommit: (value: string) => void;
}

/** A text of one line or more; Escape brings the old one back. */
export function TextField({ label, value, hint, rows = 1, code = false, disabled = false, options, onCommit }: TextProps): ReactElement {
  const id = useId();
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  const commit = (): void => {
    if (typed !== value) onCommit(typed);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && typed !== value) {
      event.stopPropagation();
      setTyped(value);
    } else if (event.key === "Enter" && (rows === 1 || event.ctrlKey)) {
      event.preventDefault();
      commit();
    }
  };
  const shared = {
    id,
    value: typed,
    disabled,
    className: code ? "code" : undefined,
    spellCheck: !code,
    "aria-describedby": hint ? `${id}-hint` : undefined,
    onBlur: commit,
    onKeyDown,
  };
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {rows === 1 ? (
        <input {...shared} list={options ? `${id}-list` : undefined} onChange={(event) => setTyped(event.target.value)} autoComplete="off" />
      ) : (
        <textarea {...shared} rows={rows} onChange={(event) => setTyped(event.target.value)} />
      )}
      {options && <datalist id={`${id}-list`}>{options.map((option) => <option key={option} value={option} />)}</datalist>}
      {hint && <p className="hint" id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  choices: readonly (readonly [value: string, words: string])[];
  disabled?: boolean;
  onCommit: (value: string) => void;
}

export function Choice({ label, value, choices, disabled = false, onCommit }: ChoiceProps): ReactElement {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} disabled={disabled} onChange={(event) => onCommit(event.target.value)}>
        {choices.map(([one, words]) => <option key={one} value={one}>{words}</option>)}
      </select>
    </div>
  );
}

/** Types that a form offers; any other can be typed. */
export const TYPES = ["File", "Directory", "string", "int", "float", "boolean", "File[]", "string[]", "int[]", "float[]", "File?", "string?", "int?", "Any"] as const;

/** What was typed as a value: JSON where it is some, else a text; nothing where nothing was typed. */
export function typedValue(text: string): unknown {
  const trimmed = text.trim();
  if (!trimmed) return null;
  try {
    return JSON.parse(trimmed);
  } catch {
    return trimmed;
  }
}

/** A value as one types it. */
export function shownValue(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" && typedValue(value) === value ? value : JSON.stringify(value);
}
