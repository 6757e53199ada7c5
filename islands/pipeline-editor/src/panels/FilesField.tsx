// The files that stand in a step's folder before it starts: name, content, and whether they may be written.
import type { ReactElement } from "react";
import { Icon } from "../Icon";
import { shownValue, TextField, typedValue } from "./fields";

interface Entry {
  entryname?: string;
  entry: unknown;
  writable?: boolean;
}

interface Props {
  value: unknown;
  disabled: boolean;
  onCommit: (value: unknown) => void;
}

function isEntry(one: unknown): one is Entry {
  return typeof one === "object" && one !== null && "entry" in one;
}

export function FilesField({ value, disabled, onCommit }: Props): ReactElement {
  if (!Array.isArray(value)) {
    return <TextField label="Files" code value={shownValue(value)} disabled={disabled} hint="An expression that gives files, or a list as JSON." onCommit={(text) => onCommit(typedValue(text))} />;
  }
  const change = (place: number, one: unknown): void => {
    const next = one === null ? value.toSpliced(place, 1) : value.with(place, one);
    onCommit(next.length ? next : null);
  };
  return (
    <>
      {value.map((one: unknown, place) => (
        <fieldset key={place} className="file-entry" disabled={disabled}>
          <legend>{isEntry(one) ? one.entryname || `File ${place + 1}` : `Expression ${place + 1}`}</legend>
          {isEntry(one) ? (
            <>
              <TextField label="Name in the folder" code value={one.entryname ?? ""} disabled={disabled} onCommit={(text) => change(place, named(one, text.trim()))} />
              <TextField label="Content or expression" code rows={4} value={typeof one.entry === "string" ? one.entry : shownValue(one.entry)} disabled={disabled} hint="$(inputs.file) puts an input there." onCommit={(entry) => change(place, { ...one, entry })} />
              <label className="check">
                <input type="checkbox" checked={one.writable === true} onChange={() => change(place, writable(one))} /> The step may write into it
              </label>
            </>
          ) : (
            <TextField label="Expression" code value={shownValue(one)} disabled={disabled} onCommit={(text) => change(place, typedValue(text))} />
          )}
          {!disabled && <button type="button" className="button small quiet" onClick={() => change(place, null)}><Icon name="trash" /> Leave it out</button>}
        </fieldset>
      ))}
      {!disabled && <button type="button" className="button small" onClick={() => onCommit([...value, { entryname: `file-${value.length + 1}.txt`, entry: "" }])}><Icon name="plus" /> One more file</button>}
    </>
  );
}

function named({ entryname: _, ...one }: Entry, name: string): Entry {
  return name ? { entryname: name, ...one } : one;
}

function writable({ writable: before, ...one }: Entry): Entry {
  return before === true ? one : { ...one, writable: true };
}
