// The inspector's part for the whole pipeline, when no node is selected.
import type { ReactElement } from "react";
import { plural } from "../canvas/words";
import { Icon } from "../Icon";
import type { PanelProps } from "./Inspector";
import { TextField } from "./fields";
import { Requirements } from "./Requirements";

export function PipelineFacts({ session, snapshot }: PanelProps): ReactElement {
  const { reading, graph, files } = snapshot;
  const readOnly = !session.writable || session.level.path.length > 0;
  const count = (kind: string): number => graph?.nodes.filter((node) => node.kind === kind).length ?? 0;
  const set = (field: string, value: string): void => void session.edit({ edit: "SetField", path: [field], value: value || null });
  const unused = files.filter((file) => file !== session.settings.main.split("#")[0] && !file.endsWith(".layout.json") && session.unused(file));
  return (
    <>
      <header>
        <p className="eyebrow">{reading?.cwl_class || "document"} {reading?.cwl_version}</p>
        <h2>{reading?.label || session.settings.title}</h2>
      </header>
      <p className="soft">
        {plural(count("step"), "step").replace(/^n/, "N")}, {plural(count("input"), "input")}, {plural(count("output"), "output")}. Select a node to see and change what it does.
      </p>
      <TextField label="Label" value={reading?.label ?? ""} disabled={readOnly} onCommit={(value) => set("label", value)} />
      <TextField label="Description" rows={3} value={reading?.doc ?? ""} disabled={readOnly} onCommit={(value) => set("doc", value)} />
      {reading?.cwl_class === "Workflow" && <Requirements session={session} snapshot={snapshot} step="" />}
      {files.length > 1 && (
        <>
          <h3>Files</h3>
          <ul className="links" role="list">
            {files.filter((file) => !file.endsWith(".layout.json")).map((file) => (
              <li key={file}>
                {file === session.file ? <code>{file}</code> : <button type="button" className="button small quiet" onClick={() => session.openFile(file, file)}><code>{file}</code></button>}
                {unused.includes(file) && session.writable && <button type="button" className="button small quiet" aria-label={`Remove the unused file ${file}`} onClick={() => session.removeFile(file)}><Icon name="trash" /></button>}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
