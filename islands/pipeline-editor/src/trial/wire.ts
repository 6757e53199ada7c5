// Test runs as the platform tells of them.
import type { Problem } from "../wire";

/** How far one step is; `words` says more than the state where there is more, such as “3 of 10”. */
export interface StepState {
  state: string;
  words: string;
  took: string;
  page: string;
}

export interface Failure {
  step: string;
  job: string;
  exit_code: number | null;
  reason: string;
  advice: string;
  command: string;
  lines: string;
  stream: string;
  others: number;
  page: string;
}

export interface Run {
  id: string;
  state: string;
  reason: string;
  advice: string;
  final: boolean;
  stopping: boolean;
  only_step: string;
  took: string;
  page: string;
  stop: string;
  steps: Readonly<Record<string, StepState>>;
  failure: Failure | null;
  problems: Problem[];
}

export interface Launched {
  run: Run;
  events: string;
}

/** One field of the form: `way` is line, number, choice, path, lines, paths or yaml. */
export interface InputField {
  key: string;
  label: string;
  help: string;
  way: string;
  kind: "" | "File" | "Directory";
  needed: boolean;
  choices: [value: string, words: string][];
  value: string;
}

export interface TestForm {
  title: string;
  step: string;
  hindrances: Problem[];
  fields: InputField[];
  profiles: [name: string, words: string][];
  profile: string;
  from: string;
}

/** A folder of the person's files, or the places where one may begin. */
export interface Folder {
  path: string;
  above: string;
  trouble: string;
  places: { path: string; title: string }[];
  entries: { name: string; path: string; folder: boolean; size: number }[];
}

/** The states that the canvas shows: of the steps that a run has told of, and of all others. */
export interface Marks {
  steps: Readonly<Record<string, StepState>>;
  rest: StepState | null;
}
