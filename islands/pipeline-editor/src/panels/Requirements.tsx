// What a step or a whole workflow needs: each requirement as a form, and those that can be added.
import { type ReactElement, useId } from "react";
import type { Session, Snapshot } from "../document/session";
import { Icon } from "../Icon";
import type { Requirement } from "../wire";
import { Choice, TextField, typedValue } from "./fields";
import { FilesField } from "./FilesField";
import { type Field, KINDS, QUICK, shownAs, valueOf } from "./needs";

interface Props {
  session: Session;
  snapshot: Snapshot;
  /** The step; nothing for the workflow that is open. */
  step: string;
}

export function Requirements({ session, snapshot, step }: Props): ReactElement {
  const id = useId();
  const readOnly = !session.writable;
  const prefix = session.level.path.map((one) => `${one}/`).join("");
  const given = snapshot.reading?.details[prefix + step] ?? [];
  const add = (name: string, fields: Record<string, unknown>, hint: boolean): void =>
    void session.edit({ edit: "AddRequirement", name, fields, step, hint }, { spoken: `${KINDS[name]?.title ?? name}: changed.` });
  const remove = (one: Requirement): void => void session.edit({ edit: "RemoveRequirement", name: one.name, step }, { spoken: `${KINDS[one.name]?.title ?? one.name} is not asked for any more.` });
  /** Set one field; a requirement of which nothing would be left is taken away. */
  const set = (name: string, field: string, value: unknown): void => {
    const one = given.find((each) => each.name === name);
    if (value === null && one && Object.keys(one.fields).every((each) => each === field || each === "class")) remove(one);
    else if (value !== null || one) add(name, { [field]: value }, one?.hint ?? false);
  };
  const quick = (name: string, field: string): string => shownAs("amount", given.find((one) => one.name === name)?.fields[field]);
  const shown = given.filter((one) => !(one.name in QUICK) || !step || one.hint || Object.keys(one.fields).some((field) => field !== "class" && !QUICK[one.name]?.includes(field)));
  const addable = Object.entries(KINDS).filter(([name, kind]) => (step ? kind.step : kind.workflow) && !shown.some((one) => one.name === name) && !(step && name in QUICK && name !== "ResourceRequirement"));
  return (
    <>
      <h3>{step ? "What it needs" : "What all steps need"}</h3>
      {step && (
        <>
          <div className="pair">
            <TextField label="Cores" value={quick("ResourceRequirement", "coresMin")} disabled={readOnly} onCommit={(text) => set("ResourceRequirement", "coresMin", typedValue(text))} />
            <TextField label="Memory (MiB)" value={quick("ResourceRequirement", "ramMin")} disabled={readOnly} onCommit={(text) => set("ResourceRequirement", "ramMin", typedValue(text))} />
          </div>
          <div className="pair">
            <TextField label="Longest time (s)" value={quick("ToolTimeLimit", "timelimit")} disabled={readOnly} onCommit={(text) => set("ToolTimeLimit", "timelimit", typedValue(text))} />
            <Choice label="Network" value={quick("NetworkAccess", "networkAccess")} choices={[["", "no"], ["true", "yes, with leave"], ["false", "no (said in the text)"]]} disabled={readOnly} onCommit={(text) => set("NetworkAccess", "networkAccess", typedValue(text))} />
          </div>
        </>
      )}
      {shown.map((one) => (
        <details key={one.name} className="input-fields" aria-label={KINDS[one.name]?.title ?? one.name}>
          <summary>
            {KINDS[one.name]?.title ?? one.name} {one.hint && <span className="badge" data-tone="quiet">hint</span>}
          </summary>
          <p className="soft"><code>{one.name}</code> {KINDS[one.name]?.hint ?? "Its fields are changed in the text."}</p>
          {(KINDS[one.name]?.fields ?? []).map((field) => <OneField key={field.name} field={field} value={one.fields[field.name]} disabled={readOnly} onCommit={(value) => set(one.name, field.name, value)} />)}
          <div className="cluster">
            {!readOnly && (
              <button
                type="button"
                className="button small"
                onClick={() => void session.edit({ edit: "Several", edits: [{ edit: "RemoveRequirement", name: one.name, step }, { edit: "AddRequirement", name: one.name, fields: without(one.fields), step, hint: !one.hint }] })}
              >
                {one.hint ? "Make it a requirement" : "Make it a hint"}
              </button>
            )}
            {!readOnly && <button type="button" className="button small danger" onClick={() => remove(one)}><Icon name="trash" /> Take away<span className="visually-hidden"> {KINDS[one.name]?.title ?? one.name}</span></button>}
          </div>
        </details>
      ))}
      {!readOnly && (
        <div className="field">
          <label htmlFor={id}>Ask for something else</label>
          <select id={id} value="" onChange={(event) => add(event.target.value, { ...KINDS[event.target.value]?.begin }, KINDS[event.target.value]?.hint_first ?? false)}>
            <option value="">choose…</option>
            {addable.map(([name, kind]) => <option key={name} value={name}>{kind.title}</option>)}
          </select>
        </div>
      )}
    </>
  );
}

function without(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== "class"));
}

function OneField({ field, value, disabled, onCommit }: { field: Field; value: unknown; disabled: boolean; onCommit: (value: unknown) => void }): ReactElement {
  if (field.kind === "files") return <FilesField value={value} disabled={disabled} onCommit={onCommit} />;
  const text = shownAs(field.kind, value);
  if (field.choices && (text === "" || field.choices.some(([one]) => one === text))) {
    return <Choice label={field.label} value={text} choices={field.choices} disabled={disabled} onCommit={(one) => onCommit(typedValue(one))} />;
  }
  return <TextField label={field.label} code rows={field.rows ?? 1} value={text} hint={field.hint ?? ""} disabled={disabled} onCommit={(typed) => onCommit(valueOf(field.kind, typed, value))} />;
}
