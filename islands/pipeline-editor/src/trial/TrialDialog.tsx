// What a test run asks for: the inputs, filled with those of the last one, and how much it may take.
import { type FormEvent, type ReactElement, useEffect, useState } from "react";
import type { Actions } from "../actions";
import { Modal } from "../dialogs/Modal";
import type { Session } from "../document/session";
import { Icon } from "../Icon";
import { Words } from "../Words";
import { type Problem, Refused } from "../wire";
import { FileList } from "./FileList";
import type { Trial } from "./follow";
import type { InputField, TestForm } from "./wire";

interface Told {
  text: string;
  fields: Readonly<Record<string, string>>;
  problems: readonly Problem[];
}

const NOTHING: Told = { text: "", fields: {}, problems: [] };

function toldBy(error: unknown): Told {
  if (!(error instanceof Refused)) return { ...NOTHING, text: String(error) };
  const more = (error.answer ?? {}) as { fields?: Record<string, string>; problems?: Problem[] };
  return { text: `${error.message} ${error.advice}`.trim(), fields: more.fields ?? {}, problems: more.problems ?? [] };
}

interface Props {
  session: Session;
  actions: Actions;
  trial: Trial;
  step: string;
  onClose: () => void;
}

export function TrialDialog({ session, actions, trial, step, onClose }: Props): ReactElement {
  const { platform } = session;
  const [form, setForm] = useState<TestForm | null>(null);
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [profile, setProfile] = useState("");
  const [told, tell] = useState(NOTHING);
  const [working, work] = useState(false);
  useEffect(() => {
    platform.testForm(step).then(
      (found) => {
        setForm(found);
        setValues(Object.fromEntries(found.fields.map((field) => [field.key, field.value])));
        setProfile(found.profile);
      },
      (error: unknown) => tell(toldBy(error)),
    );
  }, [platform, step]);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    work(true);
    try {
      trial.follow(await platform.launchTest(step, values, profile));
      onClose();
    } catch (error) {
      work(false);
      tell(toldBy(error));
    }
  };
  const enter = (key: string, value: string): void => {
    setValues((before) => ({ ...before, [key]: value }));
    tell(({ fields: { [key]: _, ...fields }, ...rest }) => ({ ...rest, fields })); // what was wrong may be right now
  };
  const go = (problem: Problem): void => {
    onClose();
    if (problem.line) session.goToLine(problem.line, problem.file);
    else actions.focus(problem.node);
  };
  const hindered = Boolean(form?.hindrances.length);
  return (
    <Modal title={step ? `Test ${step} alone` : "Test run"} wide onClose={onClose}>
      <form className="form" onSubmit={(event) => void submit(event)} noValidate>
        {!form && !told.text && <p className="soft" role="status">Looking at the inputs…</p>}
        {told.text && <p className="error" role="alert"><Words text={told.text} /></p>}
        {[...(form?.hindrances ?? []), ...told.problems].length > 0 && (
          <ul className="problem-list" aria-label="What keeps it from running">
            {[...(form?.hindrances ?? []), ...told.problems].map((problem, number) => (
              <li key={number} data-severity={problem.severity}>
                <strong><Words text={problem.message} /></strong> <Words text={problem.advice} />
                {(problem.line > 0 || problem.node) && <button type="button" className="button small quiet" onClick={() => go(problem)}>Show</button>}
              </li>
            ))}
          </ul>
        )}
        {form?.from && <p className="soft">Filled with what the last test run had.</p>}
        {form?.fields.map((field, place) => (
          <Input key={field.key} id={`trial-${place}`} first={place === 0} session={session} field={field} value={values[field.key] ?? ""} wrong={told.fields[field.key] ?? ""} onChange={(value) => enter(field.key, value)} />
        ))}
        {form && form.fields.length === 0 && <p className="soft">It needs no inputs.</p>}
        {form && (
          <div className="field">
            <label htmlFor="trial-profile">Resources</label>
            <select id="trial-profile" value={profile} onChange={(event) => setProfile(event.target.value)}>
              {form.profiles.map(([name, words]) => <option key={name} value={name}>{words}</option>)}
            </select>
          </div>
        )}
        <div className="cluster">
          <button className="button primary" disabled={!form || hindered || working} data-focus={form && !form.fields.length ? true : undefined}><Icon name="launch" /> {working ? "Starting…" : "Start the test run"}</button>
          {!step && <a className="button quiet" href={session.settings.urls.launch}>All choices in the launcher</a>}
          <button type="button" className="button quiet" onClick={onClose}>Cancel</button>
        </div>
      </form>
    </Modal>
  );
}

interface InputProps {
  id: string;
  first: boolean;
  session: Session;
  field: InputField;
  value: string;
  wrong: string;
  onChange: (value: string) => void;
}

function Input({ id, first, session, field, value, wrong, onChange }: InputProps): ReactElement {
  const [open, show] = useState(false);
  const several = field.way === "paths";
  const shared = { id, value, spellCheck: false, autoComplete: "off", required: field.needed, "aria-invalid": wrong ? true : undefined, "aria-describedby": `${id}-help${wrong ? ` ${id}-wrong` : ""}`, "data-focus": first || undefined };
  const pick = (path: string): void => {
    onChange(several ? [...value.split("\n").filter((line) => line.trim() && line !== path), path].join("\n") : path);
    show(false);
  };
  return (
    <div className="field">
      <label htmlFor={id}>{field.label}{field.needed ? "" : <span className="soft"> (optional)</span>}</label>
      <p className="hint" id={`${id}-help`}>{field.help}</p>
      {field.way === "choice" ? (
        <select {...shared} onChange={(event) => onChange(event.target.value)}>
          {field.choices.map(([one, words]) => <option key={one} value={one}>{words}</option>)}
        </select>
      ) : ["lines", "paths", "yaml"].includes(field.way) ? (
        <textarea {...shared} rows={3} onChange={(event) => onChange(event.target.value)} />
      ) : (
        <input {...shared} inputMode={field.way === "number" ? "decimal" : undefined} onChange={(event) => onChange(event.target.value)} />
      )}
      {field.kind && (
        <div>
          <button type="button" className="button small" aria-expanded={open} onClick={() => show(!open)}><Icon name="folder" /> Browse<span className="visually-hidden"> for {field.label}</span></button>
        </div>
      )}
      {open && <FileList session={session} kind={field.kind || "File"} label={field.label} onPick={pick} />}
      {wrong && <p className="error" id={`${id}-wrong`}><Words text={wrong} /></p>}
    </div>
  );
}
