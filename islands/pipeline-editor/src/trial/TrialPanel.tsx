// The test run beside the graph: how far it is, what failed and why, and the way to all else about it.
import { type ReactElement, useEffect, useRef, useSyncExternalStore } from "react";
import type { Actions } from "../actions";
import { plural } from "../canvas/words";
import type { Session } from "../document/session";
import { Icon } from "../Icon";
import { Words } from "../Words";
import type { Trial } from "./follow";
import type { Run } from "./wire";

const TONES: Record<string, string> = { queued: "quiet", running: "busy", paused: "warn", succeeded: "ok", failed: "bad", interrupted: "warn" };
const DONE = new Set(["succeeded", "reused", "skipped"]);

/** How many of a run's steps are done; workflows inside steps count by their steps. */
function progress(run: Run): string {
  const paths = Object.keys(run.steps);
  const leaves = paths.filter((path) => !paths.some((other) => other.startsWith(`${path}/`)));
  const done = leaves.filter((path) => DONE.has(run.steps[path]?.state ?? "")).length;
  const now = leaves.filter((path) => run.steps[path]?.state === "running");
  if (!leaves.length) return run.reason;
  return `${done} of ${plural(leaves.length, "step")} done${now.length ? `; now ${now.slice(0, 3).join(", ")}` : ""}.`;
}

interface Props {
  session: Session;
  actions: Actions;
  trial: Trial;
}

export function TrialPanel({ session, actions, trial }: Props): ReactElement | null {
  const { run, lost } = useSyncExternalStore(trial.subscribe, trial.snapshot);
  const said = useRef("");
  useEffect(() => {
    const words = run ? `Test run ${run.state}${run.failure ? `: ${run.failure.step} failed. ${run.failure.reason}` : "."}` : "";
    if (words && words !== said.current) session.say(words);
    said.current = words;
  }, [run, session]);
  if (!run) return null;
  const { failure } = run;
  const stop = (): void => void trial.stop().catch((error: unknown) => session.refuse(error));
  return (
    <section className="trial" aria-label="Test run">
      <header>
        <h2>{run.only_step ? <>Test of <code>{run.only_step}</code> alone</> : "Test run"}</h2>
        <span className="badge" data-tone={TONES[run.state] ?? "quiet"}>{run.stopping ? "stopping" : run.state}</span>
        {run.took && <small>{run.took}</small>}
      </header>
      {lost && <p className="soft">The line is lost: these states may be old. Trying again…</p>}
      {failure ? (
        <div className="trial-failure">
          <p>
            <button type="button" className="button small" onClick={() => actions.goToStep(failure.step)}>{failure.step}</button> <strong>failed{failure.exit_code === null ? "" : ` (exit code ${failure.exit_code})`}.</strong>
          </p>
          <p><strong>{failure.reason}</strong> {failure.advice}</p>
          {failure.lines ? (
            <>
              <p className="soft" id="trial-lines">Last lines of {failure.stream}</p>
              <pre className="log" data-size="s" tabIndex={0} role="region" aria-labelledby="trial-lines">{failure.lines}</pre>
            </>
          ) : (
            <p className="soft">It printed nothing.</p>
          )}
        </div>
      ) : run.final && run.reason ? (
        <p>{run.reason} {run.advice}</p>
      ) : (
        <p className="soft">{progress(run)}</p>
      )}
      {run.problems.length > 0 && (
        <ul className="problem-list" aria-label="What the run complained of">
          {run.problems.map((problem, number) => (
            <li key={number} data-severity={problem.severity}>
              <strong><Words text={problem.message} /></strong> <Words text={problem.advice} />
              {problem.line > 0 && <button type="button" className="button small quiet" onClick={() => session.goToLine(problem.line, problem.file)}>line {problem.line}</button>}
            </li>
          ))}
        </ul>
      )}
      <div className="cluster">
        {!run.final && <button type="button" className="button small danger" disabled={run.stopping} onClick={stop}><Icon name="stop" /> Stop</button>}
        {failure && !run.only_step && <button type="button" className="button small" onClick={() => void actions.test(failure.step)}>Test this step alone</button>}
        {run.final && <button type="button" className="button small" onClick={() => void actions.test(run.only_step)}><Icon name="restart" /> Test again</button>}
        <a className="button small" href={run.page} target="_blank" rel="noopener"><Icon name="open" /> {run.state === "succeeded" ? "Outputs and all else" : "The run’s page"}</a>
        <button type="button" className="button small quiet" onClick={() => trial.hide()}>Hide</button>
      </div>
    </section>
  );
}
