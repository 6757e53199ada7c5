// The requirements of CWL as the inspector offers them: words, fields, and what their values look like in a form.
import { shownValue, typedValue } from "./fields";

export type FieldKind = "amount" | "text" | "choice" | "variables" | "library" | "files";

export interface Field {
  name: string;
  label: string;
  kind: FieldKind;
  hint?: string;
  rows?: number;
  choices?: readonly (readonly [value: string, words: string])[];
}

export interface Kind {
  title: string;
  hint: string;
  step: boolean;
  workflow: boolean;
  fields: readonly Field[];
  /** What stands there at first. */
  begin: Readonly<Record<string, unknown>>;
  /** Whether it is added as a hint, so that it runs where it can't be had. */
  hint_first?: boolean;
}

/** Fields of requirements that always have a place in a step's form. */
export const QUICK: Readonly<Record<string, readonly string[]>> = {
  ResourceRequirement: ["coresMin", "ramMin"],
  ToolTimeLimit: ["timelimit"],
  NetworkAccess: ["networkAccess"],
};

const YES_NO = [["true", "yes"], ["false", "no"]] as const;
const both = { step: true, workflow: true };

function amount(name: string, label: string): Field {
  return { name, label, kind: "amount" };
}

function flag(title: string, hint: string): Kind {
  return { title, hint, step: false, workflow: true, fields: [], begin: {} };
}

export const KINDS: Readonly<Record<string, Kind>> = {
  DockerRequirement: {
    title: "Software (container image or environment)",
    hint: "As a hint it runs also where that software is not to be had by this name.",
    ...both,
    fields: [{ name: "dockerPull", label: "Image or environment", kind: "text", hint: "Such as software/astropy:1.0, datalabs/jupyterlab:1.0 or an image that the operator allows." }],
    begin: { dockerPull: "software/" },
    hint_first: true,
  },
  EnvVarRequirement: {
    title: "Environment variables",
    hint: "Set for the step's command.",
    ...both,
    fields: [{ name: "envDef", label: "Variables", kind: "variables", rows: 3, hint: "NAME=value, one a line; a value may be an expression." }],
    begin: { envDef: { NAME: "value" } },
  },
  InitialWorkDirRequirement: {
    title: "Files put into its folder",
    hint: "They stand in the step's folder before its command starts.",
    ...both,
    fields: [{ name: "listing", label: "Files", kind: "files" }],
    begin: { listing: [{ entryname: "settings.txt", entry: "" }] },
  },
  InlineJavascriptRequirement: {
    title: "JavaScript in expressions",
    hint: "Lets expressions be JavaScript.",
    ...both,
    fields: [{ name: "expressionLib", label: "Functions for them", kind: "library", rows: 4, hint: "JavaScript that all expressions can use; empty for none." }],
    begin: {},
  },
  ResourceRequirement: {
    title: "Cores, memory and disk",
    hint: "Numbers, or expressions such as $(inputs.file.size / 1e6).",
    ...both,
    fields: [
      amount("coresMin", "Cores, at least"),
      amount("coresMax", "Cores, at most"),
      amount("ramMin", "Memory, at least (MiB)"),
      amount("ramMax", "Memory, at most (MiB)"),
      amount("tmpdirMin", "Scratch, at least (MiB)"),
      amount("tmpdirMax", "Scratch, at most (MiB)"),
      amount("outdirMin", "Outputs, at least (MiB)"),
      amount("outdirMax", "Outputs, at most (MiB)"),
    ],
    begin: { tmpdirMin: 1024 },
  },
  ToolTimeLimit: {
    title: "Longest time",
    hint: "A step that takes longer is ended, and has failed; 0 means for ever.",
    ...both,
    fields: [amount("timelimit", "Seconds")],
    begin: { timelimit: 3600 },
  },
  NetworkAccess: {
    title: "Network",
    hint: "Whoever launches it needs leave for the network.",
    ...both,
    fields: [{ name: "networkAccess", label: "May use the network", kind: "choice", choices: YES_NO }],
    begin: { networkAccess: true },
  },
  WorkReuse: {
    title: "Reuse of earlier results",
    hint: "Say no for a step that gives something else each time, such as one that looks at the clock.",
    ...both,
    fields: [{ name: "enableReuse", label: "May be reused", kind: "choice", choices: YES_NO }],
    begin: { enableReuse: false },
  },
  LoadListingRequirement: {
    title: "Listings of folders",
    hint: "Whether expressions see what is in a folder.",
    ...both,
    fields: [{ name: "loadListing", label: "Listing", kind: "choice", choices: [["no_listing", "none"], ["shallow_listing", "its own files"], ["deep_listing", "all below it"]] }],
    begin: { loadListing: "shallow_listing" },
  },
  InplaceUpdateRequirement: {
    title: "Change inputs in place",
    hint: "Lets a step write into files that it was given as writable.",
    ...both,
    fields: [{ name: "inplaceUpdate", label: "Allowed", kind: "choice", choices: YES_NO }],
    begin: { inplaceUpdate: true },
  },
  ShellCommandRequirement: { title: "Run by a shell", hint: "Its command line is read by a shell.", step: true, workflow: false, fields: [], begin: {} },
  ScatterFeatureRequirement: flag("Scatter", "Lets steps run once for each value; added by itself where it is needed."),
  SubworkflowFeatureRequirement: flag("Workflows inside steps", "Lets steps run workflows; added by itself where it is needed."),
  MultipleInputFeatureRequirement: flag("Several sources of an input", "Lets an input have several sources; added by itself where it is needed."),
  StepInputExpressionRequirement: flag("Expressions at inputs", "Lets steps' inputs have a valueFrom; added by itself where it is needed."),
};

