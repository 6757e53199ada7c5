// What is wrong in the document: each problem leads to its line and its node.
import { memo, type ReactElement } from "react";
import { plural } from "../canvas/words";
import { Words } from "../Words";
import type { Problem } from "../wire";
import type { PanelProps } from "./Inspector";

export const Problems = memo(function Problems({ session, snapshot, actions }: PanelProps): ReactElement {
  const problems = snapshot.reading?.problems ?? [];
  const errors = problems.filter((problem) => problem.severity === "error").length;
  const warnings = problems.length - errors;
  const go = (problem: Problem): void => {
    const path = session.level.path;
    const parts = problem.node.split("/");
    const local = path.every((id, place) => parts[place] === id) ? (parts[path.length] ?? "") : (parts[0] ?? "");
    if (local && session.node(local)) {
      session.select([local]);
      actions.focus(local);
    } else if (problem.line) session.goToLine(problem.line, problem.file);
  };
  if (!problems.length) return <footer className="problems" data-tone="ok"><p>{snapshot.current ? "No problems." : "Reading…"}</p></footer>;
  return (
    <footer className="problems" data-tone={errors ? "bad" : "warn"}>
      <details open={problems.length < 4 || undefined}>
        <summary>{[errors ? plural(errors, "error") : "", warnings ? plural(warnings, "warning") : ""].filter(Boolean).join(", ")}</summary>
        <ul role="list">
          {problems.slice(0, 100).map((problem, number) => (
            <li key={number} data-severity={problem.severity}>
              <button type="button" className="button small quiet" onClick={() => go(problem)}>{problem.node || "line"}{problem.line ? ` · line ${problem.line}` : ""}</button>
              <span><strong><Words text={problem.message} /></strong> <Words text={problem.advice} /></span>
              {problem.node && problem.line > 0 && <button type="button" className="button small quiet" onClick={() => session.goToLine(problem.line, problem.file)}>Text</button>}
            </li>
          ))}
          {problems.length > 100 && <li>and {problems.length - 100} more</li>}
        </ul>
      </details>
    </footer>
  );
});