/** A field's value as one types it; nothing for what only the text can show. */
export function shownAs(kind: FieldKind, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (kind === "variables" && variables(value).some(([, text]) => text.includes("\n"))) return JSON.stringify(value);
  if (kind === "variables") return variables(value).map(([name, text]) => `${name}=${text}`).join("\n");
  if (kind === "library") return Array.isArray(value) ? value.map((one) => (typeof one === "string" ? one : JSON.stringify(one))).join("\n") : String(value);
  return shownValue(value);
}

function variables(value: unknown): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((one: { envName?: unknown; envValue?: unknown }) => (typeof one?.envName === "string" ? [[one.envName, String(one.envValue ?? "")]] : []) as [string, string][]);
  return Object.entries((value ?? {}) as Record<string, unknown>).map(([name, one]) => [name, typeof one === "object" && one !== null && "envValue" in one ? String(one.envValue) : String(one ?? "")]);
}

/** What was typed as a field's value, written as it was written before: a list stays a list. */
export function valueOf(kind: FieldKind, typed: string, before: unknown): unknown {
  if (kind === "variables" && /^\s*[{[]/.test(typed)) return typedValue(typed);
  if (kind === "variables") {
    const rows = typed.split("\n").filter((line) => line.trim()).map((line) => [line.split("=", 1)[0]?.trim() ?? "", line.includes("=") ? line.slice(line.indexOf("=") + 1) : ""] as const);
    if (!rows.length) return null;
    return Array.isArray(before) ? rows.map(([envName, envValue]) => ({ envName, envValue })) : Object.fromEntries(rows);
  }
  if (kind === "library") {
    if (!typed.trim()) return null;
    const included = Array.isArray(before) ? before.filter((one) => typeof one !== "string") : []; // such as {$include: file.js}
    const shown = included.map((one) => JSON.stringify(one));
    const own = typed.split("\n").filter((line) => !shown.includes(line)).join("\n");
    return [...included, ...(own.trim() ? [own] : [])];
  }
  if (kind === "text") return typed.trim() || null;
  return typedValue(typed);
}
